"""Flat regions of a depth map, found before anything is known of metres.

A plane's 1 / z is an affine function of the pixel, and so is the map on it, whatever its scale and shift: nearness =
alpha * (x - cx) + beta * (y - cy) + gamma. So flat regions can be found in the map itself. For the same reason a wrong
shift leaves planes flat (it bends their angles, not them), and flatness says nothing about the shift.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

MOST_PLANES = 14
SMALLEST_SHARE = 0.008
_TRIES = 120
_WINDOW, _WIDER = 0.025, 1.0
_EXACT, _BENT = 0.005, 0.6
_FINEST = 1e-4
_LAYER, _MOST_LAYERS, _COMPARED = 0.15, 5, 2000
_SAMPLE = 8500


@dataclass(frozen=True, eq=False)
class MapPlane:
    """A flat region of the map.

    Attributes:
        coefficients: alpha, beta, gamma, float64 [3], with pixels counted from the photo's middle.
        covariance: of the coefficients, float64 [3,3], by the scatter of the map about the plane.
        mask: bool [H,W], its pixels.
        share: of the photo's pixels.
    """

    coefficients: Floats
    covariance: Floats
    mask: Mask
    share: float

    def vector(self, scale: float, shift: float, focal: float) -> Floats:
        """The plane m [3] in space, with m · P = 1 for its points P in the camera's axes.

        Args:
            scale: a in 1 / z = a * nearness + b.
            shift: b, in 1 / metres.
            focal: in pixels.
        """
        alpha, beta, gamma = self.coefficients
        return np.array([focal * scale * alpha, focal * scale * beta, scale * gamma + shift])


def _grid(like: Floats) -> tuple[Floats, Floats]:
    height, width = like.shape
    y, x = np.mgrid[:height, :width].astype(np.float64)
    return x - (width - 1) / 2, y - (height - 1) / 2


def _local_planes(nearness: Floats, valid: Mask, half: int) -> tuple[Floats, Floats]:
    """The plane through each pixel's window: slopes and value [3,H,W], and the scatter about it [H,W].

    A window with an invalid pixel has an infinite scatter.
    """
    size = 2 * half + 1
    ramp = np.arange(-half, half + 1, dtype=np.float64)
    filled = np.where(valid, nearness, 0.0)
    mean = ndimage.uniform_filter(filled, size)
    square = size * float(np.sum(ramp**2))
    ones = np.ones(size)

    def slope(axis: int) -> Floats:
        along = ndimage.correlate1d(filled, ramp, axis=axis)
        return np.asarray(ndimage.correlate1d(along, ones, axis=1 - axis) / square)

    alpha, beta = slope(1), slope(0)
    variance = ndimage.uniform_filter((filled - mean.mean()) ** 2, size) - (mean - mean.mean()) ** 2
    step = float(np.mean(ramp**2))
    scatter = np.sqrt(np.maximum(variance - (alpha**2 + beta**2) * step, 0.0))
    whole = ndimage.uniform_filter(valid.astype(np.float64), size) > 1 - 1e-6
    return np.stack([alpha, beta, mean]), np.where(whole, scatter, np.inf)


@dataclass(frozen=True, eq=False)
class _Layer:
    """One of several planes that lie close behind each other.

    Attributes:
        plane: alpha, beta, gamma.
        size: how many pixels lie in it.
        values: its nearness [N] at some of the pixels of all layers.
        own: bool [N], which of those lie in it.
    """

    plane: Floats
    size: int
    values: Floats
    own: Mask

    def is_behind(self, other: _Layer, fine: float) -> bool:
        """Whether most of its own pixels lie behind the other's plane, and not just in it."""
        behind = (self.values - other.values)[self.own] < -fine
        return 2 * int(np.count_nonzero(behind)) > behind.size


