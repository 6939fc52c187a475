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
"""

import math
import zlib

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

LAST_CONVOLUTION = "scratch.output_conv.4"
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


def fill_untrained(network: nn.Module, encoder_gain: float = 1.0) -> None:
    """Overwrite the weights and statistics of `network`, whose tensors bear the official names."""
    with torch.no_grad():
        for name, tensor in network.state_dict().items():
            if not tensor.is_floating_point():
                continue
            values = untrained_tensor(name, tuple(tensor.shape), encoder_gain)
            if values is not None:
                tensor.copy_(torch.from_numpy(values))
