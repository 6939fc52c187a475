"""First step of every ensemble: photo bytes to the network's input.

    IMAGE, request parameters  ->  PIXELS uint8 RGB [h, w, 3], GUIDE uint8 RGB [H, W, 3] (zero-size unless a filter
                                   looks at the photo), REQUEST (JSON, what postprocess must know)

A variant's model.py imports `TritonPythonModel` from here; what differs between variants is in its config.pbtxt.
"""

import io
import json
import os
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import triton_python_backend_utils as pb_utils
from PIL import Image

from midas_server.at_work import AtWork
from midas_server.end_with_server import end_with_server
from midas_server.errors import InvalidRequest
from midas_server.imaging.probe import FILE_TYPES, Limits
from midas_server.metrics import PreprocessMetrics, Restarts
from midas_server.options import NAMES, VariantRules
from midas_server.pipeline import prepare
from midas_server.progress import BatchCounters
from midas_server.repository import network_model, weights_of
from midas_server.steps.failure import answer_each
from midas_server.steps.handover import Handover

# Triton 24.10 wants every output of a step filled; this stands for a photo that no filter looks at.
NO_GUIDE = np.empty((1, 0, 0, 3), np.uint8)

# Characters of a request's parameters as JSON, so that nobody has us read megabytes. All options together take 400.
MOST_PARAMETERS = 4096

# Where the cores are short the steps behind this one go first. Otherwise photos are decoded at a rate at which the
# network cannot compute them: its queue overflows, and what it refuses was decoded in vain and refused late. By 10, two
# processes beside two busy threads of a network get a tenth of the cores, about what decoding takes; by 5 they got a
# quarter, and the queue overflowed. Yielding still more makes a photo wait for long beside other programs.
YIELDING = 10


class TritonPythonModel:
    """Refuses bad requests before it decodes anything; what it hands on is right."""

    def initialize(self, args: dict[str, str]) -> None:
        """Read the variant's rules and the operator's limits; Triton calls this once for each instance."""
        end_with_server()
        # Parallelism comes from requests; threads inside one resize only fight with the network's.
        cv2.setNumThreads(1)
        config = json.loads(args["model_config"])
        self.rules = VariantRules.from_config(config["parameters"])
        self.rules.check_default()  # or the warm-up would fail, later and in other words
        self.limits = Limits.from_environment(os.environ)
        self.weights = weights_of(Path(args["model_repository"]).parent, self.rules.variant) or "unknown"
        self.metrics = PreprocessMetrics(self.rules.variant)
        self.restarts = Restarts(config)
        self.progress = BatchCounters()
        self.at_work = AtWork(network_model(self.rules.variant), args)
        _warm_up(self.rules)
        os.nice(YIELDING)

    def execute(self, requests: list[Any]) -> list[Any]:
        """Answer a batch; each request gets its pixels or its own error, in their order."""
        with self.progress, self.at_work.now():
            return answer_each(requests, self._answer)

    def _answer(self, request: Any) -> list[Any]:
        started = time.monotonic()
        with self.metrics.refusing("option"):
            parameters = _parameters(request)
        with self.metrics.refusing("header"):
            photo = _photo_bytes(request)
        prepared = prepare(photo, parameters, self.rules, self.limits, self.metrics.refusing)
        finished = time.monotonic()
        handover = Handover(
            **vars(prepared.task),
            weights=self.weights,
            licence=self.rules.licence,
            preprocess_ms=(finished - started) * 1000,
            handed_on=finished,
        )
        return [
            pb_utils.Tensor("PIXELS", prepared.pixels[np.newaxis]),
            pb_utils.Tensor("GUIDE", NO_GUIDE if prepared.guide is None else prepared.guide[np.newaxis]),
            pb_utils.Tensor("REQUEST", np.array([[handover.to_json()]], dtype=np.object_)),
        ]


def _warm_up(rules: VariantRules) -> None:
    """Decode a photo of each kind: what decodes it is loaded when first used, which takes up to 70 ms."""
    for kind in FILE_TYPES:
        file = io.BytesIO()
        Image.new("RGB", (64, 64)).save(file, kind)
        prepare(file.getvalue(), {}, rules)


def _parameters(request: Any) -> dict[str, object]:
    text: str = request.parameters() or "{}"
    if len(text) > MOST_PARAMETERS:
        raise InvalidRequest(
            f"the request's parameters take {len(text):,} characters as JSON, the limit is {MOST_PARAMETERS:,}: the "
            f"options are {', '.join(NAMES)}"
        )
    try:
        parameters: dict[str, object] = json.loads(text)
    except ValueError:
        # Triton writes the JSON; it does so badly for a name or value that is not valid text.
        raise InvalidRequest("an option's name or value is not valid text") from None
    return parameters


def _photo_bytes(request: Any) -> bytes:
    image = pb_utils.get_input_tensor_by_name(request, "IMAGE").as_numpy()
    if image.size != 1:
        raise InvalidRequest(f"IMAGE has {image.size} elements: send one photo a request")
    return bytes(image.reshape(-1)[0])
