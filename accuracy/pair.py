"""A photo with depth, and the reading of its two files."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, get_args

import cv2
import numpy as np
from numpy.typing import NDArray
from typing_extensions import assert_never

from accuracy.errors import AccuracyError
from accuracy.matlab import matlab_file, read_matlab_depth, read_matlab_photo
from accuracy.middlebury import metric_inverse_depth, read_pfm
from midas_server.errors import InvalidRequest
from midas_server.imaging.decode import decode
from midas_server.imaging.probe import Limits, probe

TruthKind = Literal["depth", "inverse_depth", "disparity"]
KINDS: tuple[str, ...] = get_args(TruthKind)

Photo = NDArray[np.uint8]
InverseDepth = NDArray[np.float32]

# What a server must refuse is fine in a data set of one's own.
LIMITS = Limits(max_bytes=1 << 31, max_pixels=400_000_000, max_side=65_535, max_ratio=1000)


@dataclass(frozen=True)
class Pair:
    """A photo and its true depth.

    Attributes:
        photo: a JPEG, PNG or WebP.
        truth: single-channel PNG (16 or 8 bits; 0 = no truth), `.npy` (float, `[H, W]` or `[H, W, 1]`) or `.pfm`;
            a value that is not finite or not positive is no truth. A file `<stem>_mask.npy` beside `<stem>.npy`
            masks it (0 = no truth).
        kind: what the truth's values are: "depth" (metres = value * scale), "inverse_depth" or "disparity"
            (inverse depth = value * scale, in any unit).
        scale: see kind.
        row: where the pair is listed, such as "pairs.csv, line 3"; empty where it was found without a list.
    """

    photo: Path
    truth: Path
    kind: TruthKind
    scale: float
    row: str = field(default="", compare=False)


def read_photo(pair: Pair) -> Photo:
    """The photo, upright: uint8 RGB `[H, W, 3]`, decoded as the server does it.

    Raises:
        AccuracyError: the file is missing or is no photo.
    """
    if matlab_file(pair.photo):
        return read_matlab_photo(pair.photo)
    return decode_photo(pair.photo)


def decode_photo(path: Path) -> Photo:
    """The photo in a file, upright: uint8 RGB `[H, W, 3]`.

    Raises:
        AccuracyError: the file is missing or is no photo.
    """
    try:
        data = path.read_bytes()
        return decode(data, probe(data, LIMITS))
    except OSError as error:
        raise AccuracyError(f"{path} cannot be read: {error.strerror}") from None
    except InvalidRequest as error:
        raise AccuracyError(f"{path}: {error}") from None


def read_truth(pair: Pair) -> InverseDepth:
    """The truth as inverse depth: float32 `[H, W]`, larger is nearer, 0 where there is no truth.

    In 1/metre where the kind is "depth", or where a Middlebury `calib.txt` lies beside a `.pfm` of disparity.

    Raises:
        AccuracyError: the file is missing, damaged, or no map of one channel.
    """
    values = _values(pair.truth, pair.kind).astype(np.float64)
    with np.errstate(all="ignore"):  # a value that leaves the range of float32 is no truth
        match pair.kind:
            case "depth":
                inverse = (1 / (values * pair.scale)).astype(np.float32)
            case "inverse_depth" | "disparity":
                inverse = (values * pair.scale).astype(np.float32)
            case _:
                assert_never(pair.kind)
    valid = np.isfinite(values) & (values > 0) & np.isfinite(inverse)
    return np.where(valid, inverse, np.float32(0))


def _values(path: Path, kind: TruthKind) -> NDArray[np.float32]:
    if matlab_file(path):
        return read_matlab_depth(path)
    if not path.is_file():
        raise AccuracyError(f"there is no {path}")
    ending = path.suffix.lower()
    if ending == ".npy":
        values = _read_npy(path)
    elif ending == ".pfm":
        values = read_pfm(path)
        if kind == "disparity":
            values = metric_inverse_depth(path, values)
    elif ending == ".png":
        values = _read_png(path)
    else:
        raise AccuracyError(f"{path}: a truth must be a .png, .npy or .pfm")
    if values.ndim != 2:
        raise AccuracyError(f"{path} has shape {values.shape}: a truth has one channel")
    return values


def _read_png(path: Path) -> NDArray[np.float32]:
    values = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if values is None:
        raise AccuracyError(f"{path} is damaged: it cannot be read as a PNG")
    return values.astype(np.float32)


def _read_npy(path: Path) -> NDArray[np.float32]:
    values = _load(path)
    mask = path.with_name(f"{path.stem}_mask.npy")
    if mask.is_file():
        valid = _load(mask)
        if valid.shape != values.shape:
            raise AccuracyError(f"{mask} has shape {valid.shape}, {path.name} has {values.shape}: they must be equal")
        values = np.where(valid > 0, values, np.float32(0))
    return values


def _load(path: Path) -> NDArray[np.float32]:
    try:
        values = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise AccuracyError(f"{path} cannot be read as a .npy: {error}") from None
    if not isinstance(values, np.ndarray) or values.dtype.kind not in "fiub":
        raise AccuracyError(f"{path} holds no numbers: a truth is a .npy of floats or whole numbers")
    if values.ndim == 3 and values.shape[2] == 1:
        values = values[:, :, 0]
    return np.asarray(values, np.float32)
