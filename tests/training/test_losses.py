"""The loss is blind to what it should be blind to, and to nothing else."""

import numpy as np
import pytest
import torch
from torch import Tensor

from training.losses import ANCHOR, CENTRE, FEWEST_PIXELS, GRADIENT, depth_loss

SHAPE = (3, 32, 48)


def maps(seed: int) -> Tensor:
    return torch.rand(SHAPE, generator=torch.Generator().manual_seed(seed)) + 0.1


@pytest.mark.parametrize(("scale", "shift"), [(1.0, 0.0), (7.0, 0.0), (0.02, 0.0), (1.0, 100.0), (3.0, -5.0)])
def test_scale_and_shift_of_the_prediction_do_not_count(scale: float, shift: float) -> None:
    truth, prediction = maps(0), maps(1) + maps(0)
    expected, loss = depth_loss(prediction, truth), depth_loss(scale * prediction + shift, truth)
    assert torch.allclose(loss.ssi, expected.ssi, rtol=1e-3)
    assert torch.allclose(loss.gradient, expected.gradient, rtol=1e-3)
    exact = depth_loss(scale * truth + shift, truth)
    assert exact.ssi + exact.gradient < 3e-3


@pytest.mark.parametrize(("scale", "shift"), [(20.0, 0.0), (0.001, 0.0), (1.0, 3.0)])
def test_scale_and_shift_of_the_truth_do_not_count(scale: float, shift: float) -> None:
    truth, prediction = maps(0), maps(1) + maps(0)
    loss = depth_loss(prediction, scale * truth + shift)
    assert torch.allclose(loss.total, depth_loss(prediction, truth).total, rtol=1e-3)


def test_near_and_far_are_not_the_same() -> None:
    truth = maps(0)
    assert depth_loss(-truth, truth).ssi > 0.3


def test_the_first_term_by_hand() -> None:
    truth = torch.arange(1.0, 82.0).reshape(1, 9, 9)  # its median is 41, its mean deviation 41 * 40 / 81
    prediction = truth**2
    target = ((truth - 41) / (41 * 40 / 81)).flatten().numpy()
    system = np.stack([prediction.flatten().numpy(), np.ones(81)], axis=1)
    scale, shift = np.linalg.lstsq(system, target, rcond=None)[0]
    errors = np.sort(np.abs(system @ [scale, shift] - target))
    assert depth_loss(prediction, truth, trim=0).ssi == pytest.approx(errors.sum() / (2 * 81), rel=1e-4)
    assert depth_loss(prediction, truth, trim=0.2).ssi == pytest.approx(errors[:64].sum() / (2 * 81), rel=1e-4)


def test_the_anchor_keeps_the_output_where_nothing_is_cut_off() -> None:
    truth = maps(0)
    median = truth.flatten(1).median(dim=1).values[:, None, None]
    centred = truth - median
    target = centred / centred.abs().mean(dim=(1, 2), keepdim=True)
    assert depth_loss(target + CENTRE, truth).anchor < 0.01
    assert depth_loss(target + CENTRE + 2, truth).anchor == pytest.approx(2, abs=0.01)
    loss = depth_loss(maps(1), truth)
    assert torch.allclose(loss.total, loss.ssi + GRADIENT * loss.gradient + ANCHOR * loss.anchor)


def test_the_worst_pixels_are_left_out() -> None:
    truth = maps(0)
    wrong = truth.clone()
    wrong[:, :3] = 3.0  # 9 % of the pixels
    assert depth_loss(wrong, truth, trim=0.2).ssi < 0.8 * depth_loss(wrong, truth, trim=0).ssi


def test_the_gradient_term_sees_edges_at_every_scale() -> None:
    truth = torch.ones(1, 64, 64) + torch.linspace(0, 1, 64)[:, None]
    blurred, offset = truth.clone(), truth.clone()
    blurred[:, 20:40:2] += 0.2  # fine stripes
    offset[:, 32:] += 0.2  # one edge
    assert depth_loss(truth, truth).gradient < 1e-6
    assert depth_loss(blurred, truth).gradient > 1.5 * depth_loss(offset, truth).gradient > 0


def test_pixels_without_truth_do_not_count() -> None:
    truth, prediction = maps(0), maps(1)
    truth[:, 10:20, 5:30] = 0
    other = prediction.clone()
    other[:, 10:20, 5:30] = 1000.0
    assert torch.equal(depth_loss(prediction, truth).total, depth_loss(other, truth).total)


@pytest.mark.parametrize("known", [0, FEWEST_PIXELS - 1])
def test_a_map_with_hardly_any_truth_does_not_count(known: int) -> None:
    truth, prediction = maps(0), maps(1)
    expected = depth_loss(prediction[:2], truth[:2]).total
    truth[2] = 0
    truth[2].view(-1)[:known] = 1.0
    prediction.requires_grad_()
    loss = depth_loss(prediction, truth).total
    assert torch.allclose(loss, expected)
    loss.backward()  # type: ignore[no-untyped-call]
    assert prediction.grad is not None
    assert torch.isfinite(prediction.grad).all()
    assert not prediction.grad[2].any()


@pytest.mark.parametrize("constant", ["prediction", "truth", "everything unknown"])
def test_what_has_no_scale_gives_numbers(constant: str) -> None:
    truth, prediction = maps(0), maps(1)
    if constant == "prediction":
        prediction = torch.zeros(SHAPE)
    elif constant == "truth":
        truth = torch.ones(SHAPE)
    else:
        truth = torch.zeros(SHAPE)
    prediction.requires_grad_()
    loss = depth_loss(prediction, truth).total
    loss.backward()  # type: ignore[no-untyped-call]
    assert prediction.grad is not None
    assert torch.isfinite(loss)
    assert torch.isfinite(prediction.grad).all()


def test_following_the_gradient_makes_it_smaller() -> None:
    truth = maps(0)
    prediction = maps(1).requires_grad_()
    optimizer = torch.optim.Adam([prediction], lr=0.05)
    first = depth_loss(prediction, truth).total.detach()
    for _ in range(60):
        optimizer.zero_grad()
        depth_loss(prediction, truth).total.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    assert depth_loss(prediction, truth).total < 0.4 * first
