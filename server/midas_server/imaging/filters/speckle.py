"""Fewer speckles: single pixels of the network that stand out from their neighbours.

Both work on the network's own pixels, before these become patches of the photo: a speckle is one pixel there.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

Map = NDArray[np.float32]


def median(depth: Map, *, size: int) -> Map:
    """Each value becomes the median of the `size` x `size` around it: speckles vanish, edges stay, corners are rounded.

    (Tukey, Exploratory Data Analysis, 1977.)

    Args:
        depth: `[h, w]`, the network's output.
        size: 3 or 5.

    Returns:
        `[h, w]`.
    """
    return np.asarray(cv2.medianBlur(depth, size), np.float32)


def bilateral(depth: Map, *, radius: int, contrast: float) -> Map:
    """Each value becomes a mean of those around it, weighted by how near and how equal they are.

    `u_p = sum_q w_pq d_q / sum_q w_pq` with `w_pq = exp(-|p - q|^2 / 2 s^2 - (d_p - d_q)^2 / 2 t^2)`, q within
    `radius` of p, s half of the radius, and t `contrast` times the map's range. (Tomasi and Manduchi, Bilateral
    Filtering for Gray and Color Images, ICCV 1998; OpenCV's implementation.)

    Args:
        depth: `[h, w]`, the network's output.
        radius: in pixels.
        contrast: difference of depth that counts as an edge, as a share of the map's range.

    Returns:
        `[h, w]`.
    """
    low, high = float(depth.min()), float(depth.max())
    if not high > low:
        return depth
    # OpenCV's table of weights takes its step from the values: a fixed range serves every network alike.
    scaled = (depth - np.float32(low)) / np.float32(high - low)
    smooth = cv2.bilateralFilter(scaled, 2 * radius + 1, contrast, radius / 2, borderType=cv2.BORDER_REFLECT)
    return np.asarray(smooth * np.float32(high - low) + np.float32(low), np.float32)
