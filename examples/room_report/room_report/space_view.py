"""The room in 3-D: what the page's viewer draws, and a still picture for paper and for browsers without WebGL."""

from __future__ import annotations

import base64
import json
import math
import zlib

import numpy as np
import numpy.typing as npt
from PIL import Image

from room_report.pictures import jpeg_url
from room_report.room import Space

Floats = npt.NDArray[np.float64]

_LONGEST = 360
_YAW, _PITCH = math.radians(-20), math.radians(-14)
_PAPER = (246, 248, 248)


def reach(space: Space) -> float:
    """How far the room goes in metres: what is seen through its windows is drawn no farther away."""
    points, valid = space.points()
    numbers = (space.layout.floor, space.layout.ceiling, *space.layout.walls)
    room = np.any([space.evidence.planes[number].mask for number in numbers if number is not None], axis=0)
    return 1.05 * float(np.quantile(points[..., 2][room & valid], 0.995))


def viewer_data(space: Space) -> str:
    """The distances as JSON, for `view.js`: 16 bits a pixel, each row's differences, deflated, in base64.

    65535 is the nearest; distances between are even in metres.
    """
    points, valid = space.points()
    step = max(1, math.ceil(max(valid.shape) / _LONGEST))
    z, seen = points[::step, ::step, 2], valid[::step, ::step]
    low, high = float(np.quantile(z[seen], 0.001)), reach(space)
    near = np.where(seen, (high - np.clip(z, low, high)) / max(high - low, 1e-6), 0.0)
    levels = np.rint(near * 65535).astype(np.uint16)
    differences = np.diff(levels, axis=1, prepend=np.uint16(0)).astype("<u2")
    width = space.evidence.camera.size[0]
    return json.dumps(
        {
            "width": levels.shape[1],
            "height": levels.shape[0],
            "low": round(low, 4),
            "high": round(high, 4),
            "fov": round(math.degrees(2 * math.atan(width / 2 / space.evidence.camera.focal)), 3),
            "levels": base64.b64encode(zlib.compress(differences.tobytes(), 9)).decode(),
        }
    )


def still(space: Space, photo: Image.Image, width: int = 760) -> str:
    """The room from the side and from above, as a JPEG's data URL: each point a small square, the nearest in front."""
    points, valid = space.points()
    colours = np.asarray(photo.resize((valid.shape[1], valid.shape[0]), Image.Resampling.LANCZOS).convert("RGB"))
    z = points[..., 2]
    gap = np.abs(np.diff(z, axis=1, append=z[:, -1:])) + np.abs(np.diff(z, axis=0, append=z[-1:]))
    kept = valid & (gap < 0.05 * z) & (z < reach(space))
    middle = np.array([0.0, 0.0, float(np.median(z[kept]))])
    about = points[kept] - middle
    cy, sy, cp, sp = math.cos(_YAW), math.sin(_YAW), math.cos(_PITCH), math.sin(_PITCH)
    sideways = np.stack([cy * about[:, 0] + sy * about[:, 2], about[:, 1], cy * about[:, 2] - sy * about[:, 0]], axis=1)
    turned = np.stack(
        [sideways[:, 0], cp * sideways[:, 1] + sp * sideways[:, 2], cp * sideways[:, 2] - sp * sideways[:, 1]], axis=1
    )
    turned[:, 2] += 1.15 * middle[2]
    ahead = turned[:, 2] > 0.1
    seen, ink = turned[ahead], colours[kept][ahead]
    height = round(width * 0.66)
    focal = space.evidence.camera.focal / space.evidence.camera.size[0] * width
    x = np.rint(seen[:, 0] / seen[:, 2] * focal + width / 2).astype(int)
    y = np.rint(seen[:, 1] / seen[:, 2] * focal + height / 2).astype(int)
    order = np.argsort(-seen[:, 2])
    picture = np.full((height, width, 3), _PAPER, np.uint8)
    size = max(1, math.ceil(width / valid.shape[1] * 1.2))
    for dy in range(size):
        for dx in range(size):
            column, row = x[order] + dx, y[order] + dy
            inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
            picture[row[inside], column[inside]] = ink[order][inside]
    return jpeg_url(Image.fromarray(picture), width, 90_000)
