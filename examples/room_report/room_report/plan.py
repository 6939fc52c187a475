"""The floor plan: walls, free and taken floor as the photo shows them, and the piece in its place, to scale."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image

from room_report.annotated import FLOOR_INK, PIECE_INK, WALL_INK, box_of
from room_report.floor import CELL
from room_report.measures import FloorSpan, Wall, longest_wall
from room_report.pictures import png_url
from room_report.room import Space
from room_report.survey import Survey
from room_report.svg import Drawing
from room_report.verdicts import Verdict
from room_report.words import Words

Floats = npt.NDArray[np.float64]

_GRID = 0.02
_MARGIN = 0.55
_PAPER = 0.17
"""Metres of an A4 page's width that a plan may take."""
_FREE, _TAKEN = (176, 217, 190, 255), (202, 208, 212, 255)


class Plan(NamedTuple):
    """A plan as SVG in metres.

    Attributes:
        svg: the drawing.
        scale: of the printed plan: 50 stands for 1 : 50.
        millimetres: how wide it is then.
    """

    svg: str
    scale: int
    millimetres: float


class _Frame:
    """From space to the plan: x along the wall at the plan's top, y into the room, in metres."""

    def __init__(self, space: Space, wall: int) -> None:
        self._x, self._y = space.along(wall), -space.outward(wall)

    def of(self, points: Floats) -> Floats:
        """Points [...,3] as [...,2]."""
        return np.stack([points @ self._x, points @ self._y], axis=-1)


def plan(found: Survey, verdict: Verdict | None, words: Words) -> Plan | None:
    """The plan of a room with metres, or None where the photo shows no wall.

    Args:
        found: the room.
        verdict: on the piece that is drawn; its wall is at the plan's top.
        words: of the language.
    """
    space = found.space
    if space is None or (wall := longest_wall(space)) is None:
        return None
    standing = verdict.place[0].wall if verdict is not None and verdict.place is not None else wall.wall
    frame = _Frame(space, standing)
    walls = {number: _foot_of(space, frame, number) for number in space.layout.walls}
    cells, corner = _floor(found, frame)
    outlines = [*walls.values(), np.zeros((1, 2)), corner + np.array([[0, 0], np.array(cells.shape[1::-1]) * _GRID])]
    low, high = np.concatenate(outlines).min(axis=0) - _MARGIN, np.concatenate(outlines).max(axis=0) + _MARGIN
    wide, deep = (high - low).tolist()
    drawn = Drawing(wide, deep, max(wide, 0.75 * deep) / 640, words("plan_label"))
    left, top = (corner - low).tolist()
    wide_cells, deep_cells = cells.shape[1] * _GRID, cells.shape[0] * _GRID
    drawn.picture(png_url(Image.fromarray(cells)), left, top, wide_cells, deep_cells, pixelated=True)
    _grid(drawn)

    def at(point: Floats) -> tuple[float, float]:
        return float(point[0] - low[0]), float(point[1] - low[1])

    for ends in walls.values():
        drawn.line(at(ends[0]), at(ends[1]), "#24313a", wide=7)
    _camera(drawn, space, frame, at)
    spans = {measure.name: (measure, value) for measure, value in found.values if isinstance(measure, FloorSpan)}
    if "free width" in spans:
        span = spans["free width"][0]
        a, b, c = frame.of(space.on(space.layout.floor, [span.start, span.end, span.inner]))
        corners = [at(point) for point in (a, b, b + c - a, c)]
        drawn.outline(corners, FLOOR_INK, fill=0.10, dashed=True)
        drawn.dimension(corners[3], corners[2], f"{spans['free width'][1]} m", FLOOR_INK)
        drawn.dimension(corners[1], corners[2], f"{spans['free depth'][1]} m", FLOOR_INK)
    if verdict is not None and verdict.place is not None:
        box = frame.of(box_of(verdict))
        front = verdict.needed - verdict.product.depth
        if front > 0.01:
            kept = [box[3], box[2], box[2] + [0, front], box[3] + [0, front]]
            drawn.outline([at(point) for point in kept], PIECE_INK, dashed=True, fill=0.05, wide=1.4)
        drawn.outline([at(point) for point in box], PIECE_INK, fill=0.30)
        drawn.label(at(box.mean(axis=0)), verdict.product.name, PIECE_INK, size=18)
    value = next(value for measure, value in found.values if isinstance(measure, Wall))
    least = "" if wall.whole else f"{words('at_least')} "
    start, end = walls[wall.wall] + 0.28 * frame.of(space.outward(wall.wall))
    heads = (wall.left.corner is not None, wall.right.corner is not None)
    drawn.dimension(at(start), at(end), f"{least}{value} m", WALL_INK, heads=heads)
    scale = next((each for each in (20, 25, 50, 100) if wide / each <= _PAPER), 200)
    return Plan(str(drawn), scale, 1000 * wide / scale)


