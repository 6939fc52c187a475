"""EfficientNet-Lite, the encoder of the small MiDaS networks, cut into the four levels that the decoder taps.

Source: Tan and Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks" (2019), in TensorFlow's
Lite variant: no squeeze-and-excitation, ReLU6 instead of swish, the stem and the depth of the two outer stages not
scaled. Trained in TensorFlow, hence its "SAME" padding and batch normalisation epsilon.

Every forward takes float32 (B, C, H, W) with H and W multiples of 32.
"""

from typing import NamedTuple

from torch import Tensor, nn
from torch.nn import functional as F

BATCH_NORM_EPS = 1e-3  # TensorFlow's default; PyTorch's is 1e-5


class SameConv2d(nn.Conv2d):
    """Convolution without bias, padded as TensorFlow's "SAME" does it.

    TensorFlow pads by as little as gives ceil(size / stride) outputs. At stride 2 the total is odd for an even size,
    and the odd pixel goes to the right and the bottom. All sizes are even here, since inputs are multiples of 32, so
    the padding is the same for every input and the graph stays free of arithmetic on shapes.
    """

    def __init__(self, in_channels: int, out_channels: int, kernel: int, stride: int = 1, groups: int = 1) -> None:
        total = kernel - stride
        self.asymmetric = (total // 2, total - total // 2) * 2 if total % 2 else None
        padding = 0 if total % 2 else total // 2
        super().__init__(in_channels, out_channels, kernel, stride, padding, groups=groups, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """(B, in, H, W) -> (B, out, H / stride, W / stride)."""
        return super().forward(x if self.asymmetric is None else F.pad(x, self.asymmetric))


def batch_norm(channels: int) -> nn.BatchNorm2d:
    """Batch normalisation with TensorFlow's epsilon."""
    return nn.BatchNorm2d(channels, eps=BATCH_NORM_EPS)


class SeparableBlock(nn.Module):
    """Depthwise then pointwise convolution: the only block of the first stage."""

    def __init__(self, in_channels: int, out_channels: int, kernel: int) -> None:
        super().__init__()
        self.conv_dw = SameConv2d(in_channels, in_channels, kernel, groups=in_channels)
        self.bn1 = batch_norm(in_channels)
        self.conv_pw = SameConv2d(in_channels, out_channels, 1)
        self.bn2 = batch_norm(out_channels)

    def forward(self, x: Tensor) -> Tensor:
        """(B, in, H, W) -> (B, out, H, W)."""
        x = F.relu6(self.bn1(self.conv_dw(x)))
        projected: Tensor = self.bn2(self.conv_pw(x))
        return projected


class InvertedResidual(nn.Module):
    """Expand six-fold, convolve depthwise, project back; with a skip where input and output agree in shape."""

    def __init__(self, in_channels: int, out_channels: int, kernel: int, stride: int) -> None:
        super().__init__()
        middle = in_channels * 6
        self.conv_pw = SameConv2d(in_channels, middle, 1)
        self.bn1 = batch_norm(middle)
        self.conv_dw = SameConv2d(middle, middle, kernel, stride, groups=middle)
        self.bn2 = batch_norm(middle)
        self.conv_pwl = SameConv2d(middle, out_channels, 1)
        self.bn3 = batch_norm(out_channels)
        self.skip = stride == 1 and in_channels == out_channels

    def forward(self, x: Tensor) -> Tensor:
        """(B, in, H, W) -> (B, out, H / stride, W / stride)."""
        y = F.relu6(self.bn1(self.conv_pw(x)))
        y = F.relu6(self.bn2(self.conv_dw(y)))
        projected: Tensor = self.bn3(self.conv_pwl(y))
        return projected + x if self.skip else projected


def stage(in_channels: int, out_channels: int, blocks: int, kernel: int, stride: int) -> nn.Sequential:
    """One stage of inverted residuals; only its first block strides and changes the number of channels."""
    first = InvertedResidual(in_channels, out_channels, kernel, stride)
    rest = [InvertedResidual(out_channels, out_channels, kernel, 1) for _ in range(blocks - 1)]
    return nn.Sequential(first, *rest)


class Scaling(NamedTuple):
    """How large a member of the family is: channels and blocks of its seven stages."""

    channels: tuple[int, int, int, int, int, int, int]
    blocks: tuple[int, int, int, int, int, int, int]


LITE0 = Scaling((16, 24, 40, 80, 112, 192, 320), (1, 2, 2, 3, 3, 4, 1))
LITE3 = Scaling((24, 32, 48, 96, 136, 232, 384), (1, 3, 3, 5, 5, 6, 1))


class EfficientNetLite(nn.Module):
    """The encoder. Levels are named and numbered as in the official checkpoint of MiDaS v2.1 small.

    `channels` are those of the four levels, finest first.
    """

    def __init__(self, scaling: Scaling) -> None:
        super().__init__()
        (a, b, c, d, e, f, g), (_, blocks_b, blocks_c, blocks_d, blocks_e, blocks_f, blocks_g) = scaling
        self.channels = (b, c, e, g)
        self.layer1 = nn.Sequential(
            SameConv2d(3, 32, kernel=3, stride=2),
            batch_norm(32),
            nn.ReLU6(),
            nn.Sequential(SeparableBlock(32, a, kernel=3)),
            stage(a, b, blocks_b, kernel=3, stride=2),
        )
        self.layer2 = nn.Sequential(stage(b, c, blocks_c, kernel=5, stride=2))
        self.layer3 = nn.Sequential(
            stage(c, d, blocks_d, kernel=3, stride=2), stage(d, e, blocks_e, kernel=5, stride=1)
        )
        self.layer4 = nn.Sequential(
            stage(e, f, blocks_f, kernel=5, stride=2), stage(f, g, blocks_g, kernel=3, stride=1)
        )

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """(B, 3, H, W) -> the levels (B, channels, H/4, W/4), (.., H/8, W/8), (.., H/16, W/16), (.., H/32, W/32)."""
        level1: Tensor = self.layer1(x)
        level2: Tensor = self.layer2(level1)
        level3: Tensor = self.layer3(level2)
        level4: Tensor = self.layer4(level3)
        return level1, level2, level3, level4
