"""Cameras: where a photographer would stand, and whether the view from there is worth a picture."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.scenes.lighting import World, probe_view
from training.scenes.scene import Vector

NEAREST = 0.15


@dataclass(frozen=True)
class Camera:
    """A pinhole camera: its place, the point it looks at, roll in radians, horizontal field of view in degrees."""

    place: Vector
    target: Vector
    roll: float
    view: float

    def row(self, width: int, height: int) -> NDArray[np.float64]:
        """The numbers [14] that the tracer reads: place, right, up, forward, half width and height at distance 1."""
        forward = np.array(self.target) - np.array(self.place)
        forward /= np.linalg.norm(forward)
        right = np.cross(forward, np.array([0.0, 0.0, 1.0]))
        if np.linalg.norm(right) < 1e-6:
            right = np.array([1.0, 0.0, 0.0])
        right /= np.linalg.norm(right)
        up = np.cross(right, forward)
        c, s = math.cos(self.roll), math.sin(self.roll)
        right, up = c * right + s * up, c * up - s * right
        half = math.tan(math.radians(self.view) / 2)
        return np.concatenate([np.array(self.place), right, up, forward, [half, half * height / width]])


def field_of_view(rng: np.random.Generator) -> float:
    """A horizontal field of view in degrees: mostly phones and normal lenses, some wide and some long ones."""
    return float(np.clip(rng.normal(60, 13), 35, 90))


def tilt(rng: np.random.Generator) -> float:
    """A roll in radians: most pictures are nearly level, some are not."""
    return float(rng.normal(0, 0.015) if rng.random() < 0.75 else rng.normal(0, 0.12))


def is_worth_a_picture(world: World, camera: Camera, nearest: float = NEAREST) -> bool:
    """Whether a coarse look shows several things at different distances and nothing that blocks the view."""
    depth, index = probe_view(world, camera.row(32, 24), 32, 24)
    seen = depth[np.isfinite(depth)]
    if seen.size < 0.25 * depth.size or seen.min() < nearest:
        return False
    near, far = np.quantile(seen, [0.1, 0.9])
    if np.isinf(depth).mean() < 0.1 and far / near < 1.35:
        return False
    names, counts = np.unique(index[index >= 0], return_counts=True)
    if names.size < 6 or counts.max() > 0.7 * depth.size:
        return False
    # more than a third of the picture very near, beside what is far, is a thumb before the lens
    return bool((depth < 0.25 * np.median(seen)).mean() < 0.35)
