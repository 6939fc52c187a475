"""A room in metres: its planes, and which way is up."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from room_report.scale import Evidence

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

_ACROSS = np.cos(np.radians(45))


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

    def beside(self, wall: int, side: int) -> list[int]:
        """The walls that stand across a wall, at its left (-1) or right (1) end."""
        along = self.along(wall)
        return [other for other in self.layout.walls if self.outward(other) @ along * side > _ACROSS]

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
