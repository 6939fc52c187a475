"""What a build's error is: the worst photo, alone and in every slot of a batch."""

from collections.abc import Callable

import numpy as np
import pytest

from export.graph.parity import Depth, Pixels, noise
from export.targets.verdict import error_on

PHOTOS = [noise((1, 32, 64)), noise((1, 64, 32))]


def exact(pixels: Pixels) -> Depth:
    """(B, H, W, 3) -> (B, H, W)."""
    return np.asarray(pixels.mean(axis=-1) + 1, np.float32)


def wrong_where(broken: Callable[[Depth], None], size: int) -> Callable[[Pixels], Depth]:
    """A runner that `broken` changes the output of, in batches of `size` alone."""

    def run(pixels: Pixels) -> Depth:
        depth = exact(pixels)
        if len(depth) == size:
            broken(depth)
        return depth

    return run


def scale_the_last(depth: Depth) -> None:
    depth[-1] *= 1.5


def exchange_two(depth: Depth) -> None:
    depth[[0, 1]] = depth[[1, 0]]


def repeat_the_first(depth: Depth) -> None:
    depth[:] = depth[:1]


def lose_a_value(depth: Depth) -> None:
    depth[1, 0, 0] = np.nan


REFERENCES = [exact(photo) for photo in PHOTOS]


def test_the_worst_photo_counts() -> None:
    assert error_on(PHOTOS, exact, REFERENCES, 4) == 0
    assert error_on(PHOTOS, exact, [REFERENCES[0], REFERENCES[1] * 2]) == pytest.approx(0.5)


@pytest.mark.parametrize("batch", [2, 3])
@pytest.mark.parametrize(
    ("broken", "least"),
    [(scale_the_last, 0.4), (exchange_two, 0.1), (repeat_the_first, 0.1), (lose_a_value, np.inf)],
)
def test_every_slot_of_a_batch_is_judged(broken: Callable[[Depth], None], least: float, batch: int) -> None:
    run = wrong_where(broken, batch)
    assert error_on(PHOTOS, run, REFERENCES) == 0  # no photo alone shows it
    assert error_on(PHOTOS, run, REFERENCES, batch) >= least
