"""Building a scene: solids are put together in the frame of the thing that they belong to, z upwards, metres."""

import math
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray

from training.scenes.lighting import LAMP, SUN, World
from training.scenes.surfaces import SURFACE_COLUMNS
from training.scenes.tracing import BOX, CAPSULE, ELLIPSOID, FRUSTUM, OPEN_TOP, SOLID_COLUMNS, build_tree

Floats = NDArray[np.float64]
Vector = tuple[float, float, float]


def rotation(yaw: float = 0.0, pitch: float = 0.0, roll: float = 0.0) -> Floats:
    """The matrix [3,3] that turns about y (roll), then x (pitch), then z (yaw); radians."""
    cy, sy = math.cos(yaw), math.sin(yaw)
    cp, sp = math.cos(pitch), math.sin(pitch)
    cr, sr = math.cos(roll), math.sin(roll)
    about_z = np.array([[cy, -sy, 0.0], [sy, cy, 0.0], [0.0, 0.0, 1.0]])
    about_x = np.array([[1.0, 0.0, 0.0], [0.0, cp, -sp], [0.0, sp, cp]])
    about_y = np.array([[cr, 0.0, sr], [0.0, 1.0, 0.0], [-sr, 0.0, cr]])
    return np.asarray(about_z @ about_x @ about_y)


