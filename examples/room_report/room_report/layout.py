"""Which planes are the room: its floor, its ceiling and its walls, in a frame that stands upright."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from room_report.errors import NoFloorError
from room_report.room import Layout, Space, space_of
from room_report.scale import Evidence
from room_report.walls import find_walls

Floats = npt.NDArray[np.float64]

_LEVEL, _PITCH = np.cos(np.radians(20)), np.cos(np.radians(50))
_SMALLEST_FLOOR = 0.02
_SHARE_OF_LARGEST = 0.35
_HIGHEST_CAMERA = 2.2
_FARTHER = 3.0
_PARALLEL, _STEP = np.cos(np.radians(1.5)), 0.15
_UPRIGHT, _MOST = np.sin(np.radians(10)), 0.5
_LOWEST_TABLE, _BENT = 0.4, 10.0
_SMALLEST_CEILING = 0.008
_LOWEST_CEILING = 1.9


def find_room(evidence: Evidence) -> Space:
    """The room in the evidence, whose scale is known.

    Raises:
        NoFloorError: the photo shows no floor.
    """
    assert evidence.found is not None
    vectors = evidence.vectors(evidence.found)
    floor = _find_floor(evidence, vectors)
    space = space_of(evidence, Layout(floor, None, ()))
    points, valid = space.points()
    heights = space.height_of(points)
    ceiling = _find_ceiling(evidence, space, heights)
    space = space_of(evidence, Layout(floor, ceiling, ()))
    top = float(np.median(heights[evidence.planes[ceiling].mask])) if ceiling is not None else None
    walls = find_walls(space, points, valid, top)
    return space_of(evidence, Layout(floor, ceiling, walls))


def _find_floor(evidence: Evidence, vectors: Floats) -> int:
    """The lowest of the large level planes below the camera."""
    guess = evidence.up if evidence.up is not None else np.array([0.0, -1.0, 0.0])
    norms = np.linalg.norm(vectors, axis=1)
    level = _LEVEL if evidence.up is not None else _PITCH
    below = [
        k
        for k, plane in enumerate(evidence.planes)
        if -vectors[k] @ guess > level * norms[k] and plane.share >= _SMALLEST_FLOOR and not _is_table(evidence, k)
    ]
    if not below:
        raise NoFloorError(
            "The photo shows no floor, or too little of it: 2 % of the photo are needed. Take it from farther back, or "
            "hold the camera lower. (A mirror or wet floor can hide it, too.)"
        )
    # a slope's or a wall's plane can be far below the camera; the floor is that which most others are square to
    units = vectors / norms[:, None]
    shares = np.array([plane.share for plane in evidence.planes])
    off = np.abs(units @ units.T)
    off = np.minimum(np.minimum(off, np.sqrt(np.maximum(1 - off**2, 0))) / 0.1, 1.0)
    suits = {k: float(np.sum(shares * (1 - off[k]))) for k in below}
    good = [k for k in below if suits[k] > 0.6 * max(suits.values())]
    # a small one farther down is the ground outside of a window, and so is one that begins far away
    largest = max(good, key=lambda k: evidence.planes[k].share)
    large = [
        k
        for k in good
        if evidence.planes[k].share > _SHARE_OF_LARGEST * evidence.planes[largest].share
        and _begins(evidence, k) < _FARTHER * _begins(evidence, largest)
    ]
    # nobody holds a camera so high: what is so far below lies outside, too
    near = [k for k in large if 1 / norms[k] < _HIGHEST_CAMERA]
    floor = max(near or large, key=lambda k: 1 / norms[k])
    # what lies just below is the floor beside a carpet or a step
    return max(
        (k for k in range(len(norms)) if units[k] @ units[floor] > _PARALLEL and 0 <= _below(norms, k, floor) < _STEP),
        key=lambda k: 1 / norms[k],
    )


def _is_table(evidence: Evidence, plane: int) -> bool:
    """Whether most of what stands upright reaches below a level plane, so that it is a table's and not the floor's."""
    space = space_of(evidence, Layout(plane, None, ()))
    points, valid = space.points()
    # a network may put the floor a little too near
    lowest = _LOWEST_TABLE + _BENT * evidence.nearness.trust.relative
    upright = below = 0.0
    for vector, other in zip(space.vectors, evidence.planes, strict=True):
        heights = space.height_of(points[other.mask & valid])
        if heights.size and abs(vector @ space.up) < _UPRIGHT * np.linalg.norm(vector):
            upright += other.share
            below += other.share * float(np.quantile(heights, 0.01) < -lowest)
    return below > _MOST * upright


def _begins(evidence: Evidence, plane: int) -> float:
    """How far from the camera a plane is first seen, in metres along its axis."""
    assert evidence.found is not None
    nearest = float(np.quantile(evidence.nearness.values[evidence.planes[plane].mask], 0.95))
    return 1 / max(evidence.found.scale * nearest + evidence.found.shift, 1e-3)


def _below(norms: Floats, plane: int, other: int) -> float:
    """How much farther from the camera a plane lies than another one, in metres."""
    return float(1 / norms[plane] - 1 / norms[other])


def _find_ceiling(evidence: Evidence, space: Space, heights: Floats) -> int | None:
    """The largest level plane above the camera, or None."""
    above = []
    for k, plane in enumerate(evidence.planes):
        m = space.vectors[k]
        if m @ space.up > _LEVEL * np.linalg.norm(m) and plane.share >= _SMALLEST_CEILING:
            height = float(np.median(heights[plane.mask]))
            if height > max(_LOWEST_CEILING, space.camera_height + 0.1):
                above.append(k)
    return max(above, key=lambda k: evidence.planes[k].share, default=None)
