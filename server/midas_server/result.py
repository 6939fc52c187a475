"""The network's output to the result that was asked for, and nothing else."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from typing_extensions import assert_never

from midas_server.errors import NetworkFault
from midas_server.imaging.encode import encode_colour_jpeg, encode_colour_png, encode_float16, encode_png
from midas_server.imaging.equalize import equalize_clahe, equalize_global
from midas_server.imaging.filters.crf import crf
from midas_server.imaging.filters.guided import guided
from midas_server.imaging.filters.speckle import bilateral, median
from midas_server.imaging.surface import Surface
from midas_server.network_output import Kind, Upsampling
from midas_server.options import ResolvedOptions

Depth = NDArray[np.float32]

LEAST_METRES = 1e-3  # what is nearer counts as this far where the logarithm is taken


@dataclass(frozen=True)
class Result:
    """A depth map as the caller asked for it.

    Attributes:
        depth: float32 `[H, W]`; None where another format was asked for.
        encoded: the file, or the half floats; empty for format=float32.
        value_range: smallest and largest depth, before any equalisation.
    """

    depth: Depth | None
    encoded: bytes
    value_range: tuple[float, float]


def check_depth(depth: Depth, size: tuple[int, int], network: str) -> None:
    """Refuse what a broken network gives.

    Args:
        depth: the network's output, float32 `[h, w]` if all is well.
        size: (width, height) of the network's input.
        network: its name, for the message.

    Raises:
        NetworkFault: the depth has another size than the input, or values that are not finite.
    """
    if depth.shape != size[::-1]:
        gave = "x".join(map(str, depth.shape[::-1]))
        raise NetworkFault(
            f"{network} gave depth of {gave} for an input of {size[0]}x{size[1]} (width x height), so it does not fit "
            "the photo: leave out the option resolution, or have the network exported again, which finds the sizes it "
            "takes"
        )
    finite = np.isfinite(depth)
    if not finite.all():
        raise NetworkFault(
            f"{network} gave values that are not finite (NaN or infinity) at {depth.size - np.count_nonzero(finite):,} "
            f"of {depth.size:,} pixels of this photo: try another resolution, or have the network exported in another "
            "precision (fp16 overflows where fp32 does not)"
        )


def make_result(
    depth: Depth,
    guide: NDArray[np.uint8] | None,
    size: tuple[int, int],
    options: ResolvedOptions,
    kind: Kind = "relative_inverse_depth",
    upsampling: Upsampling = "bicubic",
) -> Result:
    """Filter, bring to size and encode a depth map. In pictures near is bright, whatever the kind.

    Args:
        depth: float32 `[h, w]`, the network's output, which `check_depth` found sound.
        guide: uint8 RGB `[H, W, 3]` of `size`, for a filter that looks at the photo.
        size: (width, height) of the result.
        options: what was asked for.
        kind: of the network's depth.
        upsampling: how its depth is brought to a larger size.

    Raises:
        InvalidRequest: the values do not fit into the format.
        ValueError: the filter looks at the photo, and there is no guide.
    """
    surface = Surface(_filtered(depth, guide, options, kind), size, upsampling)
    match options.format:
        case "float32":
            return Result(surface.whole(), b"", surface.range())
        case "float16":
            encoded = encode_float16(surface)
        case "png16":
            encoded = encode_png(surface.levels(np.uint16))
        case "png8":
            encoded = encode_png(_display_levels(surface, options, kind))
        case "color_png":
            encoded = encode_colour_png(_display_levels(surface, options, kind), options.colormap)
        case "color_jpeg":
            encoded = encode_colour_jpeg(_display_levels(surface, options, kind), options.colormap)
        case _:
            assert_never(options.format)
    return Result(None, encoded, surface.range())


def _filtered(depth: Depth, guide: NDArray[np.uint8] | None, options: ResolvedOptions, kind: Kind) -> Depth:
    match kind:
        case "relative_inverse_depth":
            return _filter(depth, guide, options)
        case "metric_depth" if options.filter == "none":
            return depth
        case "metric_depth":
            # A metre counts much near by and little far away, so steps of depth are compared as ratios. Nothing comes
            # out below 0 either.
            return np.exp(_filter(np.log(np.maximum(depth, np.float32(LEAST_METRES))), guide, options))
        case _:
            assert_never(kind)


def _filter(depth: Depth, guide: NDArray[np.uint8] | None, options: ResolvedOptions) -> Depth:
    settings = options.settings
    if options.needs_guide and guide is None:
        raise ValueError(f"filter={options.filter} needs the photo as a guide, and there is none")
    match options.filter:
        case "none":
            return depth
        case "median":
            return median(depth, size=int(settings["median_size"]))
        case "bilateral":
            radius, contrast = int(settings["bilateral_radius"]), settings["bilateral_contrast"]
            return bilateral(depth, radius=radius, contrast=contrast)
        case "guided":
            assert guide is not None
            return guided(depth, guide, radius=int(settings["guided_radius"]), eps=settings["guided_eps"])
        case "crf":
            assert guide is not None
            return crf(depth, guide, radius=int(settings["crf_radius"]), contrast=settings["crf_contrast"])
        case _:
            assert_never(options.filter)


def _display_levels(surface: Surface, options: ResolvedOptions, kind: Kind) -> NDArray[np.uint8]:
    falling = kind == "metric_depth"
    match options.equalize:
        case "none":
            return surface.levels(np.uint8, falling=falling)
        case "global":
            return equalize_global(surface.levels(np.uint16, overshoot=False, falling=falling))
        case "clahe":
            clip, tiles = options.settings["clahe_clip"], int(options.settings["clahe_tiles"])
            return equalize_clahe(surface.levels(np.uint8, falling=falling), clip=clip, tiles=tiles)
        case _:
            assert_never(options.equalize)
