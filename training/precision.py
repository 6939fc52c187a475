"""The numbers that a network is trained in: float32, or mixed with one of the two half precisions."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Literal, cast, get_args

import torch
from torch import Tensor, nn

from training.errors import TrainingError

Name = Literal["float32", "bfloat16", "float16"]
CHOICES = ("auto", *get_args(Name))
_TYPES = {"bfloat16": torch.bfloat16, "float16": torch.float16}


def choose_precision(name: str, device: torch.device) -> Name:
    """The precision that `auto` means on `device`, or the one named.

    Raises:
        TrainingError: float16 without a GPU.
    """
    if name == "float16" and device.type != "cuda":
        raise TrainingError("--precision float16 needs a GPU: take bfloat16 or float32")
    if name != "auto":
        return cast(Name, name)
    if device.type == "cuda":
        return "bfloat16" if torch.cuda.is_bf16_supported() else "float16"
    # Without matrix units for it bfloat16 is slower than float32.
    return "bfloat16" if torch.cpu.get_capabilities().get("amx_bf16") else "float32"


def mixed(name: Name, device: torch.device) -> AbstractContextManager[object]:
    """The context in which the network is to run."""
    if name == "float32":
        return torch.autocast(device.type, enabled=False)
    return torch.autocast(device.type, _TYPES[name])


def keep_depthwise_in_float32(network: nn.Module) -> None:
    """On a processor the gradients of a depthwise convolution take several times as long in bfloat16 as in float32."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d) and module.groups == module.in_channels > 1:
            module.forward = _in_float32(module.forward)  # type: ignore[method-assign, assignment]


def _in_float32(forward: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    def wrapped(x: Tensor) -> Tensor:
        with torch.autocast(x.device.type, enabled=False):
            return forward(x.float())

    return wrapped
