"""What the client's tests share: a transport without a server, and servers that misbehave."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from midas_client import DepthClient, InferRequest, InferResponse, MidasClientError
from midas_server.launch import Triton
from tests.client.blocking import BlockingDepthClient
from tests.networks import DEFAULT as DEFAULT_NETWORK
from tests.own_server import own_server

DEPTH = np.arange(12, dtype=np.float32).reshape(3, 4)


def info(weights: str = "official", low: float = 0.0, high: float = 11.0, format: str = "float32") -> bytes:
    """INFO as the server writes it, for a photo of 4 x 3."""
    return json.dumps(
        {
            "variant": "midas_v21_small_256",
            "weights": weights,
            "photo": {"width": 4, "height": 3},
            "network": {"width": 256, "height": 192},
            "output": {"width": 4, "height": 3},
            "options": {"resolution": 256, "aspect": "keep", "output_size": "photo", "format": format},
            "range": [low, high],
            "milliseconds": {"preprocess": 1.0, "network": 2.0, "postprocess": 3.0},
        }
    ).encode()


def response(
    depth: npt.NDArray[np.float32] = DEPTH, encoded: bytes = b"", info_json: bytes | None = None
) -> InferResponse:
    info_json = info(format="png16" if encoded else "float32") if info_json is None else info_json
    return InferResponse(depth.copy(), encoded, info_json)


class FakeTransport:
    """Answers with what it was given, in turn and the last one for ever; an error among them is raised."""

    def __init__(self, *answers: InferResponse | MidasClientError) -> None:
        self.answers = list(answers) or [response()]
        self.requests: list[InferRequest] = []
        self.timeouts: list[float] = []
        self.names = ["b", "b_preprocess", "b_network", "a", "a_preprocess", "a_network", "postprocess"]
        self.ready: list[bool | MidasClientError] = [True]
        self.closed = False

    def infer(self, request: InferRequest, timeout: float) -> InferResponse:
        self.requests.append(request)
        self.timeouts.append(timeout)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, MidasClientError):
            raise answer
        return answer

    def is_ready(self, model: str | None, timeout: float) -> bool:
        answer = self.ready.pop(0) if len(self.ready) > 1 else self.ready[0]
        if isinstance(answer, MidasClientError):
            raise answer
        return answer

    def statistics(self, timeout: float) -> list[dict[str, Any]]:
        return [{"name": name} for name in self.names]

    def server_version(self, timeout: float) -> str:
        return "2.51.0"

    def close(self) -> None:
        self.closed = True


Connect = Callable[..., Any]


@pytest.fixture(params=[DepthClient, BlockingDepthClient], ids=["sync", "async"])
def connect(request: pytest.FixtureRequest) -> Connect:
    """DepthClient, and AsyncDepthClient with the same methods."""
    client: Connect = request.param
    return client


@pytest.fixture
def fake() -> type[FakeTransport]:
    return FakeTransport


@pytest.fixture
def make_response() -> Callable[..., InferResponse]:
    return response


@pytest.fixture
def make_info() -> Callable[..., bytes]:
    return info


@pytest.fixture(scope="session")
def open_triton(repository: Path) -> Iterator[Triton]:
    """A server whose operator lets callers use shared memory."""
    with own_server(repository, [DEFAULT_NETWORK], allow_client_shm=True) as server:
        yield server


Handler = Callable[[socket.socket, int], None]
ServeSockets = Callable[[Handler], AbstractContextManager[int]]


@contextmanager
def _serve(handle: Handler) -> Iterator[int]:
    """A TCP server on a free port; handle gets each connection and its number from 0."""
    listener = socket.create_server(("127.0.0.1", 0))
    accepted: list[socket.socket] = []
    stop = threading.Event()

    def one(connection: socket.socket, number: int) -> None:
        try:
            handle(connection, number)
        except OSError:
            if not stop.is_set():
                return  # the client has given up, which is what some tests want

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            accepted.append(connection)
            threading.Thread(target=one, args=(connection, len(accepted) - 1), daemon=True).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        stop.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        for connection in accepted:
            connection.close()
        thread.join(5)


@pytest.fixture
def serve_sockets() -> ServeSockets:
    return _serve


@pytest.fixture
def dead_port() -> int:
    """A port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@pytest.fixture
def black_hole() -> Iterator[int]:
    """A port that accepts connections and never sends a byte."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        yield int(listener.getsockname()[1])


@pytest.fixture
def dropping_port() -> Iterator[int]:
    """A port that drops packets: its backlog is full, so that Linux does not answer to the next connection's SYN."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        port = int(listener.getsockname()[1])
        fillers = [socket.socket() for _ in range(4)]
        try:
            for filler in fillers:
                filler.setblocking(False)
                filler.connect_ex(("127.0.0.1", port))
            yield port
        finally:
            for filler in fillers:
                filler.close()
