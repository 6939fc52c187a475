"""What a caller gets of a depth map: the bytes of a file, or JSON with a link to it."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import Any

import numpy as np

from midas_client import DepthMap, Format
from midas_gateway.problems import Problem

INFO_HEADER = "X-Depth-Info"

MEDIA_TYPES: dict[Format, str] = {
    "float32": "application/x-npy",
    "float16": "application/x-npy",
    "png16": "image/png",
    "png8": "image/png",
    "color_png": "image/png",
    "color_jpeg": "image/jpeg",
}
ENDINGS = {"application/x-npy": "npy", "image/png": "png", "image/jpeg": "jpg"}
_BY_ACCEPT: dict[str, Format] = {
    "application/x-npy": "float32",
    "image/png": "png16",
    "image/jpeg": "color_jpeg",
    "image/*": "png16",
}
_LINKED: Format = "png16"


@dataclass(frozen=True)
class Wish:
    """How a caller wants the depth.

    Attributes:
        format: of the contract.
        direct: the file itself is the answer, not JSON with a link to it.
    """

    format: Format
    direct: bool


def wish(accept: str, format: Format | None) -> Wish:
    """What a caller wants, by Accept and by the option `format`.

    JSON is the answer to Accept: application/json, and where neither says anything. Otherwise the file is.

    Raises:
        Problem: 400, the two contradict each other.
    """
    types = [each.partition(";")[0].strip().lower() for each in accept.split(",")]
    if "application/json" in types:
        return Wish(format or _LINKED, direct=False)
    asked = next((each for each in types if each in _BY_ACCEPT), None)
    if asked is None:
        return Wish(format or _LINKED, direct=format is not None)
    media_type = MEDIA_TYPES[format or _BY_ACCEPT[asked]]
    if asked not in (media_type, "image/*") or not media_type.startswith(asked.rstrip("*")):
        fitting = [name for name, media in MEDIA_TYPES.items() if media.startswith(asked.rstrip("*"))]
        raise Problem(400, f"format={format} is {media_type}, and Accept wants {asked}", allowed=fitting)
    return Wish(format or _BY_ACCEPT[asked], direct=True)


def file_of(depth_map: DepthMap, format: Format) -> bytes:
    """The depth as a file: what the server sent, with the header of an .npy before bare numbers."""
    if format not in ("float32", "float16"):
        return depth_map.encoded
    output = depth_map.info["output"]
    return _npy(
        depth_map.encoded if format == "float16" else np.ascontiguousarray(depth_map.depth, "<f4").data,
        "<f2" if format == "float16" else "<f4",
        (output["height"], output["width"]),
    )


def _npy(numbers: Any, kind: str, shape: tuple[int, int]) -> bytes:
    """Bare numbers, row by row, as an .npy file of version 1.0 (NumPy enhancement proposal 1)."""
    text = repr({"descr": kind, "fortran_order": False, "shape": shape})
    # Magic, version and length have 10 bytes; with the padded text the numbers begin at a multiple of 64.
    text += " " * (-(10 + len(text) + 1) % 64) + "\n"
    return b"".join((b"\x93NUMPY\x01\x00", len(text).to_bytes(2, "little"), text.encode("latin-1"), numbers))


def info_header(depth_map: DepthMap) -> str:
    """INFO in one line of ASCII."""
    return json.dumps(depth_map.info, separators=(",", ":"))


def summary(depth_map: DepthMap, *, url: str, request_id: str, content: bytes, inline: bool) -> dict[str, Any]:
    """The JSON answer.

    Args:
        depth_map: the answer of the server.
        url: where its file can be fetched.
        request_id: of the request.
        content: the file.
        inline: whether the file is in the answer too, as base64.
    """
    height, width = depth_map.info["output"]["height"], depth_map.info["output"]["width"]
    media_type = MEDIA_TYPES[depth_map.info["options"]["format"]]
    return {
        "success": True,
        "depth_image_url": url,
        "media_type": media_type,
        "model": depth_map.variant,
        "weights": depth_map.weights,
        "width": width,
        "height": height,
        "range": depth_map.info["range"],
        "kind": depth_map.info.get("kind", "relative_inverse_depth"),
        "unit": depth_map.info.get("unit"),
        "options": dict(depth_map.options),
        "timings_ms": dict(depth_map.timings),
        "request_id": request_id,
        **({"depth_image": base64.b64encode(content).decode()} if inline else {}),
    }
