"""The table of variants: everything that differs between them, one row each. All but midas_tiny_256 are official.

Figures of the official ones: isl-org/MiDaS, `midas/model_loader.py` (sizes, resize rules, mean, std) and its releases
(tags, file names).

max_area and max_batch_size together bound memory: a full batch of the largest photos stays within PLANNED_MEMORY, by
the estimate of `Variant.activation_bytes`. A row trades the one for the other. All DPT networks that take any aspect
allow 768 x 768 pixels, so that a 16:9 photo passes at resolution 512 (512 x 896), and as many photos a batch as fit.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from export.errors import UnknownVariantError
from midas_server.served_names import SIZES, nearest, network_named

Resize = Literal["minimal", "upper_bound", "lower_bound", "square"]
Aspect = Literal["keep", "square"]
Layout = Literal["nchw", "nhwc"]
RGB = tuple[float, float, float]

RELEASES = "https://github.com/isl-org/MiDaS/releases/download"
IMAGENET_MEAN: RGB = (0.485, 0.456, 0.406)
IMAGENET_STD: RGB = (0.229, 0.224, 0.225)
HALF: RGB = (0.5, 0.5, 0.5)

PLANNED_MEMORY = 4 << 30  # bytes, for the activations of one network step; weights come on top
# Measured with midas_tiny_256: alone in int8, each layer here costs 1 to 4 % error, any other at most 1 %.
EFFICIENTNET_STEM = ("layer1.0/", "layer1.3.0/", "layer1.4.0/")


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where a network's weights come from.

    Attributes:
        file: name of the checkpoint, as `weights/` has it.
        licence: of the weights, by its SPDX name.
        url: address of the official file; None where there is none, as for a network of the project's own.
        sha256: digest of the official file or its first hex digits; None where it is not known.
    """

    file: str
    licence: str
    url: str | None = None
    sha256: str | None = None

    @property
    def official(self) -> bool:
        """Whether the network's authors publish the weights."""
        return self.url is not None


