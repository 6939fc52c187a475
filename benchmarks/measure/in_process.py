"""A network with the steps around it in this process: a photo's bytes to its answer's bytes, without a server.

The functions are those that the server's steps call, and the configs those that Triton reads.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np
from google.protobuf import json_format, text_format  # type: ignore[import-untyped]
from numpy.typing import NDArray
from tritonclient.grpc import model_config_pb2

from benchmarks.errors import BenchmarkError
from midas_server.imaging.network_input import network_input
from midas_server.imaging.probe import Limits, probe
from midas_server.launch.tuning import Tuning
from midas_server.options import VariantRules, resolve, sizes
from midas_server.result import finish

Pixels = NDArray[np.uint8]
Depth = NDArray[np.float32]


class Network(Protocol):
    """The network step: PIXELS uint8 RGB ``[1, h, w, 3]`` to inverse depth float32 ``[h, w]``."""

    def __call__(self, pixels: Pixels, /) -> Depth: ...


class InProcess:
    """Answers photos as a variant's ensemble does, one call a photo.

    Calls may come from several threads at a time, each with a network of its own.

    Args:
        repository: the model repository.
        model: the variant.

    Raises:
        BenchmarkError: the repository does not hold the variant, or in a format that no Python package runs.
    """

    def __init__(self, repository: Path, model: str) -> None:
        self._folder = repository / f"{model}_network"
        self._config = _config(self._folder)
        self._rules = VariantRules.from_config(_config(repository / f"{model}_preprocess")["parameters"])
        self._limits = Limits()
        # As the steps do: parallelism comes from photos.
        cv2.setNumThreads(1)

    def networks(self, count: int, threads: int) -> list[Network]:
        """Open the network for ``count`` callers at a time, with ``threads`` threads for each of them.

        Raises:
            BenchmarkError: it cannot be opened.
        """
        config = Tuning(network_threads=threads).changed(self._config) or self._config
        version = self._folder / "1"
        try:
            if config["backend"] == "onnxruntime":
                return _onnx(version / (config.get("default_model_filename") or "model.onnx"), config, count, threads)
            if config["backend"] == "openvino":
                file = version / (config.get("default_model_filename") or "model.xml")
                return [_openvino(file, config) for _ in range(count)]
        except Exception as error:  # the runtimes raise kinds of their own
            raise BenchmarkError(f"{self._folder.name} cannot be opened in this process: {error}") from error
        raise BenchmarkError(
            f"{self._folder.name} is for the backend {config['backend']!r}, which no Python package runs: there is no "
            "limit to measure beside it"
        )

    def answer(self, photo: bytes, parameters: Mapping[str, object], network: Network) -> bytes:
        """Return the depth map's float32 values, row by row, or the encoded result that ``parameters`` ask for.

        Raises:
            InvalidRequest: what the server would refuse with status 400.
        """
        options = resolve(parameters, self._rules)
        header = probe(photo, self._limits)
        size, output = sizes(header.width, header.height, options, self._rules)
        pixels, guide = network_input(photo, header, size, output if options.needs_guide else None)
        result = finish(network(pixels[np.newaxis]), guide, output, options)
        return result.encoded if result.depth is None else result.depth.tobytes()


def _onnx(file: Path, config: Mapping[str, Any], count: int, threads: int) -> list[Network]:
    from midas_server.backends.onnx_session import open_session  # noqa: PLC0415 - only where it is needed

    output = config["output"][0]["name"]
    name = config["input"][0]["name"]

    def opened() -> Network:
        session = open_session(file, config, gpu=0)

        def network(pixels: Pixels) -> Depth:
            return np.asarray(session.run([output], {name: pixels})[0][0])

        return network

    # A session without threads of its own computes in the caller's, so all callers can share its weights.
    return [opened()] * count if threads == 1 else [opened() for _ in range(count)]


def _openvino(file: Path, config: Mapping[str, Any]) -> Network:
    from midas_server.backends.openvino_network import CompiledNetwork  # noqa: PLC0415 - only where it is needed

    compiled = CompiledNetwork(file, config).compile()
    request = compiled.create_infer_request()
    name = config["input"][0]["name"]

    def network(pixels: Pixels) -> Depth:
        results = request.infer({name: pixels}, share_inputs=True)
        return np.asarray(results[request.model_outputs[0]][0])

    return network


def _config(folder: Path) -> dict[str, Any]:
    """Read a model's config.pbtxt as the server's steps get it: a dictionary as JSON would be."""
    file = folder / "config.pbtxt"
    try:
        parsed = text_format.Parse(file.read_text(), model_config_pb2.ModelConfig())
    except OSError:
        raise BenchmarkError(f"there is no {file}: export the network into this repository first") from None
    except text_format.ParseError as error:
        raise BenchmarkError(f"{file} is not a model config: {error}") from error
    config: dict[str, Any] = json_format.MessageToDict(parsed, preserving_proto_field_name=True)
    return config
