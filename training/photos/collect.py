"""Fetching the listed photos and cutting them into crops of many places, shapes and sizes."""

import csv
import sys
from collections.abc import Iterator
from dataclasses import asdict
from itertools import groupby
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from training.photos.listing import ListedPhoto, licence_table, read_listing
from training.photos.packages import PackageError, fetch, opened

SHORT_SIDE = 352
LEAST_SIDE = 190
SHAPES = (3 / 4, 1.0, 5 / 4, 4 / 3, 4 / 3, 3 / 2, 16 / 9)


def crops(image: NDArray[np.uint8], count: int, rng: np.random.Generator) -> Iterator[NDArray[np.uint8]]:
    """`count` crops of a photo [H,W,3]: the whole first, then parts of it of many places, shapes and sizes.

    Each is brought to a short side of at most `SHORT_SIDE`; none is cut from fewer than `LEAST_SIDE` pixels, so that no
    crop is all blur.
    """
    height, width = image.shape[:2]
    for k in range(count):
        part = image
        if k > 0:
            shape = float(rng.choice(SHAPES))
            whole = min(height, width / shape)
            least = min(max(LEAST_SIDE / min(shape, 1.0), 0.4 * whole), whole)
            h = float(rng.uniform(least, whole))
            w = h * shape
            top, left = rng.uniform(0, height - h), rng.uniform(0, width - w)
            part = image[int(top) : int(top + h), int(left) : int(left + w)]
        scale = min(SHORT_SIDE / min(part.shape[:2]), 1.0)
        size = (max(round(part.shape[1] * scale), 1), max(round(part.shape[0] * scale), 1))
        yield np.asarray(cv2.resize(part, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def decoded(content: bytes, name: str) -> NDArray[np.uint8]:
    """The BGR pixels [H,W,3] of a picture file.

    Raises:
        PackageError: OpenCV cannot read it.
    """
    image: NDArray[np.uint8] | None = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)  # type: ignore[assignment]
    if image is None:
        raise PackageError(f"{name} is no picture that OpenCV reads")
    return image


def collect(folder: Path, per_photo: int, seed: int, store: Path | None = None) -> int:
    """Fetch the listed photos, write their crops into `folder` as JPEG with `manifest.csv` and `licences.md`.

    Photos that cannot be had are named on standard error and left out. Returns the number of crops.

    Raises:
        PackageError: no photo at all could be fetched.
    """
    store = store or folder / "packages"
    folder.mkdir(parents=True, exist_ok=True)
    used: list[ListedPhoto] = []
    rows: list[dict[str, str]] = []
    for package, group in groupby(enumerate(read_listing()), key=lambda numbered: numbered[1].package):
        photos = list(group)
        try:
            member = opened(fetch(package, photos[0][1].version, store), store)
        except PackageError as error:
            print(f"{package}: {len(photos)} photos are left out: {error}", file=sys.stderr)
            continue
        for number, photo in photos:
            try:
                image = decoded(member(photo.member), photo.member)
            except PackageError as error:
                print(f"left out: {error}", file=sys.stderr)
                continue
            used.append(photo)
            # a big photo has more in it than a small one
            count = max(round(per_photo * min(max((min(image.shape[:2]) - LEAST_SIDE) / 400, 0.3), 1.25)), 1)
            for k, crop in enumerate(crops(image, count, np.random.default_rng([seed, number]))):
                name = f"{number:04d}_{k:02d}.jpg"
                cv2.imwrite(str(folder / name), crop, [cv2.IMWRITE_JPEG_QUALITY, 92])
                rows.append({"file": name, **asdict(photo)})
    if not rows:
        raise PackageError("no photo could be fetched: see the messages above")
    with (folder / "manifest.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, list(rows[0]))
        table.writeheader()
        table.writerows(rows)
    (folder / "licences.md").write_text(licence_table(used) + "\n", encoding="utf-8")
    return len(rows)
