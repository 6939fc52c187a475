"""The photo's surface as points in space."""

from __future__ import annotations

import math
import operator
import os
import warnings
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from midas_client._depth_kind import Unit
from midas_client._errors import OptionError
from midas_client._intrinsics import Intrinsics
from midas_client._resample import resampled
from midas_client._whole_file import write_whole


@dataclass(frozen=True, eq=False)
class PointCloud:
    """Points in the camera's own frame, as OpenCV has it: x to the right, y down, z forward; the camera at (0, 0, 0).

    Attributes:
        points: float32 [N, 3] of x, y, z; read-only.
        colors: uint8 RGB [N, 3], read-only, or None.
        unit: "metres", or "relative" where only the shape is known, and that not exactly.
    """

    points: npt.NDArray[np.float32] = field(repr=False)
    colors: npt.NDArray[np.uint8] | None = field(repr=False)
    unit: Unit

    def __len__(self) -> int:
        return len(self.points)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write a binary, little-endian PLY: x, y, z as float, then red, green, blue as uchar where there are colours.

        The points are written as they are, y down and z forward. A viewer whose y points up (MeshLab, Blender, Open3D)
        shows them upside down and from behind: turn them there by 180 degrees about x.

        Args:
            path: a name that ends in `.ply`.

        Raises:
            OptionError: the name has another ending.
            OSError: the file cannot be written; there is no half of it.

        >>> depth_map.point_cloud(fov=60, stride=4).save("photo.ply")
        """
        ending = Path(path).suffix.lower()
        if ending != ".ply":
            raise OptionError(
                f"A point cloud cannot be saved as {ending or 'a name without ending'!r}", hint="Allowed: .ply"
            )
        write_whole(path, _ply(self))


def project(
    z: npt.NDArray[np.float32],
    photo_size: tuple[int, int],
    *,
    fov: float | None,
    intrinsics: Intrinsics | None,
    colors: npt.NDArray[np.uint8] | None,
    edge: float | None,
    stride: int,
    max_points: int | None,
    unit: Unit,
) -> PointCloud:
    """The points that a pinhole camera saw: X = (x - cx) / fx * Z, Y = (y - cy) / fy * Z.

    Args:
        z: float32 [H, W], the distance along the camera's axis; a pixel that is not finite or not above 0 has no point.
        photo_size: (width, height) of the photo whose pixels the camera is described in; z may have another size.
        fov: degrees that the camera sees from side to side, above 0 and below 180; None with intrinsics.
        intrinsics: of the camera; None with fov.
        colors: uint8 RGB [height, width, 3] of any size; None for points without colours.
        edge: how steep depth may be before it is taken for a flying pixel; None keeps all.
        stride: takes every stride-th row and column, from 1 up.
        max_points: draws so many at random where there are more, the same at each call; None for all.
        unit: of z.

    Returns:
        The points, row by row unless they were drawn.

    Raises:
        OptionError: a value is not allowed, or not exactly one of fov and intrinsics is given.
    """
    camera = _camera(fov, intrinsics, photo_size)
    step = _check_count("stride", stride)
    height, width = z.shape
    kept = np.isfinite(z) & (z > 0)
    if edge is not None:
        kept &= ~_flying(z, _check_edge(edge))
    rows, columns = (indices * step for indices in np.nonzero(kept[::step, ::step]))
    if max_points is not None and len(rows) > _check_count("max_points", max_points):
        drawn = np.sort(np.random.default_rng(0).choice(len(rows), max_points, replace=False))
        rows, columns = rows[drawn], columns[drawn]
    distance = z[rows, columns].astype(np.float64)
    # Pixels are areas: the centre of the map's pixel, in the photo's pixels.
    x = (columns + 0.5) * (photo_size[0] / width) - 0.5
    y = (rows + 0.5) * (photo_size[1] / height) - 0.5
    points = np.stack(
        [(x - camera.cx) / camera.fx * distance, (y - camera.cy) / camera.fy * distance, distance], axis=1
    ).astype(np.float32)
    points.setflags(write=False)
    picked = None
    if colors is not None:
        picked = _at_size(colors, (width, height), photo_size)[rows, columns]
        picked.setflags(write=False)
    return PointCloud(points, picked, unit)


def relative_distance(depth: npt.NDArray[np.float32], far: float) -> npt.NDArray[np.float32]:
    """A distance for relative inverse depth: 1 at the largest depth, `far` at the smallest, 1 / z linear in between.

    Args:
        depth: float32 [H, W], larger is nearer.
        far: above 1.

    Returns:
        float32 [H, W]; 1 everywhere where the map is flat; not a number where the depth is not finite.

    Raises:
        OptionError: far is not allowed.
    """
    if isinstance(far, (bool, str)) or not math.isfinite(far) or far <= 1:
        raise OptionError(f"far is {far!r}", hint="It must be a number above 1: the nearest point is at 1")
    values = np.where(np.isfinite(depth), depth.astype(np.float64), np.nan)
    known = values[~np.isnan(values)]
    low, high = (float(known.min()), float(known.max())) if known.size else (0.0, 0.0)
    nearness = (values - low) / (high - low) if high > low else values * 0 + 1
    return (1 / (1 / far + nearness * (1 - 1 / far))).astype(np.float32)


def _camera(fov: float | None, intrinsics: Intrinsics | None, photo_size: tuple[int, int]) -> Intrinsics:
    if (fov is None) == (intrinsics is None):
        raise OptionError(
            f"{'Neither' if fov is None else 'Both'} fov {'nor' if fov is None else 'and'} intrinsics given",
            hint="Give one: fov=60 (degrees across the photo's width) or intrinsics=Intrinsics(fx, fy, cx, cy)",
        )
    if fov is not None:
        return Intrinsics.from_fov(fov, photo_size)
    if not isinstance(intrinsics, Intrinsics):
        raise OptionError(f"intrinsics is {intrinsics!r}", hint="It must be Intrinsics(fx, fy, cx, cy)")
    width, height = photo_size
    meets = f"The camera's axis meets the photo at ({intrinsics.cx:g}, {intrinsics.cy:g})"
    scale = (
        "Are the intrinsics those of another size? Multiply fx and cx by the photo's width divided by that size's, "
        "fy and cy by the heights"
    )
    if not (-0.5 <= intrinsics.cx <= width - 0.5 and -0.5 <= intrinsics.cy <= height - 0.5):
        raise OptionError(f"{meets}, outside of its {width} x {height} pixels", hint=scale)
    # Of a photo that was cropped it may be anywhere, so this is no error.
    if not (0.25 <= (intrinsics.cx + 0.5) / width <= 0.75 and 0.25 <= (intrinsics.cy + 0.5) / height <= 0.75):
        warnings.warn(
            f"{meets}, far from the middle of its {width} x {height} pixels. {scale}", UserWarning, stacklevel=4
        )
    return intrinsics


def _check_count(name: str, value: int) -> int:
    try:
        count = 0 if isinstance(value, bool) else operator.index(value)
    except TypeError:
        count = 0
    if count < 1:
        raise OptionError(f"{name} is {value!r}", hint="Allowed: whole numbers from 1")
    return count


def _check_edge(edge: float) -> float:
    if isinstance(edge, (bool, str)) or not edge > 0:
        raise OptionError(f"edge is {edge!r}", hint="It must be a number above 0, such as 0.1 for a tenth")
    return edge


def _flying(z: npt.NDArray[np.float32], edge: float) -> npt.NDArray[np.bool_]:
    """Where z and that of a neighbour in the row or the column differ by more than a share of the smaller."""
    across, down = _jumps(z[:, 1:], z[:, :-1], edge), _jumps(z[1:], z[:-1], edge)
    flying = np.zeros(z.shape, np.bool_)
    flying[:, 1:] |= across
    flying[:, :-1] |= across
    flying[1:] |= down
    flying[:-1] |= down
    return flying


def _jumps(one: npt.NDArray[np.float32], other: npt.NDArray[np.float32], edge: float) -> npt.NDArray[np.bool_]:
    # Written so that inf beside a number is a jump, and inf beside inf is none.
    jumps: npt.NDArray[np.bool_] = np.maximum(one, other) > (1 + edge) * np.minimum(one, other)
    return jumps


def _at_size(
    colors: npt.NDArray[np.uint8], size: tuple[int, int], photo_size: tuple[int, int]
) -> npt.NDArray[np.uint8]:
    if not isinstance(colors, np.ndarray) or colors.dtype != np.uint8:
        kind = f"an array of {colors.dtype}" if isinstance(colors, np.ndarray) else f"a {type(colors).__name__}"
        raise OptionError(
            f"colors is {kind}", hint="It must be the photo as an array uint8 [H, W, 3]: upright_rgb(photo)"
        )
    if colors.ndim != 3 or colors.shape[2] != 3 or colors.size == 0:
        raise OptionError(f"colors has shape {list(colors.shape)}", hint="It must be [H, W, 3] in RGB order")
    height, width = colors.shape[:2]
    if width != height and (height, width) == photo_size:
        raise OptionError(
            f"colors is {width} x {height}, but upright the photo is {photo_size[0]} x {photo_size[1]}",
            hint="Read it upright: midas_client.upright_rgb(photo)",
        )
    if (width, height) == size:
        return colors
    return np.rint(resampled(colors, size)).clip(0, 255).astype(np.uint8)


def _ply(cloud: PointCloud) -> bytes:
    properties = [("x", "<f4"), ("y", "<f4"), ("z", "<f4")]
    if cloud.colors is not None:
        properties += [("red", "u1"), ("green", "u1"), ("blue", "u1")]
    vertices = np.empty(len(cloud.points), dtype=properties)
    for index, axis in enumerate("xyz"):
        vertices[axis] = cloud.points[:, index]
    if cloud.colors is not None:
        for index, channel in enumerate(("red", "green", "blue")):
            vertices[channel] = cloud.colors[:, index]
    unit = "metres" if cloud.unit == "metres" else "relative unit"
    lines = [
        "ply",
        "format binary_little_endian 1.0",
        f"comment x right, y down, z forward; {unit}",
        f"element vertex {len(vertices)}",
        *(f"property {'float' if kind == '<f4' else 'uchar'} {name}" for name, kind in properties),
        "end_header",
    ]
    return "\n".join(lines).encode() + b"\n" + vertices.tobytes()
