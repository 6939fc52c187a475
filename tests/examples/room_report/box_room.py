"""A room of boxes whose sizes are known, as a camera sees it: exact depth, in milliseconds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from room_report.camera import Camera
from room_report.depth import EXACT, NearnessMap

Floats = npt.NDArray[np.float64]
Box = tuple[tuple[float, float, float], tuple[float, float, float]]

WIDTH, DEPTH, HEIGHT = 4.0, 5.0, 2.6
DOOR = (0.9, 2.0)


@dataclass(frozen=True)
class BoxRoom:
    """A room from (0, 0, 0) to (WIDTH, DEPTH, HEIGHT), z upwards, its door in the wall y = DEPTH, x from 1 to 1.9.

    Attributes:
        place: the camera's.
        axes: the camera's x, y and z as rows.
        camera: with its true focal length.
        depth: float64 [H,W] in metres along the camera's axis.
    """

    place: Floats
    axes: Floats
    camera: Camera
    depth: Floats

    def pixel(self, x: float, y: float, z: float) -> tuple[float, float]:
        """Where a point of the room is seen."""
        found = self.camera.pixels((np.array([x, y, z]) - self.place) @ self.axes.T)
        return float(found[0]), float(found[1])

    def rays(self) -> Floats:
        """The directions [H,W,3] of all pixels in the room, one metre long along the camera's axis."""
        height, width = self.depth.shape
        grid = np.stack(np.meshgrid(np.arange(width), np.arange(height)), axis=-1)
        return np.asarray(self.camera.rays(grid) @ self.axes)

    def points(self) -> Floats:
        """The points [H,W,3] of the room that are seen."""
        return np.asarray(self.place + self.rays() * self.depth[..., None])

    def door(self) -> tuple[tuple[float, float], tuple[float, float], tuple[float, float], tuple[float, float]]:
        """The door's corners in pixels: top left, top right, bottom right, bottom left."""
        a, b, c, d = (
            self.pixel(x, DEPTH, z) for x, z in ((1.0, DOOR[1]), (1.0 + DOOR[0], DOOR[1]), (1.0 + DOOR[0], 0), (1.0, 0))
        )
        return a, b, c, d

    def map(self, scale: float = 1.0, shift: float = 0.0) -> NearnessMap:
        """Its nearness, where 1 / z = scale * nearness + shift."""
        valid = np.isfinite(self.depth)
        return NearnessMap(np.where(valid, (1 / self.depth - shift) / scale, 0.0), valid, False, EXACT)


def look(
    place: Sequence[float] = (2.4, 0.3, 1.5),
    target: Sequence[float] = (1.6, 4.0, 0.9),
    boxes: Sequence[Box] = (),
    size: tuple[int, int] = (160, 120),
    view: float = 80.0,
    roof: bool = True,
) -> BoxRoom:
    """The room from a place; `boxes` (two opposite corners each) stand in it, and without a roof there is sky."""
    at = np.array(place, dtype=np.float64)
    forward = np.array(target) - at
    forward /= np.linalg.norm(forward)
    right = np.cross(forward, [0.0, 0.0, 1.0])
    right /= np.linalg.norm(right)
    axes = np.stack([right, np.cross(forward, right), forward])
    camera = Camera(size[0] / 2 / np.tan(np.radians(view) / 2), size)
    grid = np.stack(np.meshgrid(np.arange(size[0]), np.arange(size[1])), axis=-1)
    rays = camera.rays(grid) @ axes
    with np.errstate(divide="ignore"):
        walls = np.stack([-at / rays, (np.array([WIDTH, DEPTH, HEIGHT]) - at) / rays])
    exits = np.where(walls > 0, walls, np.inf).min(axis=0)
    if not roof:
        exits[..., 2] = np.where(rays[..., 2] > 0, np.inf, exits[..., 2])
    depth = exits.min(axis=-1)
    if not roof:
        depth = np.where(at[2] + depth * rays[..., 2] > HEIGHT, np.inf, depth)
    for low, high in boxes:
        with np.errstate(divide="ignore"):
            sides = np.stack([(np.array(low) - at) / rays, (np.array(high) - at) / rays])
        enter, leave = sides.min(axis=0).max(axis=-1), sides.max(axis=0).min(axis=-1)
        depth = np.where((enter < leave) & (enter > 0), np.minimum(depth, enter), depth)
    return BoxRoom(at, axes, camera, depth)
