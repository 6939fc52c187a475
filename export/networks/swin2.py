"""Swin v2, the encoder of dpt_swin2_large_384, dpt_swin2_base_384 and dpt_swin2_tiny_256.

Source: Liu et al., "Swin Transformer V2: Scaling Up Capacity and Resolution" (CVPR 2022), as in timm 0.6.12;
isl-org/MiDaS, `midas/backbones/swin2.py`. Module names are those of the checkpoints.

Against Swin: a logit is the cosine of query and key, times a learnt scale; what a relative position adds to it comes
from a small network that is given the logarithm of the distance, so it carries over to larger windows; normalisation
comes after attention, MLP and reduction, not before.

Tokens are float32 (B * N, C), row by row: a matrix, so that a linear layer is one matrix product with its bias.
"""

import math
from collections import OrderedDict

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from export.networks.dpt import Dpt
from export.networks.swin import PATCH, Layer, Sizes, SwinTrunk, merge, widths
from export.networks.vit import VitMlp
from export.networks.windows import Windows, relative_positions

HIDDEN = 512  # of the network that gives the position bias
LARGEST_BIAS = 16.0
LARGEST_SCALE = 100.0
SMALLEST_NORM = 1e-12  # of a query or key; as in PyTorch's normalize


def log_distances(side: int, trained_side: int) -> Tensor:
    """Each relative position in a window as (rows, columns) apart, log-spaced: float32 ((2 * side - 1)^2, 2).

    Distances are relative to those of the window that the network was first trained with, where 1 is the farthest.
    """
    apart = 8 * torch.arange(1 - side, side, dtype=torch.float32) / (trained_side - 1)
    spaced = torch.sign(apart) * torch.log2(apart.abs() + 1) / math.log2(8)
    return torch.cartesian_prod(spaced, spaced)


class Swin2Attention(nn.Module):
    """Cosine attention within windows, with a continuous relative position bias."""

    distances: Tensor
    positions: Tensor

    def __init__(self, channels: int, heads: int, windows: Windows, trained_side: int) -> None:
        super().__init__()
        self.heads = heads
        self.windows = windows
        self.logit_scale = nn.Parameter(torch.full((heads, 1, 1), math.log(10)))
        self.cpb_mlp = nn.Sequential(nn.Linear(2, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, heads, bias=False))
        self.register_buffer("distances", log_distances(windows.side, trained_side), persistent=False)
        self.register_buffer("positions", relative_positions(windows.side), persistent=False)
        self.qkv = nn.Linear(channels, 3 * channels, bias=False)
        self.q_bias = nn.Parameter(torch.zeros(channels))
        self.v_bias = nn.Parameter(torch.zeros(channels))
        self.proj = nn.Linear(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        """(B * all tokens, C) -> (B * all tokens, C). N below are the tokens of a window."""
        x = self.windows.cut(x)  # (B * windows * N, C)
        count, channels = self.windows.tokens, self.windows.channels
        qkv_bias = torch.cat((self.q_bias, torch.zeros_like(self.q_bias), self.v_bias))
        qkv = F.linear(x, self.qkv.weight, qkv_bias)
        qkv = qkv.reshape(-1, count, 3, self.heads, channels // self.heads).permute(2, 0, 3, 1, 4)
        q, k, v = qkv.unbind(0)  # (B * windows, heads, N, C / heads) each
        scale = self.logit_scale.clamp(max=math.log(LARGEST_SCALE)).exp()  # (heads, 1, 1)
        table = LARGEST_BIAS * torch.sigmoid(self.cpb_mlp(self.distances))  # (relative positions, heads)
        bias = table.t()[:, self.positions]  # (heads, N, N)
        cosines = (q * (scale / length(q))) @ (k / length(k)).transpose(
            -2, -1
        )  # times scale; (B * windows, heads, N, N)
        y = self.windows.masked(cosines + bias, self.heads).softmax(dim=-1) @ v
        return self.windows.join(self.proj(y.transpose(1, 2).reshape(-1, channels)))


def length(x: Tensor) -> Tensor:
    """Euclidean length of the last dimension: (.., C) -> (.., 1)."""
    norm: Tensor = torch.linalg.vector_norm(x, dim=-1, keepdim=True)
    return norm.clamp(min=SMALLEST_NORM)


class Swin2Block(nn.Module):
    """Attention within windows and MLP, each normalised after and added to what came in."""

    def __init__(self, channels: int, heads: int, windows: Windows, trained_side: int) -> None:
        super().__init__()
        self.attn = Swin2Attention(channels, heads, windows, trained_side)
        self.norm1 = nn.LayerNorm(channels)
        self.mlp = VitMlp(channels)
        self.norm2 = nn.LayerNorm(channels)

    def forward(self, x: Tensor) -> Tensor:
        """(B * N, C) -> (B * N, C)."""
        x = x + self.norm1(self.attn(x))
        refined: Tensor = x + self.norm2(self.mlp(x))
        return refined


class Swin2PatchMerging(nn.Module):
    """One token out of four, normalised after the reduction to twice the channels."""

    def __init__(self, grid: int, channels: int) -> None:
        super().__init__()
        self.grid, self.channels = grid, channels
        self.reduction = nn.Linear(4 * channels, 2 * channels, bias=False)
        self.norm = nn.LayerNorm(2 * channels)

    def forward(self, x: Tensor) -> Tensor:
        """(B * N, C) -> (B * N / 4, 2 C)."""
        normed: Tensor = self.norm(self.reduction(merge(x, self.grid, self.channels)))
        return normed


class DptSwin2(Dpt):
    """A DPT network with Swin v2.

    Args:
        photo: height and width of the photos.
        channels: of a token in the first layer.
        depths: blocks in each layer.
        heads: of the attention in each layer.
        window: side of a window in tokens.
        trained_windows: side of a window in each layer when the encoder was first trained, on smaller photos.
    """

    def __init__(
        self, photo: int, channels: int, depths: Sizes, heads: Sizes, window: int, trained_windows: Sizes
    ) -> None:
        layers = []
        for index, width in enumerate(widths(channels)):
            grid = photo // PATCH // 2**index
            windows = [Windows(grid, width, window, shifted=number % 2 == 1) for number in range(depths[index])]
            blocks = [Swin2Block(width, heads[index], cut, trained_windows[index]) for cut in windows]
            layers.append(
                Layer(grid, width, blocks, Swin2PatchMerging(grid, width) if index < len(depths) - 1 else None)
            )
        trunk = SwinTrunk(photo // PATCH, widths(channels), layers)
        super().__init__(nn.Sequential(OrderedDict(model=trunk)), widths(channels))
