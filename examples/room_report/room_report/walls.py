"""Which planes are the walls.

They are taken to be square to each other. Left out is what does not fit that, what stands before a wall, and what is
seen through a window.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from room_report.regions import labelled
from room_report.room import Space
from room_report.scale import Evidence

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

_ASKEW, _MOST_ASKEW = 0.015, float(np.radians(20))
_LOWEST_WALL, _EYES = 1.2, 1.9
_BEYOND, _BENT, _BELOW_CEILING = 0.25, 30.0, 0.12
_OTHER_ROOM = 0.5
_AS_LARGE = 0.3
_BEHIND, _LEVEL_BEHIND, _SIDE_BEHIND, _OUTSIDE = 0.05, 0.02, 0.004, 0.5
_SMALL_PART, _WINDOW_WALL = 0.05, 0.3


def find_walls(space: Space, points: Floats, valid: Mask, top: float | None) -> tuple[int, ...]:
    """In each of the room's four directions the wall, if the photo shows it: the rearmost large upright plane.

    Args:
        space: the room, whose walls are not known yet.
        points: [H,W,3], as `Space.points` gives them.
        valid: bool [H,W], likewise.
        top: the ceiling's height above the floor in metres; None where it is not seen.
    """
    heights = space.height_of(points)
    spans = {k: np.quantile(heights[seen], [0.01, 0.99]) for k, plane in enumerate(space.evidence.planes)
             if k != space.layout.floor and (seen := plane.mask & valid).any()}  # fmt: skip
    # cupboards end below the ceiling
    tall = {k for k, (_, high) in spans.items() if top is None or high > top - _BELOW_CEILING}
    upright = _upright(space, spans, top)
    upright = [k for k in upright if not any(_seen_through(space, k, other, points) for other in tall & {*upright})]
    if not upright:
        return ()
    askew = _askew(space.evidence)
    areas = {k: _area(space, k, points, valid) for k in upright}
    angles = {k: _angle(space, k) for k in upright}
    # the room's directions are those that most of the upright surface agrees with
    best = max(
        upright, key=lambda k: sum(areas[j] * max(0.0, np.cos(4 * (angles[j] - angles[k]))) ** 4 for j in upright)
    )
    walls = []
    for quarter in range(4):
        direction = angles[best] + quarter * np.pi / 2
        scores = {}
        for k in upright:
            low, high = spans[k]
            if np.cos(angles[k] - direction) < np.cos(askew) or (high - low < _LOWEST_WALL and high < _EYES):
                continue
            if not _room_goes_on(space, k, upright, points):
                scores[k] = areas[k] * (4.0 if k in tall else 1.0)
        # curtains hang before the wall, and a wardrobe up to the ceiling stands before it
        large = [k for k in scores if scores[k] > _AS_LARGE * max(scores.values())]
        walls += sorted(large, key=lambda k: float(space.vectors[k] @ space.outward(k)))[:1]
    return tuple(walls)


def _upright(space: Space, spans: dict[int, Floats], top: float | None) -> list[int]:
    """The planes that may be walls by how they stand and how far up and down they reach."""
    # what reaches above the ceiling or below the floor is a house across the street, seen through a window; the walls
    # of a network's map do so, too
    loose = _BEYOND + _BENT * space.evidence.nearness.trust.relative
    steep = np.sin(_askew(space.evidence))
    said = labelled(space.evidence.regions, "wall")
    return [
        k
        for k, (low, high) in spans.items()
        if abs(space.vectors[k] @ space.up) < steep * np.linalg.norm(space.vectors[k])
        and low > -loose
        and (top is None or high < top + loose)
        and (said is None or said[space.evidence.planes[k].mask].mean() > 0.5)
    ]


def _seen_through(space: Space, plane: int, other: int, points: Floats) -> bool:
    """Whether a plane lies within the outline of another one and far behind it: what a window or a doorway shows."""
    planes = space.evidence.planes
    inside, around = (np.nonzero(planes[k].mask) for k in (plane, other))
    if any(at.min() < edge.min() or at.max() > edge.max() for at, edge in zip(inside, around, strict=True)):
        return False
    # what lies here and there in one plane by chance is small, and has no window
    if planes[other].share < _WINDOW_WALL * planes[plane].share:
        return False
    outward = space.outward(other)
    off = float(1 / (space.vectors[other] @ outward))
    return bool(np.quantile(points[inside] @ outward, 0.05) > off + _OTHER_ROOM)


def _openings(mask: Mask) -> Mask:
    """The pixels with those of a mask above and on a side, as the photo may cut a doorway, or on the other three."""
    above, left = (np.logical_or.accumulate(mask, axis) for axis in (0, 1))
    below, right = (np.flip(np.logical_or.accumulate(np.flip(mask, axis), axis), axis) for axis in (0, 1))
    return np.asarray(above & (left | right) | (left & right & below))


def _askew(evidence: Evidence) -> float:
    """By how many radians a wall may seem to lean, or to be out of square, before it is none."""
    given = 0.0 if evidence.up is None else 2 * evidence.up_spread
    return min(_ASKEW + 4 * evidence.nearness.trust.angle + evidence.camera.spread + given, _MOST_ASKEW)


def _room_goes_on(space: Space, plane: int, upright: list[int], points: Floats) -> bool:
    """Whether the ceiling or a side wall goes on behind a plane, so that it is the front of a cupboard, not a wall.

    The floor tells it where no ceiling is seen; it may go on behind a wall, through a doorway or onto a balcony.
    """
    outward = space.outward(plane)
    off = float(1 / (space.vectors[plane] @ outward))
    margin = _BEHIND + 2 * space.evidence.nearness.trust.relative * off
    askew = _askew(space.evidence)
    openings = _openings(space.evidence.planes[plane].mask)
    level = space.layout.floor if space.layout.ceiling is None else space.layout.ceiling
    for other in (level, *upright):
        if other in upright and abs(space.outward(other) @ outward) > np.sin(askew):
            continue
        parts = _large_parts(space.evidence.planes[other].mask)
        behind = points[parts] @ outward - off
        # what is outside lies behind as a whole, and so do a doorway's sides
        if np.mean(behind > 0) >= _OUTSIDE:
            continue
        # a little of the floor may be seen through a doorway
        least = _SIDE_BEHIND if other in upright else _LEVEL_BEHIND
        if np.mean((behind > margin) & ~openings[parts]) > least:
            return True
    return False


def _large_parts(mask: Mask) -> Mask:
    """A plane without its small parts, which may be something else that lies in it by chance."""
    parts, _ = ndimage.label(mask)
    sizes = np.bincount(parts.ravel())
    sizes[0] = 0
    return np.asarray((sizes >= min(_SMALL_PART * sizes.sum(), sizes.max()))[parts] & mask)


def _area(space: Space, plane: int, points: Floats, valid: Mask) -> float:
    """Square metres that the photo shows of a plane."""
    mask = space.evidence.planes[plane].mask & valid
    z = points[..., 2][mask]
    m = space.vectors[plane]
    # a pixel covers z² / f² of a plane that faces the camera, and more of one that is turned away: by 1 / cosine
    rays = points[mask] / z[:, None]
    cosine = (rays @ m) / np.linalg.norm(m)
    return float(np.sum(np.minimum(z**2 / np.maximum(np.abs(cosine), 0.05), 400.0)) / space.evidence.camera.focal**2)


def _angle(space: Space, wall: int) -> float:
    """The direction of a wall in the floor's plane, in radians from what lies ahead of the camera."""
    ahead = np.array([0.0, 0.0, 1.0])
    ahead -= (ahead @ space.up) * space.up
    ahead /= np.linalg.norm(ahead)
    right = np.cross(ahead, space.up)
    outward = space.outward(wall)
    return float(np.arctan2(outward @ right, outward @ ahead))
