"""Resampling: photo to network, depth to photo."""

import cv2
import numpy as np
from numpy.typing import NDArray


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
