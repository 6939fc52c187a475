"""The table of variants: everything that differs between them, one row each. All but midas_tiny_256 are official.

Figures of the official ones: isl-org/MiDaS, `midas/model_loader.py` (sizes, resize rules, mean, std) and its releases
(tags, file names); LiheYoung/Depth-Anything and DepthAnything/Depth-Anything-V2 (`run.py`, README, `metric_depth/`).

max_area and max_batch_size together bound memory: a full batch of the largest photos stays within PLANNED_MEMORY, by
the estimate of `Variant.activation_bytes`. A row trades the one for the other. All DPT networks that take any aspect
allow 768 x 768 pixels, so that a 16:9 photo passes at resolution 512 (512 x 896), and as many photos a batch as fit.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from export.errors import LicenceError, UnknownVariantError
from midas_server.licences import NOT_STATED, allows_business, why_not
from midas_server.network_output import Kind, Upsampling
from midas_server.served_names import SIZES, nearest, network_named

Resize = Literal["minimal", "upper_bound", "lower_bound", "square"]
Aspect = Literal["keep", "square"]
Layout = Literal["nchw", "nhwc"]
RGB = tuple[float, float, float]

RELEASES = "https://github.com/isl-org/MiDaS/releases/download"
HUGGING_FACE = "https://huggingface.co"
IMAGENET_MEAN: RGB = (0.485, 0.456, 0.406)
IMAGENET_STD: RGB = (0.229, 0.224, 0.225)
HALF: RGB = (0.5, 0.5, 0.5)

PLANNED_MEMORY = 4 << 30  # bytes, for the activations of one network step; weights come on top
# Measured with midas_tiny_256: alone in int8, each layer here costs 1 to 4 % error, any other at most 1 %.
EFFICIENTNET_STEM = ("layer1.0/", "layer1.3.0/", "layer1.4.0/")
DINO_PATCH = 14  # side in pixels of what DINOv2 makes a token of
# Whole numbers and fractions up to 100: float16 has no digits left for the fractions, and int8 none for the weights.
DINO_POSITIONS = ("/positions/",)
# Measured with depth_anything_v2_vits, worst photo: in int8 attention's last product alone costs 3.0 % error, and what
# leads from the transformer into the decoder 1.0 to 1.6 %. They are few of the operations. All in int8 cost 6.8 %.
DEPTH_ANYTHING_IN_INT8 = (*DINO_POSITIONS, "/attn/proj/", "/depth_head/projects", "/resize_layers", "_rn/")


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where a network's weights come from.

    Attributes:
        file: name of the checkpoint, as `weights/` has it.
        licence: of the weights, by its SPDX name, or "not stated".
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
class LargestAttention:
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
        instances: of the network step; None leaves it to the size of the network.
        weight_count: how many numbers its weights are; 0 where that is not known.
        fixed_size: the graph takes resolution x resolution and nothing else.
        multiple: the grid: both sides of the input are multiples of it.
        max_side: largest height and width in pixels, where the network bounds them beside the area.
        aspect: the default of a network that takes any.
        kind: what the output means: relative inverse depth, larger is nearer; or depth in metres, larger is farther.
        max_depth: the farthest in metres that a metric network gives.
        upsampling: how the official code brings the output to the photo's size.
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
    kind: Kind = "relative_inverse_depth"
    max_depth: float | None = None
    upsampling: Upsampling = "bicubic"
    instances: int | None = None
    float32_islands: tuple[str, ...] = ()
    float32_in_int8: tuple[str, ...] = ()

    @property
    def licence(self) -> str | None:
        """Of the official weights; None for a network of the user's own."""
        return None

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
        untrained_last: gain and bias of the last convolution of Depth Anything; see `export.weights.untrained`.
        pixel_bytes: what the decoder's last steps hold, in bytes for each pixel of the input.
        attention: the attention that needs most memory; None where none grows with the photo.
    """

    source: Source
    family: str
    parameters: Mapping[str, object] = field(hash=False)
    mean: RGB
    std: RGB
    untrained_gain: float = 1.0
    untrained_last: tuple[float, float] | None = None
    pixel_bytes: int = 1024
    attention: LargestAttention | None = None

    @property
    def licence(self) -> str:
        """Of the weights."""
        return self.source.licence

    @property
    def activation_bytes(self) -> int:
        """An upper estimate, in bytes, of what a full batch of the largest photos takes beside the weights.

        The decoder's last steps hold 256 channels at half size and 128 at full size: 1 KB a pixel; 64 and 32 in the
        two small networks: 256 bytes; 4 bytes for each of its `features` in Depth Anything. Attention holds its scores
        before and after the softmax. BEiT adds its position bias, of the same size but once a batch, and holds it twice
        while it puts it together. Next-ViT attends from a grid of 8 pixels to one of 32, with 6 heads, where that costs
        most.

        Measured with ONNX Runtime at 768 x 768: ViT-L 0.97 GB (estimate 1.28), a batch of two 1.96 (2.57), BEiT-B 1.32
        (1.63), hybrid 0.68 (1.11); ViT-L at 1024 x 1024 2.46 (3.22).
        """
        scores = self.attention.score_bytes(self.max_area) if self.attention else 0
        bias = scores if self.attention and self.attention.bias else 0
        return self.max_batch_size * (self.pixel_bytes * self.max_area + 2 * scores) + 2 * bias


def _midas(release: str, name: str, sha256: str | None = None) -> Source:
    """The official checkpoint of a MiDaS release."""
    return Source(file=f"{name}.pt", licence="MIT", url=f"{RELEASES}/{release}/{name}.pt", sha256=sha256)


@dataclass(frozen=True, kw_only=True)
class _Size:
    """What depends on the size of a Depth Anything network alone.

    Attributes:
        weight_count: how many numbers its weights are.
        width, depth, heads, channels, features: see `export.networks.depth_anything`.
        taps_v1, taps_v2: the blocks that are tapped.
        licence_v2: of the weights of V2 that give relative inverse depth.
        bias: of the untrained last convolution: about 4 % of the output is clipped at 0.
        max_batch_size: as many photos of the largest size as fit into PLANNED_MEMORY.
    """

    weight_count: int
    width: int
    depth: int
    heads: int
    channels: tuple[int, int, int, int]
    features: int
    taps_v1: tuple[int, int, int, int]
    taps_v2: tuple[int, int, int, int]
    licence_v2: str
    bias: float
    max_batch_size: int


_SIZES: Mapping[str, _Size] = {
    "Small": _Size(
        weight_count=24_785_089,
        width=384,
        depth=12,
        heads=6,
        channels=(48, 96, 192, 384),
        features=64,
        taps_v1=(8, 9, 10, 11),
        taps_v2=(2, 5, 8, 11),
        licence_v2="Apache-2.0",
        bias=-2.83,
        max_batch_size=3,
    ),
    "Base": _Size(
        weight_count=97_470_785,
        width=768,
        depth=12,
        heads=12,
        channels=(96, 192, 384, 768),
        features=128,
        taps_v1=(8, 9, 10, 11),
        taps_v2=(2, 5, 8, 11),
        licence_v2="CC-BY-NC-4.0",
        bias=-2.6,
        max_batch_size=1,
    ),
    "Large": _Size(
        weight_count=335_315_649,
        width=1024,
        depth=24,
        heads=16,
        channels=(256, 512, 1024, 1024),
        features=256,
        taps_v1=(20, 21, 22, 23),
        taps_v2=(4, 11, 17, 23),
        licence_v2="CC-BY-NC-4.0",
        bias=-3.01,
        max_batch_size=1,
    ),
}


def _depth_anything(
    name: str,
    size: _Size,
    folder: str,
    licence: str,
    *,
    taps: tuple[int, int, int, int],
    upsampling: Upsampling,
    max_depth: float | None = None,
) -> Variant:
    """A row of Depth Anything. The area lets the photos of a car's camera pass at the default: 1242x375 is 1722x518."""
    file = f"{name}.pth"
    return Variant(
        name=name,
        source=Source(file=file, licence=licence, url=f"{HUGGING_FACE}/{folder}/{file}"),
        family="depth_anything",
        parameters={
            "width": size.width,
            "depth": size.depth,
            "heads": size.heads,
            "taps": taps,
            "channels": size.channels,
            "features": size.features,
            "max_depth": max_depth,
        },
        resolution=518,
        resize="lower_bound",
        multiple=DINO_PATCH,
        mean=IMAGENET_MEAN,
        std=IMAGENET_STD,
        kind="relative_inverse_depth" if max_depth is None else "metric_depth",
        max_depth=max_depth,
        upsampling=upsampling,
        max_area=952 * 952,
        max_batch_size=size.max_batch_size,
        weight_count=size.weight_count,
        pixel_bytes=4 * size.features,
        attention=LargestAttention(heads=size.heads, query_patch=DINO_PATCH, key_patch=DINO_PATCH),
        float32_islands=DINO_POSITIONS,
        float32_in_int8=DEPTH_ANYTHING_IN_INT8,
        untrained_last=(1.0, size.bias) if max_depth is None else (2.15, -10.1),
    )


