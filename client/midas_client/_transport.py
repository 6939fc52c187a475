"""What lies between a client and a server: one infer request, and three questions.

A transport knows nothing of photos, retries or depth maps, so a test, or a program's own test, can put another in its
place:

    class Fake:
        def infer(self, request, timeout): return InferResponse(depth, b"", info)
        ...

    DepthClient(transport=Fake())
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt

from midas_client._errors import AnswerError

if TYPE_CHECKING:
    from collections.abc import Callable

INPUT = "IMAGE"
OUTPUTS = ("DEPTH", "ENCODED", "INFO")


@dataclass(frozen=True)
class InferRequest:
    """One photo for one model.

    Attributes:
        model: its name.
        image: an encoded file.
        parameters: the options that are not left to the server.
        id: for the server's log.
    """

    model: str
    image: bytes = field(repr=False)
    parameters: Mapping[str, int | float | str]
    id: str


@dataclass(frozen=True, eq=False)
class InferResponse:
    """A model's outputs without the batch dimension.

    Attributes:
        depth: float32 [H, W]; of size 0 where another format was asked for.
        encoded: a file; empty for float32.
        info: JSON, as the server's contract has it.
    """

    depth: npt.NDArray[np.float32]
    encoded: bytes
    info: bytes


class Transport(Protocol):
    """The way to one server. Safe to use from several threads at once.

    Every call ends within timeout seconds and raises nothing but MidasClientError.
    """

    def infer(self, request: InferRequest, timeout: float) -> InferResponse:
        """Send one request and wait for its answer."""
        ...

    def is_ready(self, model: str | None, timeout: float) -> bool:
        """Whether the server, or this model of it, would take a request."""
        ...

    def model_names(self, timeout: float) -> list[str]:
        """The names of all loaded models, steps of ensembles included."""
        ...

    def close(self) -> None:
        """Let go of all connections. Calls after this raise ClientClosedError."""
        ...


def queue_timeout(timeout: float) -> int:
    """Triton's own parameter `timeout`, in microseconds: how long the request may wait in a queue.

    Nobody waits for its answer after that, so the server need not work on it.
    """
    return max(1, round(timeout * 1_000_000))


def response_from(output: Callable[[str], npt.NDArray[np.generic] | None], request: InferRequest) -> InferResponse:
    """The answer from tritonclient's arrays, DEPTH [1, H, W], ENCODED [1, 1] and INFO [1, 1], looked up by name.

    Raises AnswerError.
    """
    arrays = {name: output(name) for name in OUTPUTS}
    depth, encoded, info = (arrays[name] for name in OUTPUTS)
    if depth is None or encoded is None or info is None or depth.ndim != 3 or encoded.size != 1 or info.size != 1:
        shapes = {name: None if array is None else list(array.shape) for name, array in arrays.items()}
        raise AnswerError(
            f"{request.model} answered with other outputs than a depth model's: {shapes}",
            hint="Name a depth model, not a step of one",
            request_id=request.id,
        )
    return InferResponse(depth[0].astype(np.float32, copy=False), bytes(encoded.item()), bytes(info.item()))
