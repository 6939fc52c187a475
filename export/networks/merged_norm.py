"""Batch normalisation merged into the linear map before or behind it.

In evaluation batch normalisation is y = scale * x + shift, one scale and shift a channel. A runtime merges that into a
convolution before it, but not into a matrix product, nor into what follows; here the merged weights are the ones that
are used, so an exported graph holds just them.
"""

import torch
from torch import Tensor, nn

BatchNorm = nn.BatchNorm1d | nn.BatchNorm2d


def scale_and_shift(norm: BatchNorm) -> tuple[Tensor, Tensor]:
    """What `norm` does in evaluation, as (scale, shift), each (C,)."""
    mean, variance = norm.running_mean, norm.running_var
    assert mean is not None and variance is not None
    scale = norm.weight / torch.sqrt(variance + norm.eps)
    return scale, norm.bias - mean * scale


def norm_after(weight: Tensor, norm: BatchNorm, out_dim: int = 0) -> tuple[Tensor, Tensor]:
    """Weight and bias of a linear map without bias that is followed by `norm`.

    `weight` may have any shape, its dimension `out_dim` being the outputs: 0 for a linear layer or a convolution, 1 for
    a transposed convolution.
    """
    scale, shift = scale_and_shift(norm)
    shape = [1] * weight.dim()
    shape[out_dim] = -1
    return weight * scale.reshape(shape), shift


def norm_before(weight: Tensor, bias: Tensor, *norms: BatchNorm) -> tuple[Tensor, Tensor]:
    """Weight and bias of a linear map, or a 1x1 convolution, whose input passes through `norms` first, in their order.

    `weight` is (out, in) or (out, in, 1, 1), and comes back in the same shape.
    """
    matrix = weight.flatten(1)  # (out, in)
    for norm in reversed(norms):
        scale, shift = scale_and_shift(norm)
        bias = bias + matrix @ shift
        matrix = matrix * scale
    return matrix.reshape(weight.shape), bias
