"""What can be said of a depth map with the photo alone: seven aspects, each a figure and a score out of five.

The figures are of inverse depth, stretched so that 2 % and 98 % of the pixels lie at 0 and 1 (see `stretched`).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from accuracy.metrics import spearman

Depth = NDArray[np.float32]
Photo = NDArray[np.uint8]
Map = NDArray[np.float64]

WINDOW = 7
STEP = 0.08
"""Of the whole range: a smaller difference within a window is no step in depth."""
LEAST_SHARE = 0.02
"""Of the photo: an aspect of fewer pixels is not judged."""


@dataclass(frozen=True)
class View:
    """What is judged.

    Attributes:
        photo: uint8 RGB [H, W, 3].
        depth: stretched inverse depth float32 [H, W].
        mirrored: the same, predicted from the mirrored photo and mirrored back; None where it was not asked for.
        others: the same from other networks.
    """

    photo: Photo
    depth: Depth
    mirrored: Depth | None = None
    others: tuple[Depth, ...] = ()


@dataclass(frozen=True)
class Finding:
    """A figure, and how bad each pixel is: float64 [H, W], 0 where nothing is wrong."""

    value: float
    badness: Map


@dataclass(frozen=True)
class Aspect:
    """An aspect, and the figures that get a score of 5 and of 0."""

    name: str
    means: str
    best: float
    worst: float
    find: Callable[[View], Finding | None]

    def score(self, value: float) -> float:
        """From 0 to 5, linear between `worst` and `best`."""
        return float(5 * np.clip((value - self.worst) / (self.best - self.worst), 0, 1))


def stretched(inverse: Depth) -> Depth:
    """Inverse depth [H, W] with 2 % and 98 % of the pixels at 0 and 1: scale and shift mean nothing."""
    low, high = np.percentile(inverse, (2, 98))
    return np.asarray((inverse - low) / max(high - low, 1e-9), np.float32)


def photo_edges(photo: Photo) -> NDArray[np.bool_]:
    """The strongest tenth of the photo's gradients, [H, W]."""
    grey = cv2.GaussianBlur(cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY), (0, 0), 1.0).astype(np.float32)
    strength = np.hypot(cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1))
    return np.asarray(strength > max(float(np.percentile(strength, 90)), 1e-6))


def ranges(depth: Depth) -> Depth:
    """Largest minus smallest depth of the window around each pixel, [H, W]; single odd pixels do not count."""
    even, window = cv2.medianBlur(depth, 5), np.ones((WINDOW, WINDOW), np.uint8)
    return np.asarray(cv2.dilate(even, window) - cv2.erode(even, window), np.float32)


def steepest(depth: Depth) -> Depth:
    """The largest difference between neighbours in the window around each pixel, [H, W]."""
    even = cv2.medianBlur(depth, 3)
    down, right = np.diff(even, axis=0, append=even[-1:]), np.diff(even, axis=1, append=even[:, -1:])
    window = np.ones((WINDOW, WINDOW), np.uint8)
    return np.asarray(cv2.dilate(np.maximum(np.abs(down), np.abs(right)), window), np.float32)


def edges(view: View) -> Finding | None:
    """At the photo's edges where depth has a step: how much of the step one pixel takes. A clean step takes all."""
    steps = ranges(view.depth)
    here = photo_edges(view.photo) & (steps > STEP)
    if here.mean() < LEAST_SHARE / 4:
        return None
    sharp = np.minimum(steepest(view.depth) / np.maximum(steps, 1e-9), 1)
    return Finding(float(sharp[here].mean()), np.where(here, 1 - sharp, 0).astype(np.float64))


def layers(view: View) -> Finding | None:
    """At the photo's edges: how high the steps of depth are, on average, as a share of the whole range."""
    here, steps = photo_edges(view.photo), ranges(view.depth)
    if here.mean() < LEAST_SHARE:
        return None
    return Finding(float(steps[here].mean()), np.where(here, np.maximum(0.2 - steps, 0), 0).astype(np.float64))


def sky_of(photo: Photo) -> NDArray[np.bool_]:
    """What looks like sky: bright, smooth, not warm in colour, and joined to the upper border."""
    blurred = cv2.GaussianBlur(photo, (0, 0), 1.5).astype(np.float32)
    grey = blurred.mean(-1)
    smooth = np.hypot(cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1)) < 24
    bright = (grey > max(110.0, float(grey.mean()))) & (blurred[..., 2] >= blurred[..., 0] - 4)
    count, parts = cv2.connectedComponents((smooth & bright).astype(np.uint8), connectivity=4)
    sizes = np.bincount(parts.ravel(), minlength=count)
    top = [part for part in np.unique(parts[:2]) if part > 0 and sizes[part] > LEAST_SHARE * grey.size]
    return np.isin(parts, top)


def far_field(view: View) -> Finding | None:
    """In what looks like sky: the mean of the depth's distance from the farthest place of the picture."""
    sky = sky_of(view.photo)
    if sky.mean() < LEAST_SHARE:
        return None
    above = np.maximum(view.depth - float(np.percentile(view.depth, 1)), 0)
    return Finding(float(above[sky].mean()), np.where(sky, above, 0).astype(np.float64))


def speckle(view: View) -> Finding | None:
    """Away from steps: the mean difference from the median of the 25 pixels around."""
    even = ranges(view.depth) < STEP
    if even.mean() < LEAST_SHARE:
        return None
    rough = np.where(even, np.abs(view.depth - cv2.medianBlur(view.depth, 5)), 0)
    return Finding(float(rough[even].mean()), rough.astype(np.float64))


def planes(view: View) -> Finding | None:
    """Far from the photo's edges: the share of pixels beside a step of depth, such as a hole's rim or a jump."""
    clear = ~cv2.dilate(photo_edges(view.photo).astype(np.uint8), np.ones((WINDOW, WINDOW), np.uint8)).astype(bool)
    if clear.mean() < LEAST_SHARE:
        return None
    steps = np.where(clear, np.maximum(ranges(view.depth) - STEP, 0), 0)
    return Finding(float((steps > 0).sum() / clear.sum()), steps.astype(np.float64))


def agreement(view: View) -> Finding | None:
    """How like the median of the other networks the depth is: Spearman's rank correlation."""
    return None if not view.others else _likeness(view.depth, np.median(np.stack(view.others), axis=0))


def mirroring(view: View) -> Finding | None:
    """How like the depth of the mirrored photo the depth is: Spearman's rank correlation."""
    return None if view.mirrored is None else _likeness(view.depth, view.mirrored)


def _likeness(depth: Depth, other: Depth) -> Finding:
    return Finding(
        spearman(depth.ravel().astype(np.float64), other.ravel().astype(np.float64)),
        np.abs(depth - other).astype(np.float64),
    )


ASPECTS: Mapping[str, Aspect] = {
    aspect.name: aspect
    for aspect in (
        Aspect("edges", "sharp at the photo's edges", 0.6, 0.15, edges),
        Aspect("layers", "high steps at the photo's edges", 0.12, 0.0, layers),
        Aspect("far", "sky is farthest, and even", 0.0, 0.3, far_field),
        Aspect("speckle", "no speckle", 0.0, 0.004, speckle),
        Aspect("planes", "no holes and jumps on surfaces", 0.0, 0.15, planes),
        Aspect("agreement", "like the other networks", 1.0, 0.5, agreement),
        Aspect("mirroring", "the same when mirrored", 1.0, 0.7, mirroring),
    )
}
