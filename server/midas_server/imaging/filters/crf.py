"""Edges of the photo for the depth map, by one optimisation over all pixels: a Gaussian conditional random field."""

import cv2
import numpy as np
from numpy.typing import NDArray

from midas_server.imaging.geometry import resize_depth

Map = NDArray[np.float32]

# Where the depth changes by this share of the map's range from a pixel of the network to the next but one, it is a
# blurred edge: its values lie between the two sides and belong to neither, so they count for next to nothing.
EDGE_STEP = 0.04
LEAST_CONFIDENCE = 1e-3


def crf(depth: Map, guide: NDArray[np.uint8], *, radius: int, contrast: float) -> Map:
    """The depth that is most probable under a Gaussian conditional random field over the photo.

    `E(u) = sum_p c_p (u_p - d_p)^2 + lambda sum_pq exp(-|I_p - I_q| / contrast) (u_p - u_q)^2`

    d is the depth map, bicubically upsampled; c its confidence, `exp(-(step / 0.04)^2)` with the step of depth within
    3 x 3 pixels of the network as a share of the map's range; q are the 4 neighbours of p, I the photo's colours in
    0..255 and `lambda = (radius W / w)^2`. Where depth is blurred over an edge the confidence is low, and both sides
    grow towards each other until they meet at the photo's edge. With labels instead of real depth this would be a dense
    or grid CRF of which only an approximation is found; with Gaussian potentials the most probable u is the solution
    of one linear system.

    It is solved by the Fast Global Smoother of Min, Choi, Lu, Ham, Sohn and Do (TIP 2014; OpenCV contrib): three rounds
    of exact solutions along all rows and all columns, for `c d` and for c, whose quotient is the result (their
    section on sparse data). It is an approximation of the weighted least squares solution. No dense CRF (Kraehenbuehl
    and Koltun) is meant: that one is for labels.

    Args:
        depth: `[h, w]`, the network's output.
        guide: RGB `[H, W, 3]`, the photo at the size of the result.
        radius: how far a value spreads over an even surface, in pixels of the depth map.
        contrast: difference of colour, in 0..255, between two neighbours across which depth spreads 1/e as much.

    Returns:
        `[H, W]`.
    """
    height, width = guide.shape[:2]
    confidence = _confidence(depth)
    confidence = np.asarray(cv2.resize(confidence, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)
    # Without its offset, or float32 would lose the digits of a map that is far from 0 compared with its range.
    low = depth.min()
    upsampled = resize_depth(depth - low, (width, height))
    strength = (radius * width / depth.shape[1]) ** 2
    smoother = cv2.ximgproc.createFastGlobalSmootherFilter(guide, strength, contrast)
    numerator = np.asarray(smoother.filter(upsampled * confidence), np.float32)
    numerator /= smoother.filter(confidence)
    numerator += low
    return numerator


def _confidence(depth: Map) -> Map:
    """float32 `[h, w]`, 1 on surfaces and towards 0 on edges of depth."""
    neighbours = np.ones((3, 3), np.uint8)
    step = cv2.dilate(depth, neighbours) - cv2.erode(depth, neighbours)
    span = float(depth.max() - depth.min())
    if span <= 0:
        return np.ones_like(depth)
    confidence = np.exp(-np.square(step / np.float32(EDGE_STEP * span)))
    return np.asarray(np.maximum(confidence, np.float32(LEAST_CONFIDENCE)), np.float32)
