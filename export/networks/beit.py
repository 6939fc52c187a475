"""DPT with BEiT, a plain transformer that knows positions by a bias on its attention.

    dpt_beit_large_512, dpt_beit_large_384, dpt_beit_base_384

Source: Bao, Dong, Piao, Wei, "BEiT: BERT Pre-Training of Image Transformers" (2022), in timm's form; isl-org/MiDaS,
`midas/backbones/beit.py`, which interpolates the bias to the photo's shape. Module names are those of the checkpoints,
which also hold a last norm and a classifier that depth does not use, and each block's `relative_position_index`, which
follows from the shape alone and is not needed here.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from export.networks.dpt import Dpt, PlainEncoder, Widths
from export.networks.vit import CLASSES, Taps, VitMlp, VitPatchEmbed, layer_norm


class Grid(NamedTuple):
    """The patches that a photo is cut into, and the offsets between any two of them in either direction.

    Attributes:
        height, width: in patches.
        down: int64 (height, height), row of one patch minus row of the other, counted from the most negative.
        right: int64 (width, width), the same for columns.
        zeros: (height * width,), to repeat a number for every patch.
    """

    height: int
    width: int
    down: Tensor
    right: Tensor
    zeros: Tensor


def grid_of(patches: Tensor) -> Grid:
    """The grid of `patches` (B, C, height, width)."""
    height, width = patches.shape[-2:]
    rows = torch.arange(height, device=patches.device)
    columns = torch.arange(width, device=patches.device)
    return Grid(
        height,
        width,
        down=rows[:, None] - rows + (height - 1),
        right=columns[:, None] - columns + (width - 1),
        zeros=patches.new_zeros(height * width),
    )


class BeitAttention(nn.Module):
    """Multi-head self-attention with a learned bias for every offset of two patches. Keys have no bias of their own.

    `trained` is the number of patches in a row and in a column of the photos that the table was trained on.
    """

    def __init__(self, width: int, heads: int, trained: int) -> None:
        super().__init__()
        self.width, self.heads, self.offsets = width, heads, 2 * trained - 1
        self.qkv = nn.Linear(width, 3 * width, bias=False)
        self.q_bias = nn.Parameter(torch.zeros(width))
        self.v_bias = nn.Parameter(torch.zeros(width))
        self.relative_position_bias_table = nn.Parameter(torch.zeros(self.offsets**2 + 3, heads))
        self.proj = nn.Linear(width, width)

    def position_bias(self, grid: Grid) -> Tensor:
        """The bias on every pair of tokens, query by key: (heads, N, N), N = 1 + height * width.

        The table holds the offsets of two patches in row-major order, each direction from the most negative on, then
        three rows for class token to patch, patch to class token, class token to itself. The offsets are interpolated
        to those of the grid. The official code then looks up each pair by one index (N, N); column by column and then
        row by row moves whole rows of memory instead of single numbers.
        """
        count = grid.height * grid.width
        table = self.relative_position_bias_table.t()  # (heads, rows)
        offsets = table[:, :-3].reshape(1, self.heads, self.offsets, self.offsets)
        offsets = F.interpolate(offsets, size=(2 * grid.height - 1, 2 * grid.width - 1), mode="bilinear")[0]
        pairs = offsets[:, :, grid.right]  # (heads, 2 * height - 1, width, width)
        pairs = pairs[:, grid.down]  # (heads, height, height, width, width)
        pairs = pairs.transpose(2, 3).reshape(self.heads, count, count)
        from_class = table[:, -3, None] + grid.zeros  # (heads, height * width)
        to_class = table[:, -2, None] + grid.zeros
        patch_keys = torch.cat((from_class[:, None], pairs), dim=1)  # (heads, N, height * width)
        class_key = torch.cat((table[:, -1, None], to_class), dim=1)  # (heads, N)
        return torch.cat((class_key[:, :, None], patch_keys), dim=2)

    def forward(self, x: Tensor, grid: Grid) -> Tensor:
        """(B, N, C) -> (B, N, C), N = 1 + height * width of the grid."""
        batch, count, _ = x.shape
        per_head = self.width // self.heads
        bias = torch.cat((self.q_bias, torch.zeros_like(self.q_bias), self.v_bias))
        qkv = F.linear(x, self.qkv.weight, bias).reshape(batch, count, 3, self.heads, per_head).permute(2, 0, 3, 1, 4)
        query, key, value = qkv.unbind(0)  # (B, heads, N, C / heads) each
        position_bias = self.position_bias(grid)[None]  # (1, heads, N, N)
        mixed = F.scaled_dot_product_attention(query, key, value, position_bias, scale=per_head**-0.5)
        projected: Tensor = self.proj(mixed.transpose(1, 2).reshape(batch, count, self.width))
        return projected


class BeitBlock(nn.Module):
    """Attention and MLP, each normalised before, scaled by a learned factor a channel and added to what came in."""

    def __init__(self, width: int, heads: int, trained: int) -> None:
        super().__init__()
        self.gamma_1 = nn.Parameter(torch.ones(width))
        self.gamma_2 = nn.Parameter(torch.ones(width))
        self.norm1 = layer_norm(width)
        self.attn = BeitAttention(width, heads, trained)
        self.norm2 = layer_norm(width)
        self.mlp = VitMlp(width)

    def forward(self, x: Tensor, grid: Grid) -> Tensor:
        """(B, N, C) -> (B, N, C), N = 1 + height * width of the grid."""
        attended: Tensor = x + self.gamma_1 * self.attn(self.norm1(x), grid)
        refined: Tensor = attended + self.gamma_2 * self.mlp(self.norm2(attended))
        return refined


class BeitTrunk(nn.Module):
    """The transformer.

    Args:
        width: C.
        depth: number of blocks.
        heads: of every attention.
        taps: the blocks whose tokens are given out, counted from 0.
        trained: patches in a row and in a column of the photos that it was trained on.
    """

    def __init__(self, width: int, depth: int, heads: int, taps: Taps, trained: int) -> None:
        super().__init__()
        self.taps = taps
        self.cls_token = nn.Parameter(torch.zeros(1, 1, width))
        self.patch_embed = VitPatchEmbed(width)
        self.blocks = nn.ModuleList(BeitBlock(width, heads, trained) for _ in range(depth))
        self.fc_norm = layer_norm(width)
        self.head = nn.Linear(width, CLASSES)

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """(B, 3, H, W) -> the tokens (B, 1 + H/16 * W/16, C) of the tapped blocks, class token first."""
        patches: Tensor = self.patch_embed(x)  # (B, C, H/16, W/16)
        grid = grid_of(patches)
        class_token = self.cls_token.expand(patches.shape[0], -1, -1)  # (B, 1, C)
        tokens = torch.cat((class_token, patches.flatten(2).transpose(1, 2)), dim=1)
        tapped = []
        for number, block in enumerate(self.blocks):
            tokens = block(tokens, grid)
            if number in self.taps:
                tapped.append(tokens)
        return tuple(tapped)


class DptBeit(Dpt):
    """A DPT network with BEiT; takes any aspect ratio. See `BeitTrunk` for the arguments; `channels` as for `Dpt`."""

    def __init__(self, width: int, depth: int, heads: int, taps: Taps, trained: int, channels: Widths) -> None:
        trunk = BeitTrunk(width, depth, heads, taps, trained)
        super().__init__(PlainEncoder(trunk, width, channels), channels)
