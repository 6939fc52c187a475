"""The table of variants: everything that differs between them, one row each. All but midas_tiny_256 are official.

Figures of the official ones: isl-org/MiDaS, `midas/model_loader.py` (sizes, resize rules, mean, std) and its releases
(tags, file names); LiheYoung/Depth-Anything and DepthAnything/Depth-Anything-V2 (`run.py`, README, `metric_depth/`).

max_area and max_batch_size together bound memory: a full batch of the largest photos stays within PLANNED_MEMORY, by
the estimate of `Variant.activation_bytes`. A row trades the one for the other. All DPT networks that take any aspect
allow 768 x 768 pixels, so that a 16:9 photo passes at resolution 512 (512 x 896), and as many photos a batch as fit.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, cast

from export.errors import LicenceError, UnknownVariantError
from midas_server.licences import NOT_STATED, allows_business, why_not
from midas_server.network_output import Kind, Upsampling

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
PATCH = 16  # side in pixels of what a plain transformer makes a token of
DINO_PATCH = 14  # the same of DINOv2
# Measured with midas_tiny_256: alone in int8, each layer here costs 1 to 4 % error, any other at most 1 %.
EFFICIENTNET_STEM = ("layer1.0/", "layer1.3.0/", "layer1.4.0/")
DINO_POSITIONS = ("/positions/",)  # whole numbers and fractions up to 100: float16 has no digits left for the fractions


@dataclass(frozen=True, kw_only=True)
class ServedNetwork:
    """What the served configs of any network depend on, official or not.

    Attributes:
        name: model name of the ensemble; the steps are called after it.
        resolution: default side in pixels, a multiple of `multiple`, that the resize rule is given.
        resize: how a photo is brought to network size; "square" means that the network takes only squares.
        max_area: largest network input in pixels (height x width) that a request may ask for.
        max_batch_size: most photos of equal network size that run as one batch.
        fixed_size: the graph takes resolution x resolution and nothing else.
        multiple: the grid: both sides of the input are multiples of it.
        max_side: largest height and width in pixels, where the network bounds them beside the area.
        aspect: the default of a network that takes any.
        kind: what the output means: relative inverse depth, larger is nearer; or depth in metres, larger is farther.
        max_depth: the farthest in metres that a metric network gives.
        upsampling: how the official code brings the output to the photo's size.
        licence: of the official weights; None for a network of the user's own.
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
    fixed_size: bool = False
    multiple: int = 32
    max_side: int | None = None
    aspect: Aspect = "keep"
    kind: Kind = "relative_inverse_depth"
    max_depth: float | None = None
    upsampling: Upsampling = "bicubic"
    licence: str | None = None
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
        host: address that the tag is appended to.
        tag: release of isl-org/MiDaS, or folder, that holds the checkpoint; None for a network of the project's own.
        checkpoint: file name of the checkpoint.
        sha256_prefix: first 8 hex digits of the checkpoint's SHA-256, or None where it is not known.
        family: which builder of `export.networks` makes the network.
        parameters: keyword arguments for that builder.
        mean, std: RGB normalisation of pixels in 0..1.
        licence: of the official weights.
        untrained_gain: factor on the encoder's untrained weights, below 1 where its attention saturates otherwise.
        untrained_last: gain and bias of the untrained last convolution, where they are not 1 and 0.5; see
            `export.weights.untrained`.
    """

    host: str = RELEASES
    tag: str | None
    checkpoint: str
    sha256_prefix: str | None
    family: str
    parameters: Mapping[str, object] = field(hash=False)
    mean: RGB
    std: RGB
    licence: str = "MIT"
    untrained_gain: float = 1.0
    untrained_last: tuple[float, float] | None = None

    @property
    def url(self) -> str | None:
        """Address of the official checkpoint, if there is one."""
        return f"{self.host}/{self.tag}/{self.checkpoint}" if self.tag else None

    @property
    def activation_bytes(self) -> int:
        """An upper estimate, in bytes, of what a full batch of the largest photos takes beside the weights.

        The decoder's last steps hold 256 channels at half size and 128 at full size: 1 KB a pixel; 64 and 32 in the
        two small networks: 256 bytes; Depth Anything's as many as its row says. Attention holds its scores (heads x
        tokens x tokens, float32) before and after the softmax. BEiT adds its position bias, of the same size but once
        a batch, and holds it twice while it puts it together. Next-ViT attends from a grid of 8 pixels to one of 32,
        with 6 heads, where that costs most.

        Measured with ONNX Runtime at 768 x 768: ViT-L 0.97 GB (estimate 1.28), a batch of two 1.96 (2.57), BEiT-B 1.32
        (1.63), hybrid 0.68 (1.11); ViT-L at 1024 x 1024 2.46 (3.22).
        """
        features = cast(int, self.parameters.get("features", 256)) if self.family == "depth_anything" else 256
        per_pixel = 256 if self.family in ("midas_v21_small", "midas_tiny") else 4 * features
        tokens = self.max_area // (DINO_PATCH if self.family == "depth_anything" else PATCH) ** 2 + 1
        scores = bias = 0
        if self.family in ("dpt_vit", "dpt_hybrid", "dpt_beit", "depth_anything"):
            scores = 4 * cast(int, self.parameters["heads"]) * tokens**2
            bias = scores if self.family == "dpt_beit" else 0
        elif self.family == "dpt_next_vit":
            scores = 4 * 6 * (self.max_area // 8**2) * (self.max_area // 32**2)
        return self.max_batch_size * (per_pixel * self.max_area + 2 * scores) + 2 * bias


@dataclass(frozen=True, kw_only=True)
class _Size:
    """What depends on the size of a Depth Anything network alone.

    Attributes:
        parameters: those of the builder, but for taps and max_depth.
        taps_v1, taps_v2: the blocks that are tapped.
        licence_v2: of the weights of V2 that give relative inverse depth.
        bias: of the untrained last convolution: about 4 % of the output is clipped at 0.
        max_batch_size: as many photos of the largest size as fit into PLANNED_MEMORY.
    """

    parameters: Mapping[str, object]
    taps_v1: tuple[int, int, int, int]
    taps_v2: tuple[int, int, int, int]
    licence_v2: str
    bias: float
    max_batch_size: int


_SIZES: Mapping[str, _Size] = {
    "Small": _Size(
        parameters={"width": 384, "depth": 12, "heads": 6, "channels": (48, 96, 192, 384), "features": 64},
        taps_v1=(8, 9, 10, 11),
        taps_v2=(2, 5, 8, 11),
        licence_v2="Apache-2.0",
        bias=-2.83,
        max_batch_size=3,
    ),
    "Base": _Size(
        parameters={"width": 768, "depth": 12, "heads": 12, "channels": (96, 192, 384, 768), "features": 128},
        taps_v1=(8, 9, 10, 11),
        taps_v2=(2, 5, 8, 11),
        licence_v2="CC-BY-NC-4.0",
        bias=-2.6,
        max_batch_size=1,
    ),
    "Large": _Size(
        parameters={"width": 1024, "depth": 24, "heads": 16, "channels": (256, 512, 1024, 1024), "features": 256},
        taps_v1=(20, 21, 22, 23),
        taps_v2=(4, 11, 17, 23),
        licence_v2="CC-BY-NC-4.0",
        bias=-3.01,
        max_batch_size=1,
    ),
}


def _depth_anything(
    name: str,
    size: str,
    tag: str,
    licence: str,
    *,
    taps: tuple[int, int, int, int],
    upsampling: Upsampling,
    max_depth: float | None = None,
) -> Variant:
    """A row of Depth Anything. The area lets the photos of a car's camera pass at the default: 1242x375 is 1722x518."""
    metric = max_depth is not None
    return Variant(
        name=name,
        host=HUGGING_FACE,
        tag=tag,
        checkpoint=f"{name}.pth",
        sha256_prefix=None,
        licence=licence,
        family="depth_anything",
        parameters={**_SIZES[size].parameters, "taps": taps, "max_depth": max_depth},
        resolution=518,
        resize="lower_bound",
        multiple=DINO_PATCH,
        mean=IMAGENET_MEAN,
        std=IMAGENET_STD,
        kind="metric_depth" if metric else "relative_inverse_depth",
        max_depth=max_depth,
        upsampling=upsampling,
        max_area=952 * 952,
        max_batch_size=_SIZES[size].max_batch_size,
        float32_islands=DINO_POSITIONS,
        untrained_last=(2.15, -10.1) if metric else (1.0, _SIZES[size].bias),
    )


