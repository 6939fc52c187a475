"""Which planes are the room: its floor, its ceiling and its walls, in a frame that stands upright.

A room's walls are taken to be square to each other. What does not fit that is furniture, or is left out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from room_report.errors import NoFloorError
from room_report.regions import labelled
from room_report.scale import Evidence

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

_LEVEL = np.cos(np.radians(20))
_ASKEW, _MOST_ASKEW = 0.015, float(np.radians(20))
_PITCH = np.cos(np.radians(50))
_SMALLEST_FLOOR = 0.02
_SHARE_OF_LARGEST = 0.35
_HIGHEST_CAMERA = 2.2
_SMALLEST_CEILING = 0.008
_LOWEST_CEILING = 1.9
_LOWEST_WALL = 1.2
_BEYOND, _BENT, _BELOW_CEILING = 0.25, 30.0, 0.12
_OTHER_ROOM = 0.5
_AS_LARGE = 0.3
_BEHIND, _LEVEL_BEHIND, _SIDE_BEHIND = 0.15, 0.02, 0.004
_SMALL_PART = 0.05
_PARALLEL, _STEP = np.cos(np.radians(1.5)), 0.15


@dataclass(frozen=True)
class Layout:
    """The planes of a room by their numbers in the evidence; None or missing where the photo does not show them."""

    floor: int
    ceiling: int | None
    walls: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Space:
    """A room in metres.

    Attributes:
        evidence: what it was found from.
        layout: which planes it is made of.
        vectors: the planes [N,3] in the camera's axes, m · P = 1.
        up: away from the floor, float64 [3] in the camera's axes.
    """

    evidence: Evidence
    layout: Layout
    vectors: Floats
    up: Floats

    @property
    def camera_height(self) -> float:
        """Metres from the floor to the camera."""
        floor = self.vectors[self.layout.floor]
        # along `up`, which is the floor's own normal unless gravity was given
        return float(1 / abs(floor @ self.up))

    @property
    def across(self) -> Floats:
        """The level direction [3] to the camera's right."""
        right = np.array([1.0, 0.0, 0.0]) - self.up[0] * self.up
        return np.asarray(right / np.linalg.norm(right))

    def on(self, plane: int, pixels: npt.ArrayLike) -> Floats:
        """The points [...,3] of a plane that pixels [...,2] show."""
        rays = self.evidence.camera.rays(pixels)
        return np.asarray(rays / (rays @ self.vectors[plane])[..., None])

    def meet(self, one: int, other: int) -> Floats:
        """The point [3] on the floor where two walls meet."""
        planes = np.stack([self.vectors[one], self.vectors[other], self.vectors[self.layout.floor]])
        return np.asarray(np.linalg.solve(planes, np.ones(3)))

    def outward(self, wall: int) -> Floats:
        """The level direction [3] in which a wall lies."""
        m = self.vectors[wall]
        level = m - (m @ self.up) * self.up
        return np.asarray(level / np.linalg.norm(level))

    def along(self, wall: int) -> Floats:
        """The level direction [3] along a wall, to the right as one faces it."""
        # the camera's axes are right-handed with y down: outward x down = ... to the right
        return np.asarray(np.cross(self.outward(wall), self.up))

    def points(self) -> tuple[Floats, Mask]:
        """The points [H,W,3] of all pixels, and where there are any."""
        nearness, scale = self.evidence.nearness, self.evidence.found
        assert scale is not None
        inverse = scale.scale * nearness.values + scale.shift
        valid = nearness.valid & (inverse > 0.01)
        height, width = nearness.values.shape
        grid = np.stack(np.meshgrid(np.arange(width), np.arange(height)), axis=-1)
        return self.evidence.camera.rays(grid) / np.where(valid, inverse, 1.0)[..., None], valid

    def height_of(self, points: Floats) -> Floats:
        """Metres above the floor of points [...,3]."""
        return np.asarray(points @ self.up + self.camera_height)


def space_of(evidence: Evidence, layout: Layout) -> Space:
    """The room by the evidence, with planes whose parts are known: as after a nudge."""
    assert evidence.found is not None
    vectors = evidence.vectors(evidence.found)
    floor = vectors[layout.floor]
    up = evidence.up if evidence.up is not None else -floor / np.linalg.norm(floor)
    return Space(evidence, layout, vectors, up)


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
    walls = _find_walls(evidence, space, points, heights, valid, top)
    return space_of(evidence, Layout(floor, ceiling, walls))


