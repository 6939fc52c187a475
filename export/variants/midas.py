"""The rows of MiDaS, and that of the network which ships with the project.

Figures of the official ones: isl-org/MiDaS, `midas/model_loader.py` (sizes, resize rules, mean, std) and its releases
(tags, file names). All DPT networks that take any aspect allow 768 x 768 pixels, so that a 16:9 photo passes at
resolution 512 (512 x 896), and as many photos a batch as fit.
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

from export.variants.row import IMAGENET_MEAN, IMAGENET_STD, RGB, LargestAttention, Source, Variant

RELEASES = "https://github.com/isl-org/MiDaS/releases/download"
HALF: RGB = (0.5, 0.5, 0.5)
# Measured with midas_tiny_256: alone in int8, each layer here costs 1 to 4 % error, any other at most 1 %.
EFFICIENTNET_STEM = ("layer1.0/", "layer1.3.0/", "layer1.4.0/")


def _midas(release: str, name: str, sha256: str | None = None) -> Source:
    """The official checkpoint of a MiDaS release."""
    return Source(file=f"{name}.pt", licence="MIT", url=f"{RELEASES}/{release}/{name}.pt", sha256=sha256)


# The networks of the DPT kind: those that take any size on the grid, and those of one size.
_any_aspect = partial(Variant, resolution=384, resize="minimal", mean=HALF, std=HALF, max_area=768 * 768)
_squares_only = partial(Variant, resize="square", fixed_size=True, mean=HALF, std=HALF)

# The large ViT and BEiT.
_LARGE: Mapping[str, object] = {
    "width": 1024,
    "depth": 24,
    "heads": 16,
    "taps": (5, 11, 17, 23),
    "channels": (256, 512, 1024, 1024),
}

_BEIT_LARGE_384 = _any_aspect(
    name="dpt_beit_large_384",
    source=_midas("v3_1", "dpt_beit_large_384"),
    family="dpt_beit",
    parameters={**_LARGE, "trained": 24},
    max_batch_size=2,
    weight_count=344_338_601,
    attention=LargestAttention(heads=16, bias=True),
)

_SWIN2_LARGE_384 = _squares_only(
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
    max_area=384 * 384,
    max_batch_size=4,
    weight_count=213_411_869,
)

ROWS = (
    replace(
        _BEIT_LARGE_384,
        name="dpt_beit_large_512",
        source=_midas("v3_1", "dpt_beit_large_512"),
        parameters={**_LARGE, "trained": 32},
        resolution=512,
        weight_count=345_014_441,
    ),
    _BEIT_LARGE_384,
    _any_aspect(
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
    _squares_only(
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
        max_area=256 * 256,
        max_batch_size=8,
        weight_count=41_701_331,
    ),
    _squares_only(
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
        max_area=384 * 384,
        max_batch_size=4,
        weight_count=213_407_453,
    ),
    _any_aspect(
        name="dpt_next_vit_large_384",
        source=_midas("v3_1", "dpt_next_vit_large_384"),
        family="dpt_next_vit",
        parameters={},
        untrained_gain=0.7,
        max_batch_size=4,
        weight_count=72_260_713,
        attention=LargestAttention(heads=6, query_patch=8, key_patch=32),
    ),
    _squares_only(
        name="dpt_levit_224",
        source=_midas("v3_1", "dpt_levit_224"),
        family="dpt_levit",
        parameters={"photo": 224},
        resolution=224,
        max_area=224 * 224,
        max_batch_size=8,
        weight_count=50_630_837,
    ),
    _any_aspect(
        name="dpt_large_384",
        source=_midas("v3", "dpt_large_384", sha256="2f21e586"),
        family="dpt_vit",
        parameters=_LARGE,
        max_batch_size=3,
        weight_count=344_055_465,
        attention=LargestAttention(heads=16),
    ),
    _any_aspect(
        name="dpt_hybrid_384",
        source=_midas("v3", "dpt_hybrid_384", sha256="501f0c75"),
        family="dpt_hybrid",
        parameters={"width": 768, "depth": 12, "heads": 12, "taps": (8, 11), "channels": (256, 512, 768, 768)},
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
)
