"""DINOv2: the vision transformer that encodes the photo in Depth Anything. Patches of 14 pixels, no registers.

Source: Oquab et al., "DINOv2: Learning Robust Visual Features without Supervision" (2023); DepthAnything/
Depth-Anything-V2, `depth_anything_v2/dinov2.py`. Module names are those of the checkpoints, which also hold a mask
token that depth does not use.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from export.networks.vit import Taps, VitAttention, VitMlp, VitPatchEmbed, layer_norm

PATCH = 14  # side in pixels of what becomes a token
GRID = 37  # patches in a row and in a column of the 518x518 photos that the position embedding was trained on
OFFSET = 0.1  # patches that are added to a side when the position embedding is scaled to it
CUBIC = -0.75  # the coefficient of PyTorch's bicubic interpolation
BORDER = 2  # how far the cubic kernel reaches over the edge of the embedding


class LayerScale(nn.Module):
    """A learned factor a channel."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(width))

    def forward(self, x: Tensor) -> Tensor:
        """(B, N, C) -> (B, N, C)."""
        return x * self.gamma


class ScaledBlock(nn.Module):
    """Attention and MLP, each normalised before, scaled, and added to what came in."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.norm1 = layer_norm(width)
        self.attn = VitAttention(width, heads)
        self.ls1 = LayerScale(width)
        self.norm2 = layer_norm(width)
        self.mlp = VitMlp(width)
        self.ls2 = LayerScale(width)

    def forward(self, x: Tensor) -> Tensor:
        """(B, N, C) -> (B, N, C)."""
        attended: Tensor = x + self.ls1(self.attn(self.norm1(x)))
        refined: Tensor = attended + self.ls2(self.mlp(self.norm2(attended)))
        return refined


def cubic_weights(places: Tensor, offset: Tensor) -> Tensor:
    """How much each of the trained positions along one side counts for each patch of a photo.

    This is `F.interpolate(mode="bicubic", scale_factor=(n + offset) / GRID)` along one side as a matrix. Written out it
    can be traced: with `interpolate` the scale factor would become a constant of the graph, and the scale follows from
    the photo.

    Args:
        places: 0 to n - 1, float32 (n,).
        offset: a scalar. With 0 at n = GRID each patch has just its own position, without rounding.

    Returns:
        float32 (n, GRID + 2 * BORDER), for an embedding that was continued by BORDER at both ends.
    """
    step = GRID / (places[-1] + 1 + offset)
    centres = (places + 0.5) * step - 0.5
    trained = torch.arange(-BORDER, GRID + BORDER, dtype=torch.float32, device=places.device)
    t = (centres[:, None] - trained).abs()
    near = ((CUBIC + 2) * t - (CUBIC + 3)) * t * t + 1
    far = ((t - 5) * t + 8) * t * CUBIC - 4 * CUBIC
    return torch.where(t <= 1, near, torch.where(t < 2, far, torch.zeros_like(t)))


class Positions(nn.Module):
    """The position embedding for any number of patches; a module of its own so that its part of a graph has a name.

    As it was trained for GRID x GRID patches. For all others the official code interpolates it by a scale that has the
    offset in it, so also along a side of GRID patches, as in 518 x 686 pixels.
    """

    def forward(self, trained: Tensor, height: int, width: int) -> Tensor:
        """(1, GRID * GRID, C) -> (1, height * width, C)."""
        rows = torch.arange(height, dtype=torch.float32, device=trained.device)
        columns = torch.arange(width, dtype=torch.float32, device=trained.device)
        as_trained = (rows[-1] == GRID - 1) & (columns[-1] == GRID - 1)
        offset = torch.where(as_trained, torch.zeros_like(rows[-1]), torch.full_like(rows[-1], OFFSET))
        grid = trained.transpose(1, 2).reshape(1, trained.shape[-1], GRID, GRID)
        grid = F.pad(grid, (BORDER,) * 4, mode="replicate")  # (1, C, GRID + 4, GRID + 4)
        down, right = cubic_weights(rows, offset), cubic_weights(columns, offset)
        return (down @ grid @ right.t()).flatten(2).transpose(1, 2)


class DinoV2(nn.Module):
    """The transformer.

    Args:
        width: C.
        depth: number of blocks.
        heads: of every attention.
        taps: the blocks whose tokens are given out, counted from 0.
    """

    def __init__(self, width: int, depth: int, heads: int, taps: Taps) -> None:
        super().__init__()
        self.width, self.taps = width, taps
        self.cls_token = nn.Parameter(torch.zeros(1, 1, width))
        self.pos_embed = nn.Parameter(torch.zeros(1, 1 + GRID * GRID, width))
        self.mask_token = nn.Parameter(torch.zeros(1, width))
        self.patch_embed = VitPatchEmbed(width, PATCH)
        self.blocks = nn.ModuleList(ScaledBlock(width, heads) for _ in range(depth))
        self.norm = layer_norm(width)
        self.positions = Positions()

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """(B, 3, H, W) -> the patches' tokens of the tapped blocks, each normalised: (B, C, H/14, W/14)."""
        patches: Tensor = self.patch_embed(x)  # (B, C, H/14, W/14)
        height, width = patches.shape[-2:]
        on_grid = patches.flatten(2).transpose(1, 2)  # (B, N, C)
        on_grid = on_grid + self.positions(self.pos_embed[:, 1:], height, width)
        class_token = (self.cls_token + self.pos_embed[:, :1]).expand(patches.shape[0], -1, -1)  # (B, 1, C)
        tokens = torch.cat((class_token, on_grid), dim=1)
        tapped = []
        for index, block in enumerate(self.blocks):
            tokens = block(tokens)
            if index in self.taps:
                of_patches = self.norm(tokens)[:, 1:]  # the decoder does without the class token
                tapped.append(of_patches.transpose(1, 2).reshape(-1, self.width, height, width))
        return tuple(tapped)
