"""Middlebury's float maps (.pfm) and calibrations (calib.txt).

(Scharstein et al., High-Resolution Stereo Datasets with Subpixel-Accurate Ground Truth, GCPR 2014.)
"""

import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from accuracy.errors import AccuracyError

HEADER = re.compile(rb"(P[fF])\s+(\d+)\s+(\d+)\s+([-+]?[\d.]+(?:[eE][-+]?\d+)?)\s")


def read_pfm(path: Path) -> NDArray[np.float32]:
    """A grey PFM as float32 `[H, W]`; Middlebury writes inf where there is no truth.

    Raises:
        AccuracyError: the file is no grey PFM, or ends early.
    """
    data = path.read_bytes()
    header = HEADER.match(data)
    if header is None or header[1] != b"Pf":
        raise AccuracyError(f"{path} is no grey PFM: expected a header that begins with Pf")
    width, height = int(header[2]), int(header[3])
    # a negative factor means little-endian
    order = "<f4" if float(header[4]) < 0 else ">f4"
    if len(data) - header.end() < 4 * width * height:
        raise AccuracyError(f"{path} ends early: {width}x{height} floats are announced")
    values = np.frombuffer(data, order, width * height, header.end()).reshape(height, width)
    return values[::-1].astype(np.float32)  # the bottom row comes first


def metric_inverse_depth(path: Path, disparity: NDArray[np.float32]) -> NDArray[np.float32]:
    """Inverse depth in 1/metre of the disparity in `path`, by the calib.txt beside it; without one, the disparity.

    `calib.txt` says depth in mm = baseline * focal length / (disparity + doffs).

    Args:
        path: the disparity's file.
        disparity: float32 `[H, W]` in pixels; a value that is not finite stays so.

    Raises:
        AccuracyError: calib.txt lacks a line.
    """
    calibration = path.with_name("calib.txt")
    if not calibration.is_file():
        return disparity
    lines = dict(re.findall(r"^(\w+)=(.*)$", calibration.read_text(), re.MULTILINE))
    try:
        focal = float(lines["cam0"].lstrip("[").split()[0])
        baseline, offset = float(lines["baseline"]), float(lines["doffs"])
    except (KeyError, ValueError, IndexError):
        raise AccuracyError(
            f"{calibration}: expected the lines cam0=[f 0 cx; ...], doffs=... and baseline=..."
        ) from None
    known = np.isfinite(disparity) & (disparity > 0)
    return np.where(known, (disparity + offset) * (1000 / (baseline * focal)), np.inf).astype(np.float32)
