"""Zips of strangers: looked through before anything is unpacked."""

from __future__ import annotations

import io
import struct
import time
import zipfile
from pathlib import Path

import pytest

from midas_gateway.jobs.archive import photos_in, read_photos
from midas_gateway.problems import Problem

MB = 1_000_000


def zipped(*entries: tuple[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        for name, content in entries:
            archive.writestr(name, content)
    return file.getvalue()


def flags_set(archive: bytes, flag: int) -> bytes:
    at = archive.index(b"PK\x01\x02")
    return archive[: at + 8] + struct.pack("<H", flag) + archive[at + 10 :]


def refusal(tmp_path: Path, content: bytes) -> Problem:
    """The refusal of a zip, which takes no time."""
    file = tmp_path / "a.zip"
    file.write_bytes(content)
    started = time.process_time()
    with pytest.raises(Problem) as caught:
        photos_in(file, most=100, photo_bytes=32 * MB, total_bytes=100 * MB)
    assert time.process_time() - started < 1
    assert [path.name for path in tmp_path.iterdir()] == ["a.zip"]
    return caught.value


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "/etc/passwd", "a/../../b.jpg", "..\\..\\b.jpg", "C:\\b.jpg", "\\\\host\\b.jpg"]
)
def test_a_path_that_leads_out(tmp_path: Path, name: str) -> None:
    problem = refusal(tmp_path, zipped((name, b"photo")))
    assert problem.status == 400
    assert "leads out" in problem.message


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"PK\x03\x04 and nothing else", 400),
        (zipped(), 400),
        (zipped(("dir/", b"")), 400),
        (flags_set(zipped(("a.jpg", b"photo")), 1), 400),
        (zipped(*((f"{number}.jpg", b"") for number in range(101))), 413),
        (zipped(("bomb.jpg", bytes(31 * MB))), 413),
        (zipped(("large.jpg", bytes(33 * MB)), compression=zipfile.ZIP_STORED), 413),
        (zipped(*((f"{number}", bytes(30 * MB)) for number in range(4)), compression=zipfile.ZIP_STORED), 413),
        (zipped(("a.jpg", b"photo"))[:-30], 400),
        (b"PK\x06\x07" + bytes(16) + b"PK\x05\x06" + bytes(18), 413),
    ],
    ids=["torn", "empty", "folder", "encrypted", "many", "bomb", "large", "sum", "cut", "zip64"],
)
def test_what_is_refused(tmp_path: Path, content: bytes, status: int) -> None:
    assert refusal(tmp_path, content).status == status


def test_what_other_systems_add_is_left_out(tmp_path: Path) -> None:
    file = tmp_path / "a.zip"
    file.write_bytes(
        zipped(("a/one.jpg", b"1"), ("__MACOSX/a/._one.jpg", b"x"), ("a/.DS_Store", b"x"), ("two.jpg", b"2"))
    )
    entries = photos_in(file, most=9, photo_bytes=9, total_bytes=99)
    assert [entry.filename for entry in entries] == ["a/one.jpg", "two.jpg"]
    assert list(read_photos(file, entries)) == [b"1", b"2"]


def test_one_damaged_photo_leaves_the_others(tmp_path: Path) -> None:
    content = zipped(("one.jpg", b"11111"), ("two.jpg", b"22222"), compression=zipfile.ZIP_STORED)
    file = tmp_path / "a.zip"
    file.write_bytes(content.replace(b"11111", b"11x11"))
    entries = photos_in(file, most=9, photo_bytes=9, total_bytes=99)
    first, second = read_photos(file, entries)
    assert isinstance(first, Problem)
    assert second == b"22222"


def test_an_entry_that_is_longer_than_it_says_is_cut(tmp_path: Path) -> None:
    content = zipped(("one.jpg", bytes(50_000)))
    at = content.index(b"PK\x01\x02")
    lying = content[: at + 24] + struct.pack("<I", 1000) + content[at + 28 :]
    file = tmp_path / "a.zip"
    file.write_bytes(lying)
    entries = photos_in(file, most=9, photo_bytes=2000, total_bytes=9999)
    (read,) = read_photos(file, entries)
    assert isinstance(read, Problem) or len(read) <= 1000
