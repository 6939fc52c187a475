"""From nearness to metres: 1 / z = scale * nearness + shift.

Lengths and distances that are known say how large the room is; right angles say what the shift is. (That planes come
out flat does not: they do with any shift.) Both go into one least-squares fit, each by how sure it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.optimize import least_squares

from room_report.camera import Camera
from room_report.depth import NearnessMap
from room_report.errors import BadReferenceError, ScaleError
from room_report.planes import MapPlane
from room_report.references import KnownDistance, KnownLength, KnownRectangle, Reference
from room_report.regions import Region

Floats = npt.NDArray[np.float64]
Kind = Literal["measured", "estimated", "relative"]
Source = Literal["reference", "clicks", "right angles", "focal length", "gravity", "planes", "network"]

_FARTHEST = 100.0
_SQUARE = np.sin(np.radians(12))
_LEVEL = np.cos(np.radians(40))
_CONTRADICTION = 6.0
_WEAKEST = 0.3
_USUAL_SHIFT, _SHIFT_SPREAD = 0.4, 0.6


@dataclass(frozen=True)
class Scale:
    """1 / z = scale * nearness + shift, in 1 / metre."""

    scale: float
    shift: float
    kind: Kind


@dataclass(frozen=True, eq=False)
class Evidence:
    """All that scale and shift are found from; what is uncertain in it can be nudged.

    Attributes:
        nearness: the map.
        camera: with its focal length.
        references: what is known; may be empty.
        planes: flat regions of the map.
        up: the direction away from the ground in the camera's axes, float64 [3], from a level or a phone's sensor; None
            to take it from the floor.
        up_spread: its standard deviation in radians.
        click: standard deviation in pixels of each coordinate of a marked point.
        squares: pairs of planes that are taken to be at right angles, by their numbers.
        skews: for each of them, the cosine of its true angle; 0 unless nudged.
        unit: the range of the map's nearness.
        found: scale and shift; None before `solve`.
        regions: labelled boxes and masks.
    """

    nearness: NearnessMap
    camera: Camera
    references: tuple[Reference, ...]
    planes: tuple[MapPlane, ...]
    up: Floats | None = None
    up_spread: float = 0.02
    click: float = 1.0
    squares: tuple[tuple[int, int], ...] = ()
    skews: tuple[float, ...] = ()
    unit: float = 1.0
    found: Scale | None = field(default=None)
    regions: tuple[Region, ...] = ()

    def vectors(self, scale: Scale) -> Floats:
        """The planes [N,3], each m with m · P = 1 for its points."""
        rows = [plane.vector(scale.scale, scale.shift, self.camera.focal) for plane in self.planes]
        return np.array(rows).reshape(-1, 3)


def solve(evidence: Evidence) -> Evidence:
    """The evidence with its scale found, and with the pairs of planes that were taken as square.

    Raises:
        BadReferenceError: a point has no depth, or lies in the sky.
        ScaleError: the references are too few, or contradict the map.
    """
    nearness = evidence.nearness
    if not evidence.references:
        if not nearness.metric:
            return replace(evidence, found=Scale(1.0, 0.0, "relative"))
        return replace(evidence, found=Scale(1.0, 0.0, "estimated"))
    marks = _marks(evidence)
    low, high = np.quantile(nearness.values[nearness.valid], [0.02, 0.98])
    unit = max(float(high - low), 0.01 * float(np.abs(nearness.values[nearness.valid]).max()), 1e-12)
    # in these units the far end of the room has the nearness `shift`, which is above 0
    shifts = np.array([float(low) / unit]) if nearness.metric else np.logspace(-2.3, 1.2, 36)
    best: tuple[float, Floats] = (np.inf, np.zeros(2))
    for shift in shifts:
        start = _start(evidence, marks, float(low), unit, float(shift))
        if start is None:
            continue
        cost = float(np.sum(np.minimum(_misses(evidence, marks, start), 4.0) ** 2)) + _angles_cost(evidence, start)
        # with a shift so large that all is about as far, all planes are parallel; no room is seen like that
        cost += float(np.log(shift / _USUAL_SHIFT) / _SHIFT_SPREAD) ** 2
        if cost < best[0]:
            best = cost, np.array([np.log(start.scale), start.shift / start.scale])
    if not np.isfinite(best[0]):
        raise ScaleError(
            "The references do not fit the depth map. Check the marked points and the lengths given for them."
        )
    first = _scale(best[1])
    squares = _squares(evidence.vectors(first))
    paired = replace(evidence, squares=squares, skews=(0.0,) * len(squares), unit=unit)
    return refine(replace(paired, found=first), marks, checked=True)


def refine(evidence: Evidence, marks: Floats | None = None, checked: bool = False) -> Evidence:
    """The evidence with its scale made exact, starting from the one that it has: what a nudge needs.

    Args:
        evidence: with a scale to start from.
        marks: the nearness at the references' points, where that is known already.
        checked: whether to refuse references that contradict each other or say too little.
    """
    start = evidence.found
    assert start is not None
    if not evidence.references:
        return evidence
    marks = _marks(evidence) if marks is None else marks
    known_shift = evidence.nearness.metric

    def misses(x: Floats) -> Floats:
        scale = _scale(x, known_shift)
        return np.concatenate([_misses(evidence, marks, scale), _angle_misses(evidence, scale)])

    x = np.array([np.log(start.scale), start.shift / start.scale])
    # the shift in shares of the map's range, so that both unknowns count alike
    units = np.array([1.0]) if known_shift else np.array([1.0, evidence.unit])
    fitted = least_squares(
        misses, x[: len(units)], x_scale=units, loss="soft_l1", xtol=1e-9, ftol=1e-9, gtol=1e-9, max_nfev=40
    )
    scale = _scale(fitted.x, known_shift)
    if not checked:
        return replace(evidence, found=scale)
    worst = float(np.abs(_misses(evidence, marks, scale)).max())
    if worst > _CONTRADICTION:
        raise ScaleError(
            f"The references contradict each other or the map (by {worst:.0f} times their uncertainty). Check the "
            "marked points and the lengths given for them."
        )
    angles = _angle_misses(evidence, scale)
    if len(angles) > 2 and float(np.median(np.abs(angles))) > _CONTRADICTION:
        raise ScaleError(
            "The references contradict the right angles between floor and walls. Check the marked points (is one in "
            "the sky, in a window or in a mirror?) and what is given for them."
        )
    strengths = np.linalg.svd(fitted.jac * units, compute_uv=False)
    if len(strengths) < len(units) or (not known_shift and strengths[-1] < _WEAKEST):
        raise ScaleError(
            "These references give the size of things, but not the shift of the depth map. Add another known distance, "
            "or a length at another depth; or take a photo that shows the floor and a wall."
        )
    _refuse_sky(evidence, marks, scale)
    return replace(evidence, found=scale)


def nudged(evidence: Evidence, used: Iterable[int]) -> Iterator[tuple[Source, Evidence]]:
    """The evidence once for each thing that is uncertain, with that thing off by one standard deviation.

    Args:
        evidence: with its scale found.
        used: the planes that something is measured on; those that are taken as square count anyway.
    """
    if evidence.camera.spread > 0:
        yield "focal length", replace(evidence, camera=evidence.camera.nudged(1.0))
    for i, reference in enumerate(evidence.references):
        for source, changed in _nudged_reference(reference, evidence.click):
            yield (
                source,
                replace(evidence, references=(*evidence.references[:i], changed, *evidence.references[i + 1 :])),
            )
    for i in range(len(evidence.skews)):
        skews = list(evidence.skews)
        skews[i] += evidence.nearness.trust.angle
        yield "right angles", replace(evidence, skews=tuple(skews))
    if evidence.up is not None:
        for axis in (0, 2):
            off_axis = np.zeros(3)
            off_axis[axis] = evidence.up_spread
            tipped = evidence.up + off_axis
            yield "gravity", replace(evidence, up=tipped / np.linalg.norm(tipped))
    squared = {k for pair in evidence.squares for k in pair}
    for i, plane in enumerate(evidence.planes):
        if i not in squared | set(used):
            continue
        values, directions = np.linalg.eigh(plane.covariance)
        for value, direction in zip(values, directions.T, strict=True):
            if value > 0:
                moved_plane = replace(plane, coefficients=plane.coefficients + np.sqrt(value) * direction)
                planes = (*evidence.planes[:i], moved_plane, *evidence.planes[i + 1 :])
                yield "planes", replace(evidence, planes=planes)


def _nudged_reference(reference: Reference, click: float) -> Iterator[tuple[Source, Reference]]:
    """The reference with each length and each coordinate of its marked points off by a standard deviation, in turn."""
    off = reference.tolerance / 2
    if isinstance(reference, KnownRectangle):
        yield "reference", replace(reference, width=reference.width + off)
        yield "reference", replace(reference, height=reference.height + off)
        for corner in range(4):
            for axis in range(2):
                moved = np.array(reference.corners)
                moved[corner, axis] += click
                a, b, c, d = ((float(x), float(y)) for x, y in moved)
                yield "clicks", replace(reference, corners=(a, b, c, d))
        return
    yield "reference", replace(reference, metres=reference.metres + off)
    if isinstance(reference, KnownLength):
        for dx, dy in ((click, 0.0), (0.0, click)):
            yield "clicks", replace(reference, start=(reference.start[0] + dx, reference.start[1] + dy))
            yield "clicks", replace(reference, end=(reference.end[0] + dx, reference.end[1] + dy))


def _scale(x: Floats, known_shift: bool = False) -> Scale:
    """The scale of the fit's unknowns: its logarithm and, unless known to be 0, the shift as a share of it."""
    scale = float(np.exp(np.clip(x[0], -50, 50)))
    return Scale(scale, 0.0 if known_shift else scale * float(x[1]), "measured")


