"""An object detector in ONNX form that the same Triton serves, as a source of labelled boxes.

Put it into the model repository as `NAME/1/model.onnx`, with a `NAME/config.pbtxt` that names its backend, inputs and
outputs (tests/examples/room_report/test_detector.py has one), and start the server with it. It takes one photo, FP32
`[1, 3, H, W]` or `[3, H, W]`, RGB from 0 to 1. Photos are scaled to its size with their sides' ratio kept, and filled
up with grey at the right and at the bottom.

Two forms of answer are understood:

    three outputs   whose names hold box, score (or conf) and label (or class): [N, 4], [N] and [N], each also with a
                    leading 1; boxes are left, top, right, bottom in pixels of the input
    one output      [1, 4 + C, N]: middle x, middle y, width, height in pixels of the input, then a score for each class
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image
from tritonclient.grpc import InferenceServerClient, InferInput
from tritonclient.utils import InferenceServerException

from room_report.errors import RegionError
from room_report.regions import Region, boxed

Floats = npt.NDArray[np.float32]
_GREY = 0.45
_OVERLAP = 0.5


@dataclass(frozen=True)
class Detector:
    """A detector on a server.

    Attributes:
        url: the server's gRPC address, such as `localhost:8001`.
        model: its name there.
        labels: what its class numbers mean, from 0.
        size: (width, height) of its input; its own where that is fixed.
        least_score: what is less sure is left out.
        timeout: seconds for each photo.
    """

    url: str
    model: str
    labels: Sequence[str]
    size: tuple[int, int] = (640, 640)
    least_score: float = 0.4
    timeout: float = 30.0

    def regions(self, photo: npt.NDArray[np.uint8]) -> list[Region]:
        """The boxes in a photo.

        Args:
            photo: uint8 RGB [H,W,3], upright.

        Raises:
            RegionError: the server has no such model, or its input or answer has another form.
        """
        try:
            with InferenceServerClient(self.url) as client:
                told = client.get_model_metadata(self.model, client_timeout=self.timeout)
                taken, shape = told.inputs[0], [int(side) for side in told.inputs[0].shape]
                if len(told.inputs) != 1 or taken.datatype != "FP32" or len(shape) not in (3, 4) or shape[-3] != 3:
                    raise RegionError(
                        f"{self.model} takes {taken.name} {taken.datatype} {shape}. It must take one input, FP32 "
                        "[1, 3, H, W] or [3, H, W]."
                    )
                width, height = (side if side > 0 else own for side, own in zip(shape[:-3:-1], self.size, strict=True))
                filled, scale = letterboxed(photo, (width, height))
                tensor = filled if len(shape) == 3 else filled[np.newaxis]
                asked = InferInput(taken.name, list(tensor.shape), "FP32")
                asked.set_data_from_numpy(tensor)
                answer = client.infer(self.model, [asked], client_timeout=self.timeout)
                outputs = {output.name: answer.as_numpy(output.name) for output in told.outputs}
        except InferenceServerException as error:
            raise RegionError(f"The detector {self.model} at {self.url} did not answer: {error.message()}") from None
        boxes, scores, classes = decoded(outputs)
        found = []
        for box, score, number in zip(boxes / scale, scores, classes, strict=True):
            if score >= self.least_score and 0 <= number < len(self.labels):
                found.append(boxed(self.labels[number], box.tolist(), (photo.shape[1], photo.shape[0]), float(score)))
        return found


def letterboxed(photo: npt.NDArray[np.uint8], size: tuple[int, int]) -> tuple[Floats, float]:
    """The photo as FP32 [3,H,W] from 0 to 1, at the top left of that size, and how much it was scaled."""
    scale = min(size[0] / photo.shape[1], size[1] / photo.shape[0])
    inner = max(1, round(photo.shape[1] * scale)), max(1, round(photo.shape[0] * scale))
    filled = np.full((3, size[1], size[0]), _GREY, dtype=np.float32)
    small = np.asarray(Image.fromarray(photo).resize(inner, Image.Resampling.BILINEAR))
    filled[:, : inner[1], : inner[0]] = small.transpose(2, 0, 1).astype(np.float32) / 255
    return filled, scale


def decoded(outputs: dict[str, npt.NDArray[np.generic]]) -> tuple[Floats, Floats, npt.NDArray[np.int64]]:
    """Boxes [N,4] as left, top, right, bottom, scores [N] and classes [N] of an answer in one of the two forms.

    Raises:
        RegionError: it has neither.
    """
    if len(outputs) == 1:
        (only,) = outputs.values()
        if only.ndim == 3 and only.shape[0] == 1 and only.shape[1] > 4:
            return _best_classes(only[0].T.astype(np.float32))
    roles = {"box": ("box",), "score": ("score", "conf"), "label": ("label", "class")}
    named = {
        role: [value for name, value in outputs.items() if any(word in name.lower() for word in words)]
        for role, words in roles.items()
    }
    if all(len(values) == 1 for values in named.values()):
        boxes = named["box"][0].reshape(-1, 4).astype(np.float32)
        scores = named["score"][0].reshape(-1).astype(np.float32)
        classes = named["label"][0].reshape(-1).astype(np.int64)
        if len(boxes) == len(scores) == len(classes):
            return boxes, scores, classes
    shapes = ", ".join(f"{name} {list(value.shape)}" for name, value in outputs.items())
    raise RegionError(
        f"The detector answers {shapes}. Wanted: three outputs whose names hold box, score and label, or one of "
        "[1, 4 + classes, N]."
    )


def _best_classes(rows: Floats) -> tuple[Floats, Floats, npt.NDArray[np.int64]]:
    """The best class of each row [4 + C], and of boxes of one class that overlap the surest."""
    scores, classes = rows[:, 4:].max(axis=1), rows[:, 4:].argmax(axis=1)
    boxes = np.concatenate([rows[:, :2] - rows[:, 2:4] / 2, rows[:, :2] + rows[:, 2:4] / 2], axis=1)
    kept: list[int] = []
    for at in np.argsort(-scores):
        if scores[at] < 0.05:
            break
        if all(classes[at] != classes[other] or _overlap(boxes[at], boxes[other]) < _OVERLAP for other in kept):
            kept.append(int(at))
    return boxes[kept], scores[kept], classes[kept].astype(np.int64)


def _overlap(one: Floats, other: Floats) -> float:
    """The share of both boxes' area that they have in common."""
    inner = np.minimum(one[2:], other[2:]) - np.maximum(one[:2], other[:2])
    common = float(np.prod(np.maximum(inner, 0)))
    return common / max(float(np.prod(one[2:] - one[:2]) + np.prod(other[2:] - other[:2])) - common, 1e-9)