def _find_floor(evidence: Evidence, vectors: Floats) -> int:
    """The lowest of the large level planes below the camera."""
    guess = evidence.up if evidence.up is not None else np.array([0.0, -1.0, 0.0])
    norms = np.linalg.norm(vectors, axis=1)
    level = _LEVEL if evidence.up is not None else _PITCH
    below = [
        k
        for k, plane in enumerate(evidence.planes)
        if -vectors[k] @ guess > level * norms[k] and plane.share >= _SMALLEST_FLOOR
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
    # a small one farther down is the ground outside of a window
    largest = max(evidence.planes[k].share for k in good)
    large = [k for k in good if evidence.planes[k].share > _SHARE_OF_LARGEST * largest]
    # nobody holds a camera so high: what is so far below lies outside, too
    near = [k for k in large if 1 / norms[k] < _HIGHEST_CAMERA]
    floor = max(near or large, key=lambda k: 1 / norms[k])
    # what lies just below is the floor beside a carpet or a step
    return max(
        (k for k in range(len(norms)) if units[k] @ units[floor] > _PARALLEL and 0 <= _below(norms, k, floor) < _STEP),
        key=lambda k: 1 / norms[k],
    )


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


def _find_walls(
    evidence: Evidence, space: Space, points: Floats, heights: Floats, valid: Mask, top: float | None
) -> tuple[int, ...]:
    """In each of the room's four directions the wall, if the photo shows it: the rearmost large upright plane."""
    askew = _askew(evidence)
    spans = {k: np.quantile(heights[seen], [0.01, 0.99]) for k, plane in enumerate(evidence.planes)
             if (seen := plane.mask & valid).any()}  # fmt: skip
    # what reaches above the ceiling or below the floor is a house across the street, seen through a window; the walls
    # of a network's map do so, too
    loose = _BEYOND + _BENT * evidence.nearness.trust.relative
    upright = [
        k
        for k, (low, high) in spans.items()
        if abs(space.vectors[k] @ space.up) < np.sin(askew) * np.linalg.norm(space.vectors[k])
        and k != space.layout.floor
        and low > -loose
        and (top is None or high < top + loose)
    ]
    said = labelled(evidence.regions, "wall")
    if said is not None:
        upright = [k for k in upright if said[evidence.planes[k].mask].mean() > 0.5]
    tall = [k for k in upright if top is None or spans[k][1] > top - _BELOW_CEILING]
    upright = [k for k in upright if not any(_seen_through(space, k, other, points) for other in tall)]
    if not upright:
        return ()
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
            if np.cos(angles[k] - direction) < np.cos(askew) or (high - low < _LOWEST_WALL and high < 1.9):
                continue
            if _room_goes_on(space, k, upright, points):
                continue
            # cupboards end below the ceiling
            scores[k] = areas[k] * (4.0 if k in tall else 1.0)
        if scores:
            # curtains hang before the wall, and a wardrobe up to the ceiling stands before it
            large = [k for k in scores if scores[k] > _AS_LARGE * max(scores.values())]
            walls.append(min(large, key=lambda k: float(space.vectors[k] @ space.outward(k))))
    return tuple(walls)


def _seen_through(space: Space, plane: int, other: int, points: Floats) -> bool:
    """Whether a plane lies within the outline of another one and far behind it: what a window or a doorway shows."""
    inside, around = (np.nonzero(space.evidence.planes[k].mask) for k in (plane, other))
    if any(at.min() < edge.min() or at.max() > edge.max() for at, edge in zip(inside, around, strict=True)):
        return False
    outward = space.outward(other)
    off = float(1 / (space.vectors[other] @ outward))
    return bool(np.quantile(points[inside] @ outward, 0.05) > off + _OTHER_ROOM)


def _openings(mask: Mask) -> Mask:
    """The pixels that have pixels of a mask on three of their four sides, or on all: a doorway has none below."""
    sides = [np.flip(np.logical_or.accumulate(np.flip(mask, axis), axis), axis) for axis in (0, 1)]
    sides += [np.logical_or.accumulate(mask, axis) for axis in (0, 1)]
    return np.asarray(np.sum(sides, axis=0) >= 3)


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
        behind = float(np.mean((points[parts] @ outward - off > margin) & ~openings[parts]))
        # what is outside lies behind as a whole; a little of the floor may be seen through a doorway
        if (_SIDE_BEHIND if other in upright else _LEVEL_BEHIND) < behind < 0.5:
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