def _foot_of(space: Space, frame: _Frame, wall: int) -> Floats:
    """Both ends [2,2] of what is known of a wall: its corners with others, else as far as the photo shows it."""
    points, valid = space.points()
    places = points[space.evidence.planes[wall].mask & valid]
    along = space.along(wall)
    reach = places @ along
    foot = np.median(places, axis=0)
    foot = foot - space.height_of(foot) * space.up
    ends = []
    for side, share in ((-1, 0.002), (1, 0.998)):
        beside = space.beside(wall, side)
        ends.append(
            space.meet(wall, beside[0]) if beside
            else foot + (float(np.quantile(reach, share)) - foot @ along) * along
        )  # fmt: skip
    return frame.of(np.array(ends))


def _floor(found: Survey, frame: _Frame) -> tuple[npt.NDArray[np.uint8], Floats]:
    """The floor of all walls as one picture, uint8 RGBA [M,N,4], and the place [2] of its top left corner."""
    free: list[Floats] = []
    taken: list[Floats] = []
    for floor in found.floors:
        for mask, into in ((floor.free, free), (floor.blocked, taken)):
            rows, columns = np.nonzero(mask)
            places = floor.origin + CELL * (
                (columns[:, None] + 0.5) * floor.along + (rows[:, None] + 0.5) * floor.inward
            )
            into.append(frame.of(places))
    everywhere = np.concatenate([*free, *taken, np.zeros((1, 2))])
    low = np.floor(everywhere.min(axis=0) / _GRID).astype(int)
    size = np.floor(everywhere.max(axis=0) / _GRID).astype(int) - low + 1
    cells = np.zeros((size[1], size[0], 4), np.uint8)
    for places, colour in ((np.concatenate([*free, np.zeros((0, 2))]), _FREE),
                           (np.concatenate([*taken, np.zeros((0, 2))]), _TAKEN)):  # fmt: skip
        at = np.floor(places / _GRID).astype(int) - low
        cells[at[:, 1], at[:, 0]] = colour
    return cells, low * _GRID


def _grid(drawn: Drawing) -> None:
    """Squares of half a metre, and a bar of one metre at the bottom."""
    for k in range(int(drawn.width / 0.5) + 1):
        drawn.line((k * 0.5, 0), (k * 0.5, drawn.height), "#dfe5e7", wide=0.7)
    for k in range(int(drawn.height / 0.5) + 1):
        drawn.line((0, k * 0.5), (drawn.width, k * 0.5), "#dfe5e7", wide=0.7)
    left, bottom = 0.15, drawn.height - 0.15
    drawn.line((left, bottom), (left + 1, bottom), "#24313a", wide=3)
    drawn.words((left + 0.5, bottom - 0.07), "1 m", "#24313a", size=15)


def _camera(drawn: Drawing, space: Space, frame: _Frame, at: object) -> None:
    """Where the camera stood, and what it saw."""
    width, height = space.evidence.camera.size
    place = frame.of(np.zeros(3))
    for column in (0, width - 1):
        ray = frame.of(space.evidence.camera.rays([column, height / 2]))
        end = place + 0.7 * ray / np.linalg.norm(ray)
        drawn.line(at(place), at(end), "#40525c", wide=1.4, dashed=True)  # type: ignore[operator]
    drawn.circle(at(place), 7, "#40525c")  # type: ignore[operator]
