"""Weights for a network that has no checkpoint: the same numbers on every machine, from tensor names and shapes alone.

PyTorch's own initialisation leaves 81 % of midas_v21_small_256's output at exactly zero; these weights keep activations
near unit variance and the output over a full range, so that an untrained network still shows whether everything around
it works. They are also the weights that the reference outputs in tests/export/ were computed with.

n below is standard normal float32, drawn from numpy's frozen generator RandomState seeded with the CRC-32 of the
tensor's name.

    running_mean                      0.05 n
    running_var                       1 + 0.1 |n|
    layer scales gamma_1, gamma_2     0.5 + 0.05 n
    weights of 2 or more dimensions   n / sqrt(inputs of one output)
    weights of 1 dimension            1 + 0.1 n
    anything else                     0.05 n with 1 dimension, 0.02 n with more
    the last convolution              |n| / sqrt(inputs) and bias 0.5, so that its ReLU rarely clips

Depth Anything, whose row has `untrained_last`, differs so that each part of its transformer matters to the output:

    layer scales ls1.gamma, ls2.gamma 0.5 + 0.05 n
    positions and single tokens       0.05 n
    patch embedding                   0.05 times as much as above: small tokens, so that the norms' epsilon counts
    attention's qkv.weight            1.4 times as much
    the last convolution              gain |n| / sqrt(inputs) and bias, of the row
"""

import math
import zlib

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

LAST_CONVOLUTION = "scratch.output_conv.4"
LAST_OF_DEPTH_ANYTHING = "depth_head.scratch.output_conv2.2"
KEPT_AS_BUILT = (
    "logit_scale",
    "relative_coords_table",
    "relative_position_index",
    "attn_mask",
    "attention_bias_idxs",
    "num_batches_tracked",
)


def untrained_tensor(name: str, shape: tuple[int, ...], encoder_gain: float = 1.0) -> NDArray[np.float32] | None:
    """Return the float32 values of tensor `name`, or None where it stays as the network built it.

    `encoder_gain` multiplies the encoder's weights of two and more dimensions.
    """
    if name.endswith(KEPT_AS_BUILT):
        return None
    generator = np.random.RandomState(zlib.crc32(name.encode()) & 0x7FFFFFFF)
    n = np.asarray(generator.standard_normal(shape), np.float32).reshape(shape)
    owner, _, kind = name.rpartition(".")
    is_weight = kind.endswith("weight") and (kind == "weight" or kind.endswith("_weight"))
    fan_in = np.float32(math.sqrt(math.prod(shape[1:])))

    if owner == LAST_CONVOLUTION:
        values = np.abs(n) / fan_in if kind == "weight" else np.full(shape, 0.5)
    elif kind == "running_mean":
        values = 0.05 * n
    elif kind == "running_var":
        values = 1 + 0.1 * np.abs(n)
    elif kind in ("gamma_1", "gamma_2"):
        values = 0.5 + 0.05 * n
    elif is_weight and len(shape) >= 2:
        values = np.float32(encoder_gain if name.startswith("pretrained.") else 1.0) * n / fan_in
    elif is_weight:
        values = 1 + 0.1 * n
    else:
        values = (0.05 if len(shape) <= 1 else 0.02) * n
    return np.asarray(values, np.float32)


def depth_anything_tensor(name: str, shape: tuple[int, ...], gain: float, bias: float) -> NDArray[np.float32] | None:
    """As `untrained_tensor`, for Depth Anything; `gain` and `bias` are those of the last convolution."""
    values = untrained_tensor(name, shape)
    if values is None:
        return None
    if name == f"{LAST_OF_DEPTH_ANYTHING}.bias":
        values = np.full(shape, bias, np.float32)
    elif name == f"{LAST_OF_DEPTH_ANYTHING}.weight":
        values = np.float32(gain) * np.abs(values)
    elif name.endswith((".ls1.gamma", ".ls2.gamma")):
        values = np.float32(0.5) + values
    elif name.endswith(("pos_embed", "_token")):
        values = np.float32(2.5) * values
    elif ".patch_embed.proj." in name:
        values = np.float32(0.05) * values
    elif name.endswith(".attn.qkv.weight"):
        values = np.float32(1.4) * values
    return values


def fill_untrained(network: nn.Module, encoder_gain: float = 1.0, last: tuple[float, float] | None = None) -> None:
    """Overwrite the weights and statistics of `network`, whose tensors bear the official names.

    `encoder_gain` and `last` are the `untrained_gain` and `untrained_last` of the variant's row.
    """
    with torch.no_grad():
        for name, tensor in network.state_dict().items():
            if not tensor.is_floating_point():
                continue
            shape = tuple(tensor.shape)
            if last is None:
                values = untrained_tensor(name, shape, encoder_gain)
            else:
                values = depth_anything_tensor(name, shape, *last)
            if values is not None:
                tensor.copy_(torch.from_numpy(values))
