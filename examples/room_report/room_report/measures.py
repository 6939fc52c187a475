"""What is measured: the longest visible wall, the height, free floor, and lengths that someone asks for.

Each measure is tied to planes and to pixels of the photo, not to points in space. So it can be taken again after
a nudge of what is uncertain, and it can be drawn on the photo.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from room_report.errors import BadReferenceError
from room_report.floor import CELL, WallFloor, floor_along
from room_report.regions import Region
from room_report.room import Space

Floats = npt.NDArray[np.float64]
Pixel = tuple[float, float]
Name = Literal["wall", "height", "camera height", "free width", "free depth", "free area", "distance"]

NARROWEST = 0.5
"""Metres: a free rectangle is at least that wide and that deep, as what is less has no use for furniture."""

_KNIFE_EDGE = 0.02
_HIDDEN = 0.8
_LOW, _NEAREST, _BEHIND = 2.0, 0.1, 0.1
_SEEN, _STRAY = 0.3, 0.005
_STRAY_PIXELS = 50_000
_GAP = 0.5
_ABOVE, _FEWEST = 0.03, 30


@dataclass(frozen=True)
class End:
    """An end of a wall: the corner with another wall, or the last pixel of it that the photo shows."""

    corner: int | None
    pixel: Pixel


@dataclass(frozen=True)
class Wall:
    """The length of a wall between two ends, in metres."""

    wall: int
    left: End
    right: End
    name: Name = "wall"

    @property
    def whole(self) -> bool:
        """Whether both ends are corners. If not, the wall is at least that long."""
        return self.left.corner is not None and self.right.corner is not None

    def value(self, space: Space) -> float:
        """Metres."""
        ends = [
            space.meet(self.wall, end.corner) if end.corner is not None else space.on(self.wall, end.pixel)
            for end in (self.left, self.right)
        ]
        return float((ends[1] - ends[0]) @ space.along(self.wall))


@dataclass(frozen=True)
class Height:
    """The height of the ceiling above the floor in metres, where the photo shows the middle of the ceiling."""

    ceiling: int
    pixel: Pixel
    name: Name = "height"

    def value(self, space: Space) -> float:
        """Metres."""
        return float(space.height_of(space.on(self.ceiling, self.pixel)))


@dataclass(frozen=True)
class CameraAbove:
    """The height of the camera above the floor in metres."""

    name: Name = "camera height"

    def value(self, space: Space) -> float:
        """Metres."""
        return space.camera_height


@dataclass(frozen=True)
class FloorSpan:
    """A rectangle on the floor by three of its corners' pixels: one, the next along the wall, and into the room.

    Attributes:
        wall: its number in the evidence.
        start, end, inner: the corners' pixels.
        name: what of it is measured.
        edges: by how much that differs at most, as the photo's pixels may be half a pixel off; metres or square metres.
    """

    wall: int
    start: Pixel
    end: Pixel
    inner: Pixel
    name: Name
    edges: float = 0.0

    def value(self, space: Space) -> float:
        """Metres, or square metres of an area."""
        start, end, inner = space.on(space.layout.floor, [self.start, self.end, self.inner])
        width = float(np.linalg.norm(end - start))
        depth = float(np.linalg.norm(inner - start))
        return {"free width": width, "free depth": depth}.get(self.name, width * depth)


@dataclass(frozen=True)
class Distance:
    """The distance in metres between two points on things that the photo shows."""

    start: Pixel
    end: Pixel
    nearness: tuple[float, float]
    name: Name = "distance"

    def value(self, space: Space) -> float:
        """Metres."""
        one, other = _two_points(space, self)
        return float(np.linalg.norm(other - one))


@dataclass(frozen=True)
class ThingSize:
    """The width of a thing across the line of sight, between its outermost points, or its height above the floor.

    Attributes:
        start, end: pixels of two points of it; the height is that of the second.
        nearness: theirs.
        upright: whether it is the height.
    """

    start: Pixel
    end: Pixel
    nearness: tuple[float, float]
    upright: bool
    name: Name = "distance"

    def value(self, space: Space) -> float:
        """Metres."""
        one, other = _two_points(space, self)
        if self.upright:
            return float(space.height_of(other))
        return abs(float((other - one) @ space.across))


def _two_points(space: Space, of: Distance | ThingSize) -> tuple[Floats, Floats]:
    """The points [3] of both pixels, which are a kilometre away at most."""
    scale = space.evidence.found
    assert scale is not None
    inverse = np.maximum(scale.scale * np.array(of.nearness) + scale.shift, 1e-3)
    one, other = space.evidence.camera.rays([of.start, of.end]) / inverse[:, None]
    return one, other


Measure = ThingSize | Wall | Height | CameraAbove | FloorSpan | Distance


def distance(space: Space, start: Pixel, end: Pixel) -> Distance:
    """The distance between two pixels' points.

    Raises:
        BadReferenceError: the points are the same, or one has no depth.
    """
    if np.hypot(start[0] - end[0], start[1] - end[1]) < 2:
        raise BadReferenceError(
            f"Both points are the same: ({start[0]:g}, {start[1]:g}). Mark two points that are apart."
        )
    first, second = space.evidence.nearness.at(np.array([start, end])).tolist()
    return Distance(start, end, (first, second))


def thing_sizes(space: Space, region: Region) -> tuple[ThingSize, ThingSize] | None:
    """Width and height of a thing inside its box or mask, or None where next to nothing of it has depth.

    In a box the wall and the floor behind a thing are seen too: what lies in a plane of the room is left out.
    """
    points, valid = space.points()
    inside = region.mask & valid & (space.height_of(points) > _ABOVE)
    for plane in (space.layout.floor, space.layout.ceiling, *space.layout.walls):
        if plane is not None:
            inside &= ~space.evidence.planes[plane].mask
    if inside.sum() < _FEWEST:
        return None
    rows, columns = np.nonzero(inside)
    nearness = space.evidence.nearness.values[inside]

    def between(places: Floats, low: float, high: float, upright: bool) -> ThingSize:
        order = np.argsort(places)
        one, other = (order[round(share * (len(order) - 1))] for share in (low, high))
        ends = ((float(columns[at]), float(rows[at])) for at in (one, other))
        return ThingSize(next(ends), next(ends), (float(nearness[one]), float(nearness[other])), upright)

    return (
        between(points[inside] @ space.across, 0.005, 0.995, upright=False),
        between(space.height_of(points[inside]), 0.005, 0.995, upright=True),
    )


def longest_wall(space: Space) -> Wall | None:
    """The wall of which the photo shows most, or None where it shows none."""
    spans = [span_of(space, wall) for wall in space.layout.walls]
    return max((span for span in spans if span), key=lambda span: span.value(space), default=None)


def span_of(space: Space, wall: int) -> Wall | None:
    """A wall from end to end: to the corners with the walls beside it, else as far as the photo shows it."""
    points, valid = space.points()
    mask = space.evidence.planes[wall].mask & valid
    along = space.along(wall)
    rows, columns = np.nonzero(mask)
    if rows.size < 20:
        return None
    places = points[mask] @ along
    order = np.argsort(places)
    order = order[_in_room(space, points, along, places[order])]
    # a few pixels that peep out between two things are no end of a wall
    skip = max(2, valid.size // _STRAY_PIXELS)
    if order.size <= 2 * skip + 2:
        return None
    ends: list[End] = []
    for side, at in ((-1, order[skip]), (1, order[-1 - skip])):
        pixel = (float(columns[at]), float(rows[at]))
        beside = space.beside(wall, side)
        ends.append(End(beside[0] if beside and _goes_on(space, wall, beside[0], pixel) else None, pixel))
    span = Wall(wall, ends[0], ends[1])
    return span if span.value(space) > 0.1 else None


def _goes_on(space: Space, wall: int, beside: int, pixel: Pixel) -> bool:
    """Whether a wall goes on from its last pixel to the corner with the wall beside it.

    A corner far behind what is seen of the wall may be that of another room, through a doorway. But where things stand
    all along before it, the wall goes on behind them.
    """
    corner, end = space.meet(wall, beside), space.on(wall, pixel)
    rest = (corner - end) @ space.along(wall)
    if rest * np.sign(space.outward(beside) @ space.along(wall)) < _HIDDEN:
        return True
    along, up = np.meshgrid(np.linspace(0, 1, 60), np.arange(0.1, _LOW, 0.1))
    places = corner - (1 - along)[..., None] * rest * space.along(wall) + up[..., None] * space.up
    places = places[places[..., 2] > _NEAREST]
    columns, rows = np.round(space.evidence.camera.pixels(places)).astype(int).T
    points, valid = space.points()
    inside = (columns >= 0) & (columns < valid.shape[1]) & (rows >= 0) & (rows < valid.shape[0])
    at, outward = (rows[inside], columns[inside]), space.outward(wall)
    behind = ~valid[at] | (points[at] @ outward > float(corner @ outward) + _BEHIND)
    return bool(inside.mean() > _SEEN and behind.mean() < _STRAY) if inside.size else False


def _in_room(space: Space, points: Floats, along: Floats, places: Floats) -> slice:
    """Which of a wall's places, in order, are not of another house that stands in the same plane.

    A wall ends where the ceiling does, farther away at least: nearer to the camera, the photo may show less of the
    ceiling than of the wall. It may go on without a gap.
    """
    ceiling = space.layout.ceiling
    if ceiling is None:
        return slice(None)
    reach = points[space.evidence.planes[ceiling].mask] @ along
    low, high = np.quantile(reach, [0.002, 0.998])
    first, last = np.searchsorted(places, [min(low, 0.0) - _HIDDEN, max(high, 0.0) + _HIDDEN])
    gaps = np.flatnonzero(np.diff(places) > _GAP)
    first = max((int(gap) + 1 for gap in gaps if gap < first), default=0)
    last = min((int(gap) + 1 for gap in gaps if gap + 1 >= last), default=places.size)
    return slice(first, last)


def height(space: Space) -> Height | None:
    """The room's height, or None where the photo shows no ceiling."""
    ceiling = space.layout.ceiling
    if ceiling is None:
        return None
    rows, columns = np.nonzero(space.evidence.planes[ceiling].mask)
    return Height(ceiling, (float(np.mean(columns)), float(np.mean(rows))))


