"""A depth map as the other steps take it, whatever network it comes from."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from midas_client import DepthMap
from room_report.errors import BadReferenceError

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Trust:
    """How far a map can be relied on; of a network, from rendered rooms with exact depth.

    Attributes:
        relative: standard deviation of a distance by the map, as a share of it.
        angle: standard deviation of the angle between two planes of the map, in radians.
        bias: standard deviation of each kind of measure, as a share of it: what stays when everything else is known.
            It is the same error everywhere in a photo, so that more pixels do not shrink it.
    """

    relative: float
    angle: float
    bias: dict[str, float] = field(default_factory=dict)


EXACT = Trust(relative=0.001, angle=0.003)
"""For maps that are right, as those of a renderer. Walls are off by a few millimetres in a metre, too."""


UNKNOWN = Trust(relative=0.1, angle=0.1, bias={"distance": 0.15})
"""For a network that nobody has checked: single photos are off by 8 to 30 % in what others publish."""

TRUST: dict[str, Trust] = {
    "midas_tiny_256": Trust(
        relative=0.05,
        angle=0.06,
        bias={
            "distance": 0.325,
            "wall": 0.325,
            "height": 0.125,
            "camera height": 0.28,
            "free area": 4.345,
            "free width": 2.17,
            "free depth": 2.17,
        },
    )
}
"""By network; each bias as `python -m room_report.evaluation --calibrate` prints it, for distances that of walls.

Those of midas_tiny_256 were counted with its first weights, but for the camera's height. With the present ones 96 other
rooms ask for 0.47 for a wall, of which 100 % of the intervals hold; with 0.325 it is 98 to 99 % (README).
"""


def trust_in(variant: str) -> Trust:
    """How far a network's maps can be relied on."""
    return TRUST.get(variant, UNKNOWN)


@dataclass(frozen=True, eq=False)
class NearnessMap:
    """Nearness: affine in 1 / z, larger is nearer.

    Attributes:
        values: float64 [H,W] at the photo's size.
        valid: bool [H,W]; False in the sky and where a mask says that the depth is wrong (glass, mirrors).
        metric: whether 1 / z is the nearness itself, in 1 / metre: the map of a metric network.
        trust: of the network.
    """

    values: Floats
    valid: npt.NDArray[np.bool_]
    metric: bool
    trust: Trust

    @property
    def size(self) -> tuple[int, int]:
        """(width, height)."""
        return self.values.shape[1], self.values.shape[0]

    def at(self, pixels: Floats) -> Floats:
        """Nearness float64 [N] at pixels [N,2]: the median of the 3 x 3 about each.

        Raises:
            BadReferenceError: there is no depth at a pixel.
        """
        columns = np.clip(np.rint(pixels[:, 0]).astype(int), 0, self.values.shape[1] - 1)
        rows = np.clip(np.rint(pixels[:, 1]).astype(int), 0, self.values.shape[0] - 1)
        found = []
        for row, column in zip(rows, columns, strict=True):
            window = (slice(max(row - 1, 0), row + 2), slice(max(column - 1, 0), column + 2))
            if not self.valid[row, column]:
                raise BadReferenceError(
                    f"The point ({column}, {row}) has no depth: it lies in the sky, in glass or in a mirror. Mark a "
                    "point on a solid thing."
                )
            found.append(np.median(self.values[window][self.valid[window]]))
        return np.array(found)


def nearness_map(depth: DepthMap, trust: Trust, left_out: npt.NDArray[np.bool_] | None = None) -> NearnessMap:
    """The nearness of a depth map that the server gave.

    Args:
        depth: at the photo's size.
        trust: in its network.
        left_out: bool [H,W], pixels whose depth is not to be used.
    """
    values = depth.depth.astype(np.float64)
    metric = depth.kind == "metric_depth"
    valid = np.isfinite(values) & (values > 0) if metric else np.isfinite(values)
    if metric:
        values = np.where(valid, 1 / np.where(valid, values, 1.0), 0.0)
    if left_out is not None:
        valid &= ~left_out
    return NearnessMap(values, valid, metric, trust)
