"""A network on photos that it was not trained on: the figures of the accuracy command, and the depth maps."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from accuracy.errors import AccuracyError, CannotJudgeError
from accuracy.judging import check_shapes, check_truth
from accuracy.metrics import Figures, measure
from accuracy.pair import Pair, read_photo, read_truth
from export.graph.trace import FromPixels
from export.variants.row import Variant
from midas_server.imaging.geometry import resize_depth, resize_photo
from midas_server.imaging.network_size import network_size
from training.errors import TrainingError


@dataclass(frozen=True)
class Evaluated:
    """One photo with its figures and what they were made from; arrays at the truth's size.

    Attributes:
        pair: which.
        figures: see `accuracy.metrics`.
        photo: uint8 RGB [H, W, 3].
        truth: inverse depth float32 [H, W], 0 where there is none.
        depth: what the network gave, float32 [H, W], larger is nearer.
    """

    pair: Pair
    figures: Figures
    photo: NDArray[np.uint8]
    truth: NDArray[np.float32]
    depth: NDArray[np.float32]


def judging(pairs: Iterable[Pair], leave_out: Callable[[str], None]) -> Iterator[Pair]:
    """The pairs whose truth says something about a depth map; `leave_out` is told each of the others, with the reason.

    Raises:
        TrainingError: a photo or its truth cannot be read.
    """
    for pair in pairs:
        try:
            truth = read_truth(pair)
            check_shapes(read_photo(pair).shape, truth.shape)
            check_truth(truth, metric=pair.kind == "depth", scale=pair.scale)
        except CannotJudgeError as error:
            leave_out(f"{pair.photo}{f' ({pair.row})' if pair.row else ''}: {error}")
        except AccuracyError as error:
            raise TrainingError(f"{pair.photo}: {error}") from error
        else:
            yield pair


def evaluate(network: nn.Module, variant: Variant, pairs: Iterable[Pair], device: torch.device) -> Iterator[Evaluated]:
    """Run the network on each photo at its default size, as the server would, in float32.

    Raises:
        TrainingError: a photo or its truth cannot be read, the truth cannot judge (see `judging`), or the network gives
            no numbers.
    """
    pixels_network = FromPixels(network, variant.mean, variant.std).to(device).eval()
    for pair in pairs:
        try:
            photo, truth = read_photo(pair), read_truth(pair)
            height, width = photo.shape[:2]
            size = network_size(width, height, variant.resolution, variant.default_rule, variant.multiple)
            small = resize_photo(photo, size)
            with torch.inference_mode():
                depth = pixels_network(torch.from_numpy(small)[None].to(device))[0].cpu().numpy()
            size = (truth.shape[1], truth.shape[0])
            depth = resize_depth(depth, size)
            figures = measure(depth, truth, metric=pair.kind == "depth")
        except AccuracyError as error:
            raise TrainingError(f"{pair.photo}: {error}") from error
        if photo.shape[:2] != truth.shape:
            photo = resize_photo(photo, size)
        yield Evaluated(pair, figures, photo, truth, depth)


def in_words(figures: Figures) -> str:
    """The figures that matter most, in a line."""
    named = {
        "AbsRel": figures.abs_rel,
        "delta-1": figures.delta_1,
        "Spearman": figures.spearman,
        "edge F1": figures.edge_f1,
    }
    return ", ".join(f"{name} {value:.3f}" for name, value in named.items() if value is not None)
