"""`make demo`'s program: pictures and depth maps of the user's photos, or one clear line."""

import subprocess
import sys
from pathlib import Path

import numpy as np
from PIL import Image

from demo.photos import find_photos
from demo.picture import CAPTION, GAP, HEIGHT
from tests.networks import ROOT, VARIANT


def demo(repository: Path, out: Path, *photos: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "demo", "--repository", str(repository), "--model", VARIANT, "--out", str(out)]
    return subprocess.run(
        [*command, *map(str, photos)], cwd=ROOT, capture_output=True, text=True, check=False, timeout=120
    )


def test_it_writes_depth_and_pictures_and_says_what_it_did(lean: Path, tmp_path: Path, photo: bytes) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "rocket.jpg").write_bytes(photo)
    (tmp_path / "photos" / "broken.jpg").write_bytes(photo[: len(photo) // 2])
    done = demo(lean, tmp_path / "out", tmp_path / "photos")
    assert done.returncode == 1  # one of the two has no depth map
    assert "broken.jpg" in done.stdout
    assert "ends early" in done.stdout
    assert "UNTRAINED weights" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
    depth = np.asarray(Image.open(tmp_path / "out" / "rocket_depth.png"))
    assert depth.shape == (427, 640)
    assert depth.max() == 65535
    assert Image.open(tmp_path / "out" / "rocket_side_by_side.png").width > 2 * 600
    assert (tmp_path / "out" / "overview.png").is_file()


def test_a_missing_photo_is_named(repository: Path, tmp_path: Path) -> None:
    done = demo(repository, tmp_path / "out", tmp_path / "nothing.jpg")
    assert done.returncode == 1
    assert "there is no" in done.stdout
    assert "nothing.jpg" in done.stdout.replace("\n", "")


def test_the_sample_photos_are_there() -> None:
    photos = find_photos([])
    assert len(photos) == 4
    assert all(photo.is_file() for photo in photos)


def test_the_gallery_shows_every_ensemble(lean: Path, models: list[str], tmp_path: Path) -> None:
    command = [sys.executable, "-m", "demo.gallery", "--repository", str(lean), "--out", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    assert all(model in done.stdout for model in models)
    with Image.open(tmp_path / "gallery.jpg") as sheet:
        assert sheet.height == len(models) * (HEIGHT + GAP + CAPTION)


def test_the_gallery_of_nothing_says_so(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "demo.gallery", "--repository", str(tmp_path), "--out", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 1
    assert "holds no ensemble" in " ".join(done.stdout.split())
