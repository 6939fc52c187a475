"""The answer to a photo."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from midas_client._colormap import Colormap, colour_table
from midas_client._errors import AnswerError, OptionError
from midas_client._options import DEPTH_FORMATS, PICTURE_FORMATS
from midas_client._transport import InferRequest, InferResponse


@dataclass(frozen=True, eq=False)
class DepthMap:
    """Depth of one photo.

    Attributes:
        depth: float32 [H, W], row 0 at the top. Relative inverse depth: larger is nearer; it has no unit and no zero
            point, so only comparisons within one photo mean something. At the photo's size after its EXIF orientation
            was applied, or at the network's with output_size="network". Read-only: `depth.copy()` may be changed.
            Zero-size [0, 0] when a picture was asked for, which is in `encoded`.
        model: the name asked for.
        variant: the official name of the network.
        weights: "official", "default", "untrained", or "sha256:..." of a user's file.
        photo_size: (width, height) in pixels, after EXIF orientation.
        network_size: (width, height) in pixels of the network's input.
        timings: the server's milliseconds by step; "network" includes the time in its queue.
        options: the options as the server resolved them.
        encoded: what the server sent instead of float32: with format="png16" a file, 16-bit grey, depth's minimum as
            0 and its maximum as 65535; with "png8", "color_png" and "color_jpeg" a picture; with "float16" the bare
            numbers, little-endian, row by row; with "float32" empty.
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

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the depth in the format that the name's ending asks for.

        Args:
            path: `.png` for 16-bit grey, the smallest depth as 0 and the largest as 65535; `.npy` for float32 as in
                `depth`. A picture that the server made is written as it is: `.png`, or `.jpg` for "color_jpeg".

        Raises:
            OptionError: the name has another ending.
            OSError: the file cannot be written.
        """
        target = Path(path)
        ending = target.suffix.lower()
        format = self.options.get("format")
        if format in PICTURE_FORMATS:
            allowed = (".jpg", ".jpeg") if format == "color_jpeg" else (".png",)
            if ending not in allowed:
                raise OptionError(
                    f"A {format} cannot be saved as {ending or 'a name without ending'!r}",
                    hint=f"Allowed: {', '.join(allowed)}",
                )
            target.write_bytes(self.encoded)
        elif ending == ".png":
            target.write_bytes(self.encoded if format == "png16" and self.encoded else _png16(self.depth))
        elif ending == ".npy":
            with target.open("wb") as file:
                np.save(file, self.depth)
        else:
            raise OptionError(
                f"A depth map cannot be saved as {ending or 'a name without ending'!r}", hint="Allowed: .png, .npy"
            )

    def colorize(self, colormap: Colormap = "inferno") -> npt.NDArray[np.uint8]:
        """A picture of the depth: uint8 RGB [H, W, 3], from the first colour (farthest) to the last (nearest).

        Raises OptionError for an unknown colour map, or where the server sent a picture and no depth.
        """
        if not self.depth.size:
            raise OptionError(
                f"There is no depth to colour: format={self.options.get('format')} asked for a picture",
                hint=f"Ask for {', '.join(DEPTH_FORMATS)}, or use `encoded`",
            )
        return colour_table(colormap)[_stretched(self.depth, 255).astype(np.uint8)]


def _stretched(depth: npt.NDArray[np.float32], top: int) -> npt.NDArray[np.float32]:
    """float32 [H, W], whole numbers: the smallest depth becomes 0 and the largest top; all 0 where the map is flat."""
    low, high = float(depth.min()), float(depth.max())
    if not high > low:
        return np.zeros_like(depth)
    stretched: npt.NDArray[np.float32] = np.rint((depth - np.float32(low)) * np.float32(top / (high - low)))
    return stretched.clip(0, top)


def _png16(depth: npt.NDArray[np.float32]) -> bytes:
    from PIL import Image  # noqa: PLC0415 - only some calls need it

    file = io.BytesIO()
    Image.fromarray(_stretched(depth, 65535).astype(np.uint16)).save(file, "PNG", compress_level=1)
    return file.getvalue()


def _from_png16(encoded: bytes, low: float, high: float) -> npt.NDArray[np.float32]:
    from PIL.PngImagePlugin import PngImageFile  # noqa: PLC0415 - only some calls need it

    # Not Image.open(), which takes a large map from one's own server for an attack.
    with PngImageFile(io.BytesIO(encoded)) as picture:
        if not picture.mode.startswith("I"):
            raise ValueError(f"a PNG of mode {picture.mode} instead of 16-bit grey")
        steps = np.asarray(picture).astype(np.float32)
    return np.asarray(low + steps * ((high - low) / 65535.0), dtype=np.float32)


def _depth(response: InferResponse, info: Mapping[str, Any]) -> npt.NDArray[np.float32]:
    format = info["options"].get("format", "png16" if response.encoded else "float32")
    if format in PICTURE_FORMATS:
        if not response.encoded:
            raise ValueError("ENCODED is empty")
        return np.zeros((0, 0), np.float32)
    depth = response.depth
    if format == "png16":
        low, high = info["range"]
        depth = _from_png16(response.encoded, float(low), float(high))
    elif format == "float16":
        shape = (int(info["output"]["height"]), int(info["output"]["width"]))
        depth = np.frombuffer(response.encoded, "<f2").reshape(shape).astype(np.float32)
    if depth.ndim != 2 or depth.size == 0:
        raise ValueError(f"DEPTH has shape {list(depth.shape)}")
    return depth


def depth_map_from(request: InferRequest, response: InferResponse) -> DepthMap:
    """The DepthMap of a server's answer.

    Raises AnswerError where the answer is not one of a depth server of this version.
    """
    try:
        info = json.loads(response.info)
        depth = _depth(response, info)
        depth.setflags(write=False)
        return DepthMap(
            depth=depth,
            model=request.model,
            variant=str(info["variant"]),
            weights=str(info["weights"]),
            photo_size=(int(info["photo"]["width"]), int(info["photo"]["height"])),
            network_size=(int(info["network"]["width"]), int(info["network"]["height"])),
            timings={step: float(milliseconds) for step, milliseconds in info["milliseconds"].items()},
            options=dict(info["options"]),
            encoded=response.encoded,
        )
    except (ValueError, KeyError, TypeError, AttributeError, OSError, SyntaxError) as error:
        what = f"INFO has no {error}" if isinstance(error, KeyError) else str(error)
        raise AnswerError(
            f"The answer of {request.model} is not a depth map that this client understands: {what}",
            hint="Does the model come from this project, and are server and client of the same version?",
            request_id=request.id,
        ) from error