def _marks(evidence: Evidence) -> Floats:
    """The nearness at the references' points, one after the other; of a rectangle, by the plane through its inside."""
    found: list[Floats] = []
    for reference in evidence.references:
        if isinstance(reference, KnownRectangle):
            found.append(_rectangle_nearness(evidence, np.array(reference.corners)))
        elif isinstance(reference, KnownDistance):
            found.append(evidence.nearness.at(np.array([reference.pixel])))
        elif isinstance(reference, KnownLength):
            found.append(evidence.nearness.at(np.array([reference.start, reference.end])))
    return np.concatenate(found) if found else np.zeros(0)


def _rectangle_nearness(evidence: Evidence, corners: Floats) -> Floats:
    """Nearness float64 [4] at a rectangle's corners, by its inside: at its edges a map is soft."""
    centre = corners.mean(axis=0)
    inner = centre + 0.8 * (corners - centre)
    (left, top), (right, bottom) = np.floor(inner.min(axis=0)).astype(int), np.ceil(inner.max(axis=0)).astype(int)
    box = (slice(max(top, 0), bottom + 1), slice(max(left, 0), right + 1))
    inside = evidence.nearness.valid[box].copy()
    y, x = np.mgrid[: inside.shape[0], : inside.shape[1]]
    x, y = x + max(left, 0), y + max(top, 0)
    for i in range(4):
        (ax, ay), (bx, by) = inner[i], inner[(i + 1) % 4]
        inside &= (bx - ax) * (y - ay) - (by - ay) * (x - ax) > 0
    if inside.sum() < 12:
        raise BadReferenceError(
            "The rectangle has too few pixels with depth. Mark a larger one, and none of glass or a mirror."
        )
    design = np.stack([x[inside], y[inside], np.ones(int(inside.sum()))], axis=1).astype(np.float64)
    values = evidence.nearness.values[box][inside]
    plane = _most_agreed(design, values)
    for _ in range(4):  # handles, panels and what stands before it are left out
        off = np.abs(values - design @ plane)
        kept = off <= 2.5 * max(1.4826 * float(np.median(off)), 1e-12)
        plane = np.linalg.lstsq(design[kept], values[kept], rcond=None)[0]
    return np.asarray(np.concatenate([corners, np.ones((4, 1))], axis=1) @ plane)


