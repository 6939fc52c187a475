"""What the tests of the command line share: photos on the disk, and the installed command."""

from __future__ import annotations

import sysconfig
from pathlib import Path

import pytest

COMMAND = str(Path(sysconfig.get_path("scripts")) / "midas-client")


@pytest.fixture
def command() -> str:
    """The path of the installed `midas-client`."""
    return COMMAND


@pytest.fixture
def rocket(tmp_path: Path, photo: bytes) -> Path:
    """A photo, in a folder of its own."""
    path = tmp_path / "rocket.jpg"
    path.write_bytes(photo)
    return path


@pytest.fixture
def album(tmp_path: Path, photo: bytes) -> Path:
    """A folder of photos, with folders, hidden ones, results of an earlier run, and what is no photo."""
    folder = tmp_path / "album"
    for name in ("b.jpg", "a.JPG", "a_depth.png", "trip/c.jpg", "trip/deep/d.jpeg", ".hidden.jpg", ".trash/e.jpg"):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(photo)
    (folder / "notes.txt").write_text("once upon a time")
    return folder


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever server the person who runs the tests works with."""
    for name in ("MIDAS_URL", "MIDAS_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "80")