_DEPTH_ANYTHING = (
    *(
        _depth_anything(
            f"depth_anything_v2_vit{name[0].lower()}",
            size,
            f"depth-anything/Depth-Anything-V2-{name}/resolve/main",
            size.licence_v2,
            taps=size.taps_v2,
            upsampling="bilinear_corners",
        )
        for name, size in _SIZES.items()
    ),
    *(
        _depth_anything(
            f"depth_anything_v2_metric_{data.lower()}_vit{name[0].lower()}",
            size,
            f"depth-anything/Depth-Anything-V2-Metric-{data}-{name}/resolve/main",
            NOT_STATED,
            taps=size.taps_v2,
            upsampling="bilinear_corners",
            max_depth=max_depth,
        )
        for data, max_depth in (("Hypersim", 20.0), ("VKITTI", 80.0))
        for name, size in _SIZES.items()
    ),
    *(
        _depth_anything(
            f"depth_anything_vit{name[0].lower()}14",
            size,
            "spaces/LiheYoung/Depth-Anything/resolve/main/checkpoints",
            "Apache-2.0",
            taps=size.taps_v1,
            upsampling="bilinear",
        )
        for name, size in _SIZES.items()
    ),
)

# of ViT and BEiT
_VIT_LARGE: Mapping[str, object] = {
    "width": 1024,
    "depth": 24,
    "heads": 16,
    "taps": (5, 11, 17, 23),
    "channels": (256, 512, 1024, 1024),
}

