"""LeViT, the encoder of dpt_levit_224, and the decoder that goes with its three levels.

Source: Graham, El-Nouby, Touvron, Stock, Joulin, Jégou, Douze, "LeViT: a Vision Transformer in ConvNet's Clothing for
Faster Inference" (ICCV 2021), the LeViT-384 of timm 0.6.12; isl-org/MiDaS, `midas/backbones/levit.py`. Module names are
those of the checkpoint.

A convolutional stem makes 14x14 tokens of a 224x224 photo. Three stages of attention follow, on 14x14, 7x7 and 4x4
tokens; between them an attention whose queries are every other token of a row and a column. The positions of two tokens
enter an attention as one learnt number for each pair of distances.

Tokens are float32 (B * N, C), row by row: a matrix, so that a linear layer is one matrix product with its bias.
"""

from collections import OrderedDict
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from export.networks.decoder import FeatureFusion
from export.networks.dpt import FEATURES, head
from export.networks.merged_norm import norm_after

KEY = 32  # channels of a query and of a key
PATCH = 16  # pixels from token to token
CLASSES = 1000
Level = tuple[int, int, int]  # channels, height, width


class LinearNorm(nn.Module):
    """Linear layer and batch normalisation."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.c = nn.Linear(in_channels, out_channels, bias=False)
        self.bn = nn.BatchNorm1d(out_channels)

    def forward(self, x: Tensor) -> Tensor:
        """(B * N, in) -> (B * N, out)."""
        return F.linear(x, *norm_after(self.c.weight, self.bn))


class ConvNorm(nn.Module):
    """3x3 convolution that halves the size, and batch normalisation."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.c = nn.Conv2d(in_channels, out_channels, 3, stride=2, padding=1, bias=False)
        self.bn = nn.BatchNorm2d(out_channels)

    def forward(self, x: Tensor) -> Tensor:
        """(B, in, H, W) -> (B, out, H / 2, W / 2)."""
        normed: Tensor = self.bn(self.c(x))
        return normed


