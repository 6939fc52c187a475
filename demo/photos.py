"""The photos of the demo: the user's own, or samples under free licences that come with scikit-image."""

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

SUFFIXES = {".jpg", ".jpeg", ".png", ".webp"}

# NASA and SpaceX (public domain), Rachel Michetti and Stéfan van der Walt (CC0)
SAMPLES = ("astronaut.png", "coffee.png", "chelsea.png", "rocket.jpg")


class NoPhotos(ValueError):  # noqa: N818
    """What the user named holds no photo."""


def find_photos(named: Sequence[Path]) -> list[Path]:
    """The photos to show: each named file, every photo of each named folder, or the samples where none is named.

    Raises:
        NoPhotos: something named is not there, or a folder holds no JPEG, PNG or WebP.
    """
    if not named:
        return _samples()
    photos: list[Path] = []
    for path in named:
        if path.is_dir():
            inside = sorted(file for file in path.iterdir() if file.suffix.lower() in SUFFIXES)
            if not inside:
                raise NoPhotos(f"{path} holds no photo: expected files that end in {', '.join(sorted(SUFFIXES))}")
            photos += inside
        elif path.is_file():
            photos.append(path)
        else:
            raise NoPhotos(f"there is no {path}")
    return photos


def _samples() -> list[Path]:
    package = find_spec("skimage")
    if package is None or package.origin is None:
        raise NoPhotos('scikit-image, which brings the sample photos, is not installed: run "make setup"')
    return [Path(package.origin).parent / "data" / name for name in SAMPLES]
