"""What the benchmarks ask a running Triton: its version, an ensemble's steps and counters, and one answer's INFO."""

import json
from dataclasses import dataclass

import numpy as np
from tritonclient.grpc import InferenceServerClient, InferInput
from tritonclient.utils import InferenceServerException

from benchmarks.errors import BenchmarkError
from benchmarks.measure.statistics import StepCounters

_TIMEOUT_S = 120

_TARGETS = {"onnxruntime": "onnx", "tensorrt_plan": "tensorrt"}
"""What the exporter calls Triton's backends and platforms, where the names differ."""


@dataclass(frozen=True)
class Answer:
    """The facts of one answer: with which weights, and the sizes (width, height) in the network and of the result."""

    weights: str
    network: tuple[int, int]
    output: tuple[int, int]


class Server:
    """A connection to a running Triton over gRPC, at `host:port`; close it, or use it in a `with` statement.

    Every method raises BenchmarkError with the server's own message when the server does not answer or refuses.
    """

    def __init__(self, grpc_url: str) -> None:
        self.grpc_url = grpc_url
        self._client = InferenceServerClient(grpc_url)

    def __enter__(self) -> "Server":
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def version(self) -> str:
        """Return Triton's version, for instance "2.51.0".

        Raises:
            BenchmarkError: no Triton answers.
        """
        try:
            return str(self._client.get_server_metadata(client_timeout=_TIMEOUT_S).version)
        except InferenceServerException as error:
            raise BenchmarkError(f"no Triton answers gRPC at {self.grpc_url}: {error.message()}") from error

    def steps(self, ensemble: str) -> list[str]:
        """Return the names of an ensemble's steps, in their order.

        Raises:
            BenchmarkError: it is not served, or not an ensemble.
        """
        try:
            config = self._client.get_model_config(ensemble, client_timeout=_TIMEOUT_S).config
        except InferenceServerException as error:
            raise BenchmarkError(f"the server does not serve {ensemble}: {error.message()}") from error
        steps = [step.model_name for step in config.ensemble_scheduling.step]
        if not steps:
            raise BenchmarkError(f"{ensemble} is not an ensemble: name a variant, not one of its steps")
        return steps

    def target(self, network: str) -> str:
        """Return which runtime computes the model `network`: "onnx", "openvino" or "tensorrt".

        Raises:
            BenchmarkError: it is not served.
        """
        try:
            config = self._client.get_model_config(network, client_timeout=_TIMEOUT_S).config
        except InferenceServerException as error:
            raise BenchmarkError(f"the server does not serve {network}: {error.message()}") from error
        runtime = str(config.backend or config.platform)
        return _TARGETS.get(runtime, runtime)

    def counters(self, steps: list[str]) -> list[StepCounters]:
        """Return the counters of each of `steps`."""
        return [self._counters(step) for step in steps]

    def _counters(self, step: str) -> StepCounters:
        try:
            reply = self._client.get_inference_statistics(step, client_timeout=_TIMEOUT_S)
        except InferenceServerException as error:
            raise BenchmarkError(f"the server gives no statistics of {step}: {error.message()}") from error
        versions = reply.model_stats
        sums = [version.inference_stats for version in versions]
        return StepCounters(
            requests=sum(each.success.count for each in sums),
            executions=sum(version.execution_count for version in versions),
            queue_ns=sum(each.queue.ns for each in sums),
            compute_ns=sum(each.compute_infer.ns for each in sums),
            copy_ns=sum(each.compute_input.ns + each.compute_output.ns for each in sums),
        )

    def ask(self, ensemble: str, photo: bytes, parameters: dict[str, str]) -> Answer:
        """Send one photo and return what the answer's INFO says.

        Args:
            ensemble: the variant.
            photo: a JPEG, PNG or WebP file.
            parameters: the options.

        Raises:
            BenchmarkError: it is refused, or the answer has no INFO.
        """
        image = InferInput("IMAGE", [1, 1], "BYTES")
        image.set_data_from_numpy(np.array([[photo]], dtype=np.object_))
        try:
            result = self._client.infer(ensemble, [image], parameters=parameters, client_timeout=_TIMEOUT_S)
        except InferenceServerException as error:
            raise BenchmarkError(f"{ensemble} does not answer the photo: {error.message()}") from error
        encoded = result.as_numpy("INFO")
        if encoded is None:
            raise BenchmarkError(f"{ensemble} gives no INFO: it is not an ensemble that this project exported")
        info = json.loads(encoded.item())
        network, output = info["network"], info["output"]
        return Answer(
            weights=info["weights"],
            network=(network["width"], network["height"]),
            output=(output["width"], output["height"]),
        )
