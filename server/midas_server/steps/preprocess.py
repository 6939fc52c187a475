"""First step of every ensemble: photo bytes to the network's input.

    IMAGE, request parameters  ->  PIXELS uint8 RGB [H, W, 3], REQUEST (JSON, what postprocess must know)

A variant's model.py imports `TritonPythonModel` from here; what differs between variants is in its config.pbtxt.
"""

import json
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import triton_python_backend_utils as pb_utils

from midas_server.errors import InvalidRequest
from midas_server.imaging.decode import decode
from midas_server.imaging.geometry import resize_photo
from midas_server.imaging.probe import probe
from midas_server.options import VariantRules, resolve, sizes
from midas_server.steps.failure import answer_each
from midas_server.steps.handover import Handover


class TritonPythonModel:
    """Refuses bad requests before it decodes anything; what it hands on is right."""

    def initialize(self, args: dict[str, str]) -> None:
        # Parallelism comes from requests; threads inside one resize only fight with the network's.
        cv2.setNumThreads(1)
        self.rules = VariantRules.from_config(json.loads(args["model_config"])["parameters"])
        self.weights = _weights(Path(args["model_repository"]), self.rules.variant)

    def execute(self, requests: list[Any]) -> list[Any]:
        return answer_each(requests, self._answer)

    def _answer(self, request: Any) -> list[Any]:
        started = time.monotonic()
        options = resolve(json.loads(request.parameters() or "{}"), self.rules)
        data = _photo_bytes(request)
        header = probe(data)
        network, output = sizes(header.width, header.height, options, self.rules)
        pixels = resize_photo(decode(data, header), network)
        finished = time.monotonic()
        handover = Handover(
            variant=self.rules.variant,
            weights=self.weights,
            photo=(header.width, header.height),
            network=network,
            output=output,
            options=options,
            preprocess_ms=(finished - started) * 1000,
            handed_on=finished,
        )
        return [
            pb_utils.Tensor("PIXELS", pixels[np.newaxis]),
            pb_utils.Tensor("REQUEST", np.array([[handover.to_json()]], dtype=np.object_)),
        ]


def _photo_bytes(request: Any) -> bytes:
    image = pb_utils.get_input_tensor_by_name(request, "IMAGE").as_numpy()
    if image.size != 1:
        raise InvalidRequest(f"IMAGE has {image.size} elements: send one photo a request")
    return bytes(image.reshape(-1)[0])


def _weights(model_folder: Path, variant: str) -> str:
    """Where the network's weights come from, as export noted it beside the network."""
    manifest = model_folder.parent / f"{variant}_network" / "1" / "manifest.json"
    if not manifest.is_file():
        return "unknown"
    return str(json.loads(manifest.read_text())["weights"])
