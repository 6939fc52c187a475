"""What lies between a client and a server: one infer request, and three questions.

A transport knows nothing of photos, retries or depth maps, so a test, or a program's own test, can put another in its
place:

    class Fake:
        def infer(self, request, timeout): return InferResponse.of(depth)
        ...

    DepthClient(transport=Fake())
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class InferRequest:
    """One photo for one model.

    Attributes:
        model: its name.
        image: an encoded file.
        parameters: the options that are not left to the server.
        id: for the server's log.
        headers: sent with this request beside the client's own, such as W3C's traceparent.
    """

    model: str
    image: bytes = field(repr=False)
    parameters: Mapping[str, int | float | str]
    id: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False, kw_only=True)

    def all_headers(self) -> dict[str, str]:
        """The headers, and the id as a proxy's log wants it: in a header too, if it is a line of ASCII."""
        named = any(name.lower() == "x-request-id" for name in self.headers)
        plain = self.id.isascii() and self.id.isprintable() and bool(self.id.strip())
        return {**({"x-request-id": self.id} if plain and not named else {}), **self.headers}


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

    @classmethod
    def of(cls, depth: npt.ArrayLike, *, variant: str = "midas_tiny_256", weights: str = "default") -> InferResponse:
        """The answer of a server to a photo of depth's size, for transports that are not one.

        Args:
            depth: numbers [H, W], larger is nearer.
            variant: the network that the answer names.
            weights: where it says that they come from: "official", "default", "untrained" or a file's digest.

        >>> import numpy
        >>> InferResponse.of(numpy.zeros((3, 4))).depth.shape
        (3, 4)
        """
        array = np.asarray(depth, np.float32)
        height, width = array.shape
        size = {"width": width, "height": height}
        info = {
            "variant": variant,
            "weights": weights,
            "photo": size,
            "network": size,
            "output": size,
            "options": {"output_size": "photo", "format": "float32"},
            "range": [float(array.min()), float(array.max())],
            "milliseconds": {"preprocess": 0.0, "network": 0.0, "postprocess": 0.0},
        }
        return cls(array, b"", json.dumps(info).encode())


class Transport(Protocol):
    """The way to one server, over gRPC, over HTTP or of your own. Safe to use from several threads at once.

    Every call ends within timeout seconds and raises nothing but MidasClientError.
    """

    def infer(self, request: InferRequest, timeout: float) -> InferResponse:
        """Send one request and wait for its answer.

        Args:
            request: one photo for one model.
            timeout: seconds, for sending, waiting and reading together.

        Returns:
            DEPTH float32 [H, W], a file, and what the server says of them.

        Raises:
            MidasClientError: there was no answer, or it was a refusal.
        """
        ...

    def is_ready(self, model: str | None, timeout: float) -> bool:
        """Whether the server, or this model of it, would take a request.

        Args:
            model: None for the server as a whole.
            timeout: seconds.

        Raises:
            MidasClientError: there was no answer.
        """
        ...

    def statistics(self, timeout: float) -> Sequence[Mapping[str, Any]]:
        """Triton's statistics of every loaded model, steps of ensembles included: at least a `name` each."""
        ...

    def server_version(self, timeout: float) -> str:
        """Triton's version."""
        ...

    def close(self) -> None:
        """Let go of all connections. Calls after this raise ClientClosedError."""
        ...


@runtime_checkable
class TellsConfigs(Protocol):
    """What a Transport may know beside: models() then describes them. Awaited in an AsyncTransport."""

    def model_config(self, model: str, timeout: float) -> Any:
        """Triton's config of a model, as the JSON that Triton makes of it."""
        ...


class AsyncTransport(Protocol):
    """A Transport whose methods are awaited, all of them in one event loop. It may be cancelled while it waits."""

    async def infer(self, request: InferRequest, timeout: float) -> InferResponse:
        """See Transport.infer()."""
        ...

    async def is_ready(self, model: str | None, timeout: float) -> bool:
        """See Transport.is_ready()."""
        ...

    async def statistics(self, timeout: float) -> Sequence[Mapping[str, Any]]:
        """Triton's statistics of every loaded model, steps of ensembles included: at least a `name` each."""
        ...

    async def server_version(self, timeout: float) -> str:
        """Triton's version."""
        ...

    async def close(self) -> None:
        """Let go of all connections. Calls after this raise ClientClosedError."""
        ...
