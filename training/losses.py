"""The loss of MiDaS: blind to scale and shift of inverse depth, deaf to the worst pixels, strict about edges.

Source: Ranftl, Lasinger, Hafner, Schindler, Koltun, "Towards Robust Monocular Depth Estimation: Mixing Datasets for
Zero-shot Cross-dataset Transfer" (TPAMI 2022), section 5: a prediction is aligned to the truth by least squares in
scale and shift, its trimmed absolute error is taken, and the multi-scale gradient matching term on the same aligned
maps (after Li and Snavely, "MegaDepth", CVPR 2018). The truth is first brought to zero median and unit mean absolute
deviation, so that every photo counts alike.

The paper's other way, to normalise the prediction by its own median and deviation as well, was tried and failed from an
encoder that knows nothing of depth: the network learned to draw one column of huge values, which sets the deviation and
is then trimmed. Alignment by least squares gains nothing from outliers.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

SCALES = 4  # of the gradient term: full size, a half, a quarter, an eighth
TRIM = 0.2
GRADIENT = 0.5
FEWEST_PIXELS = 64  # a map with fewer pixels of truth says nothing about its scale

# The two terms say nothing about the output's own scale and shift, and nothing at all to an output that is flat or
# upside down, as a fresh decoder's is. A pull towards the normalised truth plus a constant gets it off the ground, and
# keeps it clear of the last ReLU, which would cut off what is far.
CENTRE = 3.0
ANCHOR = 1.0

_EPSILON = 1e-6


@dataclass(frozen=True)
class Loss:
    """Means over the batch, scalars.

    Attributes:
        ssi: the trimmed scale- and shift-invariant term.
        gradient: the gradient matching term, not yet weighted.
        anchor: mean distance from the normalised truth at its place, not yet weighted; not invariant.
        total: ssi + weight * gradient + ANCHOR * anchor; the one to differentiate.
    """

    ssi: Tensor
    gradient: Tensor
    anchor: Tensor
    total: Tensor


@dataclass(frozen=True)
class Place:
    """Where a network's output lies: the normalised truth times `spread`, plus `centre`."""

    centre: float
    spread: float


FRESH = Place(CENTRE, 1.0)


def depth_loss(
    prediction: Tensor, truth: Tensor, *, trim: float = TRIM, gradient: float = GRADIENT, place: Place = FRESH
) -> Loss:
    """How far predictions are from truths, whatever the scale and shift of either.

    Args:
        prediction: relative inverse depth, float32 (B, H, W).
        truth: inverse depth, float32 (B, H, W), in any unit, with any shift; 0 where there is none. Maps with fewer
            than 64 known pixels count as 0.
        trim: share of a map's pixels, those with the largest errors, that are left out of the first term: labels
            are wrong somewhere.
        gradient: weight of the gradient term.
        place: where the anchor holds the output.
    """
    known = truth > 0
    usable = known.flatten(1).sum(1) >= FEWEST_PIXELS
    known = known & usable[:, None, None]
    target = _normalised(truth, known)
    residual = torch.where(known, _aligned(prediction, target, known) - target, 0.0)
    count = usable.sum().clamp(min=1)
    ssi = _trimmed(residual, known, trim).sum() / count
    matching = _gradient_matching(residual, known).sum() / count
    placed = (prediction - place.centre) / place.spread
    distance = torch.where(known, (placed - target).abs(), 0.0)
    anchor = (distance.flatten(1).sum(1) / known.flatten(1).sum(1).clamp(min=1)).sum() / count
    return Loss(ssi, matching, anchor, ssi + gradient * matching + ANCHOR * anchor)


def _normalised(values: Tensor, known: Tensor) -> Tensor:
    """Zero median and unit mean absolute deviation over the known pixels: (B, H, W) -> (B, H, W), 0 elsewhere."""
    hidden = torch.where(known, values, torch.nan).flatten(1)
    median = torch.nan_to_num(hidden.nanmedian(dim=1).values)[:, None, None]
    centred = torch.where(known, values - median, 0.0)
    return centred / _mean(centred.abs(), known).clamp(min=_EPSILON)


def _aligned(prediction: Tensor, target: Tensor, known: Tensor) -> Tensor:
    """The least-squares fit scale * prediction + shift to the target over the known pixels; no scale below 0."""
    around = prediction - _mean(prediction, known)
    scale = _mean(around * target, known) / _mean(around * around, known).clamp(min=_EPSILON)
    return scale.clamp(min=0) * around + _mean(target, known)


def _mean(values: Tensor, known: Tensor) -> Tensor:
    """Mean over each map's known pixels: (B, H, W) -> (B, 1, 1)."""
    total = torch.where(known, values, 0.0).flatten(1).sum(1)
    return (total / known.flatten(1).sum(1).clamp(min=1))[:, None, None]


def _trimmed(residual: Tensor, known: Tensor, trim: float) -> Tensor:
    """Half the mean absolute residual of each map, (B,), without the `trim` largest ones."""
    losses = []
    for errors, mask in zip(residual.abs(), known, strict=True):
        values = errors[mask]
        if values.numel() == 0:
            losses.append(errors.sum() * 0)
            continue
        kept = max(1, int((1 - trim) * values.numel()))
        limit = values.detach().kthvalue(kept).values
        losses.append(values[values <= limit].sum() / (2 * values.numel()))
    return torch.stack(losses)


def _gradient_matching(residual: Tensor, known: Tensor) -> Tensor:
    """Mean absolute gradient of each map's residual, (B,), summed over the scales."""
    total = residual.new_zeros(len(residual))
    for scale in range(SCALES):
        step = 2**scale
        r, m = residual[:, ::step, ::step], known[:, ::step, ::step]
        across = (r[:, :, 1:] - r[:, :, :-1]).abs() * (m[:, :, 1:] & m[:, :, :-1])
        down = (r[:, 1:] - r[:, :-1]).abs() * (m[:, 1:] & m[:, :-1])
        total = total + (across.flatten(1).sum(1) + down.flatten(1).sum(1)) / m.flatten(1).sum(1).clamp(min=1)
    return total
