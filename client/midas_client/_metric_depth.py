"""From relative inverse depth to metres, by a few known distances; and metric depth, which is in metres already.

A MiDaS network is trained with a loss that does not change when its output is scaled and shifted (Ranftl, Lasinger,
Hafner, Schindler, Koltun: Towards Robust Monocular Depth Estimation, TPAMI 2022, section 5). So its output is inverse
depth up to two numbers, which differ from photo to photo:

    1 / metres = scale * depth + shift

Two known distances give them; more are fitted by least squares, in inverse depth, as the paper does for its evaluation.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from midas_client._depth_files import png16, save_map
from midas_client._errors import MetricFitError, OptionError
from midas_client._intrinsics import Intrinsics
from midas_client._point_cloud import PointCloud, project

KnownPoints = Iterable[tuple[float, float, float]] | npt.NDArray[np.floating[Any]]

_MILLIMETRES_MAX = 65535
# Points whose depth differs by less than this share of the map's range say nothing about the scale.
_SMALLEST_SPREAD = 1e-3


@dataclass(frozen=True, eq=False)
class MetricDepth:
    """Distances in metres: 1 / metres = scale * depth + shift, with the relative inverse depth of a DepthMap.

    Of a DepthMap that is in metres itself: metres = scale * depth, with shift 0.

    Attributes:
        depth: float32 [H, W] in metres, row 0 at the top, read-only: the distance along the camera's axis (not along
            the ray). `inf` where 1 / metres comes out as 0 or less, which is farther than anything: sky, mostly. With
            `max_metres`, nothing is above that.
        scale: of the fit, above 0; in 1/metre for each unit of relative depth. Of metric depth a factor, 1 without
            known points.
        shift: of the fit, in 1/metre.
        residual: in metres: the root of the mean of the squared `residuals`. 0, up to rounding, with two points.
        residuals: float64 [N] in metres, in the order of the known points: the distance by the fit, where the depth is
            interpolated at the point, minus the known distance. `inf` where the fit says that a known point is farther
            than anything; which `max_metres` bounds.
        photo_size: (width, height) of the upright photo in pixels.
        max_metres: the bound that was asked for, or None.

    >>> import numpy as np
    >>> y, x = np.unravel_index(depth_map.depth.argmax(), depth_map.depth.shape)
    >>> far_y, far_x = np.unravel_index(depth_map.depth.argmin(), depth_map.depth.shape)
    >>> metric = depth_map.to_metric(known=[(x, y, 1.5), (far_x, far_y, 6.0)])
    >>> round(float(metric.depth.min()), 3), round(float(metric.depth.max()), 3)
    (1.5, 6.0)
    >>> metric.save("photo_millimetres.png")
    >>> cloud = metric.point_cloud(fov=60, max_points=1000)
    >>> cloud.points.shape, cloud.unit
    ((1000, 3), 'metres')
    """

    depth: npt.NDArray[np.float32] = field(repr=False)
    scale: float
    shift: float
    residual: float
    residuals: npt.NDArray[np.float64] = field(repr=False)
    photo_size: tuple[int, int]
    max_metres: float | None = None

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the metres as the type of file that the name's ending asks for.

        Args:
            path: `.npy`, `.tif`, `.tiff` and `.pfm` hold the float32 metres of `depth`, `inf` included. `.png` holds
                16-bit grey millimetres, rounded, at least 1: 65535 stands for 65.535 m and everything beyond, and 0
                for no value at all (not a number).

        Raises:
            OptionError: the name has another ending.
            OSError: the file cannot be written; there is no half of it.
        """
        save_map(path, self.depth, lambda: png16(_millimetres(self.depth)))

    def point_cloud(
        self,
        *,
        fov: float | None = None,
        intrinsics: Intrinsics | None = None,
        colors: npt.NDArray[np.uint8] | None = None,
        max_metres: float | None = None,
        edge: float | None = None,
        stride: int = 1,
        max_points: int | None = None,
    ) -> PointCloud:
        """The photo's surface as points in space, in metres; x to the right, y down, z forward.

        Args:
            fov: horizontal field of view in degrees; either this or `intrinsics`.
            intrinsics: the camera, in pixels of the upright photo.
            colors: the upright photo, uint8 RGB [H, W, 3], at any size; it is resized to the depth.
            max_metres: points whose z is above are left out.
            edge: leaves out "flying pixels" between near and far: where z differs from that of the pixel to the
                left, right, above or below by more than this share of the smaller; 0.02 for the soft maps
                of a small network, 0.1 for sharp ones.
            stride: every n-th column and row only.
            max_points: at most as many, drawn at random but always the same.

        Returns:
            The points with a finite distance, row by row from the top.

        Warns:
            UserWarning: the camera's axis is far from the middle of the photo, as that of another size would be.

        Raises:
            OptionError: a value is not allowed, or not exactly one of `fov` and `intrinsics` is given.
        """
        z = self.depth
        if max_metres is not None:
            z = np.where(z <= check_max_metres(max_metres), z, np.float32(np.inf))
        return project(
            z,
            self.photo_size,
            fov=fov,
            intrinsics=intrinsics,
            colors=colors,
            edge=edge,
            stride=stride,
            max_points=max_points,
            unit="metres",
        )


