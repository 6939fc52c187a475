"""What several export tests share: the untrained network and its graph are made once."""

import pytest
from torch import nn

from export.graph.contract import serialized
from export.graph.trace import FromPixels, to_onnx
from export.networks import build
from export.variants import VARIANTS
from export.variants.row import Variant
from export.weights.untrained import fill_untrained

SMALL = "midas_v21_small_256"


@pytest.fixture(scope="session")
def small() -> Variant:
    return VARIANTS[SMALL]


@pytest.fixture(scope="session")
def untrained_network() -> nn.Module:
    network = build(SMALL)
    fill_untrained(network)
    return network


@pytest.fixture(scope="session")
def pixels_network(untrained_network: nn.Module, small: Variant) -> FromPixels:
    return FromPixels(untrained_network, small.mean, small.std).eval()


@pytest.fixture(scope="session")
def onnx_bytes(pixels_network: FromPixels, small: Variant) -> bytes:
    return serialized(to_onnx(pixels_network, side=small.resolution))