class Scene:
    """Solids, surfaces, lights and a sky. `rng` is the scene's one source of chance."""

    def __init__(self, rng: np.random.Generator, pictures: NDArray[np.float32]) -> None:
        self.rng = rng
        self.pictures = pictures
        self.turn: Floats = np.eye(3)
        self.place: Floats = np.zeros(3)
        self.solids: list[Floats] = []
        self.kinds: list[int] = []
        self.owners: list[int] = []
        self.surfaces: list[Floats] = []
        self.lights: list[list[float]] = []
        self.ambient: Floats = np.full((3, 3), 0.3)
        self.sky: Floats = np.zeros(20)
        self.reach = 1.0
        self.haze = 0.0

    @contextmanager
    def at(
        self, x: float, y: float, z: float = 0.0, yaw: float = 0.0, pitch: float = 0.0, roll: float = 0.0
    ) -> Iterator[None]:
        """What is added inside stands at (x, y, z), turned, in the frame of what surrounds it."""
        turn, place = self.turn, self.place
        self.place = place + turn @ np.array([x, y, z])
        self.turn = turn @ rotation(yaw, pitch, roll)
        try:
            yield
        finally:
            self.turn, self.place = turn, place

    def surface(self, row: Floats) -> int:
        """Register a surface (a row of `SURFACE_COLUMNS`) and return its index."""
        assert row.shape == (SURFACE_COLUMNS,)
        self.surfaces.append(row)
        return len(self.surfaces) - 1

    def _add(
        self,
        kind: int,
        centre: Vector,
        size: Vector,
        surface: int,
        turn: Floats | None,
        cut: tuple[int, float, float] = (0, 0.0, 0.0),
        bevel: float = 0.0,
    ) -> None:
        whole = self.turn if turn is None else self.turn @ turn
        row = np.zeros(SOLID_COLUMNS)
        row[:9] = whole.T.ravel()
        row[9:12] = self.place + self.turn @ np.array(centre)
        row[12:15] = size
        row[15:18] = cut
        row[18] = bevel
        self.solids.append(row)
        self.kinds.append(kind)
        self.owners.append(surface)

    def box(
        self,
        centre: Vector,
        size: Vector,
        surface: int,
        turn: Floats | None = None,
        cut: tuple[int, float, float] = (0, 0.0, 0.0),
        bevel: float = 0.0,
    ) -> None:
        """A box of full `size` about its centre."""
        self._add(BOX, centre, (size[0] / 2, size[1] / 2, size[2] / 2), surface, turn, cut, bevel)

    def ball(
        self,
        centre: Vector,
        size: Vector,
        surface: int,
        turn: Floats | None = None,
        cut: tuple[int, float, float] = (0, 0.0, 0.0),
    ) -> None:
        """An ellipsoid with the half axes `size`."""
        self._add(ELLIPSOID, centre, size, surface, turn, cut)

    def post(
        self,
        base: Vector,
        bottom: float,
        top: float,
        height: float,
        surface: int,
        turn: Floats | None = None,
        hollow: bool = False,
        cut: tuple[int, float, float] | None = None,
    ) -> None:
        """A frustum that stands on `base`, with its radii at the bottom and the top; `hollow` leaves its top open."""
        axis = np.array([0.0, 0.0, height / 2])
        middle = np.array(base) + (axis if turn is None else turn @ axis)
        cut = cut or ((OPEN_TOP, 0.0, 0.0) if hollow else (0, 0.0, 0.0))
        centre = (float(middle[0]), float(middle[1]), float(middle[2]))
        self._add(FRUSTUM, centre, (bottom, top, height / 2), surface, turn, cut)

    def limb(self, start: Vector, end: Vector, radius: float, surface: int, end_radius: float | None = None) -> None:
        """A capsule from one point to another, or a frustum with a ball at either end where the radii differ."""
        a, b = np.array(start), np.array(end)
        along = b - a
        length = max(float(np.linalg.norm(along)), 1e-4)
        w = along / length
        side = np.array([1.0, 0.0, 0.0]) if abs(w[0]) < 0.9 else np.array([0.0, 1.0, 0.0])
        u = np.cross(side, w)
        u /= np.linalg.norm(u)
        turn = np.stack([u, np.cross(w, u), w], axis=1)
        middle = (a + b) / 2
        centre = (float(middle[0]), float(middle[1]), float(middle[2]))
        if end_radius is None:
            self._add(CAPSULE, centre, (radius, radius, length / 2), surface, turn)
            return
        self._add(FRUSTUM, centre, (radius, end_radius, length / 2), surface, turn)
        self.ball(start, (radius, radius, radius), surface)
        self.ball(end, (end_radius, end_radius, end_radius), surface)

    def sun(self, direction: Vector, colour: Vector, softness: float) -> None:
        """Parallel light from `direction` (towards the light); `softness` blurs its shadows."""
        d = np.array(direction) / np.linalg.norm(direction)
        self.lights.append([SUN, *d.tolist(), *colour, softness])

    def lamp(self, place: Vector, colour: Vector, radius: float) -> None:
        """Light from a ball of `radius` at a place of the current frame; falling off with distance squared."""
        point = self.place + self.turn @ np.array(place)
        self.lights.append([LAMP, *point.tolist(), *colour, radius])

    def world(self) -> World:
        """The arrays that the tracer reads."""
        solids = np.array(self.solids)
        kinds = np.array(self.kinds, dtype=np.int64)
        half = solids[:, 12:15].copy()
        frustum = kinds == FRUSTUM
        half[frustum, 0] = np.maximum(solids[frustum, 12], solids[frustum, 13])
        half[frustum, 1] = half[frustum, 0]
        capsule = kinds == CAPSULE
        half[capsule, 1] = half[capsule, 0]
        half[capsule, 2] += half[capsule, 0]
        # rows hold the rotation from the world; the box about a turned solid needs its absolute values the other way
        extent = np.einsum("nij,ni->nj", np.abs(solids[:, :9].reshape(-1, 3, 3)), half) + 1e-6
        order, boxes, links = build_tree(solids[:, 9:12] - extent, solids[:, 9:12] + extent)
        lights = np.array(self.lights, dtype=np.float64).reshape(-1, 8)
        owners = np.array(self.owners, dtype=np.int64)
        surfaces = np.array(self.surfaces)
        return (
            solids, kinds, order, boxes, links, owners, surfaces, self.pictures, lights, self.ambient, self.sky,
        )  # fmt: skip
