"""The rows of Depth Anything, V1 and V2.

Figures: LiheYoung/Depth-Anything and DepthAnything/Depth-Anything-V2 (`run.py`, README, `metric_depth/`).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from export.variants.row import IMAGENET_MEAN, IMAGENET_STD, LargestAttention, Source, Variant
from midas_server.licences import NOT_STATED
from midas_server.network_output import Upsampling

HUGGING_FACE = "https://huggingface.co"
PATCH = 14  # side in pixels of what DINOv2 makes a token of
# Whole numbers and fractions up to 100: float16 has no digits left for the fractions, and int8 none for the weights.
POSITIONS = ("/positions/",)
# Measured with depth_anything_v2_vits, worst photo: in int8 attention's last product alone costs 3.0 % error, and what
# leads from the transformer into the decoder 1.0 to 1.6 %. They are few of the operations. All in int8 cost 6.8 %.
FLOAT32_IN_INT8 = (*POSITIONS, "/attn/proj/", "/depth_head/projects", "/resize_layers", "_rn/")


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


def _row(
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
        multiple=PATCH,
        mean=IMAGENET_MEAN,
        std=IMAGENET_STD,
        kind="relative_inverse_depth" if max_depth is None else "metric_depth",
        max_depth=max_depth,
        upsampling=upsampling,
        max_area=952 * 952,
        max_batch_size=size.max_batch_size,
        weight_count=size.weight_count,
        pixel_bytes=4 * size.features,
        attention=LargestAttention(heads=size.heads, query_patch=PATCH, key_patch=PATCH),
        float32_islands=POSITIONS,
        float32_in_int8=FLOAT32_IN_INT8,
        untrained_last=(1.0, size.bias) if max_depth is None else (2.15, -10.1),
    )


ROWS = (
    *(
        _row(
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
        _row(
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
        _row(
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
