"""Swin, the encoder of dpt_swin_large_384.

Source: Liu, Lin, Cao, Hu, Wei, Zhang, Lin, Guo, "Swin Transformer: Hierarchical Vision Transformer using Shifted
Windows" (ICCV 2021), as in timm 0.6.12; isl-org/MiDaS, `midas/backbones/swin.py`. Module names are those of the
checkpoint.

One token for every 4x4 pixels; four layers of attention within windows, between which four neighbouring tokens become
one of twice the channels. The output of each layer is a level of the decoder. The grid is fixed when the network is
built, so a network takes photos of one size only.

Tokens are float32 (B * N, C), row by row: a matrix, so that a linear layer is one matrix product with its bias.
"""

from collections import OrderedDict
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from export.networks.dpt import Dpt, Levels, Widths
from export.networks.vit import VitMlp
from export.networks.windows import Windows, relative_positions

PATCH = 4  # pixels from token to token
CLASSES = 1000
Sizes = tuple[int, int, int, int]


class SwinPatchEmbed(nn.Module):
    """One token for every 4x4 pixels."""

    def __init__(self, grid: int, channels: int) -> None:
        super().__init__()
        self.grid, self.channels = grid, channels
        self.proj = nn.Conv2d(3, channels, PATCH, stride=PATCH)
        self.norm = nn.LayerNorm(channels)

    def forward(self, x: Tensor) -> Tensor:
        """(B, 3, H, W) -> (B * H / 4 * W / 4, C)."""
        patches = self.proj(x).reshape(-1, self.channels, self.grid**2)  # (B, C, N)
        embedded: Tensor = self.norm(patches.transpose(1, 2).reshape(-1, self.channels))
        return embedded


class SwinAttention(nn.Module):
    """Attention within windows; each pair of relative positions adds a learnt number to its logits."""

    positions: Tensor

    def __init__(self, channels: int, heads: int, windows: Windows) -> None:
        super().__init__()
        self.heads = heads
        self.windows = windows
        self.relative_position_bias_table = nn.Parameter(torch.zeros((2 * windows.side - 1) ** 2, heads))
        self.register_buffer("positions", relative_positions(windows.side), persistent=False)
        self.qkv = nn.Linear(channels, 3 * channels)
        self.proj = nn.Linear(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        """(B * all tokens, C) -> (B * all tokens, C). N below are the tokens of a window."""
        x = self.windows.cut(x)  # (B * windows * N, C)
        count, channels = self.windows.tokens, self.windows.channels
        per_head = channels // self.heads
        qkv = self.qkv(x).reshape(-1, count, 3, self.heads, per_head).permute(2, 0, 3, 1, 4)
        q, k, v = qkv.unbind(0)  # (B * windows, heads, N, C / heads) each
        bias = self.relative_position_bias_table.t()[:, self.positions]  # (heads, N, N)
        logits = (q * per_head**-0.5) @ k.transpose(-2, -1) + bias  # (B * windows, heads, N, N)
        y = self.windows.masked(logits, self.heads).softmax(dim=-1) @ v
        return self.windows.join(self.proj(y.transpose(1, 2).reshape(-1, channels)))


class SwinBlock(nn.Module):
    """Attention within windows and MLP, each normalised before and added to what came in."""

    def __init__(self, channels: int, heads: int, windows: Windows) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(channels)
        self.attn = SwinAttention(channels, heads, windows)
        self.norm2 = nn.LayerNorm(channels)
        self.mlp = VitMlp(channels)

    def forward(self, x: Tensor) -> Tensor:
        """(B * N, C) -> (B * N, C)."""
        x = x + self.attn(self.norm1(x))
        refined: Tensor = x + self.mlp(self.norm2(x))
        return refined


def merge(x: Tensor, grid: int, channels: int) -> Tensor:
    """Put the four tokens of each 2x2 square beside each other, column by column: (B * N, C) -> (B * N / 4, 4 C)."""
    half = grid // 2
    squares = x.reshape(-1, half, 2, half, 2, channels).permute(0, 1, 3, 4, 2, 5)
    return squares.reshape(-1, 4 * channels)


class SwinPatchMerging(nn.Module):
    """One token out of four, normalised before the reduction to twice the channels."""

    def __init__(self, grid: int, channels: int) -> None:
        super().__init__()
        self.grid, self.channels = grid, channels
        self.norm = nn.LayerNorm(4 * channels)
        self.reduction = nn.Linear(4 * channels, 2 * channels, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """(B * N, C) -> (B * N / 4, 2 C)."""
        reduced: Tensor = self.reduction(self.norm(merge(x, self.grid, self.channels)))
        return reduced


class Layer(nn.Module):
    """A layer: `blocks` on one grid, whose output is a level, then `downsample` to the next grid."""

    def __init__(self, grid: int, channels: int, blocks: Sequence[nn.Module], downsample: nn.Module | None) -> None:
        super().__init__()
        self.grid, self.channels = grid, channels
        self.blocks = nn.Sequential(*blocks)
        self.downsample = downsample if downsample is not None else nn.Identity()

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(B * N, C) -> the level (B, C, grid, grid), and (B * N / 4, 2 C) for the next layer."""
        x = self.blocks(x)
        level = x.reshape(-1, self.grid, self.grid, self.channels).permute(0, 3, 1, 2)
        return level, self.downsample(x)


class SwinTrunk(nn.Module):
    """The transformer around its four layers."""

    def __init__(self, grid: int, channels: Widths, layers: Sequence[Layer]) -> None:
        super().__init__()
        self.patch_embed = SwinPatchEmbed(grid, channels[0])
        self.layers = nn.ModuleList(layers)
        # Of the original classifier; a depth network never runs it, but the checkpoint holds its weights.
        self.norm = nn.LayerNorm(channels[-1])
        self.head = nn.Linear(channels[-1], CLASSES)

    def forward(self, x: Tensor) -> Levels:
        """(B, 3, H, H) -> the levels (B, channels, H/4, H/4), (.., H/8, H/8), (.., H/16, H/16), (.., H/32, H/32)."""
        x = self.patch_embed(x)
        levels = []
        for layer in self.layers:
            level, x = layer(x)
            levels.append(level)
        level1, level2, level3, level4 = levels
        return level1, level2, level3, level4


def widths(channels: int) -> Widths:
    """Channels of the four layers, the first given."""
    return channels, 2 * channels, 4 * channels, 8 * channels


class DptSwin(Dpt):
    """A DPT network with Swin.

    Args:
        photo: height and width of the photos.
        channels: of a token in the first layer.
        depths: blocks in each layer.
        heads: of the attention in each layer.
        window: side of a window in tokens.
    """

    def __init__(self, photo: int, channels: int, depths: Sizes, heads: Sizes, window: int) -> None:
        layers = []
        for index, width in enumerate(widths(channels)):
            grid = photo // PATCH // 2**index
            windows = [Windows(grid, width, window, shifted=number % 2 == 1) for number in range(depths[index])]
            blocks = [SwinBlock(width, heads[index], cut) for cut in windows]
            layers.append(
                Layer(grid, width, blocks, SwinPatchMerging(grid, width) if index < len(depths) - 1 else None)
            )
        trunk = SwinTrunk(photo // PATCH, widths(channels), layers)
        super().__init__(nn.Sequential(OrderedDict(model=trunk)), widths(channels))