def metric_depth(
    depth: npt.NDArray[np.float32], photo_size: tuple[int, int], known: KnownPoints, max_metres: float | None
) -> MetricDepth:
    """Metres from relative inverse depth; see `DepthMap.to_metric`.

    Args:
        depth: float32 [H, W], larger is nearer.
        photo_size: (width, height) of the photo, whose pixels the points count.
        known: what was measured.
        max_metres: the farthest distance in the result; None for no bound.

    Returns:
        Metres float32 [H, W], how they came about, and how far they are from the points.

    Raises:
        MetricFitError: the points do not give a scale and a shift.
        OptionError: max_metres is not a number above 0.
    """
    limit = math.inf if max_metres is None else check_max_metres(max_metres)
    points = _checked(known, photo_size)
    values = _interpolated(depth, photo_size, points)
    scale, shift = _fit(points, values, _range(depth))
    metres = _metres(depth.astype(np.float64), scale, shift, limit).astype(np.float32)
    metres.setflags(write=False)
    residuals = _metres(values, scale, shift, limit) - points[:, 2]
    residuals.setflags(write=False)
    return MetricDepth(
        depth=metres,
        scale=scale,
        shift=shift,
        residual=float(np.sqrt(np.mean(residuals**2))),
        residuals=residuals,
        photo_size=photo_size,
        max_metres=max_metres,
    )


def rescaled(
    depth: npt.NDArray[np.float32],
    photo_size: tuple[int, int],
    known: KnownPoints | None,
    max_metres: float | None,
) -> MetricDepth:
    """Metres float32 [H, W], multiplied by what fits the known points best; as they are without any.

    By least squares in inverse depth, as for relative depth: near points, which a network knows best, count more.

    Raises:
        MetricFitError: a point is not usable, or the depth there is 0.
        OptionError: max_metres is not a number above 0.
    """
    limit = np.float32(math.inf if max_metres is None else check_max_metres(max_metres))
    scale, residuals = 1.0, np.zeros(0)
    if known is not None:
        points = _checked(known, photo_size, at_least=1)
        values = _interpolated(depth, photo_size, points)
        nowhere = ~(values > 0)
        if nowhere.any():
            raise MetricFitError(f"The depth at {_place(points, nowhere)} is 0", hint="Leave that point out")
        scale = float((1 / values) @ (1 / values)) / float((1 / values) @ (1 / points[:, 2]))
        residuals = np.minimum(values * scale, limit) - points[:, 2]
    metres = np.minimum(depth if scale == 1 else (depth * np.float64(scale)).astype(np.float32), limit)
    metres.setflags(write=False)
    residuals.setflags(write=False)
    return MetricDepth(
        depth=metres,
        scale=scale,
        shift=0.0,
        residual=float(np.sqrt(np.mean(residuals**2))) if residuals.size else 0.0,
        residuals=residuals,
        photo_size=photo_size,
        max_metres=max_metres,
    )


def check_max_metres(value: float) -> float:
    """The value itself.

    Raises:
        OptionError: it is not a finite number above 0.
    """
    if isinstance(value, (bool, str)) or not math.isfinite(value) or value <= 0:
        raise OptionError(f"max_metres is {value!r}", hint="It must be a number of metres above 0")
    return float(value)


