"""Files that are read back by somebody else, and that are there completely or not at all."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest
import tifffile

from midas_client._depth_files import png16, save_map
from midas_client._whole_file import write_whole

VALUES = np.array([[1.5, -2.25, np.inf], [1e-30, 3e38, np.nan]], np.float32)


def no_png() -> bytes:
    raise AssertionError("a PNG was not asked for")


def read_pfm(path: Path) -> npt.NDArray[np.float32]:
    kind, size, scale, pixels = path.read_bytes().split(b"\n", 3)
    width, height = map(int, size.split())
    assert (kind, float(scale)) == (b"Pf", -1.0)
    return np.frombuffer(pixels, "<f4").reshape(height, width)[::-1]


def read_with_opencv(path: Path) -> npt.NDArray[np.float32]:
    return np.asarray(cv2.imread(str(path), cv2.IMREAD_UNCHANGED), np.float32)


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("map.npy", np.load),
        ("map.tif", tifffile.imread),
        ("map.tiff", read_with_opencv),
        ("map.pfm", read_pfm),
        ("MAP.PFM", read_with_opencv),
    ],
)
def test_every_float_comes_back(tmp_path: Path, name: str, read: Callable[[Path], npt.NDArray[np.float32]]) -> None:
    save_map(tmp_path / name, VALUES, no_png)
    found = read(tmp_path / name)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, VALUES)
    assert [each.name for each in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("name", ["map.npy", "map.tif", "map.pfm"])
def test_a_view_is_written_as_it_reads(tmp_path: Path, name: str) -> None:
    view = np.arange(24, dtype=np.float32).reshape(4, 6)[::-1, ::2].T
    save_map(tmp_path / name, view, no_png)
    found = np.load(tmp_path / name) if name.endswith("npy") else read_with_opencv(tmp_path / name)
    np.testing.assert_array_equal(found, view)


def test_png_is_the_callers(tmp_path: Path) -> None:
    values = np.array([[0, 1], [256, 65535]], np.uint16)
    save_map(tmp_path / "map.png", VALUES, lambda: png16(values))
    np.testing.assert_array_equal(cv2.imread(str(tmp_path / "map.png"), cv2.IMREAD_UNCHANGED), values)


@pytest.mark.parametrize("path", ["missing/map.npy", "folder/map.npy"])
def test_the_error_has_the_path_that_was_given(tmp_path: Path, path: str) -> None:
    (tmp_path / "folder" / "map.npy").mkdir(parents=True)
    with pytest.raises(OSError, match=r"map\.npy") as caught:
        save_map(tmp_path / path, VALUES, no_png)
    assert caught.value.filename == str(tmp_path / path)
    assert not list((tmp_path / "folder" / "map.npy").iterdir())


def test_a_full_disk_leaves_the_old_file(tmp_path: Path) -> None:
    """The limit on a file's size ends a write in its middle, as a full disk does."""
    code = (
        "import resource, sys; from pathlib import Path; from midas_client._whole_file import write_whole\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "try: write_whole(Path(sys.argv[1]), bytes(5000))\n"
        "except OSError as error: print(error.filename)"
    )
    for name, before in (("old.npy", [b"old"]), ("new.npy", [])):
        for content in before:
            (tmp_path / name).write_bytes(content)
        path = str(tmp_path / name)
        done = subprocess.run([sys.executable, "-c", code, path], check=True, capture_output=True, text=True)
        assert done.stdout.strip() == path
    assert [(each.name, each.read_bytes()) for each in tmp_path.iterdir()] == [("old.npy", b"old")]


def test_a_file_like_any_other(tmp_path: Path) -> None:
    write_whole(tmp_path / "ours", b"1")
    (tmp_path / "plain").write_bytes(b"1")
    modes = [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("ours", "plain")]
    assert modes[0] == modes[1]


def test_behind_a_link(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "folder" / "file")
    for content in (b"first", b"second"):
        write_whole(tmp_path / "link", content)
        assert (tmp_path / "folder" / "file").read_bytes() == content
    assert (tmp_path / "link").is_symlink()
    assert len(list(tmp_path.rglob("*"))) == 3


def test_into_a_pipe(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.npy"
    os.mkfifo(pipe)
    received: list[bytes] = []
    reader = threading.Thread(target=lambda: received.append(pipe.read_bytes()), daemon=True)
    reader.start()
    write_whole(pipe, b"through the pipe")
    reader.join(60)
    assert received == [b"through the pipe"]
    assert pipe.is_fifo()
