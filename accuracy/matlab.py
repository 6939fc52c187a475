"""Photos and depth inside `nyu_depth_v2_labeled.mat`, which is an HDF5 file; reading it takes the package h5py.

An array inside the file is named by a path below it: `nyu_depth_v2_labeled.mat/images/12`.
"""

import importlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from accuracy.errors import AccuracyError


def matlab_file(path: Path) -> bool:
    """Whether `path` names an array inside a .mat file."""
    return len(path.parents) > 1 and path.parents[1].suffix == ".mat"


def count_photos(file: Path) -> int:
    """How many photos `nyu_depth_v2_labeled.mat` holds (1449 in the official one).

    Raises:
        AccuracyError: h5py is not installed, or the file is damaged.
    """
    with _opened(file) as content:
        return len(content["images"])


def read_matlab_photo(path: Path) -> NDArray[np.uint8]:
    """uint8 RGB `[H, W, 3]` of `<file>.mat/images/<number>`, counted from 0; raises AccuracyError."""
    # MATLAB stores columns first: [3, W, H]
    return np.ascontiguousarray(_array(path).transpose(2, 1, 0).astype(np.uint8))


def read_matlab_depth(path: Path) -> NDArray[np.float32]:
    """float32 `[H, W]` in metres of `<file>.mat/rawDepths/<number>`; 0 = not measured; raises AccuracyError."""
    return np.ascontiguousarray(_array(path).T.astype(np.float32))


def _array(path: Path) -> NDArray[Any]:
    with _opened(path.parents[1]) as content:
        return np.asarray(content[path.parent.name][int(path.name)])


def _opened(file: Path) -> Any:
    try:
        h5py = importlib.import_module("h5py")
    except ImportError:
        raise AccuracyError(
            f"reading {file} takes the package h5py: pip install h5py, or unpack the file into rgb/ and depth/"
        ) from None
    try:
        return h5py.File(file, "r")
    except OSError as error:
        raise AccuracyError(f"{file} cannot be read as the HDF5 file of NYUv2: {error}") from None
