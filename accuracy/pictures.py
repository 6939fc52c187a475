"""Pictures of a network's worst photos: the photo, its true depth, the predicted depth, and where they differ."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from accuracy.evaluate import PhotoResult
from accuracy.judging import smallest_inverse_depth
from accuracy.metrics import align
from accuracy.pair import read_photo, read_truth

PANEL = 360
GAP = 10
CAPTION = 30
PAPER = (250, 250, 248)
INK = (40, 40, 40)
NO_TRUTH = (120, 120, 120)
# An error of this factor, in either direction, has the last colour.
WORST_FACTOR = 2.0

Pixels = NDArray[np.uint8]


def worst_photos(label: str, worst: Sequence[tuple[PhotoResult, NDArray[np.float32]]], cap: float) -> Image.Image:
    """One row a photo: photo, truth, prediction aligned to the truth (bright is near), and error (bright is wrong).

    Args:
        label: the network's.
        worst: results with their depth maps float32 `[H, W]` at the truth's size; at least one, all with a truth.
        cap: the farthest depth in metres that counts.
    """
    rows = [_row(photo, depth, cap) for photo, depth in worst]
    width = max(row.width for row in rows)
    sheet = Image.new("RGB", (width, CAPTION + sum(row.height for row in rows)), PAPER)
    title = f"{label}: photo | truth | prediction, aligned (bright is near) | error (bright: wrong by a factor of 2)"
    ImageDraw.Draw(sheet).text((GAP, 8), title, fill=INK, font=_font())
    y = CAPTION
    for row in rows:
        sheet.paste(row, (0, y))
        y += row.height
    return sheet


def _row(result: PhotoResult, depth: NDArray[np.float32], cap: float) -> Image.Image:
    pair = result.sample.pair
    assert pair is not None
    truth = read_truth(pair)
    valid = truth > 0
    floor = smallest_inverse_depth(truth, metric=pair.kind == "depth", cap=cap)
    aligned = np.maximum(align(depth, truth), floor)
    true = np.maximum(truth, floor)
    # Both in the same colours: what the truth spans, but for its outermost values.
    low, high = np.percentile(np.log(true[valid]), (1, 99))
    error = np.abs(np.log(aligned / true)) / np.log(WORST_FACTOR)
    panels = [
        read_photo(pair),
        _coloured(np.log(true), low, high, cv2.COLORMAP_INFERNO, valid),
        _coloured(np.log(aligned), low, high, cv2.COLORMAP_INFERNO),
        _coloured(error, 0, 1, cv2.COLORMAP_VIRIDIS, valid),
    ]
    height = max(1, round(PANEL * truth.shape[0] / truth.shape[1]))
    row = Image.new("RGB", (len(panels) * (PANEL + GAP) + GAP, height + GAP + CAPTION), PAPER)
    for number, panel in enumerate(panels):
        picture = Image.fromarray(panel).resize((PANEL, height), Image.Resampling.BOX)
        row.paste(picture, (GAP + number * (PANEL + GAP), GAP))
    figures = result.figures
    caption = f"{result.sample.name}    AbsRel {figures.abs_rel:.3f}    delta-1 {figures.delta_1:.3f}"
    ImageDraw.Draw(row).text((GAP, height + GAP + 6), caption, fill=INK, font=_font())
    return row


def _coloured(
    values: NDArray[np.float64] | NDArray[np.float32],
    low: float,
    high: float,
    colours: int,
    valid: NDArray[np.bool_] | None = None,
) -> Pixels:
    span = high - low if high > low else 1.0
    steps = np.clip((values - low) / span * 255, 0, 255).astype(np.uint8)
    picture = cv2.cvtColor(cv2.applyColorMap(steps, colours), cv2.COLOR_BGR2RGB)
    if valid is not None:
        picture[~valid] = NO_TRUTH
    return np.asarray(picture, np.uint8)


def _font() -> ImageFont.ImageFont | ImageFont.FreeTypeFont:
    return ImageFont.load_default(size=14)