def floors(space: Space) -> list[WallFloor]:
    """The floor along each wall."""
    return [floor_along(space, wall) for wall in space.layout.walls]


def spans_of(space: Space, floor: WallFloor, first: int, last: int, rows: int) -> list[FloorSpan]:
    """The width, depth and area of a rectangle of cells at a wall: columns first to last - 1, rows 0 to rows - 1."""
    corners = [floor.point(first, 0), floor.point(last, 0), floor.point(first, rows)]
    # a corner behind the camera has no pixel; the right one into the room serves as well then
    if min(corner[2] for corner in corners) < 0.05:
        return []
    start, end, inner = ((float(x), float(y)) for x, y in space.evidence.camera.pixels(np.array(corners)))
    names: tuple[Name, ...] = ("free width", "free depth", "free area")
    return [FloorSpan(floor.wall, start, end, inner, name) for name in names]


def largest_rectangle(space: Space, along: list[WallFloor]) -> list[FloorSpan]:
    """Width, depth and area of the largest free rectangle at a wall; empty where the photo shows none."""
    found = [(floor, rectangle) for floor in along if (rectangle := floor.largest(NARROWEST))]
    if not found:
        return []
    floor, (first, last, rows) = max(found, key=lambda each: _cells(each[1]))
    # a place that is a little less than wide enough may be wide enough
    bounds = [
        max((_cells(each.largest(least, plan)) for each, plan in plans), default=0)
        for least, plans in (
            (NARROWEST + _KNIFE_EDGE, [(each, each.surely) for each in along]),
            (NARROWEST - _KNIFE_EDGE, [(each, each.perhaps) for each in along]),
        )
    ]
    area = (last - first) * rows
    edges = max(bounds[1] - area, area - bounds[0]) * CELL**2
    spans = spans_of(space, floor, first, last, rows)
    return [replace(span, edges=edges) if span.name == "free area" else span for span in spans]


def _cells(rectangle: tuple[int, int, int] | None) -> int:
    """The area of a rectangle in cells."""
    return (rectangle[1] - rectangle[0]) * rectangle[2] if rectangle else 0
