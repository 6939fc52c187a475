"""Rendered rooms whose sizes are known: what `python -m training.scenes.rooms` wrote."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from room_report.floor import CELL, SKIRTING, WallFloor, before_door
from room_report.measures import NARROWEST, Name, Pixel

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class TrueRoom:
    """A rendered room.

    Attributes:
        name: of its files.
        depth: float64 [H,W] in metres along the camera's axis; inf in the sky.
        photo: uint8 [H,W,3], or None.
        focal: in pixels.
        size: width, depth and height in metres.
        place, axes: the camera's, in the room: [3] and, as rows, its x, y and z [3,3].
        door: the corners of its door in pixels.
        door_size: width and height in metres.
        walls_seen: for each wall what the photo shows of it, in metres from its middle, or None.
        free, seen: plans of the floor, bool [M,N]: nothing stands there; the photo shows it.
        cell: the side of their cells in metres, a multiple of `CELL`.
    """

    name: str
    depth: Floats
    photo: npt.NDArray[np.uint8] | None
    focal: float
    size: tuple[float, float, float]
    place: Floats
    axes: Floats
    door: tuple[Pixel, Pixel, Pixel, Pixel]
    door_size: tuple[float, float]
    walls_seen: list[tuple[float, float] | None]
    free: npt.NDArray[np.bool_]
    seen: npt.NDArray[np.bool_]
    cell: float

    def wall_length(self, wall: int) -> float:
        """The visible length of a wall; up to its corners where the photo shows the wall beyond."""
        seen = self.walls_seen[wall]
        if seen is None:
            return 0.0
        long = self.size[wall % 2]
        left = -long / 2 if self.walls_seen[wall - 1] else seen[0]
        right = long / 2 if self.walls_seen[(wall + 1) % 4] else seen[1]
        return right - left

    def wall_between(self, wall: int, left_corner: bool, right_corner: bool) -> float:
        """The length of a wall from end to end, as one faces it: each its corner, or the last that the photo shows."""
        half, seen = self.size[wall % 2] / 2, self.walls_seen[wall]
        if seen is None:
            return 0.0
        # as one faces it, a wall's own direction runs to the left
        return (half if left_corner else seen[1]) - (-half if right_corner else seen[0])

    def floor(self, wall: int, hidden: bool = False) -> WallFloor:
        """The free floor along a wall, from its skirting board on; `hidden`: also what the photo does not show."""
        plan = self.free if hidden else self.free & self.seen
        # row 0 of the plan is at wall 0, and each quarter turn brings the next wall there
        turned = np.rot90(plan, wall)
        times = round(self.cell / CELL)
        cells = np.repeat(np.repeat(turned, times, axis=0), times, axis=1)
        direction = np.array([np.cos(wall * np.pi / 2), np.sin(wall * np.pi / 2), 0.0])
        inward = np.array([-direction[1], direction[0], 0.0])
        # the plan's cells begin at walls 0 and 3; at the other two something narrower than a cell is left over
        left = [side - CELL * count for side, count in zip((self.size[wall % 2], self.size[1 - wall % 2]),
                                                           cells.shape[::-1], strict=True)]  # fmt: skip
        begin, off = left[0] * (wall in (2, 3)), left[1] * (wall in (1, 2))
        skipped = round((SKIRTING - off) / CELL)
        long, deep = self.size[wall % 2] / 2, self.size[1 - wall % 2] / 2
        origin = (begin - long) * direction + (off + skipped * CELL - deep) * inward
        cells = cells[skipped:].copy()
        # what ends within half a centimetre of the skirting board's front is as good as one with it
        cells[:1] |= cells[1:2]
        return WallFloor(wall, cells, ~cells, origin, direction, inward, cells, cells)

    def with_door_clear(self) -> TrueRoom:
        """The room whose floor before the marked door is not free; `floor.before_door` says how far."""
        height, width = self.depth.shape
        pixels = np.array([self.door[3], self.door[2]]) - [(width - 1) / 2, (height - 1) / 2]
        rays = np.column_stack([pixels / self.focal, np.ones(2)]) @ self.axes
        left, right = self.place - rays * (self.place[2] / rays[:, 2:])
        x, y = ((np.arange(count) + 0.5) * self.cell - side / 2
                for count, side in zip(self.free.shape[::-1], self.size[:2], strict=True))  # fmt: skip
        cells = np.stack([*np.meshgrid(x, y), np.zeros(self.free.shape)], axis=-1)
        return replace(self, free=self.free & ~before_door(cells, left, right, np.array([0.0, 0.0, 1.0])))

    def values(self) -> dict[Name, float]:
        """What is true of the measures; free area 0 where there is none."""
        area = 0.0
        for wall in range(4):
            if self.walls_seen[wall] is not None:
                found = self.floor(wall).largest(NARROWEST)
                if found:
                    area = max(area, (found[1] - found[0]) * found[2] * CELL**2)
        return {
            "wall": max(self.wall_length(wall) for wall in range(4)),
            "height": self.size[2],
            "camera height": float(self.place[2]),
            "free area": area,
        }

    def in_room(self, points: Floats) -> Floats:
        """Points [...,3] in the camera's axes, as points in the room."""
        return np.asarray(points @ self.axes + self.place)


def read_rooms(folder: Path) -> Iterator[TrueRoom]:
    """The rooms of a folder, in order.

    Raises:
        FileNotFoundError: it holds none.
    """
    files = sorted(folder.glob("*.json"))
    if not files:
        raise FileNotFoundError(f"{folder} holds no rooms. Make some: python -m training.scenes.rooms --out {folder}")
    for file in files:
        truth = json.loads(file.read_text())
        size = (truth["width"], truth["depth"], truth["height"])
        cells = (int(size[1] / truth["cell"]), int(size[0] / truth["cell"]))
        with np.load(file.with_suffix(".npz")) as arrays:
            free, seen = (np.unpackbits(arrays[name], axis=1, count=cells[1]) > 0 for name in ("free", "seen"))
            yield TrueRoom(
                file.stem,
                arrays["depth"].astype(np.float64),
                arrays.get("photo"),
                truth["focal"],
                size,
                np.array(truth["place"]),
                np.array(truth["axes"]),
                tuple(tuple(corner) for corner in truth["door_corners"]),  # type: ignore[arg-type]
                tuple(truth["door_size"]),
                [tuple(seen) if seen else None for seen in truth["walls_seen"]],
                free,
                seen,
                truth["cell"],
            )