_BEIT_LARGE_384 = Variant(
    name="dpt_beit_large_384",
    source=_midas("v3_1", "dpt_beit_large_384"),
    family="dpt_beit",
    parameters={**_VIT_LARGE, "trained": 24},
    resolution=384,
    resize="minimal",
    mean=HALF,
    std=HALF,
    max_area=768 * 768,
    max_batch_size=2,
    weight_count=344_338_601,
    attention=LargestAttention(heads=16, bias=True),
)

_SWIN2_LARGE_384 = Variant(
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
)

_ROWS = (
    replace(
        _BEIT_LARGE_384,
        name="dpt_beit_large_512",
        source=_midas("v3_1", "dpt_beit_large_512"),
        parameters={**_VIT_LARGE, "trained": 32},
        resolution=512,
        weight_count=345_014_441,
    ),
    _BEIT_LARGE_384,
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
        attention=LargestAttention(heads=12, bias=True),
    ),
    _SWIN2_LARGE_384,
    replace(
        _SWIN2_LARGE_384,
        name="dpt_swin2_base_384",
        source=_midas("v3_1", "dpt_swin2_base_384"),
        parameters={**_SWIN2_LARGE_384.parameters, "channels": 128, "heads": (4, 8, 16, 32)},
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
        attention=LargestAttention(heads=6, query_patch=8, key_patch=32),
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
        parameters=_VIT_LARGE,
        resolution=384,
        resize="minimal",
        mean=HALF,
        std=HALF,
        max_area=768 * 768,
        max_batch_size=3,
        weight_count=344_055_465,
        attention=LargestAttention(heads=16),
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
        attention=LargestAttention(heads=12),
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
    *_DEPTH_ANYTHING,
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


def refuse_for_business(network: ServedNetwork) -> None:
    """Raises LicenceError where the licence of the weights does not allow commercial use."""
    if not allows_business(network.licence):
        allowed = ", ".join(row.name for row in VARIANTS.values() if allows_business(row.licence))
        raise LicenceError(
            f"{network.name} is refused by --commercial: {why_not(network.licence)}. Variants that it does not refuse: "
            f"{allowed}"
        )
