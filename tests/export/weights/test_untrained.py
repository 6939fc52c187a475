"""Untrained weights are the same everywhere."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from torch import nn

from export.weights.untrained import untrained_tensor

RECIPE = Path(__file__).resolve().parents[4] / "shared" / "midas_reference" / "fill.py"


@pytest.mark.parametrize(
    ("name", "shape", "low", "high"),
    [
        ("encoder.bn.running_mean", (1000,), -0.3, 0.3),
        ("encoder.bn.running_var", (1000,), 1.0, 1.6),
        ("encoder.block.gamma_1", (1000,), 0.2, 0.8),
        ("scratch.output_conv.4.weight", (1, 32, 1, 1), 0.0, 1.0),
        ("scratch.output_conv.4.bias", (1,), 0.5, 0.5),
        ("pretrained.model.bias", (1000,), -0.3, 0.3),
    ],
)
def test_range(name: str, shape: tuple[int, ...], low: float, high: float) -> None:
    values = untrained_tensor(name, shape)
    assert values is not None
    assert values.shape == shape
    assert values.dtype == np.float32
    assert low <= values.min() <= values.max() <= high


@pytest.mark.parametrize("name", ["bn.num_batches_tracked", "blocks.0.attn_mask", "attn.logit_scale"])
def test_constants_stay_as_built(name: str) -> None:
    assert untrained_tensor(name, (3,)) is None


def test_encoder_gain_scales_the_encoders_matrices_only() -> None:
    for name, gained in [("pretrained.a.weight", True), ("scratch.a.weight", False), ("pretrained.bn.weight", False)]:
        shape = (4,) if name == "pretrained.bn.weight" else (4, 8)
        plain, scaled = untrained_tensor(name, shape), untrained_tensor(name, shape, encoder_gain=0.5)
        assert plain is not None
        assert scaled is not None
        assert np.allclose(scaled, plain * (0.5 if gained else 1.0))


@pytest.mark.skipif(not RECIPE.is_file(), reason="the reference recipe is not part of the project")
def test_recipe_is_the_references(untrained_network: nn.Module) -> None:
    spec = importlib.util.spec_from_file_location("fill", RECIPE)
    assert spec is not None
    assert spec.loader is not None
    fill = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(fill)
    for name, tensor in untrained_network.state_dict().items():
        expected = fill.value(name, tuple(tensor.shape))
        assert expected is None or np.array_equal(tensor.numpy(), expected.astype(np.float32)), name
