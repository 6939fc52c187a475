"""What is done to a photo and its depth before the network sees them; everything random comes from the generator."""

from collections.abc import Sequence
from typing import TypeVar

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

Photo = NDArray[np.uint8]  # [H, W, 3], RGB
Truth = NDArray[np.float32]  # [H, W], inverse depth, 0 = none
Pixel = TypeVar("Pixel", np.uint8, np.float32)
Shape = tuple[int, int]  # height, width

WHOLE = 0.25  # share of photos that are not cropped
SMALLEST_CROP = 0.6  # side of the smallest crop, against the largest that fits
STRETCH = 0.1  # largest change of the aspect ratio, in its logarithm

_SHRINKING = (cv2.INTER_AREA, cv2.INTER_CUBIC, cv2.INTER_LINEAR)
_GREY = np.array([0.299, 0.587, 0.114], np.float32)


def shapes_near(side: int) -> list[Shape]:
    """Network sizes (height, width) that a batch may have: multiples of 32, from upright 2:3 to wide 16:9.

    Their area is 0.7 to 1.1 times side * side, so that a step costs about the same whatever its shape.
    """
    sides = range(32, 2 * side + 1, 32)
    return [
        (height, width)
        for height in sides
        for width in sides
        if 0.7 <= height * width / side**2 <= 1.1 and 0.7 <= width / height <= 1.8
    ]


def cut(
    photo: Photo, truth: Truth, shape: Shape, generator: Generator, *, squashed: bool = False
) -> tuple[Photo, Truth]:
    """A random part of both, perhaps mirrored, at the size `shape` (height, width).

    The part has about the proportions of `shape`, or, where it is to be squashed into it as aspect=square does, those
    of the photo.

    The truth is resampled to the nearest pixel, since the mean of near and far is neither.
    """
    height, width = shape
    full_height, full_width = photo.shape[:2]
    proportions = full_width / full_height if squashed else width / height
    aspect = proportions * np.exp(generator.uniform(-STRETCH, STRETCH))
    scale = 1.0 if generator.random() < WHOLE else generator.uniform(SMALLEST_CROP, 1)
    crop_width = scale * min(full_width, full_height * aspect)
    crop_height = min(full_height, crop_width / aspect)
    left = generator.uniform(0, full_width - crop_width)
    top = generator.uniform(0, full_height - crop_height)
    box = (top / full_height, left / full_width, crop_height / full_height, crop_width / full_width)
    part, depth = _part(photo, box), _part(truth, box)
    method = _SHRINKING[generator.integers(len(_SHRINKING))] if part.shape[1] > width else cv2.INTER_CUBIC
    part = np.asarray(cv2.resize(part, (width, height), interpolation=method), np.uint8)
    depth = np.asarray(cv2.resize(depth, (width, height), interpolation=cv2.INTER_NEAREST), np.float32)
    if generator.random() < 0.5:
        part, depth = part[:, ::-1], depth[:, ::-1]
    return np.ascontiguousarray(part, np.uint8), np.ascontiguousarray(depth, np.float32)


def _part(array: NDArray[Pixel], box: Sequence[float]) -> NDArray[Pixel]:
    """The part of an array that `box` (top, left, height, width, as shares of the whole) names; at least one pixel."""
    height, width = array.shape[:2]
    top, left = min(int(box[0] * height), height - 1), min(int(box[1] * width), width - 1)
    return array[top : top + max(1, round(box[2] * height)), left : left + max(1, round(box[3] * width))]


def recolour(photo: Photo, generator: Generator) -> Photo:
    """The photo as another camera, lens, light or encoder might have given it."""
    chance = generator.random(5)
    photo = _tone(photo, generator)
    if chance[0] < 0.08:
        photo = np.repeat(_luminance(photo)[:, :, None], 3, axis=2).astype(np.uint8)
    elif chance[0] < 0.6:
        photo = _saturate(photo, generator.uniform(0.4, 1.6))
    if chance[1] < 0.2:
        photo = np.asarray(cv2.GaussianBlur(photo, (0, 0), generator.uniform(0.3, 1.5)), np.uint8)
    if chance[2] < 0.25:
        photo = _noisy(photo, generator)
    if chance[3] < 0.25:
        photo = _compressed(photo, int(generator.integers(25, 90)))
    return photo


def _tone(photo: Photo, generator: Generator) -> Photo:
    """Gamma, contrast and brightness, mostly common to the channels, in one table for each channel."""
    common = generator.normal(0, 1, 3)
    own = generator.normal(0, 0.35, (3, 3))
    levels = np.arange(256, dtype=np.float32)[:, None] / 255
    gamma = np.exp(np.clip(0.25 * (common[0] + own[0]), -0.8, 0.8))
    contrast = np.clip(1 + 0.15 * (common[1] + own[1]), 0.5, 1.5)
    brightness = np.clip(0.06 * (common[2] + own[2]), -0.25, 0.25)
    table = ((levels**gamma - 0.5) * contrast + 0.5 + brightness) * 255
    return np.asarray(cv2.LUT(photo, np.clip(table, 0, 255).astype(np.uint8)[None]), np.uint8)


def _luminance(photo: Photo) -> NDArray[np.float32]:
    return np.asarray(photo @ _GREY, np.float32)


def _saturate(photo: Photo, factor: float) -> Photo:
    """1 leaves the photo as it is, 0 would make it grey."""
    grey = np.repeat(_luminance(photo)[:, :, None], 3, axis=2).astype(np.uint8)
    return np.asarray(cv2.addWeighted(photo, factor, grey, 1 - factor, 0), np.uint8)


def _noisy(photo: Photo, generator: Generator) -> Photo:
    noise = generator.standard_normal(photo.shape, np.float32) * generator.uniform(2, 14)
    return np.clip(photo + noise, 0, 255).astype(np.uint8)


def _compressed(photo: Photo, quality: int) -> Photo:
    _, data = cv2.imencode(".jpg", photo[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.ascontiguousarray(cv2.imdecode(data, cv2.IMREAD_COLOR)[:, :, ::-1], np.uint8)
