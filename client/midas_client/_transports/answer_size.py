"""How large the answer to a request will be."""

from __future__ import annotations

import io

from midas_client._transport import InferRequest


def float_map_size(request: InferRequest) -> int:
    """Bytes of the float map at the photo's size that the request asks for.

    0 where it asks for something else, or where the photo's header cannot be read. EXIF orientation swaps the sides and
    leaves their product.
    """
    parameters = request.parameters
    if parameters.get("format", "float32") != "float32" or parameters.get("output_size", "photo") != "photo":
        return 0
    width, height = _photo_size(request.image)
    return width * height * 4


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
