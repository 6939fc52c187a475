"""The project's own small network, in the manner of MiDaS v2.1 small. It is no MiDaS checkpoint: `training/` made it.

Against midas_v21_small_256: EfficientNet-Lite0 instead of Lite3, a decoder three quarters as wide at the finest level
and a quarter at the coarsest, no weights that never run, and a head with few channels at full size, where a convolution
costs most. Module names are those of the small network.
"""

from torch import Tensor, nn

from export.networks.decoder import Double, FeatureFusion
from export.networks.efficientnet_lite import LITE0, EfficientNetLite

Widths = tuple[int, int, int, int]


class TinyScratch(nn.Module):
    """Decoder and head.

    Args:
        encoder_channels: of the four encoder levels, finest first.
        widths: channels that the decoder works on at each level, finest first.
        head: channels of the head at half and at full size.
    """

    def __init__(self, encoder_channels: Widths, widths: Widths, head: int) -> None:
        super().__init__()
        self.layer1_rn = nn.Conv2d(encoder_channels[0], widths[0], 3, padding=1, bias=False)
        self.layer2_rn = nn.Conv2d(encoder_channels[1], widths[1], 3, padding=1, bias=False)
        self.layer3_rn = nn.Conv2d(encoder_channels[2], widths[2], 3, padding=1, bias=False)
        self.layer4_rn = nn.Conv2d(encoder_channels[3], widths[3], 3, padding=1, bias=False)
        self.refinenet4 = FeatureFusion(widths[3], widths[2], joins=False)
        self.refinenet3 = FeatureFusion(widths[2], widths[1])
        self.refinenet2 = FeatureFusion(widths[1], widths[0])
        self.refinenet1 = FeatureFusion(widths[0], 2 * head)
        self.output_conv = nn.Sequential(
            nn.Conv2d(2 * head, head, 3, padding=1),
            Double(align_corners=False),
            nn.Conv2d(head, head, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(head, 1, 1),
            nn.ReLU(),
        )

    def forward(self, level1: Tensor, level2: Tensor, level3: Tensor, level4: Tensor) -> Tensor:
        """Four encoder levels at H/4 .. H/32 -> (B, 1, H, W)."""
        path = self.refinenet4(self.layer4_rn(level4))  # (B, widths[2], H/16, W/16)
        path = self.refinenet3(path, self.layer3_rn(level3))  # (B, widths[1], H/8, W/8)
        path = self.refinenet2(path, self.layer2_rn(level2))  # (B, widths[0], H/4, W/4)
        path = self.refinenet1(path, self.layer1_rn(level1))  # (B, 2 * head, H/2, W/2)
        depth: Tensor = self.output_conv(path)  # (B, 1, H, W)
        return depth


class MidasTiny(nn.Module):
    """midas_tiny_256: 4.3 million parameters, any aspect ratio. See `TinyScratch` for the arguments."""

    def __init__(self, widths: Widths, head: int) -> None:
        super().__init__()
        self.pretrained = EfficientNetLite(LITE0)
        self.scratch = TinyScratch(self.pretrained.channels, widths, head)

    def forward(self, x: Tensor) -> Tensor:
        """Relative inverse depth, larger is nearer, never negative.

        Normalised float32 (B, 3, H, W), H and W multiples of 32 -> float32 (B, H, W).
        """
        depth: Tensor = self.scratch(*self.pretrained(x))  # (B, 1, H, W)
        return depth.squeeze(1)  # (B, H, W)
