"""DPT: what the networks of MiDaS v3.0 and v3.1 share, whichever transformer encodes the photo.

    encoder   -> four levels at H/4 .. H/32
    Scratch   -> each brought to 256 channels, fused coarsest first, a small head
    Dpt       -> the two in a row

and, for plain transformers, whose tokens all live at H/16: `Reassemble` makes a level out of a block's tokens.

Source: Ranftl, Bochkovskiy, Koltun, "Vision Transformers for Dense Prediction" (ICCV 2021); Birkl, Wofk, Mueller,
"MiDaS v3.1 - A Model Zoo for Robust Monocular Relative Depth Estimation" (2023); isl-org/MiDaS, `midas/dpt_depth.py`
and `midas/backbones/utils.py`. Module names are those of the checkpoints. v3.0 and v3.1 have the same decoder and head.
"""

from typing import cast

from torch import Tensor, nn
from torch.nn import functional as F

from export.networks.decoder import Double, FeatureFusion

FEATURES = 256
PATCH = 16  # pixels that a token of a plain transformer stands for, in each direction
Levels = tuple[Tensor, Tensor, Tensor, Tensor]
Widths = tuple[int, int, int, int]


def head(features: int = FEATURES, hidden: int = 32) -> nn.Sequential:
    """(B, features, H/2, W/2) -> relative inverse depth (B, 1, H, W), never negative.

    LeViT has features=64, hidden=8.
    """
    return nn.Sequential(
        nn.Conv2d(features, features // 2, 3, padding=1),
        Double(align_corners=True),
        nn.Conv2d(features // 2, hidden, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(hidden, 1, 1),
        nn.ReLU(),
    )


class Scratch(nn.Module):
    """Decoder and head, for an encoder whose four levels have `encoder_channels`, finest first.

    The official code resizes each fusion to the next level's size; with inputs that are multiples of 32 that is always
    twice its own.
    """

    def __init__(self, encoder_channels: Widths) -> None:
        super().__init__()
        self.layer1_rn = nn.Conv2d(encoder_channels[0], FEATURES, 3, padding=1, bias=False)
        self.layer2_rn = nn.Conv2d(encoder_channels[1], FEATURES, 3, padding=1, bias=False)
        self.layer3_rn = nn.Conv2d(encoder_channels[2], FEATURES, 3, padding=1, bias=False)
        self.layer4_rn = nn.Conv2d(encoder_channels[3], FEATURES, 3, padding=1, bias=False)
        self.refinenet4 = FeatureFusion(FEATURES, FEATURES)
        self.refinenet3 = FeatureFusion(FEATURES, FEATURES)
        self.refinenet2 = FeatureFusion(FEATURES, FEATURES)
        self.refinenet1 = FeatureFusion(FEATURES, FEATURES)
        self.output_conv = head()

    def forward(self, level1: Tensor, level2: Tensor, level3: Tensor, level4: Tensor) -> Tensor:
        """Four encoder levels at H/4 .. H/32 -> (B, 1, H, W)."""
        path = self.refinenet4(self.layer4_rn(level4))  # (B, 256, H/16, W/16)
        path = self.refinenet3(path, self.layer3_rn(level3))  # (B, 256, H/8, W/8)
        path = self.refinenet2(path, self.layer2_rn(level2))  # (B, 256, H/4, W/4)
        path = self.refinenet1(path, self.layer1_rn(level1))  # (B, 256, H/2, W/2)
        depth: Tensor = self.output_conv(path)  # (B, 1, H, W)
        return depth


class Dpt(nn.Module):
    """A DPT network: an encoder with four levels, the decoder and the head.

    `encoder` takes normalised float32 (B, 3, H, W) and gives four levels, at H/4, H/8, H/16 and H/32, with
    `encoder_channels` channels.
    """

    def __init__(self, encoder: nn.Module, encoder_channels: Widths) -> None:
        super().__init__()
        self.pretrained = encoder
        self.scratch = Scratch(encoder_channels)

    def forward(self, x: Tensor) -> Tensor:
        """Relative inverse depth, larger is nearer, never negative.

        Normalised float32 (B, 3, H, W), H and W multiples of 32 -> float32 (B, H, W).
        """
        depth: Tensor = self.scratch(*self.pretrained(x))  # (B, 1, H, W)
        return depth.squeeze(1)  # (B, H, W)


class ProjectReadout(nn.Module):
    """Shows every token the class token: one linear layer over the two beside each other, then GELU."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.width = width
        self.project = nn.Sequential(nn.Linear(2 * width, width), nn.GELU())

    def forward(self, tokens: Tensor) -> Tensor:
        """(B, 1 + N, C), class token first -> (B, N, C)."""
        linear = cast(nn.Linear, self.project[0])
        of_token, of_class = linear.weight[:, : self.width], linear.weight[:, self.width :]  # (C, C) each
        # The official code repeats the class token N times. Its share is the same for every token: once will do.
        shared = F.linear(tokens[:, :1], of_class, linear.bias)  # (B, 1, C)
        return F.gelu(F.linear(tokens[:, 1:], of_token) + shared)


class Reassemble(nn.ModuleDict):
    """Makes an encoder level of a transformer block's tokens: readout, 1x1 convolution, resampling.

    The checkpoints number the parts as steps of a Sequential; steps 1 and 2 there are a transposition and a reshape.

    Args:
        width: C, of the tokens.
        channels: of the level.
        resample: last step: a transposed convolution that enlarges, a convolution that shrinks, or nothing.
    """

    def __init__(self, width: int, channels: int, resample: nn.Module | None = None) -> None:
        super().__init__({"0": ProjectReadout(width), "3": nn.Conv2d(width, channels, 1)})
        if resample is not None:
            self["4"] = resample
        self.width = width

    def forward(self, tokens: Tensor, height: int, width: int) -> Tensor:
        """(B, 1 + height * width, C) -> (B, channels, height * k, width * k), k as resampled."""
        x: Tensor = self["0"](tokens)  # (B, height * width, C)
        x = self["3"](x.transpose(1, 2).reshape(-1, self.width, height, width))  # (B, channels, height, width)
        return self["4"](x) if "4" in self else x


def enlarge(channels: int, factor: int) -> nn.Module:
    """(B, C, H, W) -> (B, C, H * factor, W * factor), every pixel on its own."""
    return nn.ConvTranspose2d(channels, channels, factor, stride=factor)


def halve(channels: int) -> nn.Module:
    """(B, C, H, W) -> (B, C, H / 2, W / 2)."""
    return nn.Conv2d(channels, channels, 3, stride=2, padding=1)


class PlainEncoder(nn.Module):
    """A plain transformer as an encoder: four of its blocks, each reassembled to the size that the decoder expects.

    Args:
        model: its forward gives the tokens (B, 1 + H/16 * W/16, C) of four blocks, shallowest first.
        width: C, of the tokens.
        channels: of the four levels, finest first.
    """

    def __init__(self, model: nn.Module, width: int, channels: Widths) -> None:
        super().__init__()
        self.model = model
        self.act_postprocess1 = Reassemble(width, channels[0], enlarge(channels[0], 4))
        self.act_postprocess2 = Reassemble(width, channels[1], enlarge(channels[1], 2))
        self.act_postprocess3 = Reassemble(width, channels[2])
        self.act_postprocess4 = Reassemble(width, channels[3], halve(channels[3]))

    def forward(self, x: Tensor) -> Levels:
        """(B, 3, H, W) -> the levels (B, channels, H/4, W/4), (.., H/8, W/8), (.., H/16, W/16), (.., H/32, W/32)."""
        height, width = x.shape[-2] // PATCH, x.shape[-1] // PATCH
        tokens1, tokens2, tokens3, tokens4 = self.model(x)
        level1: Tensor = self.act_postprocess1(tokens1, height, width)
        level2: Tensor = self.act_postprocess2(tokens2, height, width)
        level3: Tensor = self.act_postprocess3(tokens3, height, width)
        level4: Tensor = self.act_postprocess4(tokens4, height, width)
        return level1, level2, level3, level4
