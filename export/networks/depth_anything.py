"""Depth Anything, V1 and V2: DINOv2 as the encoder, and MiDaS's DPT decoder, changed.

What is changed: the class token is dropped; the sides are multiples of 14 and not of 32, so each fusion brings its
result to the size of the next level; the head enlarges 8 pixels a patch to 14. V1 and V2 differ by the blocks that are
tapped and by nothing in the checkpoint. The metric networks end in a sigmoid that is scaled to metres.

Source: Yang et al., "Depth Anything: Unleashing the Power of Large-Scale Unlabeled Data" (CVPR 2024); Yang et al.,
"Depth Anything V2" (NeurIPS 2024); DepthAnything/Depth-Anything-V2, `depth_anything_v2/dpt.py` and
`metric_depth/depth_anything_v2/dpt.py`. Module names are those of the checkpoints.
"""

from torch import Tensor, nn
from torch.nn import functional as F

from export.networks.decoder import FeatureFusion
from export.networks.dino_v2 import PATCH, DinoV2
from export.networks.dpt import Levels, Widths, enlarge, halve
from export.networks.vit import Taps

HIDDEN = 32  # channels before the last convolution


class PatchScratch(nn.Module):
    """Decoder and head, for an encoder whose four levels have `channels`, finest first.

    Args:
        channels: of the levels.
        features: channels of every fusion.
        max_depth: the farthest in metres that a metric network gives; None for relative inverse depth.
    """

    def __init__(self, channels: Widths, features: int, max_depth: float | None) -> None:
        super().__init__()
        self.max_depth = max_depth
        self.layer1_rn = nn.Conv2d(channels[0], features, 3, padding=1, bias=False)
        self.layer2_rn = nn.Conv2d(channels[1], features, 3, padding=1, bias=False)
        self.layer3_rn = nn.Conv2d(channels[2], features, 3, padding=1, bias=False)
        self.layer4_rn = nn.Conv2d(channels[3], features, 3, padding=1, bias=False)
        self.refinenet1 = FeatureFusion(features, features)
        self.refinenet2 = FeatureFusion(features, features)
        self.refinenet3 = FeatureFusion(features, features)
        self.refinenet4 = FeatureFusion(features, features)
        self.output_conv1 = nn.Conv2d(features, features // 2, 3, padding=1)
        last: nn.Module = nn.ReLU() if max_depth is None else nn.Sigmoid()
        self.output_conv2 = nn.Sequential(
            nn.Conv2d(features // 2, HIDDEN, 3, padding=1), nn.ReLU(), nn.Conv2d(HIDDEN, 1, 1), last
        )

    def forward(self, levels: Levels, size: tuple[int, int]) -> Tensor:
        """Levels with 4, 2, 1 and 1/2 pixels a patch -> (B, 1, *size)."""
        level1, level2, level3, level4 = (
            self.layer1_rn(levels[0]),
            self.layer2_rn(levels[1]),
            self.layer3_rn(levels[2]),
            self.layer4_rn(levels[3]),
        )
        path = self.refinenet4(level4, size=level3.shape[-2:])
        path = self.refinenet3(path, level3, size=level2.shape[-2:])
        path = self.refinenet2(path, level2, size=level1.shape[-2:])
        path = self.output_conv1(self.refinenet1(path, level1))  # (B, features / 2, 8 a patch)
        depth: Tensor = self.output_conv2(F.interpolate(path, size, mode="bilinear", align_corners=True))
        return depth if self.max_depth is None else depth * self.max_depth


class DepthHead(nn.Module):
    """The transformer's levels, and what `PatchScratch` makes of them. See there for the arguments."""

    def __init__(self, width: int, channels: Widths, features: int, max_depth: float | None) -> None:
        super().__init__()
        self.projects = nn.ModuleList(nn.Conv2d(width, each, 1) for each in channels)
        self.resize_layers = nn.ModuleList(
            [enlarge(channels[0], 4), enlarge(channels[1], 2), nn.Identity(), halve(channels[3])]
        )
        self.scratch = PatchScratch(channels, features, max_depth)

    def forward(self, tapped: tuple[Tensor, ...], size: tuple[int, int]) -> Tensor:
        """Four times (B, C, H/14, W/14) -> (B, 1, H, W)."""
        level1, level2, level3, level4 = (
            resize(project(tokens))
            for tokens, project, resize in zip(tapped, self.projects, self.resize_layers, strict=True)
        )
        depth: Tensor = self.scratch((level1, level2, level3, level4), size)
        return depth


class DepthAnything(nn.Module):
    """Any of the networks; takes any aspect ratio.

    Args:
        width, depth, heads, taps: see `DinoV2`.
        channels: of the four levels, finest first.
        features, max_depth: see `PatchScratch`.
    """

    def __init__(
        self,
        width: int,
        depth: int,
        heads: int,
        taps: Taps,
        channels: Widths,
        features: int,
        max_depth: float | None = None,
    ) -> None:
        super().__init__()
        self.pretrained = DinoV2(width, depth, heads, taps)
        self.depth_head = DepthHead(width, channels, features, max_depth)

    def forward(self, x: Tensor) -> Tensor:
        """Relative inverse depth, larger is nearer; depth in metres of a metric network. Never negative.

        Normalised float32 (B, 3, H, W), H and W multiples of 14 -> float32 (B, H, W).
        """
        tapped = self.pretrained(x)
        height, width = tapped[0].shape[-2:]
        depth: Tensor = self.depth_head(tapped, (height * PATCH, width * PATCH))
        return depth.squeeze(1)
