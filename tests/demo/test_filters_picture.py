"""The picture of all filters is made by a real server."""

import subprocess
import sys
from pathlib import Path

from PIL import Image

from demo.filters import CASES, PANEL, PER_ROW
from tests.networks import DEFAULT, ROOT


def test_every_filter_has_its_panel(lean: Path, photo: bytes, tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").write_bytes(photo)
    out = tmp_path / "docs" / "filters.png"
    command = [sys.executable, "-m", "demo.filters", str(tmp_path / "photo.jpg"), "--model", DEFAULT]
    command += ["--repository", str(lean), "--out", str(out)]
    subprocess.run(command, cwd=ROOT, check=True)
    with Image.open(out) as picture:
        rows = -(-(1 + len(CASES)) // PER_ROW)
        assert picture.width > PER_ROW * PANEL[0]
        assert picture.height > rows * PANEL[1]


def test_a_photo_that_is_not_there_is_told(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "demo.filters", str(tmp_path / "none.jpg")]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 1
    assert run.stderr.startswith("error: there is no ")
