"""Batches follow from seed and step, and photo and depth stay together."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from training.augment import cut, recolour, shapes_near
from training.batches import Batch, Batches
from training.data import read_data
from training.errors import TrainingError


@pytest.fixture(scope="module")
def batches(tiny_set: Path) -> Batches:
    return Batches(read_data([str(tiny_set)]), [(64, 64), (32, 64)], 3, seed=5)


def made(batches: Batches, step: int) -> Batch:
    batch = batches[step]
    assert not isinstance(batch, str)
    return batch


def test_shapes() -> None:
    shapes = shapes_near(256)
    assert {(192, 256), (256, 256), (256, 192), (224, 288)} <= set(shapes)
    assert all(side % 32 == 0 for shape in shapes for side in shape)
    assert all(0.7 <= height * width / 256**2 <= 1.1 for height, width in shapes)
    assert shapes_near(64)


def test_a_batch_follows_from_seed_and_step(batches: Batches) -> None:
    for step in (0, 7):
        first, again = made(batches, step), made(batches, step)
        assert torch.equal(first.photos, again.photos)
        assert torch.equal(first.truths, again.truths)
    other_seed = replace(batches, seed=6)
    assert {tuple(made(batches, step).truths.shape) for step in range(8)} == {(3, 64, 64), (3, 32, 64)}
    steps = [made(batches, step).photos for step in range(4)] + [made(other_seed, 0).photos]
    assert len({photos.numpy().tobytes() for photos in steps}) == len(steps)


def test_what_a_batch_is(batches: Batches) -> None:
    photos, truths = made(batches, 0)
    assert photos.dtype == torch.uint8
    assert truths.dtype == torch.float32
    assert photos.shape == (*truths.shape, 3)
    assert float(truths.min()) > 0


@pytest.mark.parametrize("workers", [0, 1])
def test_iteration_goes_on_from_any_step(batches: Batches, workers: int) -> None:
    got = list(batches.iterate(3, 6, workers))
    assert len(got) == 3
    for step, batch in enumerate(got, 3):
        assert torch.equal(batch.photos, made(batches, step).photos)


@pytest.mark.parametrize("workers", [0, 1])
def test_a_damaged_photo_is_named(tiny_set: Path, tmp_path: Path, workers: int) -> None:
    folder = shutil.copytree(tiny_set, tmp_path / "damaged")
    for photo in folder.glob("*.jpg"):
        photo.write_bytes(b"no photo")
    batches = Batches(read_data([str(folder)]), [(64, 64)], 2, seed=0)
    with pytest.raises(TrainingError, match=r"\.jpg: .*Mend the data set, then give the same command again"):
        list(batches.iterate(0, 2, workers))


def test_squares_alone_get_whole_photos_squashed(tmp_path: Path) -> None:
    """Of a photo of 4:1, whose depth counts the columns, a square shows most, and a shape of 2:1 half at most."""
    columns = np.tile(np.arange(1, 257, dtype=np.uint16), (64, 1))
    Image.fromarray(columns).save(tmp_path / "a.png")
    Image.fromarray(np.full((64, 256, 3), 90, np.uint8)).save(tmp_path / "a.jpg")
    (tmp_path / "pairs.csv").write_text("photo,truth,kind,scale\na.jpg,a.png,inverse_depth,\n")
    batches = Batches(read_data([str(tmp_path)]), [(64, 64), (32, 64)], 4, seed=0, squashed=True)
    widths: dict[tuple[int, int], list[float]] = {(64, 64): [], (32, 64): []}
    for step in range(12):
        truths = made(batches, step).truths
        for truth in truths:
            widths[truth.shape[0], truth.shape[1]].append(float(truth.max() - truth.min()) / 256)
    assert min(widths[64, 64]) > 0.5
    assert 0 < max(widths[32, 64]) < 0.6


def test_photo_and_truth_are_cut_alike() -> None:
    truth = np.linspace(0.2, 1, 90 * 120, dtype=np.float32).reshape(90, 120)
    photo = np.repeat((truth * 255).astype(np.uint8)[:, :, None], 3, axis=2)
    for seed in range(20):
        part, depth = cut(photo, truth, (64, 96), np.random.default_rng(seed))
        assert part.shape == (64, 96, 3)
        assert depth.shape == (64, 96)
        assert np.isin(depth, truth).all()
        assert np.abs(part[:, :, 0] / 255 - depth).max() < 0.03


def test_truth_of_another_size_than_the_photo() -> None:
    photo = np.zeros((200, 300, 3), np.uint8)
    photo[:, 150:] = 255
    truth = np.full((20, 30), 0.5, np.float32)
    truth[:, 15:] = 1.0
    for seed in range(10):
        part, depth = cut(photo, truth, (64, 64), np.random.default_rng(seed))
        assert np.mean((part[:, :, 0] > 127) == (depth == 1.0)) > 0.93


def test_colours_change_but_not_beyond_recognition() -> None:
    generator = np.random.default_rng(0)
    photo = generator.integers(0, 256, (48, 64, 3), dtype=np.uint8)
    photo = np.repeat(np.repeat(photo[::8, ::8], 8, axis=0), 8, axis=1)
    before = photo.copy()
    changed = [recolour(photo, np.random.default_rng(seed)) for seed in range(40)]
    assert np.array_equal(photo, before)
    assert all(each.shape == photo.shape and each.dtype == np.uint8 for each in changed)
    grey = photo.mean(axis=2).ravel()
    correlations = [np.corrcoef(each.mean(axis=2).ravel(), grey)[0, 1] for each in changed]
    assert min(correlations) > 0.6
    assert max(correlations) < 1


def test_weights_and_held_out_photos(tiny_set: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(tiny_set, tmp_path / "other")
    plain, heavy = read_data([str(tiny_set), f"{folder}=48"])
    assert plain.weight == len(plain.pairs)
    assert heavy.weight == 48
    assert len(plain.pairs) + len(plain.held_out) == 16
    assert [pair.photo.name for pair in plain.held_out] == [pair.photo.name for pair in heavy.held_out]


def test_heavier_sets_are_drawn_from_more_often(tiny_set: Path, tmp_path: Path) -> None:
    dark = shutil.copytree(tiny_set, tmp_path / "dark")
    for truth in dark.glob("*.png"):
        truth.unlink()
    for number in range(16):  # without truth, so that a photo from here is known by its map
        Image.new("I;16", (128, 96)).save(dark / f"{number}.png")
    batches = Batches(read_data([f"{tiny_set}=1", f"{dark}=3"]), [(64, 64)], 8, seed=0)
    empty = [not truth.any() for step in range(25) for truth in made(batches, step).truths]
    assert 0.68 < np.mean(empty) < 0.82


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("/nowhere", "there is no /nowhere"),
        ("{set}=0", "must be a number above 0"),
        ("{set}=x", "there is no"),
    ],
)
def test_bad_data_is_one_line(entry: str, message: str, tiny_set: Path) -> None:
    with pytest.raises(TrainingError, match=message):
        read_data([entry.format(set=tiny_set)])
