"""DPT with a ResNet in front of a vision transformer: dpt_hybrid_384 (ResNetV2-50 without its last stage, ViT-B).

The two finer levels come from the ResNet's first two stages, the two coarser from the transformer.

Source: Kolesnikov et al., "Big Transfer (BiT)" (2020), for the ResNet with group normalisation and standardised
weights; Dosovitskiy et al., "An Image is Worth 16x16 Words" (2021), for the hybrid; isl-org/MiDaS,
`midas/backbones/vit.py`. Module names are those of the checkpoint.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from export.networks.dpt import PATCH, Dpt, Levels, Reassemble, Widths, halve
from export.networks.vit import VitTrunk

GROUPS = 32  # of every group normalisation
WEIGHT_EPS = 1e-8


class StandardConv2d(nn.Conv2d):
    """Convolution without bias whose weights are shifted and scaled to mean 0 and variance 1, padded as "SAME".

    "SAME" pads by as little as gives size / stride outputs; where the total is odd, as at stride 2, the odd pixel goes
    to the right and the bottom.
    """

    def __init__(self, in_channels: int, out_channels: int, kernel: int, stride: int = 1) -> None:
        super().__init__(in_channels, out_channels, kernel, stride, bias=False)
        total = max(kernel - stride, 0)
        self.surround = (total // 2, total - total // 2) * 2

    def forward(self, x: Tensor) -> Tensor:
        """(B, in, H, W) -> (B, out, H / stride, W / stride)."""
        variance, mean = torch.var_mean(self.weight, dim=(1, 2, 3), keepdim=True, correction=0)
        weight = (self.weight - mean) * torch.rsqrt(variance + WEIGHT_EPS)
        padded = F.pad(x, self.surround) if any(self.surround) else x
        return F.conv2d(padded, weight, stride=self.stride)


class Downsample(nn.Module):
    """The shortcut where a stage begins."""

    def __init__(self, in_channels: int, out_channels: int, stride: int) -> None:
        super().__init__()
        self.conv = StandardConv2d(in_channels, out_channels, 1, stride)
        self.norm = nn.GroupNorm(GROUPS, out_channels)

    def forward(self, x: Tensor) -> Tensor:
        """(B, in, H, W) -> (B, out, H / stride, W / stride)."""
        shortcut: Tensor = self.norm(self.conv(x))
        return shortcut


class HybridBottleneck(nn.Module):
    """1x1 to a quarter of the channels, 3x3, 1x1 back; each normalised."""

    def __init__(self, in_channels: int, out_channels: int, stride: int) -> None:
        super().__init__()
        middle = out_channels // 4
        if in_channels != out_channels:
            self.downsample = Downsample(in_channels, out_channels, stride)
        self.changes = in_channels != out_channels
        self.conv1 = StandardConv2d(in_channels, middle, 1)
        self.norm1 = nn.GroupNorm(GROUPS, middle)
        self.conv2 = StandardConv2d(middle, middle, 3, stride)
        self.norm2 = nn.GroupNorm(GROUPS, middle)
        self.conv3 = StandardConv2d(middle, out_channels, 1)
        self.norm3 = nn.GroupNorm(GROUPS, out_channels)

    def forward(self, x: Tensor) -> Tensor:
        """(B, in, H, W) -> (B, out, H / stride, W / stride)."""
        shortcut = self.downsample(x) if self.changes else x
        x = F.relu(self.norm1(self.conv1(x)))
        x = F.relu(self.norm2(self.conv2(x)))
        x = self.norm3(self.conv3(x))
        return F.relu(x + shortcut)


class Stem(nn.Module):
    """7x7 convolution and maximum, each of stride 2."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = StandardConv2d(3, 64, 7, stride=2)
        self.norm = nn.GroupNorm(GROUPS, 64)

    def forward(self, x: Tensor) -> Tensor:
        """(B, 3, H, W) -> (B, 64, H/4, W/4)."""
        x = F.relu(self.norm(self.conv(x)))
        # ceil_mode is "SAME" for even sizes: the last window reaches one pixel over the edge.
        return F.max_pool2d(x, 3, stride=2, ceil_mode=True)


