"""Photos beside their depth, to look at."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

Array = NDArray[np.uint8]

_WIDTH = 256
_LINE = 16


def coloured(depth: NDArray[np.float32], known: NDArray[np.bool_] | None = None) -> Array:
    """Depth [H, W] as RGB [H, W, 3]: bright is near, and the 1 % at either end are clipped. Unknown pixels are grey."""
    values = depth if known is None else depth[known]
    low, high = np.percentile(values, (1, 99)) if values.size else (0.0, 1.0)
    levels = np.clip((depth - low) / max(float(high - low), 1e-9) * 255, 0, 255).astype(np.uint8)
    picture = cv2.applyColorMap(levels, cv2.COLORMAP_INFERNO)[:, :, ::-1].copy()
    if known is not None:
        picture[~known] = 90
    return np.asarray(picture, np.uint8)


def save_rows(path: Path, titles: Sequence[str], rows: Sequence[Sequence[Array]]) -> None:
    """Write a picture with one row a photo; the titles stand above the columns."""
    scaled = [[_scaled(each) for each in row] for row in rows]
    height = _LINE + sum(row[0].shape[0] for row in scaled)
    sheet = Image.new("RGB", (_WIDTH * len(titles), height), "white")
    draw = ImageDraw.Draw(sheet)
    for column, title in enumerate(titles):
        draw.text((column * _WIDTH + 4, 2), title, fill="black")
    top = _LINE
    for row in scaled:
        for column, picture in enumerate(row):
            sheet.paste(Image.fromarray(picture), (column * _WIDTH, top))
        top += row[0].shape[0]
    sheet.save(path)


def _scaled(picture: Array) -> Array:
    height = max(1, round(picture.shape[0] * _WIDTH / picture.shape[1]))
    return np.asarray(cv2.resize(picture, (_WIDTH, height), interpolation=cv2.INTER_AREA), np.uint8)
