"""The decoder that MiDaS networks share: RefineNet fusion of four encoder levels, coarsest first.

Source: Lin et al., "RefineNet" (2017), as simplified in Ranftl et al., "Towards Robust Monocular Depth Estimation"
(2020) and isl-org/MiDaS, `midas/blocks.py`. Module names are those of the official checkpoints.

Every forward takes and gives float32 (B, C, H, W).
"""

from torch import Tensor, nn
from torch.nn import functional as F


class ResidualConvUnit(nn.Module):
    """Two 3x3 convolutions, each after a ReLU, and a skip."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, C, H, W)."""
        y: Tensor = self.conv2(F.relu(self.conv1(F.relu(x))))
        return y + x


class FeatureFusion(nn.Module):
    """Adds an encoder level to the coarser result so far, refines the sum and doubles its size, or brings it to `size`.

    resConfUnit1 refines the encoder level. The coarsest block has nothing to add to, so it never runs its own, though
    the official checkpoints hold weights for it; `joins=False` leaves them out.
    """

    def __init__(self, channels: int, out_channels: int, *, joins: bool = True) -> None:
        super().__init__()
        self.out_conv = nn.Conv2d(channels, out_channels, 1)
        if joins:
            self.resConfUnit1 = ResidualConvUnit(channels)
        self.resConfUnit2 = ResidualConvUnit(channels)

    def forward(self, coarser: Tensor, level: Tensor | None = None, size: tuple[int, int] | None = None) -> Tensor:
        """(B, C, H, W) and (B, C, H, W) or nothing -> (B, out, 2H, 2W), or (B, out, *size) where a size is given."""
        if level is not None:
            coarser = coarser + self.resConfUnit1(level)
        refined = self.resConfUnit2(coarser)
        # The official code doubles first. A 1x1 convolution commutes with interpolation, whose weights add up to 1, and
        # costs a quarter at half the size.
        projected = self.out_conv(refined)
        factor = 2.0 if size is None else None
        return F.interpolate(projected, size=size, scale_factor=factor, mode="bilinear", align_corners=True)


class Double(nn.Module):
    """Bilinear interpolation to twice the size, as a step of a Sequential."""

    def __init__(self, align_corners: bool) -> None:
        super().__init__()
        self.align_corners = align_corners

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, C, 2H, 2W)."""
        return F.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=self.align_corners)
