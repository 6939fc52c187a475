"""How right a relative depth map is, by the protocol of MiDaS.

A prediction is right up to a scale and a shift of inverse depth: both are found by least squares for each photo, over
the pixels that have a truth, before anything is compared. (Ranftl et al., Towards Robust Monocular Depth Estimation,
TPAMI 2022, section 5.)
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import cv2
import numpy as np
from numpy.typing import NDArray

from accuracy.errors import AccuracyError, CannotJudgeError
from accuracy.judging import METRES_CAP, NO_TRUTH, check_truth, smallest_inverse_depth
from accuracy.ordinal import Question

Map = NDArray[np.float32] | NDArray[np.float64]
Mask = NDArray[np.bool_]

DELTA = 1.25
EDGE_RATIO = 1.15
# Radii, as shares of the picture's diagonal, so that a photo gives about the same figure at any size.
EDGE_WINDOW = 0.005
EDGE_TOLERANCE = 0.01


@dataclass(frozen=True)
class Figures:
    """What was measured on one photo, or the means of several; None where the truth does not tell.

    Attributes:
        delta_1: share of pixels whose depth is within 1.25 times the true one, 0..1, larger is better.
        abs_rel: mean of |depth - truth| / truth, 0 is best.
        rmse_log: root of the mean square of ln depth - ln truth, 0 is best.
        spearman: rank correlation of prediction and true inverse depth, -1..1, larger is better.
        edge_f1: agreement of depth edges, 0..1, larger is better; see `edge_f1`.
        whdr: weighted share of questions about two points that are answered wrongly, 0 is best.
    """

    delta_1: float | None = None
    abs_rel: float | None = None
    rmse_log: float | None = None
    spearman: float | None = None
    edge_f1: float | None = None
    whdr: float | None = None


LARGER_IS_BETTER = {
    "delta_1": True,
    "abs_rel": False,
    "rmse_log": False,
    "spearman": True,
    "edge_f1": True,
    "whdr": False,
}


def align(prediction: Map, truth: Map) -> Map:
    """The prediction, scaled and shifted to the truth by least squares.

    The scale is not below 0: a prediction that is upside down, near where it is far, becomes the truth's mean.

    Args:
        prediction: relative inverse depth `[H, W]`, finite.
        truth: inverse depth `[H, W]`, 0 where there is none.

    Returns:
        float64 `[H, W]` in the truth's unit: scale * prediction + shift, which may be negative.

    Raises:
        AccuracyError: the sizes differ, the prediction is not finite, or there is no truth.
    """
    if prediction.shape != truth.shape:
        raise AccuracyError(f"the prediction has shape {prediction.shape}, the truth {truth.shape}: they must be equal")
    if not np.isfinite(prediction).all():
        raise AccuracyError("the prediction has values that are not finite: the network is broken")
    valid = truth > 0
    if not valid.any():
        raise CannotJudgeError(NO_TRUTH)
    predicted = prediction[valid].astype(np.float64)
    system = np.stack([predicted, np.ones_like(predicted)], axis=1)
    known = truth[valid].astype(np.float64)
    scale, shift = np.linalg.lstsq(system, known, rcond=None)[0]
    if scale < 0:
        scale, shift = 0.0, known.mean()
    return np.asarray(scale * prediction.astype(np.float64) + shift)


def measure(
    prediction: Map, truth: Map, *, metric: bool, cap: float = METRES_CAP, scale: float | None = None
) -> Figures:
    """Every figure that a dense (or sparse) truth allows; `whdr` is left None.

    Args:
        prediction: relative inverse depth `[H, W]`, larger is nearer, finite.
        truth: inverse depth `[H, W]`, 0 where there is none.
        metric: whether the truth is in 1/metre.
        cap: the farthest depth in metres, used where it is metric.
        scale: by which the truth's file was multiplied; only for the message about a wrong unit.

    Raises:
        AccuracyError: see `align`.
        CannotJudgeError: see `accuracy.judging.check_truth`.
    """
    aligned = align(prediction, truth)
    check_truth(truth, metric=metric, cap=cap, scale=scale)
    floor = smallest_inverse_depth(truth, metric=metric, cap=cap)
    valid = truth > 0
    depth = 1 / np.maximum(aligned, floor)
    true_depth = 1 / np.maximum(truth.astype(np.float64), floor)
    logarithm = np.log(depth / true_depth)[valid]
    return Figures(
        delta_1=float(np.mean(np.abs(logarithm) < np.log(DELTA))),
        abs_rel=float(np.mean(np.abs(depth - true_depth)[valid] / true_depth[valid])),
        rmse_log=float(np.sqrt(np.mean(logarithm**2))),
        spearman=spearman(prediction[valid], truth[valid]),
        edge_f1=edge_f1(depth, true_depth, valid),
    )


def spearman(first: Map, second: Map) -> float:
    """Rank correlation of two series `[N]`: Pearson's of their ranks, equal values sharing their mean rank.

    0 where one of them is constant.
    """
    a, b = (_ranks(values) for values in (first, second))
    a, b = a - a.mean(), b - b.mean()
    norm = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / norm if norm > 0 else 0.0


def _ranks(values: Map) -> NDArray[np.float64]:
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    return np.asarray((ends - (counts - 1) / 2)[place.reshape(-1)])


def edge_f1(depth: Map, true_depth: Map, valid: Mask) -> float | None:
    """Agreement of depth edges: the harmonic mean of precision and recall.

    A pixel is on an edge where the largest depth in a small window around it is more than 1.15 times the smallest (the
    ratio makes it independent of scale, as in Bochkovskii et al., Depth Pro, ICLR 2025). Precision is the share of the
    prediction's edge pixels that have a true one within 1 % of the picture's diagonal, recall the share of the true
    ones that have a predicted one there (distance tolerance as in Martin et al., Learning to Detect Natural Image
    Boundaries, PAMI 2004). Only pixels count whose whole window has a truth.

    Args:
        depth: the predicted depth, `[H, W]`, above 0.
        true_depth: as `depth`.
        valid: where there is a truth.

    Returns:
        0..1; None where the truth shows no edge, or is too sparse to show any.
    """
    diagonal = float(np.hypot(depth.shape[0], depth.shape[1]))
    window = _disc(max(1, round(EDGE_WINDOW * diagonal)), square=True)
    near = _disc(max(1, round(EDGE_TOLERANCE * diagonal)))
    known = cv2.erode(valid.astype(np.uint8), window, borderType=cv2.BORDER_REPLICATE) > 0
    predicted, true = (_edges(each, window) & known for each in (depth, true_depth))
    if not true.any():
        return None
    if not predicted.any():
        return 0.0
    precision = float(np.mean(_grown(true, near)[predicted]))
    recall = float(np.mean(_grown(predicted, near)[true]))
    return 2 * precision * recall / (precision + recall) if precision + recall > 0 else 0.0


def _edges(depth: Map, window: NDArray[np.uint8]) -> Mask:
    logarithm = np.log(depth).astype(np.float32)
    return np.asarray(cv2.dilate(logarithm, window) - cv2.erode(logarithm, window) > np.log(EDGE_RATIO))


def _grown(mask: Mask, by: NDArray[np.uint8]) -> Mask:
    return np.asarray(cv2.dilate(mask.astype(np.uint8), by) > 0)


def _disc(radius: int, *, square: bool = False) -> NDArray[np.uint8]:
    shape = cv2.MORPH_RECT if square else cv2.MORPH_ELLIPSE
    return np.asarray(cv2.getStructuringElement(shape, (2 * radius + 1, 2 * radius + 1)), np.uint8)


def whdr(prediction: Map, questions: Sequence[Question]) -> float:
    """Weighted human disagreement rate: the weighted share of questions that the prediction answers wrongly.

    The point with the larger inverse depth is the nearer; equal values are a wrong answer. (Chen et al., Single-Image
    Depth Perception in the Wild, NIPS 2016.)

    Args:
        prediction: relative inverse depth `[H, W]` at the photo's size.
        questions: at least one.

    Raises:
        AccuracyError: a point lies outside of the photo.
    """
    height, width = prediction.shape
    wrong = total = 0.0
    for question in questions:
        for x, y in (question.nearer, question.farther):
            if not (0 <= x < width and 0 <= y < height):
                raise AccuracyError(f"the point ({x}, {y}) lies outside of the photo, which is {width}x{height}")
        (near_x, near_y), (far_x, far_y) = question.nearer, question.farther
        wrong += question.weight * bool(prediction[near_y, near_x] <= prediction[far_y, far_x])
        total += question.weight
    return wrong / total


def mean(figures: Sequence[Figures]) -> Figures:
    """The mean of each figure over the photos that have it."""

    def average(name: str) -> float | None:
        values = [value for each in figures if (value := getattr(each, name)) is not None]
        return float(np.mean(values)) if values else None

    return Figures(**{field.name: average(field.name) for field in fields(Figures)})
