"""Many requests at a time, by Triton's own gRPC client: no retries, so that every refusal is seen."""

import queue
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import tritonclient.grpc as triton_grpc
from numpy.typing import NDArray

from midas_server.launch import Triton

ANSWERED = "OK"
FULL = "UNAVAILABLE"


@dataclass(frozen=True, eq=False)
class Outcome:
    """Attributes:
    status: "OK", or the gRPC status by name.
    message: the server's words about a refusal.
    seconds: until the answer, or the refusal, was there.
    depth: float32 [1, H, W] where asked for.
    """

    status: str
    message: str
    seconds: float
    depth: NDArray[np.float32] | None


class Load:
    """A connection for any number of threads; closed by `with`."""

    def __init__(self, server: Triton, model: str) -> None:
        self.model = model
        self._client = triton_grpc.InferenceServerClient(server.grpc_url)

    def __enter__(self) -> "Load":
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def send(self, photo: bytes, options: Mapping[str, Any] | None = None, *, deadline: float = 60.0) -> Outcome:
        """One request with a deadline in seconds, which the server knows too."""
        started = time.monotonic()
        try:
            result = self._client.infer(
                self.model,
                [_tensor(photo)],
                parameters=dict(options) if options else None,
                timeout=round(deadline * 1e6),
                client_timeout=deadline + 5,
            )
        except triton_grpc.InferenceServerException as error:
            return Outcome(_status(error), error.message(), time.monotonic() - started, None)
        return Outcome(ANSWERED, "", time.monotonic() - started, result.as_numpy("DEPTH"))

    def cancel(self, photo: bytes, options: Mapping[str, Any], when: Callable[[], bool]) -> str:
        """Send one request, cancel it as soon as `when` says so, and return its status."""
        ends: queue.SimpleQueue[triton_grpc.InferenceServerException | None] = queue.SimpleQueue()
        request = self._client.async_infer(
            self.model, [_tensor(photo)], lambda result, error: ends.put(error), parameters=dict(options)
        )
        while not when() and ends.empty():
            time.sleep(0.005)
        request.cancel()
        error = ends.get(timeout=60)
        return ANSWERED if error is None else _status(error)

    def crowd(
        self, work: Iterable[tuple[bytes, Mapping[str, Any]]], at_once: int, *, deadline: float = 60.0
    ) -> list[Outcome]:
        """Send all of it, so many requests at a time, and return the outcomes in order."""
        with ThreadPoolExecutor(at_once) as pool:
            return list(pool.map(lambda item: self.send(*item, deadline=deadline), work))

    def counts(self, step: str) -> tuple[int, int]:
        """(photos, executions) of a step so far, read until they stand still: Triton counts after it has answered."""
        counts = self.counts_now(step)
        while True:
            time.sleep(0.3)
            again = self.counts_now(step)
            if again == counts:
                return counts
            counts = again

    def counts_now(self, step: str) -> tuple[int, int]:
        """(photos, executions) of a step that are counted already."""
        (model,) = self._client.get_inference_statistics(step).model_stats
        return int(model.inference_count), int(model.execution_count)


def _tensor(photo: bytes) -> triton_grpc.InferInput:
    tensor = triton_grpc.InferInput("IMAGE", [1, 1], "BYTES")
    tensor.set_data_from_numpy(np.array([[photo]], dtype=np.object_))
    return tensor


def _status(error: triton_grpc.InferenceServerException) -> str:
    return str(error.status()).removeprefix("StatusCode.")
