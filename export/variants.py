"""The table of variants: everything that differs between them, one row each. All but midas_tiny_256 are official.

Figures of the official ones: isl-org/MiDaS, `midas/model_loader.py` (sizes, resize rules, mean, std) and its releases
(tags, file names).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from export.errors import UnknownVariantError

Resize = Literal["minimal", "upper_bound", "square"]
Layout = Literal["nchw", "nhwc"]
RGB = tuple[float, float, float]

RELEASES = "https://github.com/isl-org/MiDaS/releases/download"
IMAGENET_MEAN: RGB = (0.485, 0.456, 0.406)
IMAGENET_STD: RGB = (0.229, 0.224, 0.225)
HALF: RGB = (0.5, 0.5, 0.5)


@dataclass(frozen=True, kw_only=True)
class ServedNetwork:
    """What the served configs of any network depend on, official or not.

    Attributes:
        name: model name of the ensemble; the steps are called after it.
        resolution: default side in pixels, a multiple of 32, that the resize rule is given.
        resize: how a photo is brought to network size; "square" means that the network takes only its square.
        max_area: largest network input in pixels (height x width) that a request may ask for.
        max_batch_size: most photos of equal network size that run as one batch.
        fixed_size: the graph takes resolution x resolution and nothing else.
    """

    name: str
    resolution: int
    resize: Resize
    max_area: int
    max_batch_size: int
    fixed_size: bool = False

    @property
    def any_aspect(self) -> bool:
        """Whether the network takes any height and width that are multiples of 32."""
        return self.resize != "square"


@dataclass(frozen=True, kw_only=True)
class Variant(ServedNetwork):
    """One network.

    Attributes:
        tag: release of isl-org/MiDaS that holds the checkpoint; None for a network of the project's own.
        checkpoint: file name of the checkpoint.
        sha256_prefix: first 8 hex digits of the checkpoint's SHA-256, or None where it is not known.
        family: which builder of `export.networks` makes the network.
        parameters: keyword arguments for that builder.
        mean, std: RGB normalisation of pixels in 0..1.
    """

    tag: str | None
    checkpoint: str
    sha256_prefix: str | None
    family: str
    parameters: Mapping[str, object] = field(hash=False)
    mean: RGB
    std: RGB

    @property
    def url(self) -> str | None:
        """Address of the official checkpoint, if there is one."""
        return f"{RELEASES}/{self.tag}/{self.checkpoint}" if self.tag else None


_ROWS = (
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
    ),
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
