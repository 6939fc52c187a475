"""The photos that an int8 export calibrates with, and those that every precision is judged on, at network size."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from export.errors import PhotosError
from export.graph.parity import Pixels
from export.variants.row import ServedNetwork
from midas_server.errors import InvalidRequest
from midas_server.imaging.decode import decode
from midas_server.imaging.geometry import resize_photo
from midas_server.imaging.network_size import network_size
from midas_server.imaging.probe import probe

SUFFIXES = {".jpg", ".jpeg", ".png", ".webp"}
# scikit-image's own, so that an export needs no other file. Those that judge are not among those that calibrate.
CALIBRATING = ("coffee.png", "rocket.jpg", "motorcycle_left.png", "camera.png")
JUDGING = ("astronaut.png", "chelsea.png", "clock_motion.png")
MOST = 64  # more calibration photos change no range any more


@dataclass(frozen=True)
class Photos:
    """Photos at network size.

    Attributes:
        calibrating: what ranges are measured on, each uint8 (1, H, W, 3), RGB.
        judging: other ones that errors are measured on, as above.
    """

    calibrating: list[Pixels]
    judging: list[Pixels]


def photos_for(network: ServedNetwork, folder: Path | None = None) -> Photos:
    """Photos as `network` gets them by default: scikit-image's, or those of `folder`.

    Of a folder's photos, in the order of their names, every fourth judges and the others calibrate; of one to three
    photos all do both.

    Raises:
        PhotosError: `folder` is missing or holds no photo, one of its photos cannot be read, or scikit-image is not
            installed.
    """
    if folder is None:
        calibrating, judging = ([samples()[name] for name in names] for names in (CALIBRATING, JUDGING))
    else:
        found = _in(folder)[:MOST]
        judging = found[3::4] or found
        calibrating = [path for path in found if path not in judging] or found
    return Photos([_pixels(path, network) for path in calibrating], [_pixels(path, network) for path in judging])


def samples() -> Mapping[str, Path]:
    """The sample photos of scikit-image by name.

    Raises:
        PhotosError: scikit-image is not installed.
    """
    package = find_spec("skimage")
    if package is None or package.origin is None:
        raise PhotosError(
            'scikit-image, which brings the sample photos, is not installed: run "make setup", '
            "or name a folder of photos with --calibration"
        )
    data = Path(package.origin).parent / "data"
    return {name: data / name for name in (*CALIBRATING, *JUDGING)}


def _in(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise PhotosError(f"there is no folder {folder}: name one with photos as --calibration")
    found = sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)
    if not found:
        raise PhotosError(f"{folder} holds no photo: expected files that end in {', '.join(sorted(SUFFIXES))}")
    return found


def _pixels(path: Path, network: ServedNetwork) -> Pixels:
    """The photo as preprocess hands it to the network."""
    try:
        data = path.read_bytes()
        header = probe(data)
        pixels = decode(data, header)
    except (OSError, InvalidRequest) as error:
        raise PhotosError(f"{path} cannot be used as a photo: {error}") from None
    size = network_size(header.width, header.height, network.resolution, network.default_rule, network.multiple)
    return resize_photo(pixels, size)[np.newaxis]
