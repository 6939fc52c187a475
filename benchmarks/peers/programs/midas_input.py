"""A JPEG to what MiDaS' network is given, as every peer's program does it; runs in the peers' environments.

The resize rule is the official code's (isl-org/MiDaS, `midas/transforms.py`, `Resize` with
`ensure_multiple_of=32`). It is written out here once more, rather than taken from the server's package, because
that is what somebody who serves MiDaS without this project has to do.
"""

import os

import cv2
import numpy as np
from numpy.typing import NDArray

SIDE = int(os.environ["NETWORK_SIDE"])
RULE = os.environ["RESIZE_RULE"]

# The worker processes are what keeps the cores busy.
cv2.setNumThreads(1)


def network_size(width: int, height: int) -> tuple[int, int]:
    """Return the (width, height) at which a photo of `width` x `height` enters the network, multiples of 32."""
    if RULE == "square":
        return SIDE, SIDE
    scales = (SIDE / width, SIDE / height)
    if RULE == "upper_bound":
        scale = min(scales)
        return _multiple(width * scale, SIDE), _multiple(height * scale, SIDE)
    scale = min(scales, key=lambda each: abs(1 - each))
    return _multiple(width * scale), _multiple(height * scale)


def decoded(photo: bytes) -> NDArray[np.uint8]:
    """Return a photo's pixels, uint8 RGB `[H, W, 3]`."""
    return np.asarray(cv2.imdecode(np.frombuffer(photo, np.uint8), cv2.IMREAD_COLOR_RGB), np.uint8)


def network_pixels(photo: bytes) -> NDArray[np.uint8]:
    """Return a photo at the network's size, uint8 RGB `[h, w, 3]`; the ONNX file normalises."""
    pixels = decoded(photo)
    size = network_size(pixels.shape[1], pixels.shape[0])
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_CUBIC), np.uint8)


def _multiple(length: float, at_most: int | None = None) -> int:
    nearest = int(np.round(length / 32)) * 32
    if at_most is not None and nearest > at_most:
        nearest = int(length // 32) * 32
    return max(nearest, 32)
