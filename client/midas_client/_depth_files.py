"""Maps as files: float32 as it is, or 16-bit grey."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from midas_client._errors import OptionError
from midas_client._whole_file import write_whole

FloatMap = npt.NDArray[np.float32]


def save_map(path: str | os.PathLike[str], values: FloatMap, png: Callable[[], bytes]) -> None:
    """Write float32 [H, W] as the type of file that the name's ending asks for.

    Args:
        path: `.npy`, `.tif`, `.tiff`, `.pfm`, or `.png`; capitals do not matter.
        values: [H, W], row 0 at the top.
        png: makes the bytes of the 16-bit PNG, whose scale only the caller knows.

    Raises:
        OptionError: the name has another ending.
        OSError: the file cannot be written; there is no half of it.
    """
    ending = Path(path).suffix.lower()
    if ending == ".png":
        write_whole(path, png())
    elif ending in _FLOAT_FILES:
        write_whole(path, _FLOAT_FILES[ending](values))
    else:
        raise OptionError(
            f"A depth map cannot be saved {as_ending(ending)}",
            hint=f"Allowed: .png, {', '.join(_FLOAT_FILES)}; and .png or .jpg with a colormap, for a picture",
        )


def save_picture(path: str | os.PathLike[str], pixels: npt.NDArray[np.uint8]) -> None:
    """Write uint8 RGB [H, W, 3] as `.png` or `.jpg`.

    Raises:
        OptionError: the ending is another.
        OSError: the file cannot be written.
    """
    ending = Path(path).suffix.lower()
    if ending == ".png":
        write_whole(path, png_rgb(pixels))
    elif ending in (".jpg", ".jpeg"):
        write_whole(path, _jpeg_rgb(pixels))
    else:
        raise OptionError(f"A picture cannot be saved {as_ending(ending)}", hint="Allowed: .png, .jpg")


def as_ending(ending: str) -> str:
    """For messages: as '.bmp'."""
    return f"as {ending!r}" if ending else "under a name without ending"


def png16(values: npt.NDArray[np.uint16]) -> bytes:
    """A 16-bit grey PNG of uint16 [H, W]."""
    from PIL import Image  # noqa: PLC0415 - only some calls need it

    file = io.BytesIO()
    Image.fromarray(values).save(file, "PNG", compress_level=1)
    return file.getvalue()


def png_rgb(pixels: npt.NDArray[np.uint8]) -> bytes:
    """A colour PNG of uint8 RGB [H, W, 3]."""
    from PIL import Image  # noqa: PLC0415 - only some calls need it

    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def _jpeg_rgb(pixels: npt.NDArray[np.uint8]) -> bytes:
    from PIL import Image  # noqa: PLC0415 - only some calls need it

    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=92)
    return file.getvalue()


def _npy(values: FloatMap) -> bytes:
    file = io.BytesIO()
    np.save(file, values)
    return file.getvalue()


def _tiff(values: FloatMap) -> bytes:
    """One channel of 32-bit floats, not compressed, which every reader of float TIFF knows."""
    from PIL import Image  # noqa: PLC0415 - only some calls need it

    file = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(values)).save(file, "TIFF")
    return file.getvalue()


def _pfm(values: FloatMap) -> bytes:
    """Portable float map: "Pf" for one channel, a negative scale for little-endian, the bottom row first.

    So does the official MiDaS code write it, and netpbm describe it (netpbm.sourceforge.net/doc/pfm.html).
    """
    height, width = values.shape
    return f"Pf\n{width} {height}\n-1.0\n".encode() + values[::-1].astype("<f4").tobytes()


_FLOAT_FILES: Mapping[str, Callable[[FloatMap], bytes]] = {".npy": _npy, ".tif": _tiff, ".tiff": _tiff, ".pfm": _pfm}
