"""MiDaS v2.1: a convolutional encoder, four levels brought to the decoder's widths, RefineNet fusion, a small head.

Source: Ranftl, Lasinger, Hafner, Schindler, Koltun, "Towards Robust Monocular Depth Estimation: Mixing Datasets for
Zero-shot Cross-dataset Transfer" (TPAMI 2020); isl-org/MiDaS, `midas/midas_net_custom.py`. Module names are those of
the checkpoints.
"""

from torch import Tensor, nn

from export.networks.decoder import Double, FeatureFusion
from export.networks.efficientnet_lite import LITE3, EfficientNetLite


class SmallScratch(nn.Module):
    """Decoder of the small network: the coarser a level, the wider ("expand"); each fusion but the last halves it."""

    def __init__(self, encoder_channels: tuple[int, int, int, int], features: int) -> None:
        super().__init__()
        widths = (features, features * 2, features * 4, features * 8)
        self.layer1_rn = nn.Conv2d(encoder_channels[0], widths[0], 3, padding=1, bias=False)
        self.layer2_rn = nn.Conv2d(encoder_channels[1], widths[1], 3, padding=1, bias=False)
        self.layer3_rn = nn.Conv2d(encoder_channels[2], widths[2], 3, padding=1, bias=False)
        self.layer4_rn = nn.Conv2d(encoder_channels[3], widths[3], 3, padding=1, bias=False)
        self.refinenet4 = FeatureFusion(widths[3], widths[2])
        self.refinenet3 = FeatureFusion(widths[2], widths[1])
        self.refinenet2 = FeatureFusion(widths[1], widths[0])
        self.refinenet1 = FeatureFusion(widths[0], widths[0])
        self.output_conv = nn.Sequential(
            nn.Conv2d(features, features // 2, 3, padding=1),
            Double(align_corners=False),
            nn.Conv2d(features // 2, 32, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(32, 1, 1),
            nn.ReLU(),
        )

    def forward(self, level1: Tensor, level2: Tensor, level3: Tensor, level4: Tensor) -> Tensor:
        """Four encoder levels at H/4 .. H/32 -> (B, 1, H, W)."""
        path = self.refinenet4(self.layer4_rn(level4))  # (B, 4f, H/16, W/16)
        path = self.refinenet3(path, self.layer3_rn(level3))  # (B, 2f, H/8, W/8)
        path = self.refinenet2(path, self.layer2_rn(level2))  # (B, f, H/4, W/4)
        path = self.refinenet1(path, self.layer1_rn(level1))  # (B, f, H/2, W/2)
        depth: Tensor = self.output_conv(path)  # (B, 1, H, W)
        return depth


class MidasV21Small(nn.Module):
    """midas_v21_small_256: 21 million parameters, any aspect ratio."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.pretrained = EfficientNetLite(LITE3)
        self.scratch = SmallScratch(self.pretrained.channels, features)

    def forward(self, x: Tensor) -> Tensor:
        """Relative inverse depth, larger is nearer, never negative.

        Normalised float32 (B, 3, H, W), H and W multiples of 32 -> float32 (B, H, W).
        """
        depth: Tensor = self.scratch(*self.pretrained(x))  # (B, 1, H, W)
        return depth.squeeze(1)  # (B, H, W)
