"""The photos in a stranger's zip: checked before anything is unpacked, and never written under the names in it."""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from midas_gateway.problems import Problem

_END = b"PK\x05\x06"
_LOCATOR = b"PK\x06\x07"
_TAIL = 65_536 + 22
# A photo does not become much smaller in a zip; what shrinks a thousandfold is no photo.
_MOST_RATIO = 200


def photos_in(file: Path, *, most: int, photo_bytes: int, total_bytes: int) -> list[zipfile.ZipInfo]:
    """The entries of a zip that may be photos, in their order. Nothing is unpacked.

    Args:
        file: the zip.
        most: entries.
        photo_bytes: the largest photo.
        total_bytes: of all photos.

    Raises:
        Problem: 400, it is no zip, is encrypted, or has a path that leads out of it; 413, it holds too much.
    """
    _check_count(file, most)
    try:
        with zipfile.ZipFile(file) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir() and not _is_litter(entry.filename)]
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise Problem(400, f"The zip cannot be read: {error}") from None
    if not entries:
        raise Problem(400, "The zip holds no file")
    for entry in entries:
        path = PurePosixPath(entry.filename.replace("\\", "/"))
        if path.is_absolute() or ".." in path.parts or ":" in entry.filename or "\0" in entry.orig_filename:
            raise Problem(400, f"The zip has an entry whose path leads out of it: {entry.filename[:80]!r}")
        if entry.flag_bits & 1:
            raise Problem(400, f"{entry.filename[:80]!r} in the zip is encrypted. Send a zip without a password")
        if entry.file_size > photo_bytes:
            raise Problem(413, f"{entry.filename[:80]!r} in the zip is larger than {photo_bytes:,} bytes")
        if entry.file_size > _MOST_RATIO * max(1, entry.compress_size):
            raise Problem(413, f"{entry.filename[:80]!r} in the zip grows too much when it is unpacked: is it a photo?")
    if sum(entry.file_size for entry in entries) > total_bytes:
        raise Problem(413, f"The zip holds more than {total_bytes:,} bytes. Send several smaller ones")
    return entries


def read_photos(file: Path, entries: list[zipfile.ZipInfo]) -> Iterator[bytes | Problem]:
    """Each photo of a checked zip, or why it cannot be read."""
    with zipfile.ZipFile(file) as archive:
        for entry in entries:
            try:
                with archive.open(entry) as photo:
                    # What is unpacked may be more than the entry says; no more than that is read.
                    yield photo.read(entry.file_size)
            except Exception as error:  # noqa: BLE001 - zipfile's, zlib's, lzma's and bz2's errors have no common base
                yield Problem(400, f"It cannot be unpacked: {error}")


def _check_count(file: Path, most: int) -> None:
    """Look at the end of a zip, which tells how many entries the reader would go through."""
    size = file.stat().st_size
    with file.open("rb") as opened:
        opened.seek(max(0, size - _TAIL))
        tail = opened.read()
    place = tail.rfind(_END)
    if place < 0 or len(tail) - place < 22:
        raise Problem(400, "The zip is not complete: it has no directory at its end")
    count, directory = struct.unpack("<HI", tail[place + 10 : place + 16])
    large = tail[max(0, place - 20) : place].startswith(_LOCATOR)
    # 46 bytes and a name for each entry.
    if large or count > most or directory > most * 1024 + 4096:
        raise Problem(413, f"The zip has more than {most:,} entries. Send several smaller ones")


def _is_litter(name: str) -> bool:
    """What macOS and Windows put into zips beside the files."""
    parts = PurePosixPath(name).parts
    return "__MACOSX" in parts or parts[-1:] in ((".DS_Store",), ("Thumbs.db",))
