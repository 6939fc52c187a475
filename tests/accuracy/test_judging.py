"""A truth by which every prediction would come out perfect is refused, with the reason and the likely unit."""

import numpy as np
import pytest
from numpy.typing import NDArray

from accuracy.errors import AccuracyError, CannotJudgeError
from accuracy.judging import check_prediction, check_shapes, check_truth
from accuracy.metrics import measure

Map = NDArray[np.float32]

ROOM: Map = np.repeat(np.linspace(0.8, 4.3, 60, dtype=np.float32)[:, np.newaxis], 80, axis=1)  # metres


def inverse(depth: Map, share: float = 1.0) -> Map:
    """Inverse depth, of which only the first `share` of the rows is a truth."""
    found = (1 / depth).astype(np.float32)
    found[round(share * len(found)) :] = 0
    return found


@pytest.mark.parametrize(
    ("truth", "scale", "message"),
    [
        (
            inverse(1000.0 * ROOM),
            1.0,
            r"the depths are 800 to 4,300 m, all of it beyond the cap of 80 m: .* millimetres\? Then scale=0.001$",
        ),
        (inverse(1e6 * ROOM), 1000.0, r"800,000 to 4,300,000 m, .* millimetres\? Then scale=0.001$"),
        (inverse(100.0 * ROOM), 1.0, r"centimetres\? Then scale=0.01$"),
        (inverse(1000.0 * ROOM), None, r"millimetres\? Then scale=0.001$"),
        (inverse(1e9 * ROOM), 1.0, r"beyond the cap of 80 m: is the scale right\?$"),
        (inverse(ROOM * 0.001), 0.001, r"0.0008 to 0.0043 m, all of it nearer .* metres\? Then scale=1$"),
        (np.full((60, 80), 0.5, np.float32), 1.0, "hardly any spread: a picture of one depth is right within 0 %"),
        (inverse(2 + 0.004 * ROOM), 1.0, "hardly any spread"),
        (np.array([[0.5, 1.0]], np.float32), 1.0, "only 2 pixels have a truth: at least 100 are needed"),
        (inverse(ROOM, 1 / 60), 1.0, "only 80 pixels"),
        (np.zeros((60, 80), np.float32), 1.0, "no pixel with a truth: what is not finite, not above 0, or masked"),
        (np.zeros((0, 0), np.float32), 1.0, "no pixel with a truth"),
    ],
)
def test_a_truth_that_cannot_judge(truth: Map, scale: float | None, message: str) -> None:
    with pytest.raises(CannotJudgeError, match=message):
        check_truth(truth, metric=True, scale=scale)
    with pytest.raises(CannotJudgeError):
        measure(np.random.default_rng(0).random(truth.shape), truth, metric=True, scale=scale)


def test_a_truth_that_is_almost_all_beyond_the_cap() -> None:
    depth = np.full((60, 80), 300.0, np.float32)
    depth[:5] = np.linspace(1, 20, 80)
    with pytest.raises(CannotJudgeError, match=r"91.7 % of it beyond the cap of 80 m"):
        check_truth(inverse(depth), metric=True)
    check_truth(inverse(depth), metric=True, cap=400)
    depth[:10] = np.linspace(1, 20, 80)
    check_truth(inverse(depth), metric=True)


def test_one_pixel_that_is_far_too_near_caps_a_truth_without_a_unit() -> None:
    truth = inverse(ROOM)
    check_truth(truth, metric=False)
    truth[0, 0] = 1e6
    with pytest.raises(CannotJudgeError, match="of the truth is over 100 times as far as its nearest pixel"):
        check_truth(truth, metric=False)


@pytest.mark.parametrize("metres", [0.05, 1.0, 15.0])
def test_sound_truths_judge(metres: float) -> None:
    check_truth(inverse(ROOM * metres), metric=True)
    check_truth(inverse(ROOM * metres) * 1e-3, metric=False)
    check_truth(inverse(ROOM, 1 / 20), metric=True)  # few pixels, but enough


def test_a_flat_prediction_and_another_shape_are_told() -> None:
    with pytest.raises(AccuracyError, match=r"same value everywhere \(0.5\)"):
        check_prediction(np.full((4, 4), 0.5, np.float32))
    check_shapes((1242, 375, 3), (621, 188))
    with pytest.raises(CannotJudgeError, match="the photo is 640x480 and its truth 480x640"):
        check_shapes((480, 640, 3), (640, 480))
