"""Whether a truth can judge a depth map: with some, every prediction would come out perfect.

Scale and shift are fitted to each photo, so a truth of two pixels is always met, and one of a single depth as well:
that of a wall, or of a photo that lies wholly beyond the cap because its unit is wrong.
"""

import numpy as np
from numpy.typing import NDArray

from accuracy.errors import AccuracyError, CannotJudgeError

Map = NDArray[np.float32] | NDArray[np.float64]

METRES_CAP = 80.0
# Where the truth has no unit, a photo's farthest depth is this many times its nearest; 80 m stand in about that
# ratio to what is nearest in photos of rooms and streets.
UNITLESS_CAP = 100.0

FEWEST_PIXELS = 100
NO_TRUTH = "there is no pixel with a truth: what is not finite, not above 0, or masked is none"
LEAST_WITHIN_CAP = 0.1
# AbsRel of a picture of one depth; what is less says nothing.
LEAST_SPREAD = 0.01
# The 99th percentile in metres; no camera for photos is that close to all that it shows.
NEAREST_FARTHEST = 0.01

# How far the shapes of a photo and its truth may be apart (KITTI's raw photos and depth agree to a pixel).
ASPECT_TOLERANCE = 0.02

# Units by the median of the values as they stand in the file.
_UNITS = (
    ("metres", "1", 0.1, 60.0),
    ("centimetres", "0.01", 60.0, 300.0),
    ("millimetres", "0.001", 300.0, 60_000.0),
)


def smallest_inverse_depth(truth: Map, *, metric: bool, cap: float = METRES_CAP) -> float:
    """The inverse depth of the farthest depth that counts; prediction and truth are capped there.

    Args:
        truth: inverse depth `[H, W]`, with at least one value above 0.
        metric: whether it is in 1/metre.
        cap: metres, used where it is metric.
    """
    return 1 / cap if metric else float(truth.max()) / UNITLESS_CAP


def check_truth(truth: Map, *, metric: bool, cap: float = METRES_CAP, scale: float | None = None) -> None:
    """Refuse a truth that says nothing about a depth map.

    Args:
        truth: inverse depth `[H, W]`, 0 where there is none.
        metric: whether it is in 1/metre.
        cap: the farthest depth in metres that counts, used where it is metric.
        scale: by which the values were multiplied to get metres, for a better message; None if that is not known.

    Raises:
        CannotJudgeError: with the reason, and the unit that the values may have.
    """
    known = truth[truth > 0].astype(np.float64)
    if known.size == 0:
        raise CannotJudgeError(NO_TRUTH)
    if known.size < FEWEST_PIXELS:
        raise CannotJudgeError(f"only {known.size} pixels have a truth: at least {FEWEST_PIXELS} are needed")
    floor = smallest_inverse_depth(truth, metric=metric, cap=cap)
    within = float(np.mean(known >= floor))
    if within < LEAST_WITHIN_CAP:
        raise CannotJudgeError(_beyond(known, within, metric=metric, cap=cap, scale=scale))
    if metric and 1 / np.percentile(known, 1) < NEAREST_FARTHEST:
        raise CannotJudgeError(f"{_span(known)}, all of it nearer than a photo can be{_unit(known, scale)}")
    capped = np.maximum(known, floor)
    spread = float(np.mean(np.abs(capped / capped.mean() - 1)))
    if spread < LEAST_SPREAD:
        raise CannotJudgeError(
            f"the truth has hardly any spread: a picture of one depth is right within {100 * spread:.2g} %"
        )


def check_shapes(photo: tuple[int, ...], truth: tuple[int, ...]) -> None:
    """Refuse a truth whose sides are not in proportion to the photo's; both are shapes (H, W, ...).

    Raises:
        CannotJudgeError: they do not show the same.
    """
    if abs(photo[1] / photo[0] * truth[0] / truth[1] - 1) > ASPECT_TOLERANCE:
        raise CannotJudgeError(
            f"the photo is {photo[1]}x{photo[0]} and its truth {truth[1]}x{truth[0]}: they must show the same, "
            "so their sides must be in proportion"
        )


def check_prediction(prediction: Map) -> None:
    """Refuse a depth map of one value, `[H, W]`.

    Raises:
        AccuracyError: it is one.
    """
    if prediction.min() == prediction.max():
        raise AccuracyError(
            f"the depth map has the same value everywhere ({prediction.flat[0]:g}), so it shows nothing"
        )


def _beyond(known: NDArray[np.float64], within: float, *, metric: bool, cap: float, scale: float | None) -> str:
    share = "all" if within == 0 else f"{100 * (1 - within):.3g} %"
    if metric:
        return f"{_span(known)}, {share} of it beyond the cap of {cap:g} m{_unit(known, scale)}"
    return (
        f"{share} of the truth is over {UNITLESS_CAP:g} times as far as its nearest pixel: "
        "are there pixels that are far too near, or is its kind depth?"
    )


def _span(known: NDArray[np.float64]) -> str:
    near, far = 1 / np.percentile(known, (99, 1))
    return f"the depths are {near:.3g} to {far:.3g} m" if far < 1e3 else f"the depths are {near:,.0f} to {far:,.0f} m"


def _unit(known: NDArray[np.float64], scale: float | None) -> str:
    """A question about the unit of the values in the file, with the scale that it would take."""
    middle = 1 / float(np.median(known)) / (scale or 1.0)
    for unit, factor, least, most in _UNITS:
        if least <= middle < most and (scale is None or abs(scale / float(factor) - 1) > 1e-6):
            return f": are the values {unit}? Then scale={factor}"
    return ": is the scale right?"