def _checked(known: KnownPoints, photo_size: tuple[int, int], at_least: int = 2) -> npt.NDArray[np.float64]:
    """float64 [N, 3] of x, y, metres: as many as needed, inside of the photo, at possible distances."""
    try:
        points = np.array(known if isinstance(known, np.ndarray) else list(known), dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise MetricFitError("A known point is not three numbers", hint="Each must be (x, y, metres)") from error
    if at_least == 1 and not len(points):
        raise MetricFitError("No known point was given", hint="Give one or more, or leave `known` out")
    if len(points) < at_least:
        raise MetricFitError(
            f"{len(points) or 'No'} known point{'s' * (not len(points))} cannot give scale and shift",
            hint="Give at least two, at different distances: known=[(x, y, metres), (x, y, metres)]",
        )
    if points.shape[1:] != (3,):
        raise MetricFitError("A known point is not three numbers", hint="Each must be (x, y, metres)")
    width, height = photo_size
    x, y, metres = points.T
    outside = ~((x >= 0) & (x < width) & (y >= 0) & (y < height))
    if outside.any():
        raise MetricFitError(
            f"The known point {_place(points, outside)} lies outside of the photo, which is {width} x {height}",
            hint="x is counted from the left and y from the top of the upright photo, in pixels from 0",
        )
    with np.errstate(divide="ignore", over="ignore"):
        impossible = ~((metres > 0) & np.isfinite(metres) & np.isfinite(1 / metres))
    if impossible.any():
        raise MetricFitError(
            f"The distance at {_place(points, impossible)} is {metres[impossible.argmax()]:g} metres",
            hint="It must be a finite number above 0",
        )
    return points


def _interpolated(
    depth: npt.NDArray[np.float32], photo_size: tuple[int, int], points: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """float64 [N]: the depth at points of the photo, bilinear between the centres of the map's pixels."""
    (left, right, across), (top, bottom, down) = (
        _neighbours((points[:, axis] + 0.5) * (depth.shape[1 - axis] / photo_size[axis]) - 0.5, depth.shape[1 - axis])
        for axis in (0, 1)
    )
    above = _blend(depth[top, left], depth[top, right], across)
    below = _blend(depth[bottom, left], depth[bottom, right], across)
    found = _blend(above, below, down)
    missing = ~np.isfinite(found)
    if missing.any():
        raise MetricFitError(
            f"The depth at {_place(points, missing)} is {found[missing.argmax()]}", hint="Leave that point out"
        )
    return found


def _place(points: npt.NDArray[np.float64], marks: npt.NDArray[np.bool_]) -> str:
    """The first of the marked points, as a caller wrote it."""
    x, y, _ = points[marks.argmax()]
    return f"({x:g}, {y:g})"


def _neighbours(
    position: npt.NDArray[np.float64], length: int
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp], npt.NDArray[np.float64]]:
    inside = position.clip(0, length - 1)
    first = np.floor(inside).astype(np.intp)
    return first, np.minimum(first + 1, length - 1), inside - first


def _blend(
    a: npt.NDArray[np.floating[Any]], b: npt.NDArray[np.floating[Any]], share: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    a = a.astype(np.float64)
    with np.errstate(invalid="ignore"):
        # At share 0 a neighbour that is not finite does not matter.
        return np.where(share > 0, a + (b - a) * share, a)


def _range(depth: npt.NDArray[np.float32]) -> float:
    finite = depth[np.isfinite(depth)]
    return float(finite.max()) - float(finite.min()) if finite.size else 0.0


def _fit(points: npt.NDArray[np.float64], values: npt.NDArray[np.float64], whole_range: float) -> tuple[float, float]:
    """Scale and shift of the line through (depth, 1 / metres), by least squares.

    About the means, which keeps all digits when the depth lies around 1e4 and its differences matter.
    """
    spread = float(values.max() - values.min())
    if spread <= max(_SMALLEST_SPREAD * whole_range, 1e-6 * float(np.abs(values).max())):
        raise MetricFitError(
            f"All {len(points)} known points lie at (nearly) the same depth of the map, from which no scale follows",
            hint="Give points at different distances",
        )
    inverse = 1 / points[:, 2]
    value_mean, inverse_mean = float(values.mean()), float(inverse.mean())
    if float(inverse.max() - inverse.min()) <= 1e-9 * inverse_mean:
        raise MetricFitError(
            f"All {len(points)} known points are given as {points[0, 2]:g} m, but lie at different depths of the map",
            hint="Give points at different distances",
        )
    centred = (values - value_mean) / spread
    scale = float(centred @ (inverse - inverse_mean)) / float(centred @ centred) / spread
    if scale <= 0:
        raise _contradiction(points, values, inverse)
    return scale, inverse_mean - scale * value_mean


def _contradiction(
    points: npt.NDArray[np.float64], values: npt.NDArray[np.float64], inverse: npt.NDArray[np.float64]
) -> MetricFitError:
    """Names two points whose order the map has the other way round, those that differ most in inverse depth.

    There are two where the scale is not above 0 and the distances differ: were all pairs in order, it would be above.
    """
    from_afar = np.lexsort((inverse, values))
    nearest_so_far = np.maximum.accumulate(inverse[from_afar])
    place = int((nearest_so_far - inverse[from_afar]).argmax())
    x, y, metres = points[from_afar[place]]
    other_x, other_y, other_metres = points[from_afar[inverse[from_afar[: place + 1]].argmax()]]
    return MetricFitError(
        f"The known distances contradict the depth map: ({x:g}, {y:g}) is given as {metres:g} m and "
        f"({other_x:g}, {other_y:g}) as {other_metres:g} m, but in the map the first is nearer than the second",
        hint="Check these two points: x comes first and counts from the left, y from the top. Or the network is wrong "
        "about this photo",
    )


def _metres(
    inverse_relative: npt.NDArray[np.float64], scale: float, shift: float, limit: float
) -> npt.NDArray[np.float64]:
    inverse = scale * inverse_relative + shift
    with np.errstate(divide="ignore", over="ignore"):
        metres = np.where(inverse <= 0, np.inf, 1 / inverse)
    return np.minimum(metres, limit)


def _millimetres(metres: npt.NDArray[np.float32]) -> npt.NDArray[np.uint16]:
    """uint16 [H, W]: 1 to 65535, and 0 where there is no number."""
    known = ~np.isnan(metres)
    with np.errstate(over="ignore"):  # beyond float32 it is infinite, and so at the upper end
        rounded = np.rint(np.where(known, metres, 0) * 1000.0).clip(1, _MILLIMETRES_MAX)
    return np.where(known, rounded, 0).astype(np.uint16)
