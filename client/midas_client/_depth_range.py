"""The range of depth between the first and the last colour of a depth video: slow, so that colours are steady."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]


class DepthRange:
    """The range of the depth of a video, which is given map by map, and its maps within that range.

    Stretching every map from its own smallest to its own largest depth makes the colours of a whole video flicker with
    one pixel. Here the range goes from a low to a high percentile, widened by a margin, follows them slowly, and starts
    afresh only with a new scene. Depth outside of it gets the first or the last colour.

    Attributes:
        low, high: the depths of the first (farthest) and the last (nearest) colour.
    """

    def __init__(self, *, percentile: float = 0.5, margin: float = 0.02, rate: float = 0.05) -> None:
        """Begin without a range; the first map gives it.

        Args:
            percentile: percent of the pixels left below the range, and above it, before the margin is added; 0 to 49.
            margin: added below and above, as a share of the range. Room for what moves: 0.02 is enough for colours;
                where the numbers are used later, as in a 16-bit video, 0.25 costs half a bit and clips next to nothing.
            rate: how much of the way to a new map's range is gone with it, 0 to 1: 0.05 is two thirds in 20 frames.
        """
        self.low, self.high = 0.0, 0.0
        self._percentile, self._margin, self._rate = percentile, margin, rate
        self._begun = False

    def update(self, depth: FloatArray, *, is_cut: bool = False) -> tuple[float, float]:
        """Take the next map into account.

        Args:
            depth: float32 [H, W].
            is_cut: the map is the first of a scene (TemporalSmoother.is_cut), whose own range is taken at once.

        Returns:
            (low, high). Unchanged by a map without a finite number.
        """
        # Some 20,000 pixels give the percentiles as well as all do.
        step = max(1, round((depth.size / 20_000) ** 0.5))
        some = depth[::step, ::step]
        some = some[np.isfinite(some)]
        if some.size:
            low, high = (float(x) for x in np.percentile(some, (self._percentile, 100 - self._percentile)))
            room = self._margin * (high - low)
            rate = 1.0 if is_cut or not self._begun else self._rate
            self.low += rate * (low - room - self.low)
            self.high += rate * (high + room - self.high)
            self._begun = True
        return self.low, self.high

    def levels(self, depth: FloatArray, top: int) -> npt.NDArray[np.uint16]:
        """The map in steps from 0 (low, far) to top (high, near): uint16 [H, W], rounded and clipped; 0 if it is flat.

        Args:
            depth: float32 [H, W].
            top: 255 for a colour table, 65535 for a 16-bit picture.
        """
        span = self.high - self.low
        if not span > 0:
            return np.zeros(depth.shape, np.uint16)
        scaled = depth * np.float32(top / span)
        scaled += np.float32(0.5 - self.low * top / span)
        return np.nan_to_num(scaled, copy=False, nan=0.0).clip(0, top + 0.25).astype(np.uint16)
