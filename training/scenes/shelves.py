"""Shop shelves from the front with known boards, goods and gaps: `python -m training.scenes.shelves`.

For each shelf: `0000.jpg`, the photo; `0000.boxes.json`, a box around each product, as a perfect detector gives them;
`0000.json`, the truth (see `Truth`).
"""

import argparse
import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from training.scenes import materials as m
from training.scenes import outdoors
from training.scenes import surfaces as s
from training.scenes.cameras import Camera
from training.scenes.dataset import made_pictures
from training.scenes.film import develop
from training.scenes.lighting import render_view
from training.scenes.scene import Scene, Vector, rotation

DEEP = 0.42
BOARD = 0.03
LEAST_GAP = 0.14
"""Metres: deep is a board, thick its front, wide the narrowest gap."""


@dataclass(frozen=True)
class Truth:
    """What is on a shelf, in pixels of the photo.

    Attributes:
        boards: for each board that the photo shows whole, from the top, the rows of the upper edge of its front at the
            photo's left and right.
        gaps: for each empty place: the number of the board it is on, and its left and right column at the front.
        boxes: for each product, left, top, right and bottom.
    """

    boards: list[tuple[float, float]]
    gaps: list[tuple[int, float, float]]
    boxes: list[tuple[float, float, float, float]]


@dataclass(frozen=True)
class Shelf:
    """A rendered shelf: photo (uint8 RGB [H,W,3]), depth along the optical axis in metres [H,W], truth."""

    photo: NDArray[np.uint8]
    depth: NDArray[np.float64]
    truth: Truth


def make_shelf(seed: int, number: int, width: int = 640, height: int = 480) -> Shelf:
    """Shelf `number` of the set `seed`; the same arguments give the same shelf on the same machine."""
    rng = np.random.default_rng([seed, number, 8])
    scene = Scene(rng, made_pictures(seed))
    outdoors.daylight(scene)
    scene.haze, scene.reach = 0.0, 0.8
    scene.lights.clear()
    scene.ambient = np.full((3, 3), 0.5)
    for x in (-0.8, 0.8):
        scene.lamp((x, 1.8, 2.6), (2.2, 2.2, 2.1), 0.3)
    long, count = 2.4, int(rng.integers(3, 6))
    pitch = float(rng.uniform(0.3, 0.36))
    steel = m.plain(scene, m.tint(0.6, 0.05, rng.uniform(0.5, 0.9)), 0.1)
    strip = m.plain(scene, None, 0.0)
    scene.box(
        (0, -DEEP - 0.02, 1.0), (long + 4, 0.03, 4.0), m.plain(scene, m.tint(0.6, 0.05, rng.uniform(0.3, 0.8)), 0.0)
    )
    scene.box((0, 0, -0.05), (9, 9, 0.1), m.make(scene, s.PLAIN, (0.5, 0.5, 0.5)))
    boards = [0.25 + pitch * level for level in range(count)][::-1]
    solids: list[tuple[Vector, Vector]] = []
    gaps: list[tuple[int, float, float]] = []
    for level, z in enumerate(boards):
        scene.box((0, -DEEP / 2, z - BOARD / 2), (long + 4, DEEP, BOARD), steel)
        scene.box((0, 0.004, z - BOARD / 2), (long + 4, 0.008, BOARD), strip)
        products, empty = _fill(scene, long, pitch - BOARD, z)
        solids += products
        gaps += [(level, a, b) for a, b in empty]
    middle = (boards[0] + pitch + boards[-1]) / 2
    away = float(rng.uniform(1.5, 1.9))
    place = (float(rng.normal(0, 0.12)), away, middle + float(rng.normal(0, 0.05)))
    camera = Camera(place, (float(rng.normal(0, 0.05)), 0.0, middle), float(rng.normal(0, 0.006)), 52.0)
    row = camera.row(width, height)
    light, depth = render_view(scene.world(), row, width, height, int(rng.integers(1 << 30)), scene.reach, scene.haze)

    def seen(x: float, y: float, z: float) -> NDArray[np.float64]:
        """The pixel (x, y) of a point."""
        right, up, forward = row[3:12].reshape(3, 3) @ (np.array([x, y, z]) - row[:3])
        return np.array([(right / forward / row[12] + 1) * width, (1 - up / forward / row[13]) * height]) / 2

    lines, shown = [], []
    for level, z in enumerate(boards):
        (x0, y0), (x1, y1) = seen(1.0, 0.0, z), seen(-1.0, 0.0, z)
        slope = (y1 - y0) / (x1 - x0)
        ends = float(y0 - slope * x0), float(y0 + slope * (width - 1 - x0))
        if min(ends) >= 0 and max(ends) < height:
            lines.append(ends)
            shown.append(level)
    places = []
    for level, a, b in gaps:
        left, right = sorted(float(seen(x, 0.0, boards[level])[0]) for x in (a, b))
        left, right = max(left, 0.0), min(right, width - 1.0)
        if level in shown and right - left > 0.04 * width:
            places.append((shown.index(level), left, right))
    boxes = []
    for (x, y, z), (w, d, tall) in solids:
        corners = np.array(
            [seen(x + w * i / 2, y + d * j / 2, z + tall * k) for i in (-1, 1) for j in (-1, 1) for k in (0, 1)]
        )
        (left, top), (right, bottom) = corners.min(0).clip(0), corners.max(0).clip(None, (width, height))
        if right - left > 3 and bottom - top > 3:
            boxes.append((float(left), float(top), float(right), float(bottom)))
    return Shelf(develop(light, depth, rng), depth, Truth(lines, places, boxes))


