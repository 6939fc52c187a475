"""Histogram equalisation: more contrast for the eye. Distances between levels mean nothing afterwards."""

import cv2
import numpy as np
from numpy.typing import NDArray


def equalize_global(levels: NDArray[np.uint16]) -> NDArray[np.uint8]:
    """Spread the levels so that each grey of the result covers about equally many pixels.

    `g(v) = 255 (C(v) - C(v0)) / (N - C(v0))`, with C the number of pixels of level v or less, v0 the smallest level
    and N all pixels. (Gonzalez and Woods, Digital Image Processing, section 3.3.) The histogram has 65536 levels, so
    that the far part of a photo, which lies in a few of 256, is not torn into steps.

    Args:
        levels: `[H, W]`.

    Returns:
        uint8 `[H, W]`; all 0 where there is one level only.
    """
    counts = cv2.calcHist([levels], [0], None, [65536], [0, 65536]).reshape(-1).astype(np.int64)
    up_to = counts.cumsum()
    darkest = int(counts[np.argmax(counts > 0)])
    spread = max(levels.size - darkest, 1)
    table = np.rint((up_to - darkest).clip(0) * (255 / spread)).astype(np.uint8)
    return np.take(table, levels)


def equalize_clahe(levels: NDArray[np.uint8], *, clip: float, tiles: int) -> NDArray[np.uint8]:
    """Contrast-limited adaptive histogram equalisation: as above, for each part of the picture by its own histogram.

    Zuiderveld, Contrast Limited Adaptive Histogram Equalization, Graphics Gems IV, 1994; OpenCV's implementation.

    Args:
        levels: `[H, W]`.
        clip: bins are cut at this many times the mean bin, which bounds how steep a contrast becomes; 1 to 16.
        tiles: the picture is cut into `tiles` x `tiles` parts, with interpolation between them; 2 to 16.

    Returns:
        uint8 `[H, W]`.
    """
    return np.asarray(cv2.createCLAHE(clip, (tiles, tiles)).apply(levels), np.uint8)
