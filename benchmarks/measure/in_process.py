"""A network with the steps around it in this process: a photo's bytes to its answer's bytes, without a server.

The pipeline is the one that the server's steps call, and the configs are those that Triton reads.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.errors import BenchmarkError
from export.errors import ConfigError
from export.repository.served_config import read_config, read_rules
from midas_server.launch.tuning import Tuning
from midas_server.pipeline import finish, prepare
from midas_server.repository import ONNX_FILE, VERSION, network_model

Pixels = NDArray[np.uint8]
Depth = NDArray[np.float32]


class NetworkStep(Protocol):
    """The network step: PIXELS uint8 RGB `[1, h, w, 3]` to inverse depth float32 `[h, w]`."""

    def __call__(self, pixels: Pixels, /) -> Depth:
        """Compute the depth of one photo."""
        ...


class InProcess:
    """Answers photos as a variant's ensemble does, one call a photo.

    Calls may come from several threads at a time, each with a network of its own.

    Args:
        repository: the model repository.
        model: the variant.

    Raises:
        BenchmarkError: the repository does not hold the variant, or in a build that no Python package runs.
    """

    def __init__(self, repository: Path, model: str) -> None:
        self._folder = repository / network_model(model)
        try:
            self._config = read_config(self._folder)
            self._rules = read_rules(repository, model)
        except ConfigError as error:
            raise BenchmarkError(str(error)) from None
        # As the steps do: parallelism comes from photos.
        cv2.setNumThreads(1)

    def networks(self, count: int, threads: int) -> list[NetworkStep]:
        """Open the network for `count` callers at a time, with `threads` threads for each of them.

        Raises:
            BenchmarkError: it cannot be opened.
        """
        config = Tuning(network_threads=threads).changed(self._config) or self._config
        version = self._folder / VERSION
        try:
            if config["backend"] == "onnxruntime":
                return _onnx(version / (config.get("default_model_filename") or ONNX_FILE), config, count, threads)
            if config["backend"] == "openvino":
                file = version / (config.get("default_model_filename") or "model.xml")
                return [_openvino(file, config) for _ in range(count)]
        except Exception as error:  # the runtimes raise kinds of their own
            raise BenchmarkError(f"{self._folder.name} cannot be opened in this process: {error}") from error
        raise BenchmarkError(
            f"{self._folder.name} is for the backend {config['backend']!r}, which no Python package runs: there is no "
            "limit to measure beside it"
        )

    def answer(self, photo: bytes, parameters: Mapping[str, object], network: NetworkStep) -> bytes:
        """Return the depth map's float32 values, row by row, or the encoded result that `parameters` ask for.

        Raises:
            InvalidRequest: what the server would refuse with status 400.
            NetworkFault: what it would answer with status 500.
        """
        prepared = prepare(photo, parameters, self._rules)
        result = finish(network(prepared.pixels[np.newaxis]), prepared.guide, prepared.task)
        return result.encoded if result.depth is None else result.depth.tobytes()


def _onnx(file: Path, config: Mapping[str, Any], count: int, threads: int) -> list[NetworkStep]:
    from midas_server.backends.onnx_session import open_session  # noqa: PLC0415 - only where it is needed

    output = config["output"][0]["name"]
    name = config["input"][0]["name"]

    def opened() -> NetworkStep:
        session = open_session(file, config, gpu=0)

        def network(pixels: Pixels) -> Depth:
            return np.asarray(session.run([output], {name: pixels})[0][0])

        return network

    # A session without threads of its own computes in the caller's, so all callers can share its weights.
    return [opened()] * count if threads == 1 else [opened() for _ in range(count)]


def _openvino(file: Path, config: Mapping[str, Any]) -> NetworkStep:
    from midas_server.backends.openvino_network import CompiledNetwork  # noqa: PLC0415 - only where it is needed

    compiled = CompiledNetwork(file, config).compile()
    request = compiled.create_infer_request()
    name = config["input"][0]["name"]

    def network(pixels: Pixels) -> Depth:
        results = request.infer({name: pixels}, share_inputs=True)
        return np.asarray(results[request.model_outputs[0]][0])

    return network
