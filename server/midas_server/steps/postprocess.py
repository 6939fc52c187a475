"""Last step of every ensemble: the network's output to the result that was asked for.

    INVERSE_DEPTH float32 [h, w], GUIDE uint8 RGB [H, W, 3], REQUEST (JSON from preprocess)
        ->  DEPTH float32 [H, W], ENCODED, INFO

One model for all variants: what it must know comes with each request.
"""

import json
import time
from typing import Any

import cv2
import numpy as np
import triton_python_backend_utils as pb_utils
from numpy.typing import NDArray

from midas_server.imaging.colormaps import COLORMAPS, colour_table
from midas_server.metrics import PostprocessMetrics, Restarts
from midas_server.network_output import UNITS
from midas_server.pipeline import Size, finish
from midas_server.progress import BatchCounters
from midas_server.steps.failure import answer_each
from midas_server.steps.handover import Handover

# Triton 24.10 wants every output of a step filled; this stands for a map that was not asked for.
NO_DEPTH = np.empty((1, 0, 0), np.float32)


class TritonPythonModel:
    """Obeys the handover; everything in it was checked by preprocess."""

    def initialize(self, args: dict[str, str]) -> None:
        """Get ready for requests; Triton calls this once for each instance."""
        cv2.setNumThreads(1)
        # Or the first request for colours would wait until the package with the tables is imported.
        for name in COLORMAPS:
            colour_table(name)
        self.metrics = PostprocessMetrics()
        self.restarts = Restarts(json.loads(args["model_config"]))
        self.progress = BatchCounters()

    def execute(self, requests: list[Any]) -> list[Any]:
        """Answer a batch; each request gets its depth or its own error, in their order."""
        with self.progress:
            return answer_each(requests, self._answer)

    def _answer(self, request: Any) -> list[Any]:
        started = time.monotonic()
        told = pb_utils.get_input_tensor_by_name(request, "REQUEST").as_numpy()[0, 0]
        if not told:
            return _outputs(None, b"", {})  # Triton's warm-up, from the config
        handover = Handover.from_json(told)
        depth = pb_utils.get_input_tensor_by_name(request, "INVERSE_DEPTH").as_numpy()[0]
        guide = None
        if handover.options.needs_guide:
            guide = pb_utils.get_input_tensor_by_name(request, "GUIDE").as_numpy()[0]
        with self.metrics.refusing(handover.variant, "format"):
            result = finish(depth, guide, handover)
        finished = time.monotonic()
        self.metrics.finished(handover, started - handover.handed_on, finished - started)
        info = {
            "variant": handover.variant,
            "weights": handover.weights,
            "licence": handover.licence,
            "kind": handover.kind,
            "unit": UNITS[handover.kind],
            "max_depth": handover.max_depth,
            "upsampling": handover.upsampling,
            "photo": _size(handover.photo),
            "network": _size(handover.network),
            "output": _size(handover.output),
            "options": handover.options.as_json(),
            "range": result.value_range,
            "milliseconds": {
                "preprocess": round(handover.preprocess_ms, 3),
                "network": round((started - handover.handed_on) * 1000, 3),
                "postprocess": round((finished - started) * 1000, 3),
            },
        }
        return _outputs(result.depth, result.encoded, info)


def _outputs(depth: NDArray[np.float32] | None, encoded: bytes, info: dict[str, Any]) -> list[Any]:
    return [
        pb_utils.Tensor("DEPTH", NO_DEPTH if depth is None else depth[np.newaxis]),
        pb_utils.Tensor("ENCODED", np.array([[encoded]], dtype=np.object_)),
        pb_utils.Tensor("INFO", np.array([[json.dumps(info).encode()]], dtype=np.object_)),
    ]


def _size(size: Size) -> dict[str, int]:
    return {"width": size[0], "height": size[1]}