_DEPTH_ANYTHING = (
    *(
        _depth_anything(
            f"depth_anything_v2_vit{size[0].lower()}",
            size,
            f"depth-anything/Depth-Anything-V2-{size}/resolve/main",
            row.licence_v2,
            taps=row.taps_v2,
            upsampling="bilinear_corners",
        )
        for size, row in _SIZES.items()
    ),
    *(
        _depth_anything(
            f"depth_anything_v2_metric_{data.lower()}_vit{size[0].lower()}",
            size,
            f"depth-anything/Depth-Anything-V2-Metric-{data}-{size}/resolve/main",
            NOT_STATED,
            taps=row.taps_v2,
            upsampling="bilinear_corners",
            max_depth=max_depth,
        )
        for data, max_depth in (("Hypersim", 20.0), ("VKITTI", 80.0))
        for size, row in _SIZES.items()
    ),
    *(
        _depth_anything(
            f"depth_anything_vit{size[0].lower()}14",
            size,
            "spaces/LiheYoung/Depth-Anything/resolve/main/checkpoints",
            "Apache-2.0",
            taps=row.taps_v1,
            upsampling="bilinear",
        )
        for size, row in _SIZES.items()
    ),
)

_ROWS = (
    Variant(
        name="dpt_beit_large_512",
        tag="v3_1",
        checkpoint="dpt_beit_large_512.pt",
        sha256_prefix=None,
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
    ),
    Variant(
        name="dpt_beit_large_384",
        tag="v3_1",
        checkpoint="dpt_beit_large_384.pt",
        sha256_prefix=None,
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
    ),
    Variant(
        name="dpt_beit_base_384",
        tag="v3_1",
        checkpoint="dpt_beit_base_384.pt",
        sha256_prefix=None,
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
    ),
    Variant(
        name="dpt_swin2_large_384",
        tag="v3_1",
        checkpoint="dpt_swin2_large_384.pt",
        sha256_prefix=None,
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
    ),
    Variant(
        name="dpt_swin2_base_384",
        tag="v3_1",
        checkpoint="dpt_swin2_base_384.pt",
        sha256_prefix=None,
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
    ),
    Variant(
        name="dpt_swin2_tiny_256",
        tag="v3_1",
        checkpoint="dpt_swin2_tiny_256.pt",
        sha256_prefix=None,
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
    ),
    Variant(
        name="dpt_swin_large_384",
        tag="v3_1",
        checkpoint="dpt_swin_large_384.pt",
        sha256_prefix=None,
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
    ),
    Variant(
        name="dpt_next_vit_large_384",
        tag="v3_1",
        checkpoint="dpt_next_vit_large_384.pt",
        sha256_prefix=None,
        family="dpt_next_vit",
        parameters={},
        resolution=384,
        resize="minimal",
        mean=HALF,
        std=HALF,
        untrained_gain=0.7,
        max_area=768 * 768,
        max_batch_size=4,
    ),
    Variant(
        name="dpt_levit_224",
        tag="v3_1",
        checkpoint="dpt_levit_224.pt",
        sha256_prefix=None,
        family="dpt_levit",
        parameters={"photo": 224},
        resolution=224,
        resize="square",
        fixed_size=True,
        mean=HALF,
        std=HALF,
        max_area=224 * 224,
        max_batch_size=8,
    ),
    Variant(
        name="dpt_large_384",
        tag="v3",
        checkpoint="dpt_large_384.pt",
        sha256_prefix="2f21e586",
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
    ),
    Variant(
        name="dpt_hybrid_384",
        tag="v3",
        checkpoint="dpt_hybrid_384.pt",
        sha256_prefix="501f0c75",
        family="dpt_hybrid",
        parameters={"width": 768, "depth": 12, "heads": 12, "taps": (8, 11), "channels": (256, 512, 768, 768)},
        resolution=384,
        resize="minimal",
        mean=HALF,
        std=HALF,
        max_area=768 * 768,
        max_batch_size=3,
    ),
    Variant(
        name="midas_v21_384",
        tag="v2_1",
        checkpoint="midas_v21_384.pt",
        sha256_prefix="f6b98070",
        family="midas_v21",
        parameters={"features": 256},
        resolution=384,
        resize="upper_bound",
        mean=IMAGENET_MEAN,
        std=IMAGENET_STD,
        max_area=1024 * 1024,
        max_batch_size=3,
    ),
    Variant(
        name="midas_v21_small_256",
        tag="v2_1",
        checkpoint="midas_v21_small_256.pt",
        sha256_prefix="70d6b9c8",
        family="midas_v21_small",
        parameters={"features": 64},
        resolution=256,
        resize="upper_bound",
        mean=IMAGENET_MEAN,
        std=IMAGENET_STD,
        max_area=1280 * 1280,
        max_batch_size=8,
        float32_in_int8=EFFICIENTNET_STEM,
    ),
    Variant(
        name="midas_tiny_256",
        tag=None,
        checkpoint="midas_tiny_256.pt",
        sha256_prefix=None,
        family="midas_tiny",
        parameters={"widths": (48, 64, 96, 128), "head": 16},
        resolution=256,
        resize="upper_bound",
        mean=HALF,  # as its encoder was trained on ImageNet
        std=HALF,
        max_area=1280 * 1280,
        max_batch_size=8,
        float32_in_int8=EFFICIENTNET_STEM,
    ),
    *_DEPTH_ANYTHING,
)

VARIANTS: Mapping[str, Variant] = {row.name: row for row in _ROWS}


def variant_named(name: str) -> Variant:
    """Return the row of `name`.

    Raises:
        UnknownVariantError: no such row; the message lists those there are.
    """
    try:
        return VARIANTS[name]
    except KeyError:
        raise UnknownVariantError(f"unknown variant '{name}'; known: {', '.join(VARIANTS)}") from None


def refuse_for_business(network: ServedNetwork) -> None:
    """Raises LicenceError where the licence of the weights does not allow commercial use."""
    if not allows_business(network.licence):
        allowed = ", ".join(row.name for row in VARIANTS.values() if allows_business(row.licence))
        raise LicenceError(
            f"{network.name} is refused by --commercial: {why_not(network.licence)}. Variants that it does not refuse: "
            f"{allowed}"
        )
