"""Where a video cuts from one scene to another, told from thumbnails of its frames."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import IO, TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from midas_client._errors import PhotoError
from midas_client._photo import Photo, upright_picture, with_end_marker
from midas_client._robust_line import robust_line

if TYPE_CHECKING:
    from PIL import Image

FloatArray = npt.NDArray[np.float32]

# Squeezed to this size, whatever its own: large enough to tell two scenes apart, and sensor noise averages out.
THUMBNAIL_WIDTH, THUMBNAIL_HEIGHT = 64, 48

# A cut is where less than _LIKENESS of the details are found again and more than _CHANGED of the thumbnail has another
# brightness. Between photos of different scenes the first was at most 0.44 and the second at least 0.42; within a pan,
# zoom, fade or passing object the first was at least 0.64 wherever the second was above 0.3.
_LIKENESS = 0.5
_CHANGED = 0.35
_CHANGED_LEVELS = 8  # of 255
# Details: what a box of 9 x 9 removes. Shifts: up to a quarter of the frame from one frame to the next.
_BOX_RADIUS = 4
_SHIFTS = (THUMBNAIL_HEIGHT // 4, THUMBNAIL_WIDTH // 4)
_PADDED = (2 * THUMBNAIL_HEIGHT, 2 * THUMBNAIL_WIDTH)


def photo_thumbnail(photo: Photo) -> FloatArray:
    """A frame as a small grey picture: float32 [48, 64], 0 to 255, upright, whatever the frame's aspect.

    Args:
        photo: an array uint8 RGB [H, W, 3], a PIL image, or an encoded photo as a path, bytes or a file object that can
            be rewound. A JPEG is decoded at an eighth of its size or so, which is cheap; a PNG has to be decoded whole.

    Raises:
        PhotoError: it is none of these, or cannot be decoded.
    """
    from PIL import Image  # noqa: PLC0415 - only videos need it

    if isinstance(photo, Image.Image):
        return _grey(photo)
    if isinstance(photo, np.ndarray):
        if photo.dtype != np.uint8 or photo.ndim != 3 or photo.shape[2] != 3 or photo.size == 0:
            raise PhotoError(
                f"The frame is {photo.dtype} {list(photo.shape)}", hint="It must be uint8 [H, W, 3] in RGB order"
            )
        # Four samples each way for a cell of the thumbnail are enough against noise.
        rows = max(1, photo.shape[0] // (4 * THUMBNAIL_HEIGHT))
        columns = max(1, photo.shape[1] // (4 * THUMBNAIL_WIDTH))
        return _grey(Image.fromarray(np.ascontiguousarray(photo[::rows, ::columns])))
    try:
        with Image.open(_source(photo)) as opened:
            opened.draft("RGB", (4 * THUMBNAIL_WIDTH, 4 * THUMBNAIL_HEIGHT))
            return _grey(opened)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise PhotoError(f"The frame cannot be decoded: {error}", hint="It must be a JPEG, PNG or WebP file") from error


def _source(photo: str | os.PathLike[str] | bytes | IO[bytes]) -> IO[bytes]:
    if isinstance(photo, (str, os.PathLike)):
        data = Path(photo).read_bytes()
    elif isinstance(photo, (bytes, bytearray, memoryview)):
        data = bytes(photo)
    else:
        photo.seek(0)
        data = photo.read()
    return io.BytesIO(with_end_marker(data))


def _grey(picture: Image.Image) -> FloatArray:
    """The luma (ITU-R BT.601) of a picture, upright and at the size of a thumbnail."""
    from PIL import Image  # noqa: PLC0415 - only videos need it

    small = upright_picture(picture).resize((THUMBNAIL_WIDTH, THUMBNAIL_HEIGHT), Image.Resampling.BOX)
    luma: FloatArray = np.asarray(small, dtype=np.float32) @ np.array([0.299, 0.587, 0.114], np.float32)
    return luma


class SceneCuts:
    """Says of each thumbnail of a video, given in order, whether a new scene begins with it.

    Two frames are of one scene if the details of the one are found in the other at some shift: the largest normalised
    cross-correlation over all shifts (Lewis, "Fast Normalized Cross-Correlation", 1995), which neither a change of
    brightness nor a pan lowers much; or if most of the picture has kept its brightness.
    """

    def __init__(self) -> None:
        self._last: tuple[FloatArray, _Spectra] | None = None

    def begins(self, thumbnail: FloatArray) -> bool:
        """True for the first frame of a scene; so for the first of all.

        Args:
            thumbnail: float32 [48, 64] of photo_thumbnail().
        """
        spectra = _Spectra(thumbnail)
        last, self._last = self._last, (thumbnail, spectra)
        return last is None or (likeness(last[1], spectra) < _LIKENESS and changed_share(last[0], thumbnail) > _CHANGED)


class _Spectra:
    """The details of a thumbnail, their squares, and how many there are, as spectra for correlations."""

    def __init__(self, thumbnail: FloatArray) -> None:
        # The square root makes sensor noise about equal in light and in shade.
        details = _without_coarse(np.sqrt(np.maximum(thumbnail, 0)))
        self.energy = float(np.square(details).sum())
        self.details = np.fft.rfft2(details, _PADDED)
        self.squares = np.fft.rfft2(np.square(details), _PADDED)


_ONES = np.fft.rfft2(np.ones((THUMBNAIL_HEIGHT, THUMBNAIL_WIDTH)), _PADDED)


def likeness(first: _Spectra, second: _Spectra) -> float:
    """The largest normalised cross-correlation of the details over all shifts: 1 for the same picture, 0 for none."""
    products = np.fft.irfft2(first.details.conj() * second.details, _PADDED)
    first_energy = np.fft.irfft2(first.squares.conj() * _ONES, _PADDED)
    second_energy = np.fft.irfft2(_ONES.conj() * second.squares, _PADDED)
    # Where the shifted pictures share next to nothing of their details, the quotient would be chance.
    least = 1e-3 * first.energy * second.energy + 1e-9
    quotients = products / np.sqrt(np.maximum(first_energy * second_energy, least))
    rows = np.r_[0 : _SHIFTS[0] + 1, _PADDED[0] - _SHIFTS[0] : _PADDED[0]]
    columns = np.r_[0 : _SHIFTS[1] + 1, _PADDED[1] - _SHIFTS[1] : _PADDED[1]]
    return float(quotients[np.ix_(rows, columns)].max())


def changed_share(first: FloatArray, second: FloatArray) -> float:
    """The share of the thumbnail, 0 to 1, whose brightness changed, but for a gain and offset of the whole.

    Args:
        first: float32 [THUMBNAIL_HEIGHT, THUMBNAIL_WIDTH], grey levels from 0 to 255.
        second: of the same kind.
    """
    gain, offset = brightness_change(second, first)
    return float((np.abs(second * np.float32(gain) + np.float32(offset) - first) > _CHANGED_LEVELS).mean())


def brightness_change(thumbnail: FloatArray, like: FloatArray) -> tuple[float, float]:
    """How to give a thumbnail the brightness of another.

    Args:
        thumbnail: float32 [THUMBNAIL_HEIGHT, THUMBNAIL_WIDTH], grey levels from 0 to 255.
        like: of the same kind; the brightness wanted.

    Returns:
        (gain, offset), the offset in grey levels; (1, 0) where the two are too different.
    """
    gain, offset = robust_line(thumbnail[::2, ::2], like[::2, ::2])  # 768 points are plenty
    return (gain, offset) if 1 / 3 < gain < 3 else (1.0, 0.0)


def _without_coarse(picture: FloatArray) -> FloatArray:
    """The picture without its mean over a box around each pixel."""
    side = 2 * _BOX_RADIUS + 1
    padded = np.pad(picture, ((_BOX_RADIUS + 1, _BOX_RADIUS), (_BOX_RADIUS + 1, _BOX_RADIUS)), mode="reflect")
    sums = padded.cumsum(0, dtype=np.float64).cumsum(1)
    boxes = sums[side:, side:] - sums[:-side, side:] - sums[side:, :-side] + sums[:-side, :-side]
    details: FloatArray = picture - (boxes / side**2).astype(np.float32)
    return details