class ConvTransposeNorm(nn.Module):
    """3x3 transposed convolution that doubles the size, and batch normalisation."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.c = nn.ConvTranspose2d(in_channels, out_channels, 3, stride=2, padding=1, output_padding=1, bias=False)
        self.bn = nn.BatchNorm2d(out_channels)

    def forward(self, x: Tensor) -> Tensor:
        """(B, in, H, W) -> (B, out, 2H, 2W)."""
        weight, bias = norm_after(self.c.weight, self.bn, out_dim=1)
        return F.conv_transpose2d(x, weight, bias, stride=2, padding=1, output_padding=1)


class NormLinear(nn.Module):
    """A classifier of the original network. A depth network never runs it, but the checkpoint holds its weights."""

    def __init__(self, in_channels: int) -> None:
        super().__init__()
        self.bn = nn.BatchNorm1d(in_channels)
        self.l = nn.Linear(in_channels, CLASSES)


def distances(side: int, stride: int) -> Tensor:
    """For each query and key on a side x side grid the index (rows apart) * side + (columns apart), int64 (Nq, Nk).

    Queries are every `stride`-th token of a row and a column, keys are all.
    """
    axis = torch.arange(side)
    keys = torch.cartesian_prod(axis, axis)  # (Nk, 2)
    queries = torch.cartesian_prod(axis[::stride], axis[::stride])  # (Nq, 2)
    apart = (queries[:, None] - keys[None]).abs()  # (Nq, Nk, 2)
    return apart[..., 0] * side + apart[..., 1]


class LevitAttention(nn.Module):
    """Attention of all tokens to all."""

    attention_bias_idxs: Tensor

    def __init__(self, channels: int, heads: int, side: int) -> None:
        super().__init__()
        self.heads = heads
        self.tokens = side**2
        self.value = 2 * KEY
        self.qkv = LinearNorm(channels, heads * (2 * KEY + self.value))
        self.proj = nn.Sequential(nn.Hardswish(), LinearNorm(heads * self.value, channels))
        self.attention_biases = nn.Parameter(torch.zeros(heads, side**2))
        self.register_buffer("attention_bias_idxs", distances(side, stride=1))

    def forward(self, x: Tensor) -> Tensor:
        """(B * N, C) -> (B * N, C)."""
        qkv = self.qkv(x).reshape(-1, self.tokens, self.heads, 2 * KEY + self.value)
        q, k, v = qkv.split([KEY, KEY, self.value], dim=3)  # (B, N, heads, KEY or value)
        q, k, v = q.transpose(1, 2), k.permute(0, 2, 3, 1), v.transpose(1, 2)
        bias = self.attention_biases[:, self.attention_bias_idxs]  # (heads, N, N)
        weights = ((q * KEY**-0.5) @ k + bias).softmax(dim=-1)  # (B, heads, N, N)
        y = (weights @ v).transpose(1, 2).reshape(-1, self.heads * self.value)
        projected: Tensor = self.proj(y)
        return projected


class Subsample(nn.Module):
    """Every other token of a row and a column."""

    kept: Tensor

    def __init__(self, channels: int, side: int) -> None:
        super().__init__()
        self.channels, self.tokens = channels, side**2
        self.register_buffer("kept", torch.arange(side**2).reshape(side, side)[::2, ::2].flatten(), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """(B * N, C) -> (B * Nq, C)."""
        return x.reshape(-1, self.tokens, self.channels).index_select(1, self.kept).reshape(-1, self.channels)


class AttentionSubsample(nn.Module):
    """Attention of every other token of a row and a column to all; between two stages."""

    attention_bias_idxs: Tensor

    def __init__(self, in_channels: int, out_channels: int, heads: int, side: int) -> None:
        super().__init__()
        self.heads = heads
        self.queries, self.keys = ((side + 1) // 2) ** 2, side**2
        self.value = 4 * KEY
        self.kv = LinearNorm(in_channels, heads * (KEY + self.value))
        self.q = nn.Sequential(Subsample(in_channels, side), LinearNorm(in_channels, heads * KEY))
        self.proj = nn.Sequential(nn.Hardswish(), LinearNorm(heads * self.value, out_channels))
        self.attention_biases = nn.Parameter(torch.zeros(heads, side**2))
        self.register_buffer("attention_bias_idxs", distances(side, stride=2))

    def forward(self, x: Tensor) -> Tensor:
        """(B * Nk, in) -> (B * Nq, out)."""
        k, v = self.kv(x).reshape(-1, self.keys, self.heads, KEY + self.value).split([KEY, self.value], dim=3)
        q = self.q(x).reshape(-1, self.queries, self.heads, KEY).transpose(1, 2)  # (B, heads, Nq, KEY)
        k, v = k.permute(0, 2, 3, 1), v.transpose(1, 2)  # (B, heads, KEY, Nk), (B, heads, Nk, value)
        bias = self.attention_biases[:, self.attention_bias_idxs]  # (heads, Nq, Nk)
        weights = ((q * KEY**-0.5) @ k + bias).softmax(dim=-1)  # (B, heads, Nq, Nk)
        y = (weights @ v).transpose(1, 2).reshape(-1, self.heads * self.value)
        projected: Tensor = self.proj(y)
        return projected


class Residual(nn.Module):
    """`m` around a skip."""

    def __init__(self, m: nn.Module) -> None:
        super().__init__()
        self.m = m

    def forward(self, x: Tensor) -> Tensor:
        """(B * N, C) -> (B * N, C)."""
        y: Tensor = x + self.m(x)
        return y


def mlp(channels: int) -> Residual:
    """Two linear layers, twice as wide between them, around a skip."""
    return Residual(
        nn.Sequential(LinearNorm(channels, 2 * channels), nn.Hardswish(), LinearNorm(2 * channels, channels))
    )


class LevitStage(NamedTuple):
    """Channels of a token, heads of an attention, pairs of attention and MLP, and the block whose output is a level.

    Blocks are counted over all stages.
    """

    channels: int
    heads: int
    depth: int
    tap: int


# A third of the blocks come after the last tap: they are in the checkpoint but never run.
LEVIT_384 = (LevitStage(384, 6, 4, tap=3), LevitStage(512, 9, 4, tap=11), LevitStage(768, 12, 4, tap=21))


class Levit(nn.Module):
    """The transformer, for photos of `photo` x `photo` pixels.

    Attributes:
        levels: for each tapped block channels, height and width of its level.
    """

    def __init__(self, photo: int, stages: tuple[LevitStage, LevitStage, LevitStage]) -> None:
        super().__init__()
        first, side = stages[0].channels, photo // PATCH
        self.first, self.tokens = first, side**2
        self.levels: dict[int, Level] = {}
        self.patch_embed = nn.Sequential(
            ConvNorm(3, first // 8),
            nn.Hardswish(),
            ConvNorm(first // 8, first // 4),
            nn.Hardswish(),
            ConvNorm(first // 4, first // 2),
            nn.Hardswish(),
            ConvNorm(first // 2, first),
        )
        blocks: list[nn.Module] = []
        before = 0
        for channels, heads, depth, tap in stages:
            if blocks:
                blocks += [AttentionSubsample(before, channels, before // KEY, side), mlp(channels)]
                side = (side + 1) // 2
            for _ in range(depth):
                blocks += [Residual(LevitAttention(channels, heads, side)), mlp(channels)]
            self.levels[tap] = (channels, side, side)
            before = channels
        self.blocks = nn.Sequential(*blocks)
        self.head = NormLinear(stages[-1].channels)
        self.head_dist = NormLinear(stages[-1].channels)

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """(B, 3, photo, photo) -> the tapped levels (B, 384, 14, 14), (B, 512, 7, 7), (B, 768, 4, 4)."""
        x = self.patch_embed(x)  # (B, C, 14, 14)
        x = x.reshape(-1, self.first, self.tokens).transpose(1, 2).reshape(-1, self.first)  # (B * 196, C)
        levels = []
        for index, block in enumerate(self.blocks):
            x = block(x)
            if index in self.levels:
                channels, height, width = self.levels[index]
                tokens = x.reshape(-1, height * width, channels)
                levels.append(tokens.transpose(1, 2).reshape(-1, channels, height, width))
            if len(levels) == len(self.levels):
                break
        return tuple(levels)


class LevitScratch(nn.Module):
    """Decoder and head. Three levels at H/16 and coarser leave it at H/8, so transposed convolutions quadruple that."""

    def __init__(self, level1: Level, level2: Level, level3: Level) -> None:
        super().__init__()
        self.size2 = level2[1:]
        self.layer1_rn = nn.Conv2d(level1[0], FEATURES, 3, padding=1, bias=False)
        self.layer2_rn = nn.Conv2d(level2[0], FEATURES, 3, padding=1, bias=False)
        self.layer3_rn = nn.Conv2d(level3[0], FEATURES, 3, padding=1, bias=False)
        self.stem_transpose = nn.Sequential(
            ConvTransposeNorm(FEATURES, 128), nn.Hardswish(), ConvTransposeNorm(128, 64), nn.Hardswish()
        )
        self.refinenet1 = FeatureFusion(FEATURES, FEATURES)
        self.refinenet2 = FeatureFusion(FEATURES, FEATURES)
        self.refinenet3 = FeatureFusion(FEATURES, FEATURES)
        self.output_conv = head(features=64, hidden=8)

    def forward(self, level1: Tensor, level2: Tensor, level3: Tensor) -> Tensor:
        """Three encoder levels of 14x14, 7x7 and 4x4 -> (B, 1, 224, 224)."""
        path = self.refinenet3(self.layer3_rn(level3), size=self.size2)  # (B, 256, 7, 7)
        path = self.refinenet2(path, self.layer2_rn(level2))  # (B, 256, 14, 14)
        path = self.refinenet1(path, self.layer1_rn(level1))  # (B, 256, 28, 28)
        depth: Tensor = self.output_conv(self.stem_transpose(path))  # (B, 64, 112, 112) -> (B, 1, 224, 224)
        return depth


class DptLevit(nn.Module):
    """dpt_levit_224: 51 million parameters, takes `photo` x `photo` pixels only."""

    def __init__(self, photo: int) -> None:
        super().__init__()
        transformer = Levit(photo, LEVIT_384)
        self.pretrained = nn.Sequential(OrderedDict(model=transformer))
        self.scratch = LevitScratch(*transformer.levels.values())

    def forward(self, x: Tensor) -> Tensor:
        """Relative inverse depth, larger is nearer, never negative.

        Normalised float32 (B, 3, photo, photo) -> float32 (B, photo, photo).
        """
        depth: Tensor = self.scratch(*self.pretrained(x))  # (B, 1, H, W)
        return depth.squeeze(1)  # (B, H, W)