@dataclass(frozen=True, kw_only=True)
class Attention:
    """The attention that needs most memory, where every part of the photo sees every other.

    Attributes:
        heads: of one layer.
        query_patch, key_patch: side in pixels of what makes one token, of those that look and of those looked at.
        bias: whether it adds a position bias as large as its scores.
    """

    heads: int
    query_patch: int = 16
    key_patch: int = 16
    bias: bool = False

    def score_bytes(self, area: int) -> int:
        """Bytes of the float32 scores (heads x queries x keys) of a photo of `area` pixels."""
        return 4 * self.heads * (area // self.query_patch**2 + 1) * (area // self.key_patch**2 + 1)


@dataclass(frozen=True, kw_only=True)
class ServedNetwork:
    """What the served configs of any network depend on, official or not.

    Attributes:
        name: model name of the ensemble; the steps are called after it.
        resolution: default side in pixels, a multiple of `multiple`, that the resize rule is given.
        resize: how a photo is brought to network size; "square" means that the network takes only squares.
        max_area: largest network input in pixels (height x width) that a request may ask for.
        max_batch_size: most photos of equal network size that run as one batch.
        weight_count: how many numbers its weights are; 0 where that is not known.
        fixed_size: the graph takes resolution x resolution and nothing else.
        multiple: the grid: both sides of the input are multiples of it.
        max_side: largest height and width in pixels, where the network bounds them beside the area.
        aspect: the default of a network that takes any.
        float32_islands: what an fp16 graph computes in float32 beside the defaults of `export.precision.half`: node
            names contain one of these.
        float32_in_int8: what an int8 graph computes in float32 beside those of `export.precision.int8`, by name as
            above.
    """

    name: str
    resolution: int
    resize: Resize
    max_area: int
    max_batch_size: int
    weight_count: int = 0
    fixed_size: bool = False
    multiple: int = 32
    max_side: int | None = None
    aspect: Aspect = "keep"
    float32_islands: tuple[str, ...] = ()
    float32_in_int8: tuple[str, ...] = ()

    @property
    def any_aspect(self) -> bool:
        """Whether the network takes any height and width on its grid."""
        return self.resize != "square"

    @property
    def default_rule(self) -> Resize:
        """How a photo is brought to network size where a request says nothing."""
        return "square" if self.aspect == "square" else self.resize


@dataclass(frozen=True, kw_only=True)
class Variant(ServedNetwork):
    """One network.

    Attributes:
        source: where its weights come from, and under which licence.
        family: which builder of `export.networks` makes the network.
        parameters: keyword arguments for that builder.
        mean, std: RGB normalisation of pixels in 0..1.
        untrained_gain: factor on the encoder's untrained weights, below 1 where its attention saturates otherwise.
        pixel_bytes: what the decoder's last steps hold, in bytes for each pixel of the input.
        attention: the attention that needs most memory; None where none grows with the photo.
    """

    source: Source
    family: str
    parameters: Mapping[str, object] = field(hash=False)
    mean: RGB
    std: RGB
    untrained_gain: float = 1.0
    pixel_bytes: int = 1024
    attention: Attention | None = None

    @property
    def activation_bytes(self) -> int:
        """An upper estimate, in bytes, of what a full batch of the largest photos takes beside the weights.

        The decoder's last steps hold 256 channels at half size and 128 at full size: 1 KB a pixel; 64 and 32 in the
        two small networks: 256 bytes. Attention holds its scores before and after the softmax. BEiT adds its position
        bias, of the same size but once a batch, and holds it twice while it puts it together. Next-ViT attends from a
        grid of 8 pixels to one of 32, with 6 heads, where that costs most.

        Measured with ONNX Runtime at 768 x 768: ViT-L 0.97 GB (estimate 1.28), a batch of two 1.96 (2.57), BEiT-B 1.32
        (1.63), hybrid 0.68 (1.11); ViT-L at 1024 x 1024 2.46 (3.22).
        """
        scores = self.attention.score_bytes(self.max_area) if self.attention else 0
        bias = scores if self.attention and self.attention.bias else 0
        return self.max_batch_size * (self.pixel_bytes * self.max_area + 2 * scores) + 2 * bias


def _midas(release: str, name: str, sha256: str | None = None) -> Source:
    """The official checkpoint of a MiDaS release."""
    return Source(file=f"{name}.pt", licence="MIT", url=f"{RELEASES}/{release}/{name}.pt", sha256=sha256)


_ROWS = (
    Variant(
        name="dpt_beit_large_512",
        source=_midas("v3_1", "dpt_beit_large_512"),
        family="dpt_beit",
        parameters={
            "width": 1024,
            "depth": 24,
            "heads": 16,
            "taps": (5, 11, 17, 23),
            "channels": (256, 512, 1024, 1024),
            "trained": 32,
        },
        resolution=512,
        resize="minimal",
        mean=HALF,
        std=HALF,
        max_area=768 * 768,
        max_batch_size=2,
        weight_count=345_014_441,
        attention=Attention(heads=16, bias=True),
    ),
    Variant(
        name="dpt_beit_large_384",
        source=_midas("v3_1", "dpt_beit_large_384"),
        family="dpt_beit",
        parameters={
            "width": 1024,
            "depth": 24,
            "heads": 16,
            "taps": (5, 11, 17, 23),
            "channels": (256, 512, 1024, 1024),
            "trained": 24,
        },
        resolution=384,
        resize="minimal",
        mean=HALF,
        std=HALF,
        max_area=768 * 768,
        max_batch_size=2,
        weight_count=344_338_601,
        attention=Attention(heads=16, bias=True),
    ),
    Variant(
        name="dpt_beit_base_384",
        source=_midas("v3_1", "dpt_beit_base_384"),
        family="dpt_beit",
        parameters={
            "width": 768,
            "depth": 12,
            "heads": 12,
            "taps": (2, 5, 8, 11),
            "channels": (96, 192, 384, 768),
            "trained": 24,
        },
        resolution=384,
        resize="minimal",
        mean=HALF,
        std=HALF,
        max_area=768 * 768,
        max_batch_size=3,
        weight_count=111_531_689,
        attention=Attention(heads=12, bias=True),
    ),
    Variant(
        name="dpt_swin2_large_384",
        source=_midas("v3_1", "dpt_swin2_large_384"),
        family="dpt_swin2",
        parameters={
            "photo": 384,
            "channels": 192,
            "depths": (2, 2, 18, 2),
            "heads": (6, 12, 24, 48),
            "window": 24,
            "trained_windows": (12, 12, 12, 6),
        },
        resolution=384,
        resize="square",
        fixed_size=True,
        mean=HALF,
        std=HALF,
        max_area=384 * 384,
        max_batch_size=4,
        weight_count=213_411_869,
    ),
    Variant(
        name="dpt_swin2_base_384",
        source=_midas("v3_1", "dpt_swin2_base_384"),
        family="dpt_swin2",
        parameters={
            "photo": 384,
            "channels": 128,
            "depths": (2, 2, 18, 2),
            "heads": (4, 8, 16, 32),
            "window": 24,
            "trained_windows": (12, 12, 12, 6),
        },
        resolution=384,
        resize="square",
        fixed_size=True,
        mean=HALF,
        std=HALF,
        max_area=384 * 384,
        max_batch_size=4,
        weight_count=102_378_913,
    ),
    Variant(
        name="dpt_swin2_tiny_256",
        source=_midas("v3_1", "dpt_swin2_tiny_256"),
        family="dpt_swin2",
        parameters={
            "photo": 256,
            "channels": 96,
            "depths": (2, 2, 6, 2),
            "heads": (3, 6, 12, 24),
            "window": 16,
            "trained_windows": (16, 16, 16, 8),
        },
        resolution=256,
        resize="square",
        fixed_size=True,
        mean=HALF,
        std=HALF,
        max_area=256 * 256,
        max_batch_size=8,
        weight_count=41_701_331,
    ),
    Variant(
        name="dpt_swin_large_384",
        source=_midas("v3_1", "dpt_swin_large_384"),
        family="dpt_swin",
        parameters={
            "photo": 384,
            "channels": 192,
            "depths": (2, 2, 18, 2),
            "heads": (6, 12, 24, 48),
            "window": 12,
        },
        resolution=384,
        resize="square",
        fixed_size=True,
        mean=HALF,
        std=HALF,
        max_area=384 * 384,
        max_batch_size=4,
        weight_count=213_407_453,
    ),
    Variant(
        name="dpt_next_vit_large_384",
        source=_midas("v3_1", "dpt_next_vit_large_384"),
        family="dpt_next_vit",
        parameters={},
        resolution=384,
        resize="minimal",
        mean=HALF,
        std=HALF,
        untrained_gain=0.7,
        max_area=768 * 768,
        max_batch_size=4,
        weight_count=72_260_713,
        attention=Attention(heads=6, query_patch=8, key_patch=32),
    ),
    Variant(
        name="dpt_levit_224",
        source=_midas("v3_1", "dpt_levit_224"),
        family="dpt_levit",
        parameters={"photo": 224},
        resolution=224,
        resize="square",
        fixed_size=True,
        mean=HALF,
        std=HALF,
        max_area=224 * 224,
        max_batch_size=8,
        weight_count=50_630_837,
    ),
    Variant(
        name="dpt_large_384",
        source=_midas("v3", "dpt_large_384", sha256="2f21e586"),
        family="dpt_vit",
        parameters={
            "width": 1024,
            "depth": 24,
            "heads": 16,
            "taps": (5, 11, 17, 23),
            "channels": (256, 512, 1024, 1024),
        },
        resolution=384,
        resize="minimal",
        mean=HALF,
        std=HALF,
        max_area=768 * 768,
        max_batch_size=3,
        weight_count=344_055_465,
        attention=Attention(heads=16),
    ),
    Variant(
        name="dpt_hybrid_384",
        source=_midas("v3", "dpt_hybrid_384", sha256="501f0c75"),
        family="dpt_hybrid",
        parameters={"width": 768, "depth": 12, "heads": 12, "taps": (8, 11), "channels": (256, 512, 768, 768)},
        resolution=384,
        resize="minimal",
        mean=HALF,
        std=HALF,
        max_area=768 * 768,
        max_batch_size=3,
        weight_count=123_146_985,
        attention=Attention(heads=12),
    ),
    Variant(
        name="midas_v21_384",
        source=_midas("v2_1", "midas_v21_384", sha256="f6b98070"),
        family="midas_v21",
        parameters={"features": 256},
        resolution=384,
        resize="upper_bound",
        mean=IMAGENET_MEAN,
        std=IMAGENET_STD,
        max_area=1024 * 1024,
        max_batch_size=3,
        weight_count=105_362_945,
    ),
    Variant(
        name="midas_v21_small_256",
        source=_midas("v2_1", "midas_v21_small_256", sha256="70d6b9c8"),
        family="midas_v21_small",
        parameters={"features": 64},
        resolution=256,
        resize="upper_bound",
        mean=IMAGENET_MEAN,
        std=IMAGENET_STD,
        max_area=1280 * 1280,
        max_batch_size=8,
        weight_count=21_320_545,
        pixel_bytes=256,
        float32_in_int8=EFFICIENTNET_STEM,
    ),
    Variant(
        name="midas_tiny_256",
        aspect="square",  # a wide photo would reach it as a strip, which it has not seen in training
        source=Source(file="midas_tiny_256.pt", licence="MIT"),
        family="midas_tiny",
        parameters={"widths": (48, 64, 96, 128), "head": 16},
        resolution=256,
        resize="upper_bound",
        mean=HALF,  # as its encoder was trained on ImageNet
        std=HALF,
        max_area=1280 * 1280,
        max_batch_size=8,
        weight_count=4_346_081,
        pixel_bytes=256,
        float32_in_int8=EFFICIENTNET_STEM,
    ),
)

VARIANTS: Mapping[str, Variant] = {row.name: row for row in _ROWS}


def variant_named(name: str) -> Variant:
    """Return the row of `name`, which may be a size such as "small".

    Raises:
        UnknownVariantError: no such row; the message lists those there are, and those that are close to `name`.
    """
    try:
        return VARIANTS[network_named(name)]
    except KeyError:
        known = (*SIZES, *VARIANTS)
        raise UnknownVariantError(
            f"unknown variant '{name}'{nearest(name, known) or '.'} Known: {', '.join(known)}"
        ) from None
