"""The networks, in plain PyTorch, with the tensor names of the official checkpoints.

network = build("midas_v21_small_256")
load_official(network, torch.load("weights/midas_v21_small_256.pt", weights_only=True))
depth = network(normalised)     # float32 (B, 3, H, W) -> float32 (B, H, W)
"""

from collections.abc import Callable, Mapping
from functools import cache

import torch
from torch import Tensor, nn

from export.errors import StateDictError
from export.networks.beit import DptBeit
from export.networks.depth_anything import DepthAnything
from export.networks.levit import DptLevit
from export.networks.midas_tiny import MidasTiny
from export.networks.midas_v21 import MidasV21, MidasV21Small
from export.networks.next_vit import DptNextVit
from export.networks.recognise import fitting_tensors, recognise
from export.networks.swin import DptSwin
from export.networks.swin2 import DptSwin2
from export.networks.vit import DptVit
from export.networks.vit_hybrid import DptHybrid
from export.variants import variant_named

_FAMILIES: Mapping[str, Callable[..., nn.Module]] = {
    "depth_anything": DepthAnything,
    "dpt_beit": DptBeit,
    "dpt_hybrid": DptHybrid,
    "dpt_vit": DptVit,
    "dpt_levit": DptLevit,
    "dpt_next_vit": DptNextVit,
    "dpt_swin": DptSwin,
    "dpt_swin2": DptSwin2,
    "midas_tiny": MidasTiny,
    "midas_v21": MidasV21,
    "midas_v21_small": MidasV21Small,
}

# Buffers that follow from the architecture alone: a checkpoint may hold them or not, and so may our network.
CONSTANT_BUFFERS = (
    "num_batches_tracked",
    "relative_position_index",
    "relative_coords_table",
    "attn_mask",
    "attention_bias_idxs",
)

_NAMED_IN_ERROR = 3


def build(variant: str) -> nn.Module:
    """Return the network of `variant`, in evaluation mode, with arbitrary weights.

    Its forward takes normalised float32 (B, 3, H, W), H and W multiples of 32, or 14 in Depth Anything (only its own
    square where the variant's row says so), and gives float32 (B, H, W): relative inverse depth, larger is nearer, or
    metres where the row's kind is metric depth.

    Raises:
        UnknownVariantError: no such variant.
    """
    row = variant_named(variant)
    return _FAMILIES[row.family](**row.parameters).eval()


def load_official(net: nn.Module, state_dict: Mapping[str, object]) -> None:
    """Copy an official state dict into `net`, strictly: every tensor is used and none is missing.

    Constant buffers may be present or missing. A training checkpoint, a dict with the keys `optimizer` and `model`, is
    unwrapped. `net` is untouched unless everything fits.

    Raises:
        StateDictError: names the first tensors that are missing, unexpected or of another shape, and the variant that
            the state dict looks like.
    """
    if "model" in state_dict and "optimizer" in state_dict:
        inner = state_dict["model"]
        state_dict = inner if isinstance(inner, Mapping) else {}
    wanted = without_constants(net.state_dict())
    given = without_constants(state_dict)

    missing = [name for name in wanted if name not in given]
    unexpected = [name for name in given if name not in wanted]
    other_shape = [
        f"{name} is {_shape(given[name])}, the network's is {_shape(tensor)}"
        for name, tensor in wanted.items()
        if name in given and _shape(given[name]) != _shape(tensor)
    ]
    if missing or unexpected or other_shape:
        differences = [
            _first("missing", missing, len(wanted)),
            _first("unexpected", unexpected, len(given)),
            _first("other shape", other_shape, len(wanted)),
        ]
        raise StateDictError(
            "the checkpoint's tensors are not this network's: "
            + "; ".join(line for line in differences if line)
            + f". {_belonging(given, wanted)}"
        )
    with torch.no_grad():
        for name, tensor in wanted.items():
            values = given[name]
            if isinstance(tensor, Tensor) and isinstance(values, Tensor):
                tensor.copy_(values)


def _belonging(given: Mapping[str, object], wanted: Mapping[str, object]) -> str:
    """Which variant the tensors `given` look like, where the network wants those of `wanted`, and what to do."""
    ours = {name: _shape(tensor) for name, tensor in wanted.items()}
    theirs = {name: _shape(tensor) for name, tensor in given.items()}
    like = recognise(theirs, _shapes_of)
    if like is None:
        return "The file looks like no variant's: give the checkpoint that belongs to this one."
    if fitting_tensors(theirs, ours) >= like.fitting:
        return f"The file looks like this variant's own, {like}, but was changed: download it again."
    return f"The file looks like {like}: export that variant, or give the checkpoint that belongs to this one."


@cache
def _shapes_of(variant: str) -> dict[str, str]:
    return {name: _shape(tensor) for name, tensor in without_constants(build(variant).state_dict()).items()}


def without_constants(tensors: Mapping[str, object]) -> dict[str, object]:
    """The tensors that a checkpoint must hold."""
    return {name: tensor for name, tensor in tensors.items() if not str(name).endswith(CONSTANT_BUFFERS)}


def _shape(tensor: object) -> str:
    return "x".join(str(side) for side in tensor.shape) or "a scalar" if isinstance(tensor, Tensor) else "no tensor"


def _first(what: str, names: list[str], total: int) -> str:
    if not names:
        return ""
    more = f" and {len(names) - _NAMED_IN_ERROR} more" if len(names) > _NAMED_IN_ERROR else ""
    return f"{what} ({len(names)} of {total}): {', '.join(names[:_NAMED_IN_ERROR])}{more}"
