"""Pictures that travel inside the page, as data URLs."""

from __future__ import annotations

import base64
import io

from PIL import Image

_SMALLEST = 200


def png_url(image: Image.Image) -> str:
    """A PNG: for drawings of few colours."""
    file = io.BytesIO()
    image.save(file, "PNG", optimize=True)
    return _url("image/png", file.getvalue())


def jpeg_url(image: Image.Image, longest: int, most: int) -> str:
    """A JPEG of at most that many pixels a side and that many bytes, the best that fits.

    Nothing but the pixels goes in: no place, no time and no name of a camera.
    """
    small = image.convert("RGB")
    while True:
        small.thumbnail((longest, longest), Image.Resampling.LANCZOS)
        for quality in (85, 75, 65, 50, 35):
            file = io.BytesIO()
            small.save(file, "JPEG", quality=quality, optimize=True, progressive=True)
            if file.tell() <= most or longest <= _SMALLEST:
                return _url("image/jpeg", file.getvalue())
        longest = longest * 3 // 4


def _url(kind: str, data: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"
