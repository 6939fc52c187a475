"""The figures of depth maps whose errors are known."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from accuracy.errors import AccuracyError
from accuracy.metrics import LARGER_IS_BETTER, Figures, align, edge_f1, mean, measure, spearman, whdr
from accuracy.ordinal import Question

Map = NDArray[np.float32]


@pytest.fixture
def truth() -> Map:
    """Inverse depth of a floor with a box on it, 1 to 10 m away, and a corner without truth."""
    inverse = np.repeat(np.linspace(0.1, 0.5, 60, dtype=np.float32)[:, np.newaxis], 80, axis=1)
    inverse[20:40, 30:50] = 1.0
    inverse[:5, :5] = 0
    return inverse


@pytest.mark.parametrize("metric", [True, False])
@pytest.mark.parametrize(("scale", "shift"), [(1.0, 0.0), (37.0, -4.0), (1e-4, 5.0), (1000.0, 1e3)])
def test_right_up_to_scale_and_shift_is_perfect(truth: Map, metric: bool, scale: float, shift: float) -> None:
    figures = measure(truth.astype(np.float64) * scale + shift, truth, metric=metric)
    assert figures.delta_1 == 1
    assert figures.abs_rel == pytest.approx(0, abs=1e-5)
    assert figures.rmse_log == pytest.approx(0, abs=1e-5)
    assert figures.spearman == pytest.approx(1)
    assert figures.edge_f1 == 1


def test_alignment_is_the_least_squares_line() -> None:
    x, y = np.array([[0.0, 1.0, 2.0, 3.0]]), np.array([[1.0, 3.0, 2.0, 5.0]])
    # slope 1.1 and intercept 1.1 by the textbook's formula
    np.testing.assert_allclose(align(x, y), [[1.1, 2.2, 3.3, 4.4]])


def test_pixels_without_truth_do_not_count(truth: Map) -> None:
    prediction = truth.copy()
    prediction[truth == 0] = 1e6
    assert measure(prediction, truth, metric=True).abs_rel == pytest.approx(0, abs=1e-6)


def test_known_errors() -> None:
    truth = many([0.5, 0.5, 1.0, 1.0]).astype(np.float32)
    prediction = many([0.65, 0.35, 1.1, 0.9])
    np.testing.assert_allclose(align(prediction * 3.0 + 5.0, truth), _line(prediction), atol=1e-6)
    aligned = _line(prediction)[0]
    figures = measure(prediction, truth, metric=True)
    ratios = [0.5 / aligned[0], 0.5 / aligned[1], 1 / aligned[2], 1 / aligned[3]]  # depth / true depth
    assert figures.delta_1 == sum(0.8 < ratio < 1.25 for ratio in ratios) / 4 == 0.75
    assert figures.abs_rel == pytest.approx(sum(abs(ratio - 1) for ratio in ratios) / 4)
    assert figures.rmse_log == pytest.approx(math.sqrt(sum(math.log(ratio) ** 2 for ratio in ratios) / 4))


def many(row: list[float]) -> NDArray[np.float64]:
    """50 rows that are alike: enough pixels to judge by, and the same means."""
    return np.tile(np.array([row]), (50, 1))


def _line(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """The regression line of [0.5, 0.5, 1, 1] by the textbook's formula: slope = covariance / variance."""
    y = many([0.5, 0.5, 1.0, 1.0])
    slope = float(np.mean((x - x.mean()) * (y - y.mean())) / np.mean((x - x.mean()) ** 2))
    return np.asarray(slope * (x - x.mean()) + y.mean())


def test_a_flat_prediction_is_the_mean_inverse_depth() -> None:
    truth = many([0.5, 0.5, 1.0, 1.0]).astype(np.float32)
    # It becomes 0.75, so depth 4/3 against 2 and 1: a third too near and a third too far.
    figures = measure(np.full((50, 4), 7.0), truth, metric=True)
    assert figures.abs_rel == pytest.approx(1 / 3)
    assert figures.delta_1 == 0
    assert figures.rmse_log == pytest.approx(np.sqrt((np.log(1.5) ** 2 + np.log(4 / 3) ** 2) / 2))
    assert figures.spearman == 0


def test_depth_is_capped() -> None:
    truth = many([1.0, 0.5, 1 / 200]).astype(np.float32)  # 200 m
    assert measure(truth, truth, metric=True, cap=80).abs_rel == pytest.approx(0, abs=1e-6)
    # What the alignment puts behind infinity counts as the cap.
    far = many([1.0, 0.5, 0.0, 0.25])
    true = many([1.0, 0.2, 0.1, 0.1]).astype(np.float32)
    aligned = align(far, true)
    assert aligned.min() < 0
    expected = np.abs(1 / np.maximum(aligned, 1 / 10) - 1 / true) * true
    assert measure(far, true, metric=True, cap=10).abs_rel == pytest.approx(expected.mean())


