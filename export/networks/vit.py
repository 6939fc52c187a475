"""DPT with a plain vision transformer: dpt_large_384 (ViT-L/16).

Source: Dosovitskiy et al., "An Image is Worth 16x16 Words" (2021), in timm's form; isl-org/MiDaS,
`midas/backbones/vit.py`, which taps four blocks and interpolates the position embedding to the photo's shape. Module
names are those of the checkpoints, which also hold a last norm and a classifier that depth does not use.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from export.networks.dpt import PATCH, Dpt, PlainEncoder, Widths

LAYER_NORM_EPS = 1e-6  # timm's; PyTorch's default is 1e-5
CLASSES = 1000  # of ImageNet, in the classifier that never runs
GRID = 24  # patches in a row and in a column of the 384x384 photos that the position embedding was trained on
Taps = tuple[int, int, int, int]


def layer_norm(width: int) -> nn.LayerNorm:
    """Layer normalisation with timm's epsilon."""
    return nn.LayerNorm(width, eps=LAYER_NORM_EPS)


class VitAttention(nn.Module):
    """Multi-head self-attention."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.width, self.heads = width, heads
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        """(B, N, C) -> (B, N, C)."""
        batch, count, _ = x.shape
        per_head = self.width // self.heads
        qkv = self.qkv(x).reshape(batch, count, 3, self.heads, per_head).permute(2, 0, 3, 1, 4)
        query, key, value = qkv.unbind(0)  # (B, heads, N, C / heads) each
        mixed = F.scaled_dot_product_attention(query, key, value, scale=per_head**-0.5)
        projected: Tensor = self.proj(mixed.transpose(1, 2).reshape(batch, count, self.width))
        return projected


class VitMlp(nn.Module):
    """Two linear layers, GELU between them."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(width, 4 * width)
        self.fc2 = nn.Linear(4 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        """(B, N, C) -> (B, N, C)."""
        projected: Tensor = self.fc2(F.gelu(self.fc1(x)))
        return projected


class VitBlock(nn.Module):
    """Attention and MLP, each normalised before and added to what came in."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.norm1 = layer_norm(width)
        self.attn = VitAttention(width, heads)
        self.norm2 = layer_norm(width)
        self.mlp = VitMlp(width)

    def forward(self, x: Tensor) -> Tensor:
        """(B, N, C) -> (B, N, C)."""
        attended: Tensor = x + self.attn(self.norm1(x))
        refined: Tensor = attended + self.mlp(self.norm2(attended))
        return refined


class VitPatchEmbed(nn.Module):
    """One token for every square of `patch` x `patch` pixels."""

    def __init__(self, width: int, patch: int = PATCH) -> None:
        super().__init__()
        self.proj = nn.Conv2d(3, width, patch, stride=patch)

    def forward(self, x: Tensor) -> Tensor:
        """(B, 3, H, W) -> (B, C, H/patch, W/patch)."""
        patches: Tensor = self.proj(x)
        return patches


class VitTrunk(nn.Module):
    """The transformer.

    Args:
        patch_embed: makes (B, C, H/16, W/16) of a photo.
        width: C.
        depth: number of blocks.
        heads: of every attention.
        taps: the blocks whose tokens are given out, counted from 0.
    """

    def __init__(self, patch_embed: nn.Module, width: int, depth: int, heads: int, taps: tuple[int, ...]) -> None:
        super().__init__()
        self.width, self.taps = width, taps
        self.cls_token = nn.Parameter(torch.zeros(1, 1, width))
        self.pos_embed = nn.Parameter(torch.zeros(1, 1 + GRID * GRID, width))
        self.patch_embed = patch_embed
        self.blocks = nn.ModuleList(VitBlock(width, heads) for _ in range(depth))
        self.norm = layer_norm(width)
        self.head = nn.Linear(width, CLASSES)

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """(B, 3, H, W) -> the tokens (B, 1 + H/16 * W/16, C) of the tapped blocks, class token first."""
        return self.transform(self.patch_embed(x))

    def transform(self, patches: Tensor) -> tuple[Tensor, ...]:
        """(B, C, H/16, W/16) -> the same tokens."""
        of_class, of_grid = self.pos_embed[:, :1], self.pos_embed[:, 1:]
        grid = of_grid.transpose(1, 2).reshape(1, self.width, GRID, GRID)
        patches = patches + F.interpolate(grid, size=patches.shape[-2:], mode="bilinear")
        class_token = (self.cls_token + of_class).expand(patches.shape[0], -1, -1)  # (B, 1, C)
        tokens = torch.cat((class_token, patches.flatten(2).transpose(1, 2)), dim=1)
        tapped = []
        for index, block in enumerate(self.blocks):
            tokens = block(tokens)
            if index in self.taps:
                tapped.append(tokens)
        return tuple(tapped)


class DptVit(Dpt):
    """A DPT network with a plain vision transformer; takes any aspect ratio. See `VitTrunk` for the arguments."""

    def __init__(self, width: int, depth: int, heads: int, taps: Taps, channels: Widths) -> None:
        trunk = VitTrunk(VitPatchEmbed(width), width, depth, heads, taps)
        super().__init__(PlainEncoder(trunk, width, channels), channels)
