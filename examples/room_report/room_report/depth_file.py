"""Depth from a file instead of the server: of a depth camera, of a scanner, or of a renderer."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from midas_client import DepthMap
from room_report.errors import DepthFileError


def read_depth(file: Path, size: tuple[int, int]) -> DepthMap:
    """Read the depth of a photo.

    Args:
        file: .npy with numbers [H,W] in metres, or a PNG of 16 bits with millimetres, as `DepthMap` and most depth
            cameras write it. Metres along the camera's axis; 0, negative and not finite mean that it is not known.
        size: (width, height) of the upright photo, which the depth must have too.

    Raises:
        DepthFileError: it is neither, or of another size, or has no depth at all.
        OSError: it cannot be read.
    """
    try:
        if file.suffix == ".npy":
            metres = np.load(file, allow_pickle=False)
        else:
            with Image.open(file) as picture:
                if picture.mode not in ("I;16", "I"):
                    raise DepthFileError(f"{file.name} is a picture of mode {picture.mode}, not one of 16-bit grey.")
                metres = np.asarray(picture) / 1000
    except (ValueError, UnidentifiedImageError):
        raise DepthFileError(f"{file.name} is neither a .npy file of numbers nor a 16-bit PNG.") from None
    if metres.ndim != 2 or metres.dtype.kind not in "fiu" or metres.shape != (size[1], size[0]):
        raise DepthFileError(
            f"{file.name} is of the shape {' x '.join(map(str, metres.shape))}. It must be {size[1]} x {size[0]}, rows "
            "x columns, as the upright photo, with one number for each pixel."
        )
    depth = np.where(np.isfinite(metres), metres, 0).astype(np.float32)
    if not (depth > 0).any():
        raise DepthFileError(f"{file.name} has no distance above 0.")
    return DepthMap(depth, file.name, file.name, "", size, size, {}, {}, kind="metric_depth")
