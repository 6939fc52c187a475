"""A checkpoint that is not the network's: the message names tensors, and the variant that the file looks like."""

from collections.abc import Mapping

import pytest
import torch
from torch import Tensor, nn

from export.errors import StateDictError
from export.networks import build, load_official
from export.networks.recognise import Shapes, recognise
from export.variants import VARIANTS

TINY, SMALL = "midas_tiny_256", "midas_v21_small_256"


@pytest.fixture(scope="module")
def shapes() -> Mapping[str, Shapes]:
    """Names and shapes of every variant's tensors."""
    found: dict[str, Shapes] = {}
    for name in VARIANTS:
        with torch.device("meta"):
            network = build(name)
        found[name] = {tensor: "x".join(map(str, values.shape)) for tensor, values in network.state_dict().items()}
    return found


@pytest.fixture
def tiny() -> nn.Module:
    return build(TINY)


@pytest.mark.parametrize("name", VARIANTS)
def test_every_variant_is_told_from_the_others(name: str, shapes: Mapping[str, Shapes]) -> None:
    like = recognise(shapes[name], shapes.__getitem__)
    assert like is not None
    assert (like.fitting, like.wanted) == (len(shapes[name]), len(shapes[name]))
    if VARIANTS[name].family == "depth_anything":  # all of one size have the same tensors
        assert shapes[like.variant] == shapes[name]
        return
    assert like.variant == name
    for kept in (0.9, 0.7):  # part of it is enough
        part = dict(list(shapes[name].items())[: int(kept * len(shapes[name]))])
        like = recognise(part, shapes.__getitem__)
        assert like is not None
        assert like.variant == name


def test_what_is_like_nothing(shapes: Mapping[str, Shapes]) -> None:
    assert recognise({}, shapes.__getitem__) is None
    assert recognise({"fc.weight": "1000x512", "fc.bias": "1000"}, shapes.__getitem__) is None


def message_of(network: nn.Module, state: Mapping[str, Tensor]) -> str:
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    with pytest.raises(StateDictError) as raised:
        load_official(network, state)
    assert all(torch.equal(before[name], tensor) for name, tensor in network.state_dict().items())
    return str(raised.value)


def test_another_variants(tiny: nn.Module) -> None:
    other = build(SMALL).state_dict()
    wanted = sum("num_batches_tracked" not in name for name in other)
    message = message_of(tiny, other)
    assert "unexpected (" in message
    assert "other shape (" in message
    assert f"The file looks like {SMALL} ({wanted} of {wanted} tensors fit): export that variant, or give" in message


def test_a_renamed_tensor(tiny: nn.Module) -> None:
    state = dict(tiny.state_dict())
    name = next(iter(state))
    state["renamed"] = state.pop(name)
    message = message_of(tiny, state)
    assert "missing (1 of " in message
    assert f": {name}; unexpected (1 of " in message
    assert ": renamed. The file looks like this variant's own, midas_tiny_256 (" in message


def test_a_classifier(tiny: nn.Module) -> None:
    message = message_of(tiny, {"fc.weight": torch.zeros(10, 4)})
    assert message.endswith("The file looks like no variant's: give the checkpoint that belongs to this one.")
