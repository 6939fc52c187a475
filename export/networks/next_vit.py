"""Next-ViT, the encoder of dpt_next_vit_large_384.

Source: Li, Xia, Li, Li, Wang, Xiao, Wang, Zheng, Pan, "Next-ViT: Next Generation Vision Transformer for Efficient
Deployment in Realistic Industrial Scenarios" (2022), its large size, and bytedance/Next-ViT; isl-org/MiDaS,
`midas/backbones/next_vit.py`. Module names are those of the checkpoint.

Four stages at H/4 .. H/32. Most blocks are convolutional (Ncb). The last of the second and the fourth stage, and every
fifth of the third, is a transformer block (Ntb): three quarters of its channels come from attention, the rest from a
convolution. The output of each stage is a level.

Everything is float32 (B, C, H, W) with H and W multiples of 32 at the network's input, so that every stage halves an
even size. Batch normalisations in front of a linear layer or a 1x1 convolution are merged into it.
"""

from collections import OrderedDict

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from export.networks.dpt import Dpt, Levels
from export.networks.merged_norm import BatchNorm, norm_before

HEAD = 32  # channels of a head of attention, and of a group of a convolution
CLASSES = 1000


class ConvNormRelu(nn.Module):
    """3x3 convolution, batch normalisation, ReLU."""

    def __init__(self, in_channels: int, out_channels: int, stride: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, out_channels, 3, stride, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(out_channels)

    def forward(self, x: Tensor) -> Tensor:
        """(B, in, H, W) -> (B, out, H / stride, W / stride)."""
        return F.relu(self.norm(self.conv(x)))


class NextVitPatchEmbed(nn.Module):
    """Average pooling where the size is halved, then a 1x1 convolution and batch normalisation."""

    def __init__(self, in_channels: int, out_channels: int, stride: int) -> None:
        super().__init__()
        self.avgpool = nn.AvgPool2d(stride) if stride > 1 else nn.Identity()
        self.conv = nn.Conv2d(in_channels, out_channels, 1, bias=False)
        self.norm = nn.BatchNorm2d(out_channels)

    def forward(self, x: Tensor) -> Tensor:
        """(B, in, H, W) -> (B, out, H / stride, W / stride)."""
        embedded: Tensor = self.norm(self.conv(self.avgpool(x)))
        return embedded


def patch_embed(in_channels: int, out_channels: int, stride: int) -> nn.Module:
    """The start of a block: nothing where it changes neither size nor channels."""
    unchanged = stride == 1 and in_channels == out_channels
    return nn.Identity() if unchanged else NextVitPatchEmbed(in_channels, out_channels, stride)


class ConvAttention(nn.Module):
    """Multi-head convolutional attention: a grouped 3x3 convolution, then a 1x1 across the groups."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.group_conv3x3 = nn.Conv2d(channels, channels, 3, padding=1, groups=channels // HEAD, bias=False)
        self.norm = nn.BatchNorm2d(channels)
        self.projection = nn.Conv2d(channels, channels, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, C, H, W)."""
        projected: Tensor = self.projection(F.relu(self.norm(self.group_conv3x3(x))))
        return projected


class NextVitMlp(nn.Module):
    """Two 1x1 convolutions, `ratio` times as wide between them."""

    def __init__(self, channels: int, ratio: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels * ratio, 1)
        self.conv2 = nn.Conv2d(channels * ratio, channels, 1)

    def forward(self, x: Tensor, norm: BatchNorm) -> Tensor:
        """(B, C, H, W), normalised by `norm` first -> (B, C, H, W)."""
        weight, bias = norm_before(self.conv1.weight, _bias(self.conv1), norm)
        y: Tensor = self.conv2(F.relu(F.conv2d(x, weight, bias)))
        return y


class Ncb(nn.Module):
    """Next convolution block."""

    def __init__(self, in_channels: int, out_channels: int, stride: int) -> None:
        super().__init__()
        self.patch_embed = patch_embed(in_channels, out_channels, stride)
        self.mhca = ConvAttention(out_channels)
        self.norm = nn.BatchNorm2d(out_channels)
        self.mlp = NextVitMlp(out_channels, ratio=3)

    def forward(self, x: Tensor) -> Tensor:
        """(B, in, H, W) -> (B, out, H / stride, W / stride)."""
        x = self.patch_embed(x)
        x = x + self.mhca(x)
        y: Tensor = x + self.mlp(x, self.norm)
        return y


class NextVitAttention(nn.Module):
    """Efficient multi-head self-attention: keys and values are averages of `reduction` tokens in a row.

    The tokens are averaged in the order of rows, so 16 tokens are 16 neighbours of one row and not a 4x4 square.
    """

    def __init__(self, channels: int, reduction: int) -> None:
        super().__init__()
        self.heads = channels // HEAD
        self.reduction = reduction
        self.q = nn.Linear(channels, channels)
        self.k = nn.Linear(channels, channels)
        self.v = nn.Linear(channels, channels)
        self.proj = nn.Linear(channels, channels)
        if reduction > 1:
            self.norm = nn.BatchNorm1d(channels)

    def forward(self, x: Tensor, norm: BatchNorm) -> Tensor:
        """(B, C, H, W), normalised by `norm` first -> (B, C, H, W)."""
        # An average of normalised tokens is the normalised average, so `norm` can be merged behind it as well.
        norms = (norm, self.norm) if self.reduction > 1 else (norm,)
        batch, channels, height, width = x.shape
        tokens = x.flatten(2)  # (B, C, N)
        averages = F.avg_pool1d(tokens, self.reduction) if self.reduction > 1 else tokens  # (B, C, M)
        tokens, averages = tokens.transpose(1, 2), averages.transpose(1, 2)  # (B, N, C), (B, M, C)
        q = F.linear(tokens, *norm_before(self.q.weight, self.q.bias, norm))
        k = F.linear(averages, *norm_before(self.k.weight, self.k.bias, *norms))
        v = F.linear(averages, *norm_before(self.v.weight, self.v.bias, *norms))
        q = (q * HEAD**-0.5).reshape(batch, -1, self.heads, HEAD).transpose(1, 2)  # (B, heads, N, HEAD)
        k = k.reshape(batch, -1, self.heads, HEAD).permute(0, 2, 3, 1)  # (B, heads, HEAD, M)
        v = v.reshape(batch, -1, self.heads, HEAD).transpose(1, 2)  # (B, heads, M, HEAD)
        y = (q @ k).softmax(dim=-1) @ v  # (B, heads, N, HEAD)
        y = F.linear(y.transpose(1, 2).reshape(batch, -1, channels), self.proj.weight, self.proj.bias)  # (B, N, C)
        return y.transpose(1, 2).reshape(batch, channels, height, width)


class Ntb(nn.Module):
    """Next transformer block."""

    def __init__(self, in_channels: int, out_channels: int, stride: int, reduction: int) -> None:
        super().__init__()
        attended = out_channels * 3 // 4
        convolved = out_channels - attended
        self.patch_embed = patch_embed(in_channels, attended, stride)
        self.norm1 = nn.BatchNorm2d(attended)
        self.e_mhsa = NextVitAttention(attended, reduction)
        self.projection = NextVitPatchEmbed(attended, convolved, stride=1)
        self.mhca = ConvAttention(convolved)
        self.norm2 = nn.BatchNorm2d(out_channels)
        self.mlp = NextVitMlp(out_channels, ratio=2)

    def forward(self, x: Tensor) -> Tensor:
        """(B, in, H, W) -> (B, out, H / stride, W / stride)."""
        x = self.patch_embed(x)
        x = x + self.e_mhsa(x, self.norm1)  # (B, 3/4 out, ..)
        y = self.projection(x)
        y = y + self.mhca(y)  # (B, 1/4 out, ..)
        x = torch.cat((x, y), dim=1)
        z: Tensor = x + self.mlp(x, self.norm2)
        return z


class NextVit(nn.Module):
    """The encoder, in its large size."""

    channels = (96, 256, 512, 1024)

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            ConvNormRelu(3, 64, stride=2),
            ConvNormRelu(64, 32, stride=1),
            ConvNormRelu(32, 64, stride=1),
            ConvNormRelu(64, 64, stride=2),
        )
        blocks: list[nn.Module] = [Ncb(64, 96, 1), Ncb(96, 96, 1), Ncb(96, 96, 1)]
        blocks += [Ncb(96, 192, 2), Ncb(192, 192, 1), Ncb(192, 192, 1), Ntb(192, 256, 1, reduction=16)]
        for group in range(6):
            before, stride = (256, 2) if group == 0 else (512, 1)
            blocks += [Ncb(before, 384, stride), *(Ncb(384, 384, 1) for _ in range(3)), Ntb(384, 512, 1, reduction=4)]
        blocks += [Ncb(512, 768, 2), Ncb(768, 768, 1), Ntb(768, 1024, 1, reduction=1)]
        self.features = nn.Sequential(*blocks)
        self.taps = (2, 6, 36, 39)  # the last block of each stage
        # Of the original classifier; a depth network never runs it, but the checkpoint holds its weights.
        self.norm = nn.BatchNorm2d(1024)
        self.proj_head = nn.Sequential(nn.Linear(1024, CLASSES))

    def forward(self, x: Tensor) -> Levels:
        """(B, 3, H, W) -> the levels (B, channels, H/4, W/4), (.., H/8, W/8), (.., H/16, W/16), (.., H/32, W/32)."""
        x = self.stem(x)
        levels = []
        for index, block in enumerate(self.features):
            x = block(x)
            if index in self.taps:
                levels.append(x)
        level1, level2, level3, level4 = levels
        return level1, level2, level3, level4


def _bias(layer: nn.Conv2d) -> Tensor:
    assert layer.bias is not None
    return layer.bias


class DptNextVit(Dpt):
    """dpt_next_vit_large_384: 72 million parameters, any aspect ratio."""

    def __init__(self) -> None:
        super().__init__(nn.Sequential(OrderedDict(model=NextVit())), NextVit.channels)
