"""The answer to a photo."""

from __future__ import annotations

import dataclasses
import io
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from midas_client._colormap import Colormap, colour_table
from midas_client._depth_files import as_ending, png16, png_rgb, save_map, save_picture
from midas_client._depth_kind import KINDS, UNITS, UPSAMPLINGS, DepthKind, Unit, Upsampling, known
from midas_client._errors import AnswerError, MetricFitError, OptionError
from midas_client._intrinsics import Intrinsics
from midas_client._metric_depth import KnownPoints, MetricDepth, metric_depth, rescaled
from midas_client._options import DEPTH_FORMATS, PICTURE_FORMATS
from midas_client._point_cloud import PointCloud, project, relative_distance
from midas_client._resample import check_size, resampled
from midas_client._transport import InferRequest, InferResponse
from midas_client._whole_file import write_whole

if TYPE_CHECKING:
    from PIL.PngImagePlugin import PngImageFile

_NOTEBOOK_SIDE = 768
_FAR = 10.0  # how many times farther than the nearest pixel the farthest is, where the depth is relative


def depth_map_from(request: InferRequest, response: InferResponse) -> DepthMap:
    """The DepthMap of a server's answer.

    Args:
        request: what was asked; its model is named in the map.
        response: DEPTH float32 [H, W], ENCODED and INFO.

    Raises:
        AnswerError: the answer is not one of a depth server of this version.
    """
    try:
        info = json.loads(response.info)
        format = info["options"].get("format", "png16" if response.encoded else "float32")
        _check(response.depth, response.encoded, info, format)
        depth_map = DepthMap(
            depth=np.zeros((0, 0), np.float32) if format in PICTURE_FORMATS else response.depth,
            model=request.model,
            variant=str(info["variant"]),
            weights=str(info["weights"]),
            photo_size=(int(info["photo"]["width"]), int(info["photo"]["height"])),
            network_size=(int(info["network"]["width"]), int(info["network"]["height"])),
            timings={step: float(milliseconds) for step, milliseconds in info["milliseconds"].items()},
            options=dict(info["options"]),
            encoded=response.encoded,
            kind=known(info.get("kind", "relative_inverse_depth"), KINDS),
            max_depth=None if info.get("max_depth") is None else float(info["max_depth"]),
            upsampling=known(info.get("upsampling", "bicubic"), UPSAMPLINGS),
            licence=None if info.get("licence") is None else str(info["licence"]),
            info=info,
        )
    except (ValueError, KeyError, TypeError, AttributeError, OSError, SyntaxError) as error:
        raise _not_understood(request.model, error, request.id) from error
    if format in ("png16", "float16"):
        del depth_map.__dict__["depth"]  # read when it is wanted
    else:
        depth_map.depth.setflags(write=False)
    return depth_map


def _not_understood(model: str, error: Exception, request_id: str | None) -> AnswerError:
    what = f"INFO has no {error}" if isinstance(error, KeyError) else str(error)
    return AnswerError(
        f"The answer of {model} is not a depth map that this client understands: {what}",
        hint="Does the model come from this project, and are server and client of the same version?",
        request_id=request_id,
    )


def _check(depth: npt.NDArray[np.float32], encoded: bytes, info: Mapping[str, Any], format: str) -> None:
    """A short look at whether the answer is what INFO says; nothing is decoded.

    Raises ValueError, KeyError, OSError or SyntaxError.
    """
    if format in PICTURE_FORMATS and not encoded:
        raise ValueError("ENCODED is empty")
    if format == "png16":
        low, high = info["range"]
        float(low), float(high)
        _opened_png16(encoded).close()
    if format == "float32" and (depth.ndim != 2 or depth.size == 0):
        raise ValueError(f"DEPTH has shape {list(depth.shape)}")
    if format == "float16":
        height, width = int(info["output"]["height"]), int(info["output"]["width"])
        if len(encoded) != 2 * height * width:
            raise ValueError(f"cannot reshape {len(encoded)} bytes into float16 [{height}, {width}]")


def _decoded(encoded: bytes, info: Mapping[str, Any]) -> npt.NDArray[np.float32]:
    """float32 [H, W] from png16 or float16. Raises ValueError, and what else the reader of PNG raises."""
    if info["options"].get("format") == "float16":
        shape = (int(info["output"]["height"]), int(info["output"]["width"]))
        return np.frombuffer(encoded, "<f2").reshape(shape).astype(np.float32)
    low, high = info["range"]
    return _from_png16(encoded, float(low), float(high))


