"""The networks are the official ones: same tensors, same results, and they load official checkpoints strictly."""

import math
from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from _pytest.mark import ParameterSet
from torch import Tensor, nn

from export.errors import StateDictError, UnknownVariantError
from export.networks import CONSTANT_BUFFERS, build, load_official
from export.variants import VARIANTS
from export.weights.untrained import fill_untrained

REFERENCE = Path(__file__).parents[1] / "reference"
# Depth Anything's references are of other sizes and held to a narrower bound: test_depth_anything.py.
OFFICIAL = [name for name, row in VARIANTS.items() if row.source.official and row.family != "depth_anything"]
STRIDE = 12  # of the rows and columns that the references keep
GIANT = 150_000_000  # parameters; from here on a network takes gigabytes and minutes


def reference_shapes(variant: str) -> dict[str, tuple[int, ...]]:
    with np.load(REFERENCE / f"{variant}.npz") as reference:
        lines = bytes(reference["tensors"]).decode().splitlines()
    named = (line.partition(" ") for line in lines)
    return {name: tuple(int(side) for side in shape.split("x") if side) for name, _, shape in named}


def without_constants(shapes: dict[str, tuple[int, ...]]) -> dict[str, tuple[int, ...]]:
    return {name: shape for name, shape in shapes.items() if not name.endswith(CONSTANT_BUFFERS)}


@pytest.mark.parametrize("variant", OFFICIAL)
def test_tensor_names_and_shapes_are_the_official_ones(variant: str) -> None:
    with torch.device("meta"):  # shapes without memory
        ours = {name: tuple(tensor.shape) for name, tensor in build(variant).state_dict().items()}
    official = reference_shapes(variant)
    assert without_constants(ours) == without_constants(official)
    assert ours.items() <= official.items()


def proofs() -> Iterator[ParameterSet]:
    """Each variant at each of its sizes. The common run leaves out the giants, and the square size of any network that
    has another one: interpolated positions are the harder part."""
    for variant in OFFICIAL:
        parameters = sum(math.prod(shape) for shape in without_constants(reference_shapes(variant)).values())
        with np.load(REFERENCE / f"{variant}.npz") as file:
            sizes = [tuple(int(side) for side in key.split("x")) for key in file.files if key != "tensors"]
        for height, width in sizes:
            long = parameters > GIANT or (height == width and len(sizes) > 1)
            yield pytest.param(variant, height, width, marks=[pytest.mark.long] if long else [])


@pytest.mark.parametrize(("variant", "height", "width"), list(proofs()))
def test_output_is_the_official_codes(variant: str, height: int, width: int) -> None:
    row = VARIANTS[variant]
    network = build(variant)
    fill_untrained(network, row.untrained_gain)
    with np.load(REFERENCE / f"{variant}.npz") as file:
        reference = file[f"{height}x{width}"]
    pixels = np.random.RandomState(7).randint(0, 256, (1, height, width, 3)).astype(np.uint8)
    normalised = (pixels / 255 - np.array(row.mean)) / np.array(row.std)
    x = torch.from_numpy(normalised.transpose(0, 3, 1, 2).astype(np.float32))
    with torch.inference_mode():
        depth = network(x).numpy()
    assert depth.shape == (1, height, width)
    assert depth.dtype == np.float32
    error = np.linalg.norm(depth[:, ::STRIDE, ::STRIDE] - reference) / np.linalg.norm(reference)
    assert error < 1e-4, f"{error:.1e}"


def test_a_variant_that_there_is_not() -> None:
    with pytest.raises(UnknownVariantError, match=r"unknown variant 'dpt_huge'.* Known: .*midas_v21_small_256"):
        build("dpt_huge")


@pytest.fixture(scope="module")
def official(untrained_network: nn.Module) -> "OrderedDict[str, Tensor]":
    """A state dict like the official file's, with values to tell them by."""
    state = untrained_network.state_dict()
    return OrderedDict((name, tensor.clone()) for name, tensor in state.items())


@pytest.fixture(scope="module")
def empty_network() -> nn.Module:
    return build("midas_v21_small_256")


def without_counters(state: "OrderedDict[str, Tensor]") -> dict[str, Tensor]:
    return {name: tensor for name, tensor in state.items() if not name.endswith("num_batches_tracked")}


def zeroed(network: nn.Module) -> nn.Module:
    with torch.no_grad():
        for tensor in network.parameters():
            tensor.zero_()
    return network


@pytest.mark.parametrize("form", ["as it is", "without counters", "training checkpoint", "half precision"])
def test_official_state_dicts_load(form: str, official: "OrderedDict[str, Tensor]", empty_network: nn.Module) -> None:
    given: dict[str, object] = dict(official)
    if form == "without counters":
        given = dict(without_counters(official))
    elif form == "training checkpoint":
        given = {"optimizer": {"state": {}}, "model": official}
    elif form == "half precision":
        given = {name: tensor.half() if tensor.is_floating_point() else tensor for name, tensor in official.items()}
    load_official(zeroed(empty_network), given)
    loaded = empty_network.state_dict()
    tolerance = 1e-2 if form == "half precision" else 0.0
    for name, tensor in without_counters(official).items():
        assert torch.allclose(loaded[name], tensor, rtol=tolerance, atol=tolerance / 10), name


STEM = "pretrained.layer1.0.weight"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("missing", rf"missing \(1 of \d+\): {STEM}"),
        ("unexpected", r"unexpected \(1 of \d+\): pretrained.cls_token"),
        ("renamed", rf"missing \(1 of \d+\): {STEM}; unexpected \(1 of \d+\): stem.weight"),
        ("other shape", rf"other shape \(1 of \d+\): {STEM} is 64x3x7x7, the network's is 32x3x3x3"),
        ("no tensor", rf"other shape \(1 of \d+\): {STEM} is no tensor"),
        ("empty", r"missing \(\d+ of \d+\): .* and \d+ more"),
    ],
)
def test_what_does_not_fit_is_named_and_nothing_is_loaded(
    change: str, message: str, official: "OrderedDict[str, Tensor]", empty_network: nn.Module
) -> None:
    given: dict[str, object] = dict(official)
    if change in ("missing", "renamed"):
        tensor = given.pop(STEM)
        given |= {"stem.weight": tensor} if change == "renamed" else {}
    elif change == "unexpected":
        given["pretrained.cls_token"] = torch.zeros(1, 1, 8)
    elif change == "other shape":
        given[STEM] = torch.zeros(64, 3, 7, 7)
    elif change == "no tensor":
        given[STEM] = "weights"
    else:
        given = {}
    zeroed(empty_network)
    with pytest.raises(StateDictError, match=message):
        load_official(empty_network, given)
    assert not any(tensor.any() for tensor in empty_network.parameters())