def test_without_a_unit_the_cap_is_a_hundred_times_the_nearest() -> None:
    truth = many([1000.0, 500.0, 1.0]).astype(np.float32)
    prediction = truth.copy()
    prediction[:, 2] = 10  # the same as 1: both are as far as it counts
    assert measure(prediction, truth, metric=False).abs_rel == pytest.approx(0, abs=0.01)


def test_spearman_of_ties_and_of_opposites() -> None:
    rising = np.arange(10.0)
    assert spearman(rising, rising**3) == pytest.approx(1)
    assert spearman(rising, -rising) == pytest.approx(-1)
    # 0.9487 by hand: ranks 1, 2.5, 2.5, 4 against 1, 2, 3, 4
    assert spearman(np.array([1.0, 2.0, 2.0, 3.0]), np.arange(4.0)) == pytest.approx(0.9487, abs=1e-4)
    assert spearman(np.ones(4), np.arange(4.0)) == 0


def square(left: int) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    depth = np.full((200, 200), 2.0)
    depth[60:140, left : left + 80] = 1.0
    return depth, np.ones((200, 200), bool)


def test_edges_near_the_true_ones_count_and_others_do_not() -> None:
    true, valid = square(60)
    assert edge_f1(true, true, valid) == 1
    assert edge_f1(true * 3, true, valid) == 1  # it compares ratios
    moved = edge_f1(square(62)[0], true, valid)
    assert moved is not None
    assert moved > 0.95  # within 1 % of the diagonal
    far_off = edge_f1(square(10)[0], true, valid)
    assert far_off is not None
    assert far_off < 0.6
    assert edge_f1(np.full((200, 200), 2.0), true, valid) == 0


def test_edges_need_a_truth_that_is_dense_and_has_some() -> None:
    true, valid = square(60)
    assert edge_f1(true, np.full((200, 200), 2.0), valid) is None
    sparse = np.zeros_like(valid)
    sparse[::3, ::3] = True
    assert edge_f1(true, true, sparse) is None


def test_whdr_weighs_the_wrong_answers() -> None:
    prediction = np.array([[0.0, 1.0, 2.0], [2.0, 2.0, 2.0]], np.float32)
    right, wrong = Question((2, 0), (0, 0), 3.0), Question((1, 0), (2, 0), 1.0)
    assert whdr(prediction, [right]) == 0
    assert whdr(prediction, [right, wrong]) == 0.25
    assert whdr(prediction, [Question((0, 1), (1, 1))]) == 1  # equal is no answer
    with pytest.raises(AccuracyError, match=r"\(3, 0\) lies outside of the photo, which is 3x2"):
        whdr(prediction, [Question((3, 0), (0, 0))])


def test_a_prediction_that_is_upside_down_counts_as_a_flat_one(truth: Map) -> None:
    """By a negative scale it would come out perfect."""
    figures, flat = (measure(each, truth, metric=True) for each in (-truth, np.full_like(truth, 3.0)))
    assert figures.spearman == pytest.approx(-1)
    assert figures.abs_rel == pytest.approx(flat.abs_rel)
    assert figures.delta_1 == flat.delta_1
    assert figures.delta_1 is not None
    assert figures.delta_1 < 0.6


@pytest.mark.parametrize(
    ("prediction", "truth", "message"),
    [
        (np.ones((2, 3)), np.ones((3, 2)), "must be equal"),
        (np.full((2, 2), np.nan), np.ones((2, 2)), "not finite"),
        (np.ones((2, 2)), np.zeros((2, 2)), "no pixel with a truth"),
    ],
)
def test_what_cannot_be_measured_is_told(
    prediction: NDArray[np.float64], truth: NDArray[np.float64], message: str
) -> None:
    with pytest.raises(AccuracyError, match=message):
        measure(prediction, truth, metric=False)


def test_means_leave_out_what_is_missing() -> None:
    figures = mean([Figures(abs_rel=0.25, edge_f1=0.5), Figures(abs_rel=0.75), Figures(whdr=0.2)])
    assert figures == Figures(abs_rel=0.5, edge_f1=0.5, whdr=0.2)
    assert set(vars(figures)) == set(LARGER_IS_BETTER)
