"""The depth of several networks for the same photos, also of the mirrored photos: what `accuracy.aspects` judges."""

from collections.abc import Callable, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from accuracy.aspects import Depth, View, stretched
from accuracy.errors import AccuracyError
from accuracy.predictors import Predictor
from accuracy.subjects import Subject

SIDE = 640
"""The longest side that is judged, in pixels: windows of a fixed size mean the same for each photo."""


def small(photo: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The photo, RGB [H, W, 3], no longer than `SIDE`."""
    scale = SIDE / max(photo.shape)
    if scale >= 1:
        return photo
    size = (max(16, round(photo.shape[1] * scale)), max(16, round(photo.shape[0] * scale)))
    return np.asarray(cv2.resize(photo, size, interpolation=cv2.INTER_AREA), np.uint8)


def predicted(
    subjects: Sequence[Subject], photos: Sequence[NDArray[np.uint8]], done: Callable[[str], None] = lambda label: None
) -> tuple[dict[str, list[View]], dict[str, str]]:
    """What each network says of each photo, by the network's label, in the order of the photos; and its weights.

    Args:
        subjects: the networks.
        photos: RGB [H, W, 3], as `small` gives them.
        done: called with the network's label after each photo.

    Raises:
        AccuracyError: a network is missing or fails.
    """
    depths: dict[str, list[tuple[Depth, Depth]]] = {}
    weights = {}
    for subject in subjects:
        with subject.opened() as predictor:
            depths[subject.label] = []
            for photo in photos:
                straight, weights[subject.label] = _depth(predictor, photo)
                mirrored = _depth(predictor, np.ascontiguousarray(photo[:, ::-1]))[0][:, ::-1]
                depths[subject.label].append((straight, np.ascontiguousarray(mirrored)))
                done(subject.label)
    views = {
        label: [
            View(
                photo,
                *depths[label][number],
                others=tuple(depths[other][number][0] for other in depths if other != label),
            )
            for number, photo in enumerate(photos)
        ]
        for label in depths
    }
    return views, weights


def _depth(predictor: Predictor, photo: NDArray[np.uint8]) -> tuple[Depth, str]:
    """Stretched, and the weights that it is from."""
    written, png = cv2.imencode(".png", photo[..., ::-1], [cv2.IMWRITE_PNG_COMPRESSION, 1])
    prediction = predictor.predict(png.tobytes())
    depth = prediction.depth
    if not written or not np.isfinite(depth).all():
        raise AccuracyError("a network gave depth that is not finite: measure it with python -m accuracy first")
    if depth.shape != photo.shape[:2]:
        depth = np.asarray(cv2.resize(depth, photo.shape[1::-1], interpolation=cv2.INTER_LINEAR), np.float32)
    return stretched(depth), prediction.weights
