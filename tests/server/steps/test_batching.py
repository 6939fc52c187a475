"""Photos of many clients run through the network together, and each gets the answer that it would get alone."""

import io
import random
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageOps

from midas_server.launch import Triton
from tests.networks import DEFAULT
from tests.server.load import ANSWERED, Load

AT_ONCE = 16
REQUESTS = 96
NETWORK = f"{DEFAULT}_network"
SMALL = {"output_size": "network"}
# What takes the network longer than the photo's preprocessing, on a fast machine too: photos gather before it.
LONG = {**SMALL, "resolution": 448}


def photos(photo: bytes) -> list[bytes]:
    """Four photos of one size that look different, so that an answer to another's photo is noticed."""
    image = Image.open(io.BytesIO(photo)).convert("RGB")
    made = []
    for other in (image, ImageOps.mirror(image), ImageOps.flip(image), ImageOps.invert(image)):
        file = io.BytesIO()
        other.save(file, "JPEG", quality=90)
        made.append(file.getvalue())
    return made


def turned(photo: bytes) -> bytes:
    file = io.BytesIO()
    Image.open(io.BytesIO(photo)).transpose(Image.Transpose.ROTATE_90).save(file, "JPEG", quality=90)
    return file.getvalue()


def run(load: Load, kinds: list[tuple[bytes, Mapping[str, Any]]]) -> float:
    """Send the kinds in any order, sixteen at a time; check every answer; executions of the network per photo."""
    alone = [load.send(*kind).depth for kind in kinds]
    order = [number % len(kinds) for number in range(REQUESTS)]
    random.Random(0).shuffle(order)  # noqa: S311  (an order, not a secret)
    before = load.counts(NETWORK)
    outcomes = load.crowd((kinds[kind] for kind in order), AT_ONCE)
    after = load.counts(NETWORK)
    assert {outcome.status for outcome in outcomes} == {ANSWERED}
    for kind, outcome in zip(order, outcomes, strict=True):
        expected = alone[kind]
        assert expected is not None
        assert outcome.depth is not None
        error = np.linalg.norm(outcome.depth - expected) / np.linalg.norm(expected)
        assert error < 1e-5
    assert after[0] - before[0] == REQUESTS
    return (after[1] - before[1]) / REQUESTS


def test_equal_shapes_are_batched_across_clients(triton: Triton, photo: bytes) -> None:
    with Load(triton, DEFAULT) as load:
        ratio = run(load, [(data, LONG) for data in photos(photo)])
    print(f"{ratio:.2f} executions a photo")
    assert ratio <= 1 / 3


def test_squares_are_batched_whatever_the_photos(triton: Triton, photo: bytes) -> None:
    square = {**LONG, "aspect": "square"}
    with Load(triton, DEFAULT) as load:
        ratio = run(load, [(data, square) for data in (*photos(photo), turned(photo))])
    print(f"{ratio:.2f} executions a photo")
    assert ratio <= 1 / 3


@pytest.mark.parametrize("shapes", [2, 4])
def test_mixed_shapes_are_answered_right(triton: Triton, photo: bytes, shapes: int) -> None:
    """Triton merges only neighbours of equal shape, so that there is little to gain here."""
    kinds: list[tuple[bytes, Mapping[str, Any]]] = [(photo, SMALL), (turned(photo), SMALL)]
    kinds += [(photo, {**SMALL, "aspect": "square"}), (photo, {**SMALL, "resolution": 128})]
    with Load(triton, DEFAULT) as load:
        print(f"{run(load, kinds[:shapes]):.2f} executions a photo")