def _opened_png16(encoded: bytes) -> PngImageFile:
    """The file with its header read, and no more. Raises ValueError, OSError or SyntaxError where it is another one."""
    from PIL.PngImagePlugin import PngImageFile  # noqa: PLC0415 - only some calls need it

    # Not Image.open(), which takes a large map from one's own server for an attack.
    picture = PngImageFile(io.BytesIO(encoded))
    if not picture.mode.startswith("I"):
        raise ValueError(f"a PNG of mode {picture.mode} instead of 16-bit grey")
    return picture


def _from_png16(encoded: bytes, low: float, high: float) -> npt.NDArray[np.float32]:
    with _opened_png16(encoded) as picture:
        steps = np.asarray(picture).astype(np.float32)
    return np.asarray(low + steps * ((high - low) / 65535.0), dtype=np.float32)


@dataclass(frozen=True, eq=False)
class DepthMap:
    """Depth of one photo.

    Attributes:
        depth: float32 [H, W], row 0 at the top; `kind` says what the numbers are. At the photo's size after its EXIF
            orientation was applied, or at the network's with output_size="network". Read-only: `depth.copy()` may be
            changed. Zero-size [0, 0] when a picture was asked for, which is in `encoded`. Decoded when first read where
            png16 or float16 was asked for; AnswerError then where the file is damaged.
        model: the name asked for.
        variant: the official name of the network.
        weights: "official", "default", "untrained", or "sha256:..." of a user's file.
        photo_size: (width, height) in pixels, after EXIF orientation.
        network_size: (width, height) in pixels of the network's input.
        timings: the server's milliseconds by step; "network" includes the time in its queue.
        options: the options as the server resolved them.
        encoded: what the server sent instead of float32: with format="png16" a file, 16-bit grey, depth's minimum as
            0 and its maximum as 65535; with "png8", "color_png" and "color_jpeg" a picture; with "float16" the bare
            numbers, little-endian, row by row; with "float32" empty. Empty after `resize()`.
        kind: "relative_inverse_depth": larger is nearer; it has no unit and no zero point, so only comparisons within
            one photo mean something. "metric_depth": metres along the camera's axis, larger is farther.
        max_depth: the farthest in metres that a metric network gives; None for relative depth.
        upsampling: how this network's maps grow to the photo's size, as `resize()` does it.
        licence: of the network's official weights, such as "MIT"; None for a network of the server's owner.
        info: INFO, the JSON that came with the answer; empty in a map that was made by hand.

    >>> depth_map.depth.shape, depth_map.photo_size
    ((480, 640), (640, 480))
    >>> depth_map.save("photo_depth.png")
    """

    depth: npt.NDArray[np.float32] = field(repr=False)
    model: str
    variant: str
    weights: str
    photo_size: tuple[int, int]
    network_size: tuple[int, int]
    timings: Mapping[str, float]
    options: Mapping[str, int | float | str]
    encoded: bytes = field(default=b"", repr=False)
    kind: DepthKind = "relative_inverse_depth"
    max_depth: float | None = None
    upsampling: Upsampling = "bicubic"
    licence: str | None = None
    info: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def unit(self) -> Unit:
        """Of `depth`: "metres" for metric depth, "relative" for relative inverse depth, which has none.

        >>> depth_map.unit
        'relative'
        """
        return UNITS[self.kind]

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            """`depth` when it is first read: who passes `encoded` on never pays for decoding it."""
            if name != "depth" or "info" not in self.__dict__:
                raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
            try:
                depth = _decoded(self.encoded, self.info)
            except (ValueError, KeyError, TypeError, OSError, SyntaxError) as error:
                raise _not_understood(self.model, error, None) from error
            depth.setflags(write=False)
            self.__dict__["depth"] = depth
            return depth

    def save(self, path: str | os.PathLike[str], *, colormap: Colormap | None = None) -> None:
        """Write the depth as the type of file that the name's ending asks for, or a picture of it.

        Args:
            path: `.npy`, `.tif`, `.tiff` (one channel, not compressed) and `.pfm` hold the float32 of `depth`; `.png`
                is 16-bit grey, the smallest depth as 0 and the largest as 65535, so that near is bright in relative
                depth and dark in metres (`to_metric().save()` writes millimetres). A picture that the server made is
                written as it is: `.png`, or `.jpg` for "color_jpeg".
            colormap: writes the picture that `colorize()` makes instead: `.png` or `.jpg`.

        Raises:
            OptionError: the name has another ending.
            OSError: the file cannot be written. There is no half of it: a file takes its name when it is complete.

        >>> depth_map.save("photo_depth.tif")
        >>> depth_map.save("photo_depth.jpg", colormap="turbo")
        """
        if colormap is not None:
            save_picture(path, self.colorize(colormap))
            return
        format = self.options.get("format")
        if format not in PICTURE_FORMATS:
            served = self.encoded if format == "png16" else b""
            save_map(path, self.depth, lambda: served or png16(_stretched(self.depth, 65535).astype(np.uint16)))
            return
        ending = Path(path).suffix.lower()
        allowed = (".jpg", ".jpeg") if format == "color_jpeg" else (".png",)
        if ending not in allowed:
            raise OptionError(
                f"A {format} cannot be saved {as_ending(ending)}",
                hint=f"Allowed: {', '.join(allowed)}",
            )
        write_whole(path, self.encoded)

    def colorize(self, colormap: Colormap = "inferno") -> npt.NDArray[np.uint8]:
        """A picture of the depth: uint8 RGB [H, W, 3], from the first colour (farthest) to the last (nearest).

        Raises:
            OptionError: there is no such colour map, or the server sent a picture and no depth.

        >>> depth_map.colorize("viridis").shape
        (480, 640, 3)
        """
        levels = _stretched(self._needed("colour"), 255)
        if self.kind == "metric_depth":
            levels = np.where(np.isnan(self.depth), 0, 255 - levels)
        return colour_table(colormap)[levels.astype(np.uint8)]

    def resize(self, size: tuple[int, int]) -> DepthMap:
        """The same depth at another size; model, sizes, timings and options stay as they are.

        Larger: by the network's `upsampling`, as the server does it with output_size="photo", equal to it up to
        rounding; so a map at the network's size can travel, and grow here. With "bicubic" the values may overshoot a
        little at an edge. Smaller: the average over the area of each new pixel. (Averages of relative inverse depth are
        none of metres: resize before `to_metric()`.)

        Args:
            size: (width, height) in pixels, from 1, in any ratio; `depth_map.photo_size`, for instance.

        Raises:
            OptionError: the size is not two whole numbers from 1, or the server sent a picture and no depth.

        >>> depth_map.resize((320, 240)).depth.shape
        (240, 320)
        """
        depth = resampled(self._needed("resize"), check_size(size), self.upsampling)
        depth.setflags(write=False)
        return dataclasses.replace(self, depth=depth, encoded=b"")

    def to_metric(self, known: KnownPoints | None = None, *, max_metres: float | None = None) -> MetricDepth:
        """Metres. Of relative depth from known distances: scale and shift of 1 / metres = scale * depth + shift.

        Metric depth is in metres already and needs no known points: without any it comes back as it is, with some all
        of it is multiplied by the one factor that fits them best (metres = scale * depth; one point is enough).

        Relative depth is fitted by least squares in inverse depth (Ranftl et al., Towards Robust Monocular Depth
        Estimation, TPAMI 2022). Two points are met exactly, with the network's errors at both, which the rest of the
        map then shows enlarged; five to twenty, near and far over the whole photo, are better. Scale and shift belong
        to this photo and this network, not to another.

        Args:
            known: (x, y, metres) of points, a list or an array [N, 3]; relative depth needs at least two. x, y: pixels
                of the upright photo, x to the right and y down, (0, 0) the centre of the top left pixel; 0 <= x < width
                of `photo_size`, and so y; fractions are interpolated. They are scaled to the depth map, so they hold
                with output_size="network" and after `resize()` as well. metres: the distance along the camera's axis,
                as depth cameras give it.
            max_metres: the farthest distance in the result; without it, where the fit says "beyond any distance"
                stands `inf`.

        Raises:
            MetricFitError: fewer points than needed, a point outside of the photo, a distance that is not a finite
                number above 0, points at (nearly) the same depth, points that contradict the depth map (the farther is
                given as nearer), or a picture instead of a depth map.
            OptionError: max_metres is not a number above 0.

        >>> import numpy as np
        >>> y, x = np.unravel_index(depth_map.depth.argmax(), depth_map.depth.shape)
        >>> far_y, far_x = np.unravel_index(depth_map.depth.argmin(), depth_map.depth.shape)
        >>> metric = depth_map.to_metric(known=[(x, y, 1.5), (far_x, far_y, 6.0)])
        >>> metric.depth.shape, round(metric.residual, 6)
        ((480, 640), 0.0)
        """
        if not self.depth.size:
            raise MetricFitError(self._no_depth("fit"), hint=_ASK_FOR_DEPTH)
        if self.kind == "metric_depth":
            return rescaled(self.depth, self.photo_size, known, max_metres)
        return metric_depth(self.depth, self.photo_size, () if known is None else known, max_metres)

    def point_cloud(
        self,
        *,
        fov: float | None = None,
        intrinsics: Intrinsics | None = None,
        colors: npt.NDArray[np.uint8] | None = None,
        far: float | None = None,
        edge: float | None = None,
        stride: int = 1,
        max_points: int | None = None,
    ) -> PointCloud:
        """The photo's surface as points in space; x to the right, y down, z forward.

        Metric depth is z, in metres. Relative depth has no true shape in space: its zero is unknown. There the nearest
        pixel gets z = 1 and the farthest z = far, with 1 / z linear in the depth between them. For true shapes,
        `to_metric()` first.

        Args:
            fov: horizontal field of view in degrees; either this or `intrinsics`.
            intrinsics: the camera, in pixels of the upright photo.
            colors: the upright photo, uint8 RGB [H, W, 3], at any size; it is resized to the depth map.
            far: how many times farther than the nearest pixel the farthest is, above 1; 10 without it. For relative
                depth only.
            edge: leaves out "flying pixels" between near and far: where z differs from that of the pixel to the
                left, right, above or below by more than this share of the smaller; 0.02 for the soft maps
                of a small network, 0.1 for sharp ones.
            stride: every n-th column and row only.
            max_points: at most as many, drawn at random but always the same.

        Returns:
            The points row by row from the top, with this map's unit. A pixel that is not finite has none.

        Warns:
            UserWarning: the camera's axis is far from the middle of the photo, as that of another size would be.

        Raises:
            OptionError: a value is not allowed, not exactly one of `fov` and `intrinsics` is given, or the server sent
                a picture and no depth.

        >>> cloud = depth_map.point_cloud(fov=60, stride=2)
        >>> cloud.points.shape
        (76800, 3)
        >>> cloud.save("photo.ply")
        """
        depth = self._needed("project")
        if self.kind == "metric_depth" and far is not None:
            raise OptionError(
                f"far is {far!r}, and this depth is in metres already",
                hint="Leave it out; to_metric().point_cloud(max_metres=...) leaves out what is farther",
            )
        return project(
            depth if self.kind == "metric_depth" else relative_distance(depth, _FAR if far is None else far),
            self.photo_size,
            fov=fov,
            intrinsics=intrinsics,
            colors=colors,
            edge=edge,
            stride=stride,
            max_points=max_points,
            unit=self.unit,
        )

    def _repr_png_(self) -> bytes:
        """What a notebook shows: a PNG in colours, at most 768 pixels on its longer side; the server's own picture."""
        format = self.options.get("format")
        if format == "color_jpeg":
            return _png_of_jpeg(self.encoded)
        if format in PICTURE_FORMATS:
            return self.encoded
        height, width = self.depth.shape
        factor = _NOTEBOOK_SIDE / max(width, height)
        if factor >= 1:
            return png_rgb(self.colorize())
        return png_rgb(self.resize((max(1, round(width * factor)), max(1, round(height * factor)))).colorize())

    def _needed(self, purpose: str) -> npt.NDArray[np.float32]:
        if not self.depth.size:
            raise OptionError(self._no_depth(purpose), hint=f"{_ASK_FOR_DEPTH}, or use `encoded`")
        return self.depth

    def _no_depth(self, purpose: str) -> str:
        return f"There is no depth to {purpose}: format={self.options.get('format')} asked for a picture"


_ASK_FOR_DEPTH = f"Ask for {', '.join(DEPTH_FORMATS)}"


def _stretched(depth: npt.NDArray[np.float32], top: int) -> npt.NDArray[np.float32]:
    """float32 [H, W], whole numbers: the smallest depth becomes 0 and the largest top; all 0 where the map is flat.

    By the finite values: infinity becomes the top, minus infinity and what is not a number become 0.
    """
    finite = depth[np.isfinite(depth)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
    if not high > low:
        return np.zeros_like(depth)
    known = np.nan_to_num(depth, nan=low, posinf=high, neginf=low)
    stretched: npt.NDArray[np.float32] = np.rint((known - np.float32(low)) * np.float32(top / (high - low)))
    return stretched.clip(0, top)


def _png_of_jpeg(encoded: bytes) -> bytes:
    from PIL.JpegImagePlugin import JpegImageFile  # noqa: PLC0415 - only some calls need it

    with JpegImageFile(io.BytesIO(encoded)) as picture:
        picture.thumbnail((_NOTEBOOK_SIDE, _NOTEBOOK_SIDE))
        return png_rgb(np.asarray(picture.convert("RGB")))