def _most_agreed(design: Floats, values: Floats) -> Floats:
    """The plane [3] with the smallest median distance of its values (Rousseeuw, 1984), of sixty through three pixels.

    Nearly half of a door may be hidden by what stands before it.
    """
    part = slice(None, None, max(1, len(values) // 400))
    design, values = design[part], values[part]
    picks = np.random.default_rng(0).integers(0, len(values), (60, 3))
    picks = picks[np.abs(np.linalg.det(design[picks])) > 1.0]
    if not len(picks):
        return np.asarray(np.linalg.lstsq(design, values, rcond=None)[0])
    planes = np.linalg.solve(design[picks], values[picks][..., None])[..., 0]
    return np.asarray(planes[int(np.argmin(np.median(np.abs(values - planes @ design.T), axis=1)))])


def _misses(evidence: Evidence, marks: Floats, scale: Scale) -> Floats:
    """How far each reference is from what the map says of it, in its standard deviations: float64 [N]."""
    inverse = np.maximum(scale.scale * marks + scale.shift, 1 / (10 * _FARTHEST))
    trust = evidence.nearness.trust.relative
    rows: list[float] = []
    at = 0
    for reference in evidence.references:
        if isinstance(reference, KnownDistance):
            spread = np.hypot(reference.tolerance / 2 / reference.metres, trust)
            rows.append(float((inverse[at] * reference.metres - 1) / spread))
            at += 1
        elif isinstance(reference, KnownLength):
            ends = evidence.camera.rays([reference.start, reference.end]) / inverse[at : at + 2, None]
            rows.append(_length_miss(evidence, ends[0], ends[1], reference.metres, reference.tolerance))
            at += 2
        elif isinstance(reference, KnownRectangle):
            corners = evidence.camera.rays(reference.corners) / inverse[at : at + 4, None]
            shape = reference.shape()
            for i in range(4):
                for j in range(i):
                    length = float(np.linalg.norm(shape[i] - shape[j]))
                    rows.append(_length_miss(evidence, corners[i], corners[j], length, reference.tolerance))
            at += 4
        else:
            floor = _level_plane(evidence, scale)
            if floor is None:
                rows.append(50.0)
                continue
            spread = np.hypot(reference.tolerance / 2 / reference.metres, trust)
            rows.append(float((1 / np.linalg.norm(floor) / reference.metres - 1) / spread))
    return np.array(rows)


def _length_miss(evidence: Evidence, a: Floats, b: Floats, metres: float, tolerance: float) -> float:
    click = np.sqrt(2) * evidence.click / evidence.camera.focal * (a[2] + b[2]) / 2
    spread = np.sqrt((tolerance / 2) ** 2 + click**2 + (evidence.nearness.trust.relative * metres) ** 2)
    return float((np.linalg.norm(a - b) - metres) / spread)


def _level_plane(evidence: Evidence, scale: Scale) -> Floats | None:
    """The largest plane below the camera that could be the floor."""
    up = evidence.up if evidence.up is not None else np.array([0.0, -1.0, 0.0])
    for m in evidence.vectors(scale):
        if -m @ up > _LEVEL * np.linalg.norm(m):
            return np.asarray(m)
    return None


def _angle_misses(evidence: Evidence, scale: Scale) -> Floats:
    """How far the pairs of planes are from square, and the floor from level where gravity is known."""
    vectors = evidence.vectors(scale)
    units = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    spread = evidence.nearness.trust.angle
    rows = [
        (float(units[i] @ units[j]) - skew) / spread
        for (i, j), skew in zip(evidence.squares, evidence.skews, strict=True)
    ]
    if evidence.up is not None:
        floor = _level_plane(evidence, scale)
        if floor is not None:
            off = np.cross(floor / np.linalg.norm(floor), evidence.up)
            rows += (off / np.hypot(evidence.up_spread, spread)).tolist()
    return np.array(rows)


def _squares(vectors: Floats) -> tuple[tuple[int, int], ...]:
    """The pairs of planes that are about at right angles; of the eight largest planes."""
    units = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    count = min(len(units), 8)
    return tuple((i, j) for i in range(count) for j in range(i + 1, count) if abs(float(units[i] @ units[j])) < _SQUARE)


def _angles_cost(evidence: Evidence, scale: Scale) -> float:
    """How little the planes look like a room's, which are square or parallel to each other: 0 to some 10."""
    vectors = evidence.vectors(scale)[:8]
    if not len(vectors):
        return 0.0
    shares = np.array([plane.share for plane in evidence.planes[:8]])
    units = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    cosine = np.abs(units @ units.T)
    off = np.minimum(cosine, np.sqrt(np.maximum(1 - cosine**2, 0)))
    weight = np.sqrt(shares[:, None] * shares[None, :]) / shares.sum()
    spread = max(evidence.nearness.trust.angle, 0.01)
    cost = float(np.sum(weight * np.minimum(off / spread, 4.0) ** 2))
    if evidence.up is not None:
        cost += float(np.sum(np.minimum(np.abs(_angle_misses(evidence, scale)), 4.0) ** 2))
    return cost


def _start(evidence: Evidence, marks: Floats, low: float, unit: float, shift: float) -> Scale | None:
    """The scale that suits a shift: all lengths grow with 1 / scale, so their mean ratio gives it."""
    offset = 0.0 if evidence.nearness.metric else shift * unit - low
    trial = Scale(1.0, offset, "measured")
    inverse = np.maximum(marks + offset, 1e-9)
    ratios: list[float] = []
    at = 0
    for reference in evidence.references:
        if isinstance(reference, KnownDistance):
            ratios.append(float(1 / inverse[at] / reference.metres))
            at += 1
        elif isinstance(reference, KnownLength):
            ends = evidence.camera.rays([reference.start, reference.end]) / inverse[at : at + 2, None]
            ratios.append(float(np.linalg.norm(ends[0] - ends[1]) / reference.metres))
            at += 2
        elif isinstance(reference, KnownRectangle):
            corners = evidence.camera.rays(reference.corners) / inverse[at : at + 4, None]
            shape = reference.shape()
            ratios.append(float(np.linalg.norm(corners[0] - corners[2]) / np.linalg.norm(shape[0] - shape[2])))
            ratios.append(float(np.linalg.norm(corners[1] - corners[3]) / np.linalg.norm(shape[1] - shape[3])))
            at += 4
        else:
            floor = _level_plane(evidence, trial)
            if floor is not None:
                ratios.append(float(1 / np.linalg.norm(floor) / reference.metres))
    if not ratios:
        return None
    scale = float(np.exp(np.mean(np.log(np.maximum(ratios, 1e-12)))))
    return Scale(scale, scale * offset, "measured")


def _refuse_sky(evidence: Evidence, marks: Floats, scale: Scale) -> None:
    inverse = scale.scale * marks + scale.shift
    if (inverse < 1 / _FARTHEST).any():
        raise BadReferenceError(
            "A marked point lies in the sky, or by the depth map more than 100 m away. Mark points in the room."
        )
