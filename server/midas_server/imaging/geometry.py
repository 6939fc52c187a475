"""Sizes and resampling: photo to network, depth to photo."""

from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

ResizeRule = Literal["minimal", "upper_bound", "square"]

MULTIPLE = 32


def network_size(width: int, height: int, side: int, rule: ResizeRule) -> tuple[int, int]:
    """The size at which a photo enters the network.

    This is the `Resize` transform of the official code (isl-org/MiDaS, `midas/transforms.py`) with
    `ensure_multiple_of=32`: ``minimal`` scales both sides by the factor that is nearer to 1, so that (of a photo
    larger than the network) the shorter side becomes `side`; ``upper_bound`` scales so that the longer side does;
    ``square`` gives up the aspect ratio. Where the official code would round a side of a very long photo to
    nothing, it is 32 here.

    Args:
        width, height: the upright photo, in pixels.
        side: side of the square that the rule is given, a multiple of 32.
        rule: one of the three above.

    Returns:
        ``(width, height)``, each a multiple of 32.
    """
    if rule == "square":
        return side, side
    scale_x, scale_y = side / width, side / height
    if rule == "upper_bound":
        scale = min(scale_x, scale_y)
        return _multiple(width * scale, at_most=side), _multiple(height * scale, at_most=side)
    scale = scale_x if abs(1 - scale_x) < abs(1 - scale_y) else scale_y
    return _multiple(width * scale), _multiple(height * scale)


def _multiple(length: float, at_most: int | None = None) -> int:
    nearest = round(length / MULTIPLE) * MULTIPLE
    if at_most is not None and nearest > at_most:
        nearest = int(length // MULTIPLE) * MULTIPLE
    return max(nearest, MULTIPLE)


def resize_photo(pixels: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """Resample uint8 ``[H, W, 3]`` to `size` (width, height) with cubic interpolation, as the official code does."""
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_CUBIC), np.uint8)


def resize_depth(depth: NDArray[np.float32], size: tuple[int, int]) -> NDArray[np.float32]:
    """Resample float32 ``[H, W]`` to `size` (width, height), bicubic with half-pixel centres.

    The official code calls `torch.nn.functional.interpolate(mode="bicubic", align_corners=False)`; OpenCV's cubic
    kernel has the same coefficient (-0.75) and the same treatment of the border.
    """
    if size == (depth.shape[1], depth.shape[0]):
        return depth
    return np.asarray(cv2.resize(depth, size, interpolation=cv2.INTER_CUBIC), np.float32)
