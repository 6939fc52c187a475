"""Boxes, masks and labels by a detector, a segmenter or by hand, to be joined with depth.

The JSON file:

    {"photo_size": [1600, 1200],
     "regions": [
       {"label": "sofa", "box": [210, 520, 900, 1010], "score": 0.93},
       {"label": "glass", "polygon": [[40, 80], [400, 90], [400, 600], [40, 640]]},
       {"label": "floor", "mask": "floor.png"}]}

Pixels are those of the upright photo of that size, x first; a box is left, top, right, bottom. Each region has one of
box, polygon and mask, a grey picture of the photo's size beside the JSON file, in which 128 and more is inside. `score`
may be left out.

What a label does: `glass`, `mirror` and `window` are left out, as depth there is that of something else. With `floor`,
only what is labelled so is free floor. With `wall`, only planes that are mostly labelled so are walls. `rug` and
`ceiling` do nothing. Any other label is a thing: it is no free floor, and its width and height are measured.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from room_report.errors import RegionError

Mask = npt.NDArray[np.bool_]
LEFT_OUT = frozenset({"glass", "mirror", "window"})
SURFACES = frozenset({"floor", "wall", "ceiling", "rug"})
_SHAPES = ("box", "polygon", "mask")


@dataclass(frozen=True, eq=False)
class Region:
    """A labelled part of the photo.

    Attributes:
        label: in lower case.
        mask: bool [H,W] at the photo's size.
        score: 0 to 1, how sure its finder was.
    """

    label: str
    mask: Mask
    score: float = 1.0

    @property
    def is_thing(self) -> bool:
        """Whether it is a piece of furniture or another thing."""
        return self.label not in LEFT_OUT | SURFACES


def boxed(label: str, box: Sequence[float], size: tuple[int, int], score: float = 1.0) -> Region:
    """A region by its box.

    Args:
        label: what it is.
        box: left, top, right, bottom in pixels.
        size: (width, height) of the photo.
        score: 0 to 1.

    Raises:
        RegionError: the box is empty or outside of the photo.
    """
    left, top, right, bottom = box
    mask = np.zeros((size[1], size[0]), dtype=bool)
    if np.isfinite(box).all():
        rows = slice(max(0, round(top)), max(0, round(bottom) + 1))
        mask[rows, max(0, round(left)) : max(0, round(right) + 1)] = right > left and bottom > top
    if not mask.any():
        raise RegionError(
            f"The box of {label!r} ({left:g}, {top:g}, {right:g}, {bottom:g}) holds nothing of the photo, which is "
            f"{size[0]} x {size[1]}. Give left, top, right, bottom in pixels."
        )
    return Region(label.lower(), mask, score)


def beside(photo: Path) -> Path:
    """Where the regions of a photo are looked for: room.jpg has room.regions.json."""
    return photo.with_suffix(".regions.json")


def read_regions(file: Path, size: tuple[int, int]) -> list[Region]:
    """The regions of a JSON file as described above.

    Args:
        file: the JSON.
        size: (width, height) of the upright photo.

    Raises:
        RegionError: the file is not such a one, or is for a photo of another size.
    """
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        taken, rows = tuple(content["photo_size"]), list(content["regions"])
    except (json.JSONDecodeError, KeyError, TypeError) as error:
        raise RegionError(f'{file.name} is not a JSON object with "photo_size" and "regions" ({error}).') from None
    if taken != size:
        of = " x ".join(map(str, taken))
        raise RegionError(f"{file.name} is for a photo of {of}, and this one is {size[0]} x {size[1]} (upright).")
    return [_region(row, f"{file.name}, region {number}", file.parent, size) for number, row in enumerate(rows, 1)]


def _region(row: Any, where: str, folder: Path, size: tuple[int, int]) -> Region:
    shapes = [name for name in _SHAPES if isinstance(row, dict) and name in row]
    if len(shapes) != 1 or not isinstance(row.get("label"), str):
        raise RegionError(f'{where} needs a "label" and one of "box", "polygon" and "mask".')
    try:
        label, score = row["label"].lower(), float(row.get("score", 1.0))
        if shapes[0] == "box":
            return boxed(label, [float(value) for value in row["box"]], size, score)
        if shapes[0] == "polygon":
            image = Image.new("L", size)
            ImageDraw.Draw(image).polygon([(float(x), float(y)) for x, y in row["polygon"]], fill=255)
        else:
            with Image.open(folder / row["mask"]) as opened:
                image = opened.convert("L")
    except (OSError, TypeError, ValueError) as error:
        raise RegionError(f"{where}: {error}.") from None
    if image.size != size:
        raise RegionError(f"{where}: its mask is {image.size[0]} x {image.size[1]}, not {size[0]} x {size[1]}.")
    return Region(label, np.asarray(image) >= 128, score)


def written(regions: Sequence[Region], folder: Path, size: tuple[int, int]) -> Path:
    """Write regions as `regions.json` with their masks beside it; returns the file."""
    rows = []
    for number, region in enumerate(regions):
        name = f"region_{number}.png"
        Image.fromarray(region.mask.astype(np.uint8) * 255).save(folder / name)
        rows.append({"label": region.label, "mask": name, "score": region.score})
    file = folder / "regions.json"
    file.write_text(json.dumps({"photo_size": list(size), "regions": rows}, indent=1), encoding="utf-8")
    return file


def labelled(regions: Sequence[Region], *labels: str) -> Mask | None:
    """What has one of these labels, bool [H,W]; None where nothing has."""
    masks = [region.mask for region in regions if region.label in labels]
    return np.any(masks, axis=0) if masks else None


def things(regions: Sequence[Region]) -> Mask | None:
    """What is a thing, bool [H,W]; None where nothing is."""
    masks = [region.mask for region in regions if region.is_thing]
    return np.any(masks, axis=0) if masks else None
