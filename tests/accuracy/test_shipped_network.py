"""The shipped network, served, is as right as it was measured to be on renders whose depth is exact.

Each folder of `renders/` was made by one command, with the width, height and seed of `RENDERS`:
`python -m training.scenes --count 2 --width 208 --height 208 --seed 4001 --out tests/accuracy/renders/1x1`.
"""

from functools import partial
from pathlib import Path
from typing import Literal, NamedTuple

import pytest

from accuracy.evaluate import evaluate
from accuracy.pair import LIMITS
from accuracy.predictors import served_at
from accuracy.samples import read_samples
from accuracy.subjects import Subject
from midas_server.imaging.probe import probe
from midas_server.launch import Triton
from tests.networks import DEFAULT

FOLDER = Path(__file__).parent / "renders"
Aspect = Literal["keep", "square"]


class Render(NamedTuple):
    width: int
    height: int
    seed: int


RENDERS = {
    "1x1": Render(208, 208, 4001),
    "4x3": Render(240, 180, 4002),
    "16x9": Render(272, 153, 4005),
    "3x1": Render(360, 120, 4008),
}


# AbsRel and delta-1 as measured, the means of the two renders: to be measured anew with new weights.
# "keep" gives the network a wide photo as a strip.
MEASURED: dict[tuple[str, Aspect], tuple[float, float]] = {
    ("1x1", "keep"): (0.521, 0.736),
    ("1x1", "square"): (0.521, 0.736),
    ("4x3", "keep"): (0.069, 0.919),
    ("4x3", "square"): (0.092, 0.885),
    ("16x9", "keep"): (0.280, 0.559),
    ("16x9", "square"): (0.246, 0.628),
    ("3x1", "keep"): (0.229, 0.541),
    ("3x1", "square"): (0.234, 0.654),
}
TOLERANCE = 0.01  # processors round differently


@pytest.mark.parametrize(("name", "aspect"), MEASURED)
def test_it_is_as_right_as_it_was(triton: Triton, name: str, aspect: Aspect) -> None:
    samples = read_samples([FOLDER / name])
    result = evaluate(Subject(DEFAULT, partial(served_at, triton.grpc_url, DEFAULT, {"aspect": aspect})), samples)
    assert len(result.photos) == 2
    abs_rel, delta_1 = MEASURED[name, aspect]
    assert result.mean.abs_rel is not None
    assert result.mean.abs_rel < abs_rel + TOLERANCE
    assert result.mean.delta_1 is not None
    assert result.mean.delta_1 > delta_1 - TOLERANCE


@pytest.mark.parametrize("name", RENDERS)
def test_the_renders_have_the_size_that_their_command_names(name: str) -> None:
    photos = [*(FOLDER / name).glob("*.jpg")]
    assert len(photos) == 2
    for photo in photos:
        header = probe(photo.read_bytes(), LIMITS)
        assert (header.width, header.height) == RENDERS[name][:2]
