"""Last step of every ensemble: the network's output to the result that was asked for.

    INVERSE_DEPTH float32 [h, w], REQUEST (JSON from preprocess)  ->  DEPTH float32 [H, W], ENCODED, INFO

One model for all variants: what it must know comes with each request.
"""

import json
import time
from typing import Any

import cv2
import numpy as np
import triton_python_backend_utils as pb_utils

from midas_server.imaging.encode import encode_png16, value_range
from midas_server.imaging.geometry import resize_depth
from midas_server.steps.failure import answer_each
from midas_server.steps.handover import Handover, Size

# Triton 24.10 wants every output of a step filled; this stands for a map that was not asked for.
NO_DEPTH = np.empty((1, 0, 0), np.float32)


class TritonPythonModel:
    """Obeys the handover; everything in it was checked by preprocess."""

    def initialize(self, args: dict[str, str]) -> None:
        cv2.setNumThreads(1)

    def execute(self, requests: list[Any]) -> list[Any]:
        return answer_each(requests, self._answer)

    def _answer(self, request: Any) -> list[Any]:
        started = time.monotonic()
        handover = Handover.from_json(pb_utils.get_input_tensor_by_name(request, "REQUEST").as_numpy()[0, 0])
        depth = pb_utils.get_input_tensor_by_name(request, "INVERSE_DEPTH").as_numpy()[0]
        depth = resize_depth(depth, handover.output)
        encoded = encode_png16(depth) if handover.options.format == "png16" else b""
        finished = time.monotonic()
        info = {
            "variant": handover.variant,
            "weights": handover.weights,
            "photo": _size(handover.photo),
            "network": _size(handover.network),
            "output": _size(handover.output),
            "options": handover.options.as_json(),
            "range": value_range(depth),
            "milliseconds": {
                "preprocess": round(handover.preprocess_ms, 3),
                "network": round((started - handover.handed_on) * 1000, 3),
                "postprocess": round((finished - started) * 1000, 3),
            },
        }
        return [
            pb_utils.Tensor("DEPTH", NO_DEPTH if encoded else depth[np.newaxis]),
            pb_utils.Tensor("ENCODED", np.array([[encoded]], dtype=np.object_)),
            pb_utils.Tensor("INFO", np.array([[json.dumps(info).encode()]], dtype=np.object_)),
        ]


def _size(size: Size) -> dict[str, int]:
    return {"width": size[0], "height": size[1]}
