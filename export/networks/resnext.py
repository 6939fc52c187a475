"""ResNeXt, the encoder of the large MiDaS v2.1 network.

Source: Xie, Girshick, Dollár, Tu, He, "Aggregated Residual Transformations for Deep Neural Networks" (CVPR 2017);
Mahajan et al., "Exploring the Limits of Weakly Supervised Pretraining" (ECCV 2018), whose ResNeXt-101 32x8d it is.

Every forward takes float32 (B, C, H, W) with H and W multiples of 32.
"""

from torch import Tensor, nn
from torch.nn import functional as F

GROUPS = 32


class ResNextBottleneck(nn.Module):
    """1x1, grouped 3x3 and 1x1 convolution around a skip; the skip is projected where stride or channels change."""

    def __init__(self, in_channels: int, out_channels: int, middle: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, middle, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(middle)
        self.conv2 = nn.Conv2d(middle, middle, 3, stride, padding=1, groups=GROUPS, bias=False)
        self.bn2 = nn.BatchNorm2d(middle)
        self.conv3 = nn.Conv2d(middle, out_channels, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(out_channels)
        self.downsample: nn.Module = nn.Identity()
        if stride != 1 or in_channels != out_channels:
            self.downsample = nn.Sequential(
                nn.Conv2d(in_channels, out_channels, 1, stride, bias=False), nn.BatchNorm2d(out_channels)
            )

    def forward(self, x: Tensor) -> Tensor:
        """(B, in, H, W) -> (B, out, H / stride, W / stride)."""
        y = F.relu(self.bn1(self.conv1(x)))
        y = F.relu(self.bn2(self.conv2(y)))
        y = self.bn3(self.conv3(y))
        return F.relu(y + self.downsample(x))


def stage(in_channels: int, out_channels: int, blocks: int, stride: int) -> nn.Sequential:
    """One stage of bottlenecks as wide inside as outside; only its first strides and changes the channels."""
    first = ResNextBottleneck(in_channels, out_channels, out_channels, stride)
    rest = [ResNextBottleneck(out_channels, out_channels, out_channels, 1) for _ in range(blocks - 1)]
    return nn.Sequential(first, *rest)


class ResNext101(nn.Module):
    """The encoder, ResNeXt-101 32x8d. Levels are named and numbered as in the official checkpoint of MiDaS v2.1."""

    channels = (256, 512, 1024, 2048)

    def __init__(self) -> None:
        super().__init__()
        self.layer1 = nn.Sequential(
            nn.Conv2d(3, 64, 7, stride=2, padding=3, bias=False),
            nn.BatchNorm2d(64),
            nn.ReLU(),
            nn.MaxPool2d(3, stride=2, padding=1),
            stage(64, 256, blocks=3, stride=1),
        )
        self.layer2 = stage(256, 512, blocks=4, stride=2)
        self.layer3 = stage(512, 1024, blocks=23, stride=2)
        self.layer4 = stage(1024, 2048, blocks=3, stride=2)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """(B, 3, H, W) -> the levels (B, channels, H/4, W/4), (.., H/8, W/8), (.., H/16, W/16), (.., H/32, W/32)."""
        level1: Tensor = self.layer1(x)
        level2: Tensor = self.layer2(level1)
        level3: Tensor = self.layer3(level2)
        level4: Tensor = self.layer4(level3)
        return level1, level2, level3, level4
