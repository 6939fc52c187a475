"""Rendered data sets: repeatable, readable and varied."""

import csv
from pathlib import Path

import cv2
import numpy as np
import pytest

from training.scenes.__main__ import main
from training.scenes.dataset import LAYOUTS, encode_inverse_depth, render, write_dataset
from training.scenes.film import develop, lens_blur, shake
from training.scenes.pictures import make_pictures

WIDTH, HEIGHT = 64, 48


@pytest.mark.parametrize("layout", list(LAYOUTS))
def test_each_layout_gives_a_photo_with_depth(layout: str) -> None:
    made = render(7, 3, WIDTH, HEIGHT, layout)
    assert made.photo.shape == (HEIGHT, WIDTH, 3)
    assert made.photo.dtype == np.uint8
    assert made.photo.std() > 5
    assert made.depth.shape == (HEIGHT, WIDTH)
    seen = made.depth[np.isfinite(made.depth)]
    assert seen.size > 0.2 * made.depth.size
    assert seen.min() > 0.05
    assert seen.max() / seen.min() > 1.3


def test_the_same_seed_gives_the_same_bytes_and_another_one_does_not(tmp_path: Path) -> None:
    for name, seed in (("a", 5), ("b", 5), ("c", 6)):
        write_dataset(tmp_path / name, 3, seed, WIDTH, HEIGHT)
    files = sorted(path.name for path in (tmp_path / "a").iterdir())
    assert files == ["000000.jpg", "000000.png", "000001.jpg", "000001.png", "000002.jpg", "000002.png", "pairs.csv"]
    for name in files:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    assert (tmp_path / "a" / "000000.png").read_bytes() != (tmp_path / "c" / "000000.png").read_bytes()


def test_an_interrupted_run_goes_on_to_the_same_result(tmp_path: Path) -> None:
    write_dataset(tmp_path / "whole", 3, 2, WIDTH, HEIGHT)
    write_dataset(tmp_path / "parts", 1, 2, WIDTH, HEIGHT)
    write_dataset(tmp_path / "parts", 3, 2, WIDTH, HEIGHT)
    whole, parts = (
        {path.name: path.read_bytes() for path in (tmp_path / name).iterdir()} for name in ("whole", "parts")
    )
    assert len(whole) == 7
    assert parts == whole


def test_pairs_csv_names_readable_photos_and_truth(tmp_path: Path) -> None:
    assert write_dataset(tmp_path, 2, 9, WIDTH, HEIGHT) > 0
    with (tmp_path / "pairs.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["kind"] for row in rows] == ["inverse_depth"] * 2
    for row in rows:
        photo = cv2.imread(str(tmp_path / row["photo"]))
        truth = cv2.imread(str(tmp_path / row["truth"]), cv2.IMREAD_UNCHANGED)
        assert photo is not None
        assert photo.shape == (HEIGHT, WIDTH, 3)
        assert truth.dtype == np.uint16
        assert truth.shape == (HEIGHT, WIDTH)
        assert truth.max() == 65535
        assert truth.min() >= 1


def test_inverse_depth_is_kept_to_half_a_step() -> None:
    depth = np.array([[0.5, 1.0, 2.0], [50.0, 1e7, np.inf]])
    stored = encode_inverse_depth(depth)
    np.testing.assert_array_equal(stored, [[65535, 32768, 16384], [655, 1, 1]])


def test_pictures_repeat_and_differ() -> None:
    first, again = make_pictures(3, 8), make_pictures(3, 8)
    np.testing.assert_array_equal(first, again)
    assert first.min() >= 0
    assert first.max() <= 1
    assert len({picture.tobytes() for picture in first}) == 8


def test_film_keeps_shape_and_blurs_what_is_out_of_focus() -> None:
    rng = np.random.default_rng(0)
    light = rng.random((HEIGHT, WIDTH, 3), dtype=np.float32)
    depth = np.full((HEIGHT, WIDTH), 2.0)
    depth[:, WIDTH // 2 :] = 0.4
    blurred = lens_blur(light, depth, 2.0, 3.0)
    np.testing.assert_allclose(blurred[:, :20], light[:, :20], atol=0.05)
    assert blurred[:, 44:].std() < 0.6 * light[:, 44:].std()
    assert shake(light, 4.0, 0.3).std() < light.std()
    photo = develop(light, depth, np.random.default_rng(4))
    assert photo.dtype == np.uint8
    assert photo.shape == light.shape


def test_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    size = ["--width", "32", "--height", "24"]
    monkeypatch.setattr("sys.argv", ["scenes", "--count", "1", "--out", str(tmp_path), *size])
    assert main() == 0
    assert "1 pictures" in capsys.readouterr().out
    monkeypatch.setattr("sys.argv", ["scenes", "--count", "0", "--out", str(tmp_path)])
    with pytest.raises(SystemExit):
        main()
    assert "must be at least 1" in capsys.readouterr().err
