"""Edges of the photo for the depth map, by a local linear model: the guided filter, used for upsampling."""

import cv2
import numpy as np
from numpy.typing import NDArray

Map = NDArray[np.float32]

# The planes of the model at the size of the result are made in pieces that stay in the processor's cache.
BAND_PIXELS = 100_000


def guided(depth: Map, guide: NDArray[np.uint8], *, radius: int, eps: float) -> Map:
    """Upsample a depth map so that its edges lie where the photo's do.

    In every window the depth is taken for a linear function of the photo's colours, `q = a . I + b`. The a and b that
    fit best, with `eps |a|^2` as a penalty, are found at the network's size, averaged over all windows that hold a
    pixel, brought to the photo's size, and applied to its full colours there. He, Sun and Tang, Guided Image Filtering
    (PAMI 2013), equations 16 to 18, in the subsampled form of He and Sun, Fast Guided Filter (arXiv:1505.00996).

    Args:
        depth: `[h, w]`, the network's output.
        guide: RGB `[H, W, 3]`, the photo at the size of the result.
        radius: of the windows, which are 2 radius + 1 wide, in pixels of the depth map.
        eps: variance of a colour in 0..1 below which the photo counts as flat, and the result is the window's mean.

    Returns:
        `[H, W]`.
    """
    height, width = guide.shape[:2]
    size = (depth.shape[1], depth.shape[0])
    colours = np.asarray(cv2.resize(guide, size, interpolation=cv2.INTER_AREA), np.float32) / 255
    model = _linear_model(colours, depth, radius, eps)
    # Linear interpolation is separable: the rows at once, the columns in bands.
    wide = [_resize(plane, width, depth.shape[0]) for plane in model]
    result = np.empty((height, width), np.float32)
    step = max(1, BAND_PIXELS // height)
    for start in range(0, width, step):
        columns = slice(start, min(start + step, width))
        red, green, blue, offset = (_resize(plane[:, columns], columns.stop - start, height) for plane in wide)
        for plane, colour in zip((red, green, blue), cv2.split(guide[:, columns]), strict=True):
            offset += cv2.multiply(plane, colour, dtype=cv2.CV_32F)
        result[:, columns] = offset
    return result


def _linear_model(colours: Map, depth: Map, radius: int, eps: float) -> list[Map]:
    """From colours `[h, w, 3]` in 0..1: a_red, a_green, a_blue (for colours in 0..255) and b, each `[h, w]`."""
    planes: list[Map] = [np.ascontiguousarray(colours[..., channel]) for channel in range(3)]

    def mean(plane: Map) -> Map:
        side = 2 * radius + 1
        return np.asarray(cv2.blur(plane, (side, side), borderType=cv2.BORDER_REFLECT), np.float32)

    means = [mean(plane) for plane in planes]
    depth_mean = mean(depth)
    with_depth = [mean(plane * depth) - average * depth_mean for plane, average in zip(planes, means, strict=True)]
    # The windows' covariance of the colours, symmetric 3 x 3 with eps on its diagonal, inverted by its cofactors.
    rr, rg, rb, gg, gb, bb = (
        mean(planes[i] * planes[j]) - means[i] * means[j] + np.float32(eps if i == j else 0)
        for i in range(3)
        for j in range(i, 3)
    )
    inverse = (
        (gg * bb - gb * gb, gb * rb - rg * bb, rg * gb - gg * rb),
        (gb * rb - rg * bb, rr * bb - rb * rb, rb * rg - rr * gb),
        (rg * gb - gg * rb, rb * rg - rr * gb, rr * gg - rg * rg),
    )
    determinant = rr * inverse[0][0] + rg * inverse[0][1] + rb * inverse[0][2]
    slopes = [sum(c * d for c, d in zip(row, with_depth, strict=True)) / determinant for row in inverse]
    offset = depth_mean - sum(slope * average for slope, average in zip(slopes, means, strict=True))
    return [mean(slope) / 255 for slope in slopes] + [mean(offset)]


def _resize(plane: Map, width: int, height: int) -> Map:
    return np.asarray(cv2.resize(plane, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)
