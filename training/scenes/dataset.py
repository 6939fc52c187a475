"""Writing a data set of rendered scenes: photo, exact inverse depth and the table `pairs.csv` that lists them."""

import csv
import multiprocessing
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from rich.progress import Progress

from training.scenes import closeups, indoors, landscapes
from training.scenes.cameras import Camera, is_worth_a_picture
from training.scenes.film import develop
from training.scenes.lighting import render_view
from training.scenes.pictures import make_pictures
from training.scenes.scene import Scene

SceneLayout = Callable[[Scene], list[Camera]]
# each layout with its share of the pictures
LAYOUTS: dict[str, tuple[SceneLayout, float]] = {
    "room": (indoors.room, 0.29),
    "corridor": (indoors.corridor, 0.05),
    "shop": (indoors.shop, 0.05),
    "table_top": (closeups.table_top, 0.12),
    "still_life": (closeups.still_life, 0.13),
    "portrait": (closeups.portrait, 0.09),
    "floor_view": (closeups.floor_view, 0.04),
    "garden_near": (closeups.garden_near, 0.04),
    "street": (landscapes.street, 0.09),
    "open_land": (landscapes.open_land, 0.06),
    "parked": (landscapes.parked, 0.04),
}
SCENES_TRIED = 12


@dataclass(frozen=True)
class Render:
    """A picture: photo (uint8 RGB [H,W,3]), depth along the optical axis in metres [H,W] (inf in the sky), layout."""

    photo: NDArray[np.uint8]
    depth: NDArray[np.float64]
    layout: str


@lru_cache(maxsize=2)
def made_pictures(seed: int) -> NDArray[np.float32]:
    """The pictures that hang in the scenes of a data set."""
    return make_pictures(seed)


def render(seed: int, number: int, width: int = 352, height: int = 288, layout: str | None = None) -> Render:
    """Picture `number` of the data set `seed`; the same arguments give the same picture on the same machine."""
    rng = np.random.default_rng([seed, number])
    names = list(LAYOUTS)
    shares = np.array([share for _, share in LAYOUTS.values()])
    name = layout or names[int(rng.choice(len(names), p=shares / shares.sum()))]
    for _ in range(SCENES_TRIED):
        scene = Scene(rng, made_pictures(seed))
        cameras = LAYOUTS[name][0](scene)
        world = scene.world()
        good = next((camera for camera in cameras if is_worth_a_picture(world, camera)), None)
        if good is not None:
            break
    else:
        good = cameras[0]
    light, depth = render_view(
        world, good.row(width, height), width, height, int(rng.integers(1 << 30)), scene.reach, scene.haze
    )
    return Render(develop(light, depth, rng), depth, name)


def encode_inverse_depth(depth: NDArray[np.float64]) -> NDArray[np.uint16]:
    """Inverse depth as uint16 [H,W]: the nearest pixel is 65535, the sky and what is very far 1."""
    inverse = 1.0 / depth
    return np.asarray(np.clip(np.rint(inverse * (65535.0 / inverse.max())), 1, 65535), dtype=np.uint16)


def write(number: int, folder: Path, seed: int, width: int, height: int) -> tuple[str, str]:
    """Render picture `number` into `folder`; returns the names of photo and truth. What is there is kept."""
    photo, truth = folder / f"{number:06d}.jpg", folder / f"{number:06d}.png"
    if not (photo.is_file() and truth.is_file()):
        made = render(seed, number, width, height)
        _, png = cv2.imencode(".png", encode_inverse_depth(made.depth), [cv2.IMWRITE_PNG_COMPRESSION, 4])
        _, jpeg = cv2.imencode(".jpg", made.photo[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 92])
        truth.write_bytes(png.tobytes())
        photo.write_bytes(jpeg.tobytes())
    return photo.name, truth.name


def write_pairs(folder: Path, names: list[tuple[str, str]]) -> None:
    """`pairs.csv` of a folder: photo, truth, kind, scale."""
    with (folder / "pairs.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["photo", "truth", "kind", "scale"])
        rows.writerows((photo, truth, "inverse_depth", "") for photo, truth in names)


def write_dataset(folder: Path, count: int, seed: int, width: int = 352, height: int = 288, jobs: int = 1) -> float:
    """Render pictures 0 to count - 1 into `folder` and list them in `pairs.csv`; returns pictures a second.

    An interrupted run goes on where it stopped; the result does not depend on `jobs`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    work = partial(write, folder=folder, seed=seed, width=width, height=height)
    start = time.monotonic()
    names: list[tuple[str, str]] = []
    with Progress() as progress:
        bar = progress.add_task(f"rendering into {folder}", total=count)
        if jobs == 1:
            for number in range(count):
                names.append(work(number))
                progress.advance(bar)
                if len(names) % 100 == 0:
                    write_pairs(folder, names)
        else:
            with multiprocessing.get_context("spawn").Pool(jobs) as pool:
                for pair in pool.imap(work, range(count), chunksize=8):
                    names.append(pair)
                    progress.advance(bar)
    write_pairs(folder, names)
    return count / max(time.monotonic() - start, 1e-9)
