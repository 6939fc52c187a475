"""Resampling: photo to network, depth to photo."""

import cv2
import numpy as np
from numpy.typing import NDArray
from typing_extensions import assert_never

from midas_server.network_output import Upsampling


def resize_photo(pixels: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """Resample uint8 `[H, W, 3]` to `size` (width, height) with cubic interpolation, as the official code does."""
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_CUBIC), np.uint8)


def resize_depth(
    depth: NDArray[np.float32], size: tuple[int, int], upsampling: Upsampling = "bicubic"
) -> NDArray[np.float32]:
    """Resample float32 `[H, W]` to `size` (width, height), by rows and by columns on their own.

    Args:
        depth: what is resampled.
        size: (width, height).
        upsampling: `bicubic` with half-pixel centres, as MiDaS does it with `torch.nn.functional.interpolate(
            mode="bicubic", align_corners=False)`: OpenCV's cubic kernel has the same coefficient (-0.75) and the same
            treatment of the border. `bilinear`: as the first Depth Anything does it, half-pixel centres too.
            `bilinear_corners`: linear, with the centres of the corner pixels kept in place, as Depth Anything V2 does
            it with `mode="bilinear", align_corners=True`.
    """
    if size == (depth.shape[1], depth.shape[0]):
        return depth
    match upsampling:
        case "bicubic":
            return np.asarray(cv2.resize(depth, size, interpolation=cv2.INTER_CUBIC), np.float32)
        case "bilinear":
            return np.asarray(cv2.resize(depth, size, interpolation=cv2.INTER_LINEAR), np.float32)
        case "bilinear_corners":
            return _linear(_linear(depth, 1, size[0]), 0, size[1])
        case _:
            assert_never(upsampling)


def _linear(depth: NDArray[np.float32], axis: int, new: int) -> NDArray[np.float32]:
    """Linear interpolation along one axis, from corner to corner. OpenCV has half-pixel centres only."""
    old = depth.shape[axis]
    if new == old:
        return depth
    position = np.arange(new) * ((old - 1) / max(new - 1, 1))
    first = np.minimum(position.astype(np.intp), max(old - 2, 0))
    share = (position - first).astype(np.float32)
    result = np.take(depth, first, axis=axis)
    step = np.take(depth, np.minimum(first + 1, old - 1), axis=axis)
    step -= result
    step *= share if axis else share[:, np.newaxis]
    result += step
    return result
