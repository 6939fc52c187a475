"""Runs the network of a model repository in the calling process, from the config that Triton reads."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from midas_server.launch.tuning import Tuning
from midas_server.repository import ONNX_FILE

Pixels = NDArray[np.uint8]
Depth = NDArray[np.float32]


class NetworkStep(Protocol):
    """The network step: PIXELS uint8 RGB `[1, h, w, 3]` to depth float32 `[h, w]`."""

    def __call__(self, pixels: Pixels, /) -> Depth:
        """Compute the depth of one photo."""
        ...


def network_file(version: Path, config: Mapping[str, Any]) -> Path:
    """Return the file in the folder `version` that holds the network.

    Raises:
        ValueError: it is of a backend that no Python package runs.
    """
    usual = {"onnxruntime": ONNX_FILE, "openvino": "model.xml"}
    if config["backend"] not in usual:
        raise ValueError(f"it is for the backend {config['backend']!r}, which no Python package runs")
    return version / (config.get("default_model_filename") or usual[config["backend"]])


def open_networks(version: Path, config: Mapping[str, Any], count: int, threads: int) -> list[NetworkStep]:
    """Open the network for `count` callers at a time, with `threads` threads for each of them.

    Args:
        version: the folder of its files.
        config: its config, as Triton gives it to a step.
        count: callers.
        threads: of each.

    Raises:
        ValueError: it is of a backend that no Python package runs.
        Exception: the runtime cannot open it; each runtime has errors of its own.
    """
    file = network_file(version, config)
    config = Tuning(network_threads=threads).changed(config) or config
    if config["backend"] == "openvino":
        return [_openvino(file, config) for _ in range(count)]
    # A session without threads of its own computes in the caller's, so all callers can share its weights.
    return [_onnx(file, config)] * count if threads == 1 else [_onnx(file, config) for _ in range(count)]


def _onnx(file: Path, config: Mapping[str, Any]) -> NetworkStep:
    from midas_server.backends.onnx_session import open_session  # noqa: PLC0415 - only where it is needed

    output = config["output"][0]["name"]
    name = config["input"][0]["name"]
    session = open_session(file, config, gpu=0)

    def network(pixels: Pixels) -> Depth:
        return np.asarray(session.run([output], {name: pixels})[0][0])

    return network


def _openvino(file: Path, config: Mapping[str, Any]) -> NetworkStep:
    from midas_server.backends.openvino_network import CompiledNetwork  # noqa: PLC0415 - only where it is needed

    compiled = CompiledNetwork(file, config).compile()
    request = compiled.create_infer_request()
    name = config["input"][0]["name"]

    def network(pixels: Pixels) -> Depth:
        results = request.infer({name: pixels}, share_inputs=True)
        return np.asarray(results[request.model_outputs[0]][0])

    return network
