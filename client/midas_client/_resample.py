"""Resampling of arrays: cubic where they grow, as the server does it, and by averages where they shrink."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
import numpy.typing as npt

from midas_client._depth_kind import Upsampling
from midas_client._errors import OptionError

# The kernel's free coefficient, as in OpenCV's INTER_CUBIC and torch's interpolate(mode="bicubic"). (Pillow has -0.5.)
_A = -0.75


def check_size(size: tuple[int, int]) -> tuple[int, int]:
    """(width, height) as two ints.

    Raises:
        OptionError: these are not two whole numbers from 1.
    """
    try:
        width, height = (0 if isinstance(side, bool) else operator.index(side) for side in size)
    except (TypeError, ValueError):
        width = height = 0
    if width < 1 or height < 1:
        raise OptionError(f"size is {size!r}", hint="It must be (width, height) in pixels, two whole numbers from 1")
    return width, height


def resampled(
    array: npt.NDArray[Any], size: tuple[int, int], upsampling: Upsampling = "bicubic"
) -> npt.NDArray[np.float32]:
    """The array at another size; each axis on its own.

    Pixels are areas, so that the outer borders stay where they are (half-pixel centres, `align_corners=False`).
    An axis that grows is interpolated with the cubic convolution kernel (Keys 1981, coefficient -0.75) over 4 pixels,
    the border pixels repeated outwards: what the server does, up to rounding. The result may overshoot at an edge. An
    axis that shrinks is averaged over the area that each new pixel covers (OpenCV's INTER_AREA). Depth Anything's maps
    grow in another way, as their `upsampling` says: linearly, and V2's with the centres of the corner pixels in place
    (`align_corners=True`).

    Args:
        array: [H, W] or [H, W, C], numbers of any type.
        size: (width, height), from 1.
        upsampling: how an axis grows.

    Returns:
        float32 [height, width] or [height, width, C], always a new array.
    """
    width, height = size
    # What shrinks goes first: there is less to compute for the other axis.
    if width < array.shape[1]:
        return _along(_along(array, 1, width, upsampling), 0, height, upsampling)
    return _along(_along(array, 0, height, upsampling), 1, width, upsampling)


def _along(array: npt.NDArray[Any], axis: int, new: int, upsampling: Upsampling) -> npt.NDArray[np.float32]:
    old = array.shape[axis]
    if new == old:
        return np.array(array, dtype=np.float32)
    if new < old:
        return np.asarray(_shrunk(array, axis, new), dtype=np.float32)
    if upsampling == "bilinear_corners":
        position = np.arange(new) * ((old - 1) / (new - 1))
    else:
        position = (np.arange(new) + 0.5) * (old / new) - 0.5
    grown = _cubic if upsampling == "bicubic" else _linear
    return np.asarray(grown(array, axis, position), dtype=np.float32)


def _linear(array: npt.NDArray[Any], axis: int, position: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    last = array.shape[axis] - 1
    first = np.floor(position).astype(np.intp)
    share = _lined_up(position - first, axis, array.ndim)
    before = np.take(array, first.clip(0, last), axis=axis)
    after = np.take(array, (first + 1).clip(0, last), axis=axis)
    return np.asarray(before * (1 - share) + after * share)


def _cubic(array: npt.NDArray[Any], axis: int, position: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    old = array.shape[axis]
    first = np.floor(position).astype(np.intp)
    t = position - first
    before = _A * (t**3 - 2 * t**2 + t)
    at = (_A + 2) * t**3 - (_A + 3) * t**2 + 1
    beyond = _A * (t**2 - t**3)
    following = 1 - before - at - beyond
    # float64 keeps a flat array flat: float32 weights do not add up to 1.
    total = np.zeros((), np.float64)
    for step, weights in zip((-1, 0, 1, 2), (before, at, following, beyond), strict=True):
        pixels = np.take(array, np.clip(first + step, 0, old - 1), axis=axis)
        total = total + pixels * _lined_up(weights, axis, array.ndim)
    return total


def _shrunk(array: npt.NDArray[Any], axis: int, new: int) -> npt.NDArray[np.float64]:
    old = array.shape[axis]
    # Where new pixel i begins, in old pixels: i * old / new, in whole numbers so that nothing is rounded.
    whole, rest = np.divmod(np.arange(new + 1) * old, new)
    sums = np.add.reduceat(array, whole[:-1], axis=axis, dtype=np.float64)
    shares = _lined_up(rest / new, axis, array.ndim)
    cut = np.take(array, np.minimum(whole, old - 1), axis=axis) * shares
    from_the_next = np.take(cut, np.arange(1, new + 1), axis=axis)
    to_the_previous = np.take(cut, np.arange(new), axis=axis)
    return np.asarray((sums + from_the_next - to_the_previous) * (new / old))


def _lined_up(weights: npt.NDArray[np.float64], axis: int, ndim: int) -> npt.NDArray[np.float64]:
    """The weights [N] in a shape that is multiplied along the axis."""
    return weights.reshape([-1 if each == axis else 1 for each in range(ndim)])
