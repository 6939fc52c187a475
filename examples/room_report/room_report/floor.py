"""Where the floor is free: what stands on it, what hides it, and the rectangles along a wall that are left.

The floor is looked up cell by cell in the photo. A cell is free where the photo shows the floor itself, and nothing
hangs or stands above it up to two metres. What the photo does not show is not called free.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from room_report.hanging import hidden_backs
from room_report.references import KnownRectangle
from room_report.regions import labelled, things
from room_report.room import Space

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

CELL = 0.005
"""Metres: the side of a cell of a plan. A place that is half a metre wide is known to 1 % by it."""
SKIRTING = 0.03
"""Metres next to a wall that are left to its skirting board: free floor is counted from there."""

_THIN = 0.02
_GAP = round(0.05 / CELL) + 1
_AT_BOARD = 0.01
_ONE_SURFACE = 0.12
_TALL = 2.0
_REACH = 9.0
_HALF_PIXELS = np.array([[0.5, 0.0], [-0.5, 0.0], [0.0, 0.5], [0.0, -0.5]])


@dataclass(frozen=True, eq=False)
class WallFloor:
    """The floor along a wall, from its skirting board into the room.

    Attributes:
        wall: the wall's number in the evidence.
        free: bool [depth, length] in cells of `CELL`; row 0 is the one next to the skirting board.
        blocked: bool, likewise: something stands there or above, or a marked door opens there; also what is free, but
            something at about two metres may hang lower. What is neither free nor blocked is not seen.
        surely, perhaps: bool, likewise: free too when the photo's pixels are half a pixel off in any direction, or in
            some direction, and what hangs at about two metres is lower, or higher.
        origin: the point [3] on the floor of column 0 at the skirting board.
        along, inward: level directions [3].
    """

    wall: int
    free: Mask
    blocked: Mask
    origin: Floats
    along: Floats
    inward: Floats
    surely: Mask
    perhaps: Mask

    def point(self, column: float, row: float) -> Floats:
        """The point [3] on the floor of a place in cells."""
        return np.asarray(self.origin + CELL * (column * self.along + row * self.inward))

    def run(self, depth: float) -> tuple[int, int] | None:
        """The longest stretch (first column, behind the last) whose floor is free to that depth in metres; or None.

        What may hang lower than two metres ends it, since a piece that is said to fit must fit.
        """
        rows = int(np.ceil(depth / CELL - 1e-6))
        if rows > self.free.shape[0]:
            return None
        open_columns = (self.free & ~self.blocked)[:rows].all(axis=0)
        edges = np.flatnonzero(np.diff(np.concatenate([[0], open_columns.view(np.int8), [0]])))
        if not edges.size:
            return None
        starts, ends = edges[::2], edges[1::2]
        best = int(np.argmax(ends - starts))
        return int(starts[best]), int(ends[best])

    def largest(self, narrowest: float, plan: Mask | None = None) -> tuple[int, int, int] | None:
        """The free rectangle of the largest area at the wall: first column, behind the last, rows; or None.

        Args:
            narrowest: its least width and depth in metres.
            plan: `free` unless given.
        """
        least = round(narrowest / CELL)
        free = self.free if plan is None else plan
        if not free.size:
            return None
        deep = np.where(free.all(axis=0), free.shape[0], np.argmin(free, axis=0))
        best, found = 0, None
        stack: list[tuple[int, int]] = []
        for column, value in enumerate([*deep.tolist(), 0]):
            start = column
            while stack and stack[-1][1] >= value:
                start, high = stack.pop()
                if high * (column - start) > best and min(high, column - start) >= least:
                    best, found = high * (column - start), (start, column, high)
            stack.append((start, value))
        return found


def floor_along(space: Space, wall: int) -> WallFloor:
    """The floor along a wall, as far as the photo shows it."""
    points, valid = space.points()
    heights = space.height_of(points)
    camera, planes = space.evidence.camera, space.evidence.planes
    # how far off a point of the floor may be by the scatter of the map: height errors grow with distance
    scale = space.evidence.found
    assert scale is not None
    noise = scale.scale * float(np.sqrt(planes[space.layout.floor].covariance[2, 2]) * 10)
    loose = np.maximum(_THIN, 3 * noise * np.minimum(points[..., 2], 20) * space.camera_height)
    is_floor = valid & (np.abs(heights) < loose)
    for mask, inside in ((labelled(space.evidence.regions, "floor"), True), (things(space.evidence.regions), False)):
        if mask is not None:
            is_floor &= mask == inside
    along, inward = space.along(wall), -space.outward(wall)
    foot = _foot(space, wall)
    local = points - foot
    s, r = local @ along, local @ inward - SKIRTING
    seen = is_floor & (r > 0) & (r < _REACH)
    empty = np.zeros((0, 0), dtype=bool)
    nothing = WallFloor(wall, empty, empty, foot, along, inward, empty, empty)
    if not seen.any():
        return nothing
    left, right = float(s[seen].min()), float(s[seen].max())
    left = max([left, *(float((space.meet(wall, other) - foot) @ along) for other in space.beside(wall, -1))])
    right = min([right, *(float((space.meet(wall, other) - foot) @ along) for other in space.beside(wall, 1))])
    rows, columns = int(min(float(r[seen].max()), _REACH) / CELL), int((right - left) / CELL)
    if min(rows, columns) < 1:
        return nothing
    origin = foot + left * along + SKIRTING * inward
    column, row = np.meshgrid(np.arange(columns) + 0.5, np.arange(rows) + 0.5)
    cells = origin + CELL * (column[..., None] * along + row[..., None] * inward)
    ahead = cells[..., 2] > 0.05
    pixels = np.full((*cells.shape[:2], 2), -1e6)
    pixels[ahead] = camera.pixels(cells[ahead])
    looks = [_lookup(is_floor, pixels + shift) for shift in _HALF_PIXELS]
    free = _lookup(is_floor, pixels)
    # what hangs at about two metres may hang lower, by what is not known of the scale
    unsure = _THIN / 2 + 2 * _TALL * float(np.hypot(camera.spread, space.evidence.nearness.trust.relative))
    # a front that ends just at the skirting board's is as good as one with it; a wall may seem to lean
    plane = space.vectors[wall]
    before_wall = (1 - points @ plane) / np.linalg.norm(plane) - SKIRTING
    stands = valid & (heights > loose) & (heights < _TALL + unsure) & (before_wall > _AT_BOARD / 2)
    # a thing lies behind what is seen of it: pushed by half a cell, a surface blocks the cells whose middle lies in it
    eye = np.array([-foot @ along, -foot @ inward - SKIRTING])
    s, r = s + CELL / 2 * np.sign(s - eye[0]), r + CELL / 2 * np.sign(r - eye[1])
    of_pixels = np.stack([s - left, r, heights], axis=-1)
    things_at = chain(_surface(of_pixels, points, stands), hidden_backs(of_pixels, points, stands, eye - [left, 0.0]))
    below = _blocked(things_at, free.shape, (_TALL, _TALL + unsure, _TALL - unsure))
    for reference in space.evidence.references:
        if isinstance(reference, KnownRectangle) and reference.is_door:
            left, right = space.on(space.layout.floor, [reference.corners[3], reference.corners[2]])
            before = before_door(cells, left, right, space.up)
            below = [blocked | before for blocked in below]
    # the pixel of a cell just before the skirting board may show the board, if it is in the photo
    last = min(round(_AT_BOARD / CELL), rows - 1)
    board = np.any([look[:last] for look in looks], axis=0) & _lookup(np.ones_like(is_floor), pixels[:last])
    for plan in (free, *looks):
        plan[:last] |= plan[last] & board
    plans = (free, free & np.all(looks, axis=0), free | np.any(looks, axis=0))
    free, surely, perhaps = (plan & ~blocked for plan, blocked in zip(plans, below, strict=True))
    return WallFloor(wall, free, below[1], origin, along, inward, surely, perhaps)


def before_door(cells: Floats, left: Floats, right: Floats, up: Floats) -> Mask:
    """Which cells [...,3] lie before a door, as deep as it is wide: there it opens, and there one walks through.

    Args:
        cells: points on the floor.
        left: the door's lower left corner [3], as one faces it.
        right: the lower right one.
        up: the unit vector away from the floor.
    """
    side = right - left
    width = float(np.linalg.norm(side))
    outward = np.cross(up, side) / width
    across, ahead = (cells - left) @ side / width, (cells - left) @ outward
    return np.asarray((across > 0) & (across < width) & (np.abs(ahead) < width))


def _blocked(places: Iterable[Floats], shape: tuple[int, ...], tops: Iterable[float]) -> list[Mask]:
    """For each height the cells of the plan above which something is lower than it."""
    lowest = np.full(shape, np.inf)
    for some in places:
        column, row = np.floor(some[:, :2] / CELL).astype(int).T
        on_plan = (column >= 0) & (column < shape[1]) & (row >= 0) & (row < shape[0])
        np.minimum.at(lowest, (row[on_plan], column[on_plan]), some[on_plan, 2])
    return [ndimage.grey_closing(np.pad(lowest < top, _GAP), _GAP)[_GAP:-_GAP, _GAP:-_GAP] for top in tops]


def _lookup(is_floor: Mask, pixels: Floats) -> Mask:
    """What a map says at pixels [...,2], between pixels where its edge runs straight; False outside of it."""
    at = np.moveaxis(pixels[..., ::-1], -1, 0)
    return np.asarray(ndimage.map_coordinates(is_floor.astype(np.float32), at, order=1, mode="grid-constant") > 0.5)


def _surface(places: Floats, points: Floats, stands: Mask) -> Iterator[Floats]:
    """The places [N,3] of the pixels of things, and places between neighbours of one surface.

    The top of a thing is seen at a flat angle: its pixels are far apart on the plan.

    Args:
        places: of all pixels [H,W,3]: along the wall, into the room, and above the floor.
        points: likewise [H,W,3], in the camera's axes.
        stands: bool [H,W], the pixels that show things.
    """
    yield places[stands]
    for axis in (0, 1):
        here, there = (slice(None, -1), slice(None)), (slice(1, None), slice(None))
        one, other = (here, there) if axis == 0 else (here[::-1], there[::-1])
        joined = stands[one] & stands[other]
        joined[joined] = np.linalg.norm(points[one][joined] - points[other][joined], axis=-1) < _ONE_SURFACE
        near, far = places[one][joined], places[other][joined]
        for share in (0.2, 0.4, 0.6, 0.8):
            yield (1 - share) * near + share * far


def _foot(space: Space, wall: int) -> Floats:
    """The point [3] on the floor at the wall that is nearest to the camera."""
    planes = np.stack([space.vectors[wall], space.vectors[space.layout.floor], space.along(wall)])
    return np.asarray(np.linalg.solve(planes, np.array([1.0, 1.0, 0.0])))
