"""A repository whose ensemble has the steps, tensors and queues of a network's, and in which no step does any work.

What a photo costs there is what Triton itself costs: the wire, the ensemble, three batchers, and the way of each tensor
to a Python step and back.
"""

import re
from pathlib import Path

from export.repository.configs import ensemble_config, network_config, postprocess_config, preprocess_config
from export.variants import variant_named
from midas_server.repository import CONFIG_FILE, POSTPROCESS, VERSION, network_model, preprocess_model

MODEL = "midas_tiny_256"
"""Whose configs are taken."""

SIZE = (256, 144)
"""Width and height of the tensors between the steps: those of a photo of 16:9."""

_STEP = '''\
"""A step that does nothing; written by the benchmarks."""

import json
import time

import numpy as np
import triton_python_backend_utils as pb_utils

SIZE = {size!r}
INFO = {{
    "variant": "empty", "weights": "none", "licence": None, "kind": "relative_inverse_depth", "unit": "none",
    "photo": {{"width": 1920, "height": 1080}}, "network": {{"width": SIZE[0], "height": SIZE[1]}},
    "output": {{"width": SIZE[0], "height": SIZE[1]}}, "options": {{"output_size": "network", "format": "float32"}},
    "range": [0.0, 1.0], "milliseconds": {{"preprocess": 0.0, "network": 0.0, "postprocess": 0.0}},
}}


def text(value):
    return np.array([[json.dumps(value).encode()]], dtype=np.object_)


def answer(request):
    read = {{name: pb_utils.get_input_tensor_by_name(request, name).as_numpy() for name in {inputs!r}}}
    time.sleep({sleep})
    tensors = {outputs}
    return pb_utils.InferenceResponse([pb_utils.Tensor(name, value) for name, value in tensors.items()])


class TritonPythonModel:
    def execute(self, requests):
        return [answer(request) for request in requests]
'''

_PREPROCESS = """{
        "PIXELS": np.zeros((1, SIZE[1], SIZE[0], 3), np.uint8),
        "GUIDE": np.empty((1, 0, 0, 3), np.uint8),
        "REQUEST": text(INFO),
    }"""
_NETWORK = """{"INVERSE_DEPTH": np.zeros((1, SIZE[1], SIZE[0]), np.float32)}"""
_POSTPROCESS = """{
        "DEPTH": read["INVERSE_DEPTH"],
        "ENCODED": np.array([[b""]], dtype=np.object_),
        "INFO": text(json.loads(read["REQUEST"][0, 0])),
    }"""


def write_empty_pipeline(
    repository: Path, *, instances: int | None = None, one_by_one_ms: float | None = None, taken: int = 1
) -> None:
    """Write the repository into an empty folder; its network is called `MODEL`.

    Args:
        repository: the folder.
        instances: of the network step; None leaves the number to its config.
        one_by_one_ms: milliseconds that the network step sleeps for each photo, one after the other; None lets it merge
            photos and do nothing.
        taken: photos that the network step then takes in one execution, at most.
    """
    network = variant_named(MODEL)
    (repository / MODEL / VERSION).mkdir(parents=True)
    (repository / MODEL / CONFIG_FILE).write_text(ensemble_config(network))
    _write_step(repository / preprocess_model(MODEL), preprocess_config(network), ("IMAGE",), _PREPROCESS)
    config = network_config(network)
    if instances is not None:
        config = re.sub(r"count: \d+", f"count: {instances}", config)
    if one_by_one_ms is not None:
        config = re.sub(r"max_batch_size: \d+", f"max_batch_size: {taken}", config)
    _write_step(repository / network_model(MODEL), config, ("PIXELS",), _NETWORK, one_by_one_ms or 0.0)
    inputs = ("INVERSE_DEPTH", "GUIDE", "REQUEST")
    _write_step(repository / POSTPROCESS, postprocess_config(), inputs, _POSTPROCESS)


def _write_step(folder: Path, config: str, inputs: tuple[str, ...], outputs: str, sleep_ms: float = 0.0) -> None:
    (folder / VERSION).mkdir(parents=True)
    config = re.sub(r"model_warmup \[.*?\n\]\n", "", config, flags=re.DOTALL)
    (folder / CONFIG_FILE).write_text(re.sub(r'backend: "\w+"', 'backend: "python"', config))
    (folder / VERSION / "model.py").write_text(
        _STEP.format(size=SIZE, inputs=inputs, outputs=outputs, sleep=sleep_ms / 1000)
    )
