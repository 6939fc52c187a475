"""Whether a photo is good for measuring: sharp, lit, large, level, with enough of the floor and of the known thing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from room_report.camera import Camera
from room_report.references import Reference, pixels_of
from room_report.room import Space

Grade = Literal["good", "fair", "poor"]

_WORKING_WIDTH = 640


@dataclass(frozen=True)
class Check:
    """One thing that was looked at; its name is a key of `words.TEXTS`.

    Attributes:
        name: of what was looked at.
        value: as a number, in `unit`.
        unit: "%", "°", "MP" or "px".
        grade: what that means for measuring.
    """

    name: str
    value: float
    unit: str
    grade: Grade


def check_photo(
    photo: npt.NDArray[np.uint8], camera: Camera, references: list[Reference], space: Space | None
) -> list[Check]:
    """All checks of a photo uint8 [H,W,3]; those of the room only where it has metres."""
    height, width = photo.shape[:2]
    grey = photo.astype(np.float64).mean(axis=2)
    clipped = 100 * float(((grey < 8) | (grey > 247)).mean())
    checks = [
        _graded("sharpness", 100 * sharpness(grey), "%", good=17, fair=12),
        _graded("light", clipped, "%", good=10, fair=30, less=True),
        _graded("pixels", width * height / 1e6, "MP", good=0.7, fair=0.25),
        _graded("lens", 200 * camera.spread, "%", good=5, fair=10, less=True),
    ]
    spans = [np.ptp(pixels_of(each), axis=0).max() for each in references if len(pixels_of(each)) > 1]
    if spans:
        checks.append(_graded("known size", 100 * max(spans) / max(camera.size), "%", good=25, fair=12))
    if space is not None:
        share = space.evidence.planes[space.layout.floor].share
        checks.append(_graded("floor seen", 100 * share, "%", good=10, fair=5))
        roll = abs(float(np.degrees(np.arctan2(space.up[0], -space.up[1]))))
        checks.append(_graded("level", roll, "°", good=3, fair=8, less=True))
    return checks


def sharpness(grey: npt.NDArray[np.float64]) -> float:
    """How much of its finest contrast at edges a photo [H,W] would lose by a blur of 1 pixel: 0 to 1.

    What is blurred already has little to lose. Looked at with 640 pixels across, as a network sees it; noise between
    the edges does not count.
    """
    step = max(1, round(grey.shape[1] / _WORKING_WIDTH))
    if step > 1:
        grey = ndimage.uniform_filter(grey, step)[::step, ::step]
    edges = ndimage.gaussian_gradient_magnitude(grey, 1.5)
    at = edges >= np.quantile(edges, 0.97)
    sharp = np.hypot(*np.gradient(grey))[at].mean()
    blurred = np.hypot(*np.gradient(ndimage.gaussian_filter(grey, 1.0)))[at].mean()
    return float(1 - blurred / max(sharp, 1e-9))


def _graded(name: str, value: float, unit: str, *, good: float, fair: float, less: bool = False) -> Check:
    """A check, graded by its two limits: at least, or with `less` at most."""
    sign = -1 if less else 1
    grade: Grade = "good" if sign * value >= sign * good else "fair" if sign * value >= sign * fair else "poor"
    return Check(name, value, unit, grade)
