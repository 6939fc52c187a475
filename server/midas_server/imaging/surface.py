"""A depth map at the size of a result, computed piece by piece, so that no float copy of a large one need exist."""

from collections.abc import Iterator
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from midas_server.imaging.geometry import resize_depth
from midas_server.network_output import Upsampling

Depth = NDArray[np.float32]
Level = TypeVar("Level", np.uint8, np.uint16)

# 16 MB of float32. Photos of up to 4 megapixels are one band, which is computed once and kept.
BAND_PIXELS = 4_000_000

# A range below this share of the values is the rounding of float32 on the way, not depth.
FLAT = 1e-6


class Surface:
    """Depth float32 `[h, w]`, resampled to `size` (width, height) as `resize_depth` does it.

    The interpolation is separable: the rows are resampled at once, which gives `[h, W]` with a small h; the columns
    in bands of at most `BAND_PIXELS`. A depth map that has the size already is not touched.

    Args:
        depth: the network's output, or a filter's at the final size.
        size: of the result.
        upsampling: the network's.
    """

    def __init__(self, depth: Depth, size: tuple[int, int], upsampling: Upsampling = "bicubic") -> None:
        self.width, self.height = size
        self._upsampling = upsampling
        self._own_range = float(depth.min()), float(depth.max())
        self._wide = self._resized(depth, (self.width, depth.shape[0]))
        self._band_width = max(1, BAND_PIXELS // self.height)
        self._only = self._band(0) if self._band_width >= self.width else None
        self._range: tuple[float, float] | None = None

    def bands(self) -> Iterator[tuple[slice, Depth]]:
        """Each band: its columns, and its values float32 `[H, columns]`, contiguous, not to be changed."""
        if self._only is not None:
            yield slice(0, self.width), self._only
            return
        for start in range(0, self.width, self._band_width):
            yield slice(start, start + self._band_width), self._band(start)

    def range(self) -> tuple[float, float]:
        """Smallest and largest value; interpolation may go a little beyond those of the network."""
        if self._range is None:
            extremes = [(float(band.min()), float(band.max())) for _, band in self.bands()]
            self._range = min(low for low, _ in extremes), max(high for _, high in extremes)
        return self._range

    def whole(self) -> Depth:
        """All of it: float32 `[H, W]`."""
        if self._only is not None:
            return self._only
        return self._resized(self._wide, (self.width, self.height))

    def levels(self, kind: type[Level], *, overshoot: bool = True, falling: bool = False) -> NDArray[Level]:
        """Whole numbers `[H, W]`, the smallest value as 0 and the largest as the type's; all 0 where it is flat.

        Args:
            kind: `numpy.uint8` or `numpy.uint16`. With `(low, high) = range()` and the type's largest value `top`,
                the map comes back as `low + level / top * (high - low)`, within half a level.
            overshoot: whether what interpolation takes beyond the depth map's own values counts; otherwise it is cut
                there. An even part of a map gets a faint border from it, which equalisation would make a strong one.
            falling: the other way round, the largest value as 0.
        """
        low, high = self.range() if overshoot else self._own_range
        top = np.iinfo(kind).max
        flat = high - low <= FLAT * max(abs(low), abs(high))
        scale = np.float32(0.0 if flat else top / (high - low))
        levels = np.empty((self.height, self.width), kind)
        for columns, band in self.bands():
            stretched = np.float32(high) - band if falling else band - np.float32(low)
            stretched *= scale
            if not overshoot:
                np.clip(stretched, 0, top, out=stretched)
            levels[:, columns] = np.rint(stretched, out=stretched)
        return levels

    def _band(self, start: int) -> Depth:
        columns = self._wide[:, start : start + self._band_width]
        return np.ascontiguousarray(self._resized(columns, (columns.shape[1], self.height)))

    def _resized(self, depth: Depth, size: tuple[int, int]) -> Depth:
        return resize_depth(depth, size, self._upsampling)