def _fill(
    scene: Scene, long: float, high: float, z: float
) -> tuple[list[tuple[Vector, Vector]], list[tuple[float, float]]]:
    """Goods on a board at the height `z`: their middles at the bottom with their sizes; and the gaps between them."""
    r = scene.rng
    products: list[tuple[Vector, Vector]] = []
    gaps: list[tuple[float, float]] = []
    x = -long / 2
    while x < long / 2:
        w, tall, label = float(r.uniform(0.07, 0.16)), float(high * r.uniform(0.6, 0.92)), m.picture(scene)
        round_one = r.random() < 0.4
        for _ in range(int(r.integers(2, 6))):
            y = -0.02 - w / 2 - float(r.uniform(0, 0.02))
            if round_one:
                scene.post((x + w / 2, y, z), w * 0.48, w * 0.48, tall, label)
            else:
                scene.box((x + w / 2, y, z + tall / 2), (w * 0.96, w * 0.8, tall), label, rotation(r.normal(0, 0.03)))
            products.append(((x + w / 2, y, z), (w * 0.96, w * 0.9, tall)))
            x += w
        if r.random() < 0.4:
            wide = float(r.uniform(LEAST_GAP, 0.4))
            gaps.append((x, x + wide))
            x += wide
    return products, gaps


def main() -> int:
    """The command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m training.scenes.shelves", description=__doc__)
    parser.add_argument("--count", type=int, default=20, help="number of shelves (default 20)")
    parser.add_argument("--out", type=Path, required=True, help="folder")
    parser.add_argument("--seed", type=int, default=0, help="another seed gives other shelves (default 0)")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    for number in range(options.count):
        write_shelf(options.out / f"{number:04d}", make_shelf(options.seed, number))
    return 0


def write_shelf(stem: Path, shelf: Shelf) -> None:
    """Write the files of a shelf; `stem` is their path without endings."""
    _, jpeg = cv2.imencode(".jpg", shelf.photo[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 92])
    stem.with_suffix(".jpg").write_bytes(jpeg.tobytes())
    boxes = [{"label": "product", "box": [round(value, 1) for value in box]} for box in shelf.truth.boxes]
    stem.with_suffix(".boxes.json").write_text(json.dumps({"boxes": boxes}))
    stem.with_suffix(".json").write_text(json.dumps(asdict(shelf.truth)))


if __name__ == "__main__":
    sys.exit(main())