def find_planes(nearness: Floats, valid: Mask, rng: np.random.Generator, relative: float = 0.0) -> list[MapPlane]:
    """The largest flat regions, by RANSAC with one window of pixels as a sample; the largest first.

    Args:
        nearness: float64 [H,W], affine in 1 / z.
        valid: bool [H,W]; False where there is no depth (sky) or nothing to rely on (glass, mirrors).
        rng: source of chance.
        relative: how far distances by the map are off, 1 sigma: a network's walls are bent by as much.
    """
    x, y = _grid(nearness)
    half = max(2, round((_WINDOW + _WIDER * relative) / 2 * nearness.shape[1]))
    local, scatter = _local_planes(nearness, valid, half)
    low, high = np.quantile(nearness[valid], [0.02, 0.98])
    finite = scatter[np.isfinite(scatter)]
    noise = float(np.median(finite)) if finite.size else 0.0
    bent = _BENT * relative if relative > _EXACT else 0.0
    tolerance = max(2.5 * noise, max(2e-3, bent) * float(high - low))
    # a wall and the picture on it are one within the tolerance; where the map is exact, they can be told apart. Most
    # windows of a full room hold an edge, so the scatter of surfaces themselves is that of the smoothest
    smoothest = float(np.quantile(finite, 0.2)) if finite.size else 0.0
    fine = min(max(4 * smoothest, max(_FINEST, bent) * float(high - low)), tolerance)
    smooth, flat = scatter < tolerance, scatter < fine
    free = valid.copy()
    # the windows of one region agree in their slopes too, which parts a wall from the cupboard that it touches
    steepest = tolerance / (0.6 * half)
    sparse = (slice(None, None, max(1, round(math.sqrt(nearness.size / _SAMPLE)))),) * 2
    found: list[MapPlane] = []
    while len(found) < MOST_PLANES:
        seeds = np.flatnonzero(free & smooth)
        if seeds.size < SMALLEST_SHARE * nearness.size / 4:
            break
        sampled = free[sparse]
        sx, sy, sample = x[sparse][sampled], y[sparse][sampled], nearness[sparse][sampled]
        best: tuple[int, Floats] = (0, np.zeros(3))
        for seed in rng.choice(seeds, min(_TRIES, seeds.size), replace=False):
            row, column = divmod(int(seed), nearness.shape[1])
            alpha, beta, value = local[:, row, column]
            gamma = value - alpha * x[row, column] - beta * y[row, column]
            count = int(np.count_nonzero(np.abs(sample - (alpha * sx + beta * sy + gamma)) < tolerance))
            if count > best[0]:
                best = count, np.array([alpha, beta, gamma])
        coefficients = best[1]
        if fine < tolerance:
            coefficients = _rearmost(nearness, free & smooth, flat, x, y, local, coefficients, (tolerance, fine), rng)
        mask = free & (np.abs(nearness - _values(coefficients, x, y)) < fine)
        if np.count_nonzero(mask) < SMALLEST_SHARE * nearness.size / 2:
            mask = free & (np.abs(nearness - _values(best[1], x, y)) < tolerance)
        if np.count_nonzero(mask) < SMALLEST_SHARE * nearness.size / 2:
            break
        plane = None
        for _ in range(3):
            plane = _fitted(nearness, mask, x, y)
            alpha, beta, gamma = plane.coefficients
            off = np.abs(nearness - _values(plane.coefficients, x, y))
            alike = np.hypot(local[0] - alpha, local[1] - beta) < steepest
            mask = free & (off < fine) & (alike | ~smooth)
            if np.count_nonzero(mask) < SMALLEST_SHARE * nearness.size / 2:
                break
        assert plane is not None
        # what hangs on a wall or lies on the floor is no part of the plane, and is not looked for again
        taken = plane.mask | (free & (off < tolerance) & (alike | ~smooth))
        free &= ~ndimage.binary_dilation(taken, iterations=1)
        if plane.share >= SMALLEST_SHARE:
            found.append(plane)
    return sorted(found, key=lambda each: -each.share)


def _values(coefficients: Floats, x: Floats, y: Floats) -> Floats:
    """What a plane's nearness is at pixels that are counted from the photo's middle."""
    return np.asarray(coefficients[0] * x + coefficients[1] * y + coefficients[2])


def _rearmost(
    nearness: Floats,
    smooth: Mask,
    flat: Mask,
    x: Floats,
    y: Floats,
    local: Floats,
    about: Floats,
    tolerances: tuple[float, float],
    rng: np.random.Generator,
) -> Floats:
    """Of the layers within the coarse tolerance of a plane the rearmost that is large by the fine one.

    A wall lies behind its pictures, and the floor below its rug. But what leans and cuts through the floor, such as the
    edge of a rug, is no layer behind it, though most of the floor lies before its plane. A window with the edge of a
    door in it leans, too, so only those count that are flat by the fine tolerance.
    """
    coarse, fine = tolerances
    near = smooth & (np.abs(nearness - _values(about, x, y)) < coarse)
    seeds, all_near = np.flatnonzero(near & flat), np.flatnonzero(near)
    if not seeds.size:
        return about
    part = all_near[:: max(1, all_near.size // 20000)]
    sx, sy, sample = x.flat[part], y.flat[part], nearness.flat[part]
    some = slice(None, None, max(1, sample.size // _COMPARED))
    layers: list[_Layer] = []
    for seed in rng.choice(seeds, min(_TRIES, seeds.size), replace=False):
        alpha, beta, value = local[:, seed // nearness.shape[1], seed % nearness.shape[1]]
        plane = np.array([alpha, beta, value - alpha * x.flat[seed] - beta * y.flat[seed]])
        values = _values(plane, sx, sy)
        own = np.abs(sample - values) < fine
        layers.append(_Layer(plane, int(np.count_nonzero(own)), values[some], own[some]))
    layers.sort(key=lambda layer: -layer.size)
    rearmost = layers[0]
    large = [layer for layer in layers if layer.size >= _LAYER * rearmost.size]
    for _ in range(_MOST_LAYERS):
        behind = (each for each in large if each.is_behind(rearmost, fine) and not rearmost.is_behind(each, fine))
        rearmost = next(behind, rearmost)
    return rearmost.plane


def _fitted(nearness: Floats, mask: Mask, x: Floats, y: Floats) -> MapPlane:
    """The plane through a mask's pixels by least squares, twice: the second time without those off by 3 deviations."""
    inside = mask
    for _ in range(2):
        design = np.stack([x[inside], y[inside], np.ones(int(inside.sum()))], axis=1)
        values = nearness[inside]
        coefficients = np.linalg.lstsq(design, values, rcond=None)[0]
        residuals = values - design @ coefficients
        spread = 1.4826 * float(np.median(np.abs(residuals)))
        everywhere = nearness - _values(coefficients, x, y)
        kept = mask & (np.abs(everywhere) <= 3 * spread + 1e-12)
        if np.count_nonzero(kept) < 50:
            break
        inside = kept
    # neighbours err alike: a hundred pixels say as much as one that stands alone
    covariance = np.linalg.pinv(design.T @ design) * spread**2 * 100
    return MapPlane(np.asarray(coefficients), covariance, mask, float(mask.mean()))
