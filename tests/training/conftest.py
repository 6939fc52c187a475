"""A tiny data set whose depth can be seen at once, and a processor that is left as it was."""

import csv
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray


@pytest.fixture(autouse=True)
def threads() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def disc(near: NDArray[np.float32], centre: tuple[int, int], radius: int, value: float) -> NDArray[np.float32]:
    y, x = np.mgrid[: near.shape[0], : near.shape[1]]
    inside = (x - centre[0]) ** 2 + (y - centre[1]) ** 2 <= radius**2
    return np.where(inside, np.float32(value), near)


def write_pairs(folder: Path, count: int, seed: int = 0) -> Path:
    """Discs on a floor that comes nearer towards the bottom; what is near is bright."""
    folder.mkdir(parents=True)
    generator = np.random.default_rng(seed)
    rows = []
    for number in range(count):
        near = np.repeat(np.linspace(0.1, 0.6, 96, dtype=np.float32)[:, None], 128, axis=1)
        for _ in range(4):
            centre = (int(generator.integers(128)), int(generator.integers(96)))
            near = disc(near, centre, int(generator.integers(6, 24)), generator.uniform(0.2, 1))
        grey = (near * 230 + generator.uniform(0, 20, near.shape)).astype(np.uint8)
        cv2.imwrite(str(folder / f"{number}.jpg"), np.repeat(grey[:, :, None], 3, axis=2))
        cv2.imwrite(str(folder / f"{number}.png"), (near * 65535).astype(np.uint16))
        rows.append((f"{number}.jpg", f"{number}.png", "inverse_depth", ""))
    with (folder / "pairs.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("photo", "truth", "kind", "scale"))
        writer.writerows(rows)
    return folder


@pytest.fixture(scope="session")
def tiny_set(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """16 photos of 128x96 with inverse depth."""
    return write_pairs(tmp_path_factory.mktemp("data") / "tiny", 16)
