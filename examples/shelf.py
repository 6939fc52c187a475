"""Shelf layers and gaps, from a photo of a shelf taken from the front, with or without a detector's boxes.

Run it against a server that was started with `make serve`:

    python examples/shelf.py shelf.jpg --boxes boxes.json

boxes.json has a box for each product, in pixels: {"boxes": [{"label": "tea", "box": [left, top, right, bottom]}]}.
It writes two files to the current folder: shelf_layers.json, and shelf_layers.jpg, the photo with boards (blue), gaps
(red), things without a box (yellow) and boxes with nothing near in them (violet).

Without boxes the boards are the long edges of the photo, and gaps are where the depth goes into the shelf. With boxes
the products' feet give the boards, and a gap must be free of boxes, too. Depth here is a share of the deepest place
that is seen: 0 at the shelf's front, 1 at its back. It is not metres.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from midas_client import DepthClient, DepthMap, MidasClientError, upright_rgb

Floats = npt.NDArray[np.float64]
EMPTY = 0.4  # of the depth of the deepest place: deeper columns are empty, and a box twice as deep is pushed back
LEAST = 0.04  # of the width of the photo: a narrower gap is none


def recess(depth_map: DepthMap) -> Floats:
    """How deep in the shelf each pixel is, float64 [H, W]: 0 at the front, 1 where it is deepest."""
    depth = depth_map.depth.astype(np.float64)
    inverse = 1 / np.maximum(depth, 1e-3) if depth_map.unit == "metres" else depth
    rows, columns = np.mgrid[: len(inverse), : inverse.shape[1]] / inverse.shape[1]
    # A plane of the world is a plane in inverse depth. Nine tenths of the shelf are to lie behind it.
    terms = np.stack([rows, columns, np.ones_like(rows)], axis=-1)[::4, ::4].reshape(-1, 3)
    values, weights = inverse[::4, ::4].ravel(), np.ones(len(terms))
    for _ in range(30):
        plane = np.linalg.lstsq(terms * weights[:, np.newaxis], values * weights, rcond=None)[0]
        behind = terms @ plane - values
        weights = np.sqrt(np.where(behind > 0, 0.1, 0.9) / np.maximum(np.abs(behind), 1e-3 * np.ptp(values) + 1e-9))
    behind = plane[0] * rows + plane[1] * columns + plane[2] - inverse
    return np.asarray((behind / max(np.percentile(behind, 98), 1e-9)).clip(0, 1))


def boards_of_photo(photo: npt.NDArray[np.uint8]) -> Floats:
    """The rows of the boards' upper edges at the photo's left and right, float64 [N, 2], from its long edges."""
    height, width = photo.shape[:2]
    steps = np.diff(photo.astype(np.float64), axis=0)
    columns = np.arange(width)
    best, rise = np.zeros(height), np.zeros(height)
    for slope in np.linspace(-0.06, 0.06, 25):
        rows = (np.arange(height)[:, np.newaxis] + slope * (columns - width / 2)).round().astype(int)
        sheared = steps[rows.clip(0, height - 2), columns]
        # What a board's edge has and a product's has not: the same step all along, here in half of 16 parts at least.
        parts = np.stack([part.mean(1) for part in np.array_split(sheared, 16, axis=1)])
        strength = np.abs(np.median(parts, axis=0)).sum(-1)
        better = strength > best
        best[better], rise[better] = strength[better], slope
    found: list[tuple[float, float]] = []
    strong = best > 0.3 * best.max()
    for strongest in np.argsort(best)[::-1][: strong.sum()]:
        above = range(max(0, strongest - height // 20), strongest + 1)  # the front of a board has a lower edge, too
        row = next(each for each in above if strong[each])
        if all(abs(row - sum(other) / 2) > 0.08 * height for other in found):
            found.append((row - rise[row] * width / 2, row + rise[row] * width / 2))
    return np.array(sorted(found)).reshape(-1, 2)


def boards_of_boxes(boxes: Floats, width: int, height: int) -> Floats:
    """The same from boxes float64 [N, 4]: products of one board have their feet on one line."""
    boxes = boxes[boxes[:, 3] < height - 2]  # the photo cuts the others off: their feet are not known
    if not len(boxes):
        return np.empty((0, 2))
    feet, apart = boxes[np.argsort(boxes[:, 3])], 0.4 * np.median(boxes[:, 3] - boxes[:, 1])
    layers = np.split(feet, np.flatnonzero(np.diff(feet[:, 3]) > apart) + 1)
    lines = []
    for layer in layers:
        middles = layer[:, [0, 2]].mean(1)
        slope, start = np.polyfit(middles, layer[:, 3], 1) if np.ptp(middles) > width / 3 else (0, layer[:, 3].mean())
        lines.append((start, start + slope * (width - 1)))
    return np.array(lines)


def runs(flags: npt.NDArray[np.bool_], least: float) -> list[tuple[int, int]]:
    """First and last column of each run of true flags that is at least so long."""
    ends = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(int)))
    return [(int(a), int(b) - 1) for a, b in ends.reshape(-1, 2) if b - a >= least]


def layers_of(deep: Floats, boards: Floats, boxes: Floats) -> list[dict[str, Any]]:
    """Each layer of the shelf with what stands on it; boards float64 [N, 2], boxes float64 [N, 4]."""
    height, width = deep.shape
    columns = np.arange(width)
    feet = boards[:, :1] + (boards[:, 1:] - boards[:, :1]) * columns / (width - 1)  # [N, W]
    gap_above = float(np.median(np.diff(feet.mean(1)))) if len(boards) > 1 else height / 3
    if len(boxes):
        middles = boxes[:, [0, 2]].mean(1).clip(0, width - 1).astype(int)
        away = np.abs(feet[:, middles] - boxes[:, 3])
        standing = np.where(away.min(0) < gap_above / 3, away.argmin(0), -1)  # which board each box stands on
    # The lower part of each layer, where goods are: a low one leaves nothing but air further up.
    up = np.linspace(0.1, 0.4, 16)[:, np.newaxis, np.newaxis] * gap_above
    rows = (feet - up).round().astype(int).clip(0, height - 1)  # [16, N, W]
    levels = np.median(deep[rows, columns], axis=0)
    layers: list[dict[str, Any]] = []
    for number, level in enumerate(levels):
        own = boxes[standing == number] if len(boxes) else boxes
        covered = np.zeros(width, bool)
        for left, _, right, _ in own:
            covered[max(0, round(left)) : max(0, round(right)) + 1] = True
        empty = level > EMPTY
        pushed = [box for box in own if np.median(level[int(max(0, box[0])) : int(box[2]) + 1]) > 2 * EMPTY]
        layers.append(
            {
                "board": boards[number].round(1).tolist(),
                "products": len(own),
                "gaps": runs(empty & ~covered, LEAST * width),
                "without_box": runs(~empty & ~covered, LEAST * width) if len(boxes) else [],
                "pushed_back": [box.round(1).tolist() for box in pushed],
            }
        )
    return layers


def read_boxes(path: Path, width: int, height: int) -> Floats:
    """float64 [N, 4]: left, top, right, bottom of each box; ValueError where the file is no such list."""
    try:
        rows = [[float(value) for value in entry["box"]] for entry in json.loads(path.read_text())["boxes"]]
        boxes = np.array([[left, top, right, bottom] for left, top, right, bottom in rows]).reshape(-1, 4)
    except (ValueError, KeyError, TypeError):
        raise ValueError(f'{path} is not {{"boxes": [{{"box": [left, top, right, bottom]}}, ...]}}') from None
    if not (np.isfinite(boxes).all() and (boxes[:, :2] < boxes[:, 2:]).all() and (boxes[:, :2] >= -1).all()):
        raise ValueError(f"{path} has a box that is not left < right, top < bottom, in pixels from 0")
    if (boxes[:, 2:] > (width + 1, height + 1)).any():
        raise ValueError(f"{path} has a box that leaves the photo of {width} x {height}: are they another photo's?")
    return boxes


def main() -> None:
    parser = argparse.ArgumentParser(description="Shelf layers and gaps from a photo of a shelf.")
    parser.add_argument("photo", type=Path, help="a JPEG, PNG or WebP file, taken from the front")
    parser.add_argument("--boxes", type=Path, help="JSON of a detector's boxes around products")
    parser.add_argument("--url", default="localhost:8001", help="or http://localhost:8000 (default: %(default)s)")
    arguments = parser.parse_args()

    photo = upright_rgb(arguments.photo)
    height, width = photo.shape[:2]
    boxes = read_boxes(arguments.boxes, width, height) if arguments.boxes else np.empty((0, 4))
    with DepthClient(arguments.url) as client:
        deep = recess(client.predict(arguments.photo, filter="guided"))  # gaps end where the photo has edges
    boards = boards_of_boxes(boxes, width, height) if len(boxes) else boards_of_photo(photo)
    if not len(boards):
        sys.exit("shelf: no board was found: give a photo from the front, or a box for each product")
    layers = layers_of(deep, boards, boxes)
    stem = arguments.photo.stem
    Path(f"{stem}_layers.json").write_text(json.dumps({"width": width, "height": height, "layers": layers}, indent=1))

    picture = Image.fromarray(photo)
    pen = ImageDraw.Draw(picture, "RGBA")
    tall = float(np.median(np.diff(boards.mean(1)))) * 0.4 if len(boards) > 1 else height / 8
    for layer in layers:
        left, right = layer["board"]
        pen.line((0, left, width - 1, right), fill=(40, 90, 255), width=3)
        for kind, color in (("gaps", (255, 0, 0, 110)), ("without_box", (255, 220, 0, 90))):
            for start, end in layer[kind]:
                foot = left + (right - left) * (start + end) / 2 / width
                pen.rectangle((start, foot - tall, end, foot), fill=color)
        for box in layer["pushed_back"]:
            pen.rectangle(box, outline=(200, 0, 255), width=3)
    picture.save(f"{stem}_layers.jpg", quality=90)
    for number, layer in enumerate(layers, 1):
        found = ", ".join(f"{a} to {b}" for a, b in layer["gaps"]) or "none"
        print(f"layer {number} from the top: {layer['products']} boxes, gaps (columns): {found}")


if __name__ == "__main__":
    try:
        main()
    except (MidasClientError, OSError, ValueError) as error:
        sys.exit(f"shelf: {error}")