class HybridStage(nn.Module):
    """Bottlenecks, of which only the first strides and changes the number of channels."""

    def __init__(self, in_channels: int, out_channels: int, blocks: int, stride: int) -> None:
        super().__init__()
        first = HybridBottleneck(in_channels, out_channels, stride)
        self.blocks = nn.Sequential(
            first, *(HybridBottleneck(out_channels, out_channels, 1) for _ in range(blocks - 1))
        )

    def forward(self, x: Tensor) -> Tensor:
        """(B, in, H, W) -> (B, out, H / stride, W / stride)."""
        refined: Tensor = self.blocks(x)
        return refined


class ResNet(nn.Module):
    """The first three stages of ResNetV2-50, in its form with normalisation after each convolution."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = Stem()
        self.stages = nn.ModuleList(
            [
                HybridStage(64, 256, blocks=3, stride=1),
                HybridStage(256, 512, blocks=4, stride=2),
                HybridStage(512, 1024, blocks=9, stride=2),
            ]
        )

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """(B, 3, H, W) -> (B, 256, H/4, W/4), (B, 512, H/8, W/8), (B, 1024, H/16, W/16)."""
        stage1, stage2, stage3 = self.stages
        fine: Tensor = stage1(self.stem(x))
        middle: Tensor = stage2(fine)
        coarse: Tensor = stage3(middle)
        return fine, middle, coarse


class HybridEmbed(nn.Module):
    """The ResNet, and the projection of its coarsest map to the transformer's width."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.backbone = ResNet()
        self.proj = nn.Conv2d(1024, width, 1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """(B, 3, H, W) -> (B, 256, H/4, W/4), (B, 512, H/8, W/8) and patches (B, C, H/16, W/16)."""
        fine, middle, coarse = self.backbone(x)
        return fine, middle, self.proj(coarse)


class HybridTrunk(VitTrunk):
    """The ResNet and the transformer."""

    patch_embed: HybridEmbed

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """(B, 3, H, W) -> the two finer maps of the ResNet, then the tokens of the tapped blocks."""
        fine, middle, patches = self.patch_embed(x)
        return fine, middle, *self.transform(patches)


class HybridEncoder(nn.Module):
    """Two levels of the ResNet as they are, two of the transformer."""

    def __init__(self, width: int, depth: int, heads: int, taps: tuple[int, int], channels: Widths) -> None:
        super().__init__()
        self.model = HybridTrunk(HybridEmbed(width), width, depth, heads, taps)
        self.act_postprocess3 = Reassemble(width, channels[2])
        self.act_postprocess4 = Reassemble(width, channels[3], halve(channels[3]))

    def forward(self, x: Tensor) -> Levels:
        """(B, 3, H, W) -> the levels (B, channels, H/4, W/4), (.., H/8, W/8), (.., H/16, W/16), (.., H/32, W/32)."""
        height, width = x.shape[-2] // PATCH, x.shape[-1] // PATCH
        level1, level2, tokens3, tokens4 = self.model(x)
        level3: Tensor = self.act_postprocess3(tokens3, height, width)
        level4: Tensor = self.act_postprocess4(tokens4, height, width)
        return level1, level2, level3, level4


class DptHybrid(Dpt):
    """A DPT network with a hybrid transformer; takes any aspect ratio.

    Args:
        width, depth, heads: of the transformer.
        taps: the two blocks that give the coarser levels, counted from 0.
        channels: of the four levels, finest first; the first two are the ResNet's.
    """

    def __init__(self, width: int, depth: int, heads: int, taps: tuple[int, int], channels: Widths) -> None:
        super().__init__(HybridEncoder(width, depth, heads, taps, channels), channels)
