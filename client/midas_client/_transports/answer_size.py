"""How large the answer to a request will be."""

from __future__ import annotations

import io

from midas_client._transport import InferRequest
from midas_client._transports.answer import DEPTH, ENCODED, LENGTH

_PNG_BESIDE = 4096


def largest_output(request: InferRequest) -> tuple[str, int]:
    """The output in which the depth of the photo's size comes, and the most bytes that it takes.

    0 bytes where another size or a picture is asked for, or where the photo's header cannot be read. EXIF orientation
    swaps the sides and leaves their product.
    """
    format = request.parameters.get("format", "float32")
    if format not in ("float32", "float16", "png16") or request.parameters.get("output_size", "photo") != "photo":
        return DEPTH, 0
    width, height = _photo_size(request.image)
    match format:
        case "float32":
            return DEPTH, width * height * 4
        case "float16":
            return ENCODED, width * height * 2 + LENGTH
        case _:
            # What does not compress is stored: with a byte for each row, and a little for each chunk.
            stored = 2 * width * height + max(width, height)
            return ENCODED, stored + stored // 100 + _PNG_BESIDE


def _photo_size(image: bytes) -> tuple[int, int]:
    """Width and height from the header; (0, 0) where it cannot be read, for which the server has the right words."""
    # Not Image.open: it warns of photos with many pixels, which are not decoded here.
    try:
        if image.startswith(b"\xff\xd8"):
            from PIL.JpegImagePlugin import JpegImageFile  # noqa: PLC0415

            return JpegImageFile(io.BytesIO(image)).size
        if image.startswith(b"\x89PNG"):
            from PIL.PngImagePlugin import PngImageFile  # noqa: PLC0415

            return PngImageFile(io.BytesIO(image)).size
        if image.startswith(b"RIFF"):
            from PIL.WebPImagePlugin import WebPImageFile  # noqa: PLC0415

            return WebPImageFile(io.BytesIO(image)).size
    except Exception:  # noqa: BLE001, S110  (Pillow's readers raise anything for damaged files)
        pass
    return 0, 0
