"""Against servers that misbehave, on real sockets: the right error, or the right answer, in time."""

from __future__ import annotations

import json
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from concurrent import futures
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import grpc
import numpy as np
import pytest
from tritonclient.grpc import service_pb2, service_pb2_grpc

from midas_client import (
    AnswerError,
    ClientClosedError,
    ConnectError,
    ConnectionLostError,
    DeadlineExceededError,
    Health,
    MidasClientError,
    ServerBusyError,
    StepRestartingError,
    Timeout,
    TransportError,
)

if TYPE_CHECKING:
    from tests.client.conftest import Connect, ServeSockets

PHOTO = b"not decoded by anybody here"
DEPTH = np.arange(12, dtype=np.float32).reshape(3, 4)

both_protocols = pytest.mark.parametrize("scheme", ["", "http://"], ids=["grpc", "http"])


class Answers:
    """What the misbehaving servers send when they behave."""

    def __init__(self) -> None:
        info = {
            "variant": "midas_v21_small_256",
            "weights": "official",
            "photo": {"width": 4, "height": 3},
            "network": {"width": 256, "height": 192},
            "output": {"width": 4, "height": 3},
            "options": {"format": "float32"},
            "range": [0.0, 11.0],
            "milliseconds": {"network": 1.0},
        }
        self.info = json.dumps(info).encode()
        # In another order than asked for, as from an ensemble.
        self.outputs: list[tuple[str, str, list[int], bytes]] = [
            ("INFO", "BYTES", [1, 1], struct.pack("<I", len(self.info)) + self.info),
            ("DEPTH", "FP32", [1, 3, 4], DEPTH.tobytes()),
            ("ENCODED", "BYTES", [1, 1], struct.pack("<I", 0)),
        ]

    def http(self) -> bytes:
        outputs = [
            {"name": name, "datatype": kind, "shape": shape, "parameters": {"binary_data_size": len(data)}}
            for name, kind, shape, data in self.outputs
        ]
        header = json.dumps({"model_name": "m", "model_version": "1", "outputs": outputs}).encode()
        body = header + b"".join(data for _, _, _, data in self.outputs)
        return http_answer(body, f"Inference-Header-Content-Length: {len(header)}\r\n")

    def grpc(self) -> Any:
        return service_pb2.ModelInferResponse(
            model_name="m",
            outputs=[
                service_pb2.ModelInferResponse.InferOutputTensor(name=name, datatype=kind, shape=shape)
                for name, kind, shape, _ in self.outputs
            ],
            raw_output_contents=[data for _, _, _, data in self.outputs],
        )


def http_answer(body: bytes, headers: str = "", status: str = "200 OK") -> bytes:
    return f"HTTP/1.1 {status}\r\n{headers}Content-Length: {len(body)}\r\n\r\n".encode() + body


def read_http_request(connection: socket.socket) -> bytes:
    """One request with its body; empty when the client has closed."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(65536)
        if not piece:
            return b""
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    lengths = [line.split(b":")[1] for line in head.split(b"\r\n")[1:] if line.lower().startswith(b"content-length:")]
    while len(body) < int(lengths[0] if lengths else 0):
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


class GrpcServer(service_pb2_grpc.GRPCInferenceServiceServicer):  # type: ignore[misc]
    """Refuses some times with a status, then answers."""

    def __init__(self, refusals: int, code: grpc.StatusCode, details: str) -> None:
        self.refusals = refusals
        self.code = code
        self.details = details
        self.calls = 0
        self.queue_timeouts: list[int] = []

    def ModelInfer(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802 - Triton's name
        self.calls += 1
        self.queue_timeouts.append(request.parameters["timeout"].int64_param)
        if self.calls <= self.refusals:
            context.abort(self.code, self.details)
        return Answers().grpc()


@contextmanager
def serve_grpc(servicer: GrpcServer, port: int = 0) -> Iterator[int]:
    server = grpc.server(futures.ThreadPoolExecutor(4))
    service_pb2_grpc.add_GRPCInferenceServiceServicer_to_server(servicer, server)
    bound = server.add_insecure_port(f"127.0.0.1:{port}")
    server.start()
    try:
        yield bound
    finally:
        server.stop(0).wait(5)


def timed(call: Callable[[], object]) -> tuple[float, MidasClientError]:
    """Seconds that a failing call takes, and its error."""
    start = time.monotonic()
    with pytest.raises(MidasClientError) as caught:
        call()
    return time.monotonic() - start, caught.value


def assert_nothing_leaked(error: BaseException) -> None:
    """The library's own exceptions are not even in the chain that a traceback shows."""
    seen: BaseException | None = error
    while seen is not None:
        assert type(seen).__module__.split(".")[0] in ("midas_client", "builtins"), type(seen)
        seen = seen.__cause__ or (None if seen.__suppress_context__ else seen.__context__)


@both_protocols
def test_dead_port(connect: Connect, scheme: str, dead_port: int) -> None:
    with connect(f"{scheme}127.0.0.1:{dead_port}", retries=3) as client:
        seconds, error = timed(lambda: client.predict(PHOTO))
        assert client.health().live is False
    assert isinstance(error, ConnectError)
    assert "refused" in str(error).lower()
    assert "Is the server running" in str(error)
    assert seconds < 5
    assert_nothing_leaked(error)


@both_protocols
def test_unknown_host(connect: Connect, scheme: str) -> None:
    with connect(f"{scheme}no-such-host.invalid:8001", retries=0) as client:
        _, error = timed(lambda: client.predict(PHOTO))
    assert isinstance(error, ConnectError)
    assert_nothing_leaked(error)


@both_protocols
def test_host_that_drops_packets_fails_after_the_connect_timeout(
    connect: Connect, scheme: str, dropping_port: int
) -> None:
    with connect(f"{scheme}127.0.0.1:{dropping_port}", timeout=Timeout(total=20, connect=1.0)) as client:
        seconds, error = timed(lambda: client.predict(PHOTO))
    assert isinstance(error, ConnectError)
    assert 0.9 < seconds < 10
    assert_nothing_leaked(error)


@both_protocols
def test_black_hole_ends_by_the_total(connect: Connect, scheme: str, black_hole: int) -> None:
    with connect(f"{scheme}127.0.0.1:{black_hole}", timeout=1.5) as client:
        seconds, error = timed(lambda: client.predict(PHOTO))
        assert client.health(timeout=0.3).live is False
    assert isinstance(error, DeadlineExceededError)
    assert seconds < 10
    assert_nothing_leaked(error)


@both_protocols
def test_server_that_resets_every_connection(connect: Connect, scheme: str, serve_sockets: ServeSockets) -> None:
    connections = []

    def reset(connection: socket.socket, number: int) -> None:
        connections.append(number)
        connection.recv(100)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()

    with serve_sockets(reset) as port, connect(f"{scheme}127.0.0.1:{port}", retries=4, timeout=10) as client:
        seconds, error = timed(lambda: client.predict(PHOTO))
    assert isinstance(error, (ConnectionLostError, ConnectError))
    assert seconds < 5
    assert len(connections) >= 2
    assert_nothing_leaked(error)


def test_http_reset_once_then_fine(connect: Connect, serve_sockets: ServeSockets) -> None:
    def handle(connection: socket.socket, number: int) -> None:
        read_http_request(connection)
        if number > 0:
            connection.sendall(Answers().http())
        connection.close()

    with serve_sockets(handle) as port, connect(f"http://127.0.0.1:{port}") as client:
        np.testing.assert_array_equal(client.predict(PHOTO).depth, DEPTH)


@pytest.mark.parametrize(
    ("status", "text"),
    [
        ("503 Service Unavailable", "in ensemble 'm', Exceeds maximum queue size"),
        ("500 Internal Server Error", "in ensemble 'm', Stub process 'm_preprocess_0_0' is not healthy"),
    ],
)
def test_http_refused_three_times_then_fine(
    connect: Connect, serve_sockets: ServeSockets, status: str, text: str
) -> None:
    requests: list[bytes] = []
    connections: set[int] = set()

    def handle(connection: socket.socket, number: int) -> None:
        connections.add(number)
        while request := read_http_request(connection):
            requests.append(request)
            refusal = http_answer(json.dumps({"error": text}).encode(), status=status)
            connection.sendall(refusal if len(requests) <= 3 else Answers().http())

    with serve_sockets(handle) as port, connect(f"http://127.0.0.1:{port}") as client:
        np.testing.assert_array_equal(client.predict(PHOTO).depth, DEPTH)
    assert len(requests) == 4
    assert connections == {0}, "the connection is kept between requests"


def test_http_retry_after_beyond_the_total_ends_the_call(connect: Connect, serve_sockets: ServeSockets) -> None:
    requests: list[bytes] = []

    def handle(connection: socket.socket, number: int) -> None:
        while request := read_http_request(connection):
            requests.append(request)
            connection.sendall(http_answer(b"", "retry-after: 60\r\n", "503 Service Unavailable"))

    with serve_sockets(handle) as port, connect(f"http://127.0.0.1:{port}", timeout=30) as client:
        _, error = timed(lambda: client.predict(PHOTO))
    assert error.retry_after == 60.0
    assert len(requests) == 1


@pytest.mark.parametrize(
    ("code", "text"),
    [
        (grpc.StatusCode.UNAVAILABLE, "in ensemble 'm', Exceeds maximum queue size"),
        (grpc.StatusCode.INTERNAL, "in ensemble 'm', Stub process 'm_preprocess_0_0' is not healthy"),
    ],
)
def test_grpc_refused_three_times_then_fine(connect: Connect, code: grpc.StatusCode, text: str) -> None:
    servicer = GrpcServer(3, code, text)
    with serve_grpc(servicer) as port, connect(f"127.0.0.1:{port}") as client:
        np.testing.assert_array_equal(client.predict(PHOTO).depth, DEPTH)
    assert servicer.calls == 4


def test_the_server_is_told_how_long_the_request_may_wait(connect: Connect, serve_sockets: ServeSockets) -> None:
    """Each attempt says what is left of the total, in microseconds: nobody waits for the answer after that."""
    servicer = GrpcServer(1, grpc.StatusCode.UNAVAILABLE, "Exceeds maximum queue size")
    with serve_grpc(servicer) as port, connect(f"127.0.0.1:{port}", timeout=9.0) as client:
        client.predict(PHOTO)
    http: list[int] = []

    def handle(connection: socket.socket, number: int) -> None:
        while request := read_http_request(connection):
            header, _ = json.JSONDecoder().raw_decode(request.partition(b"\r\n\r\n")[2].decode("latin-1"))
            http.append(header["parameters"]["timeout"])
            refusal = http_answer(b'{"error": "Exceeds maximum queue size"}', status="503 Service Unavailable")
            connection.sendall(refusal if len(http) == 1 else Answers().http())

    with serve_sockets(handle) as port, connect(f"http://127.0.0.1:{port}", timeout=9.0) as client:
        client.predict(PHOTO)
    for first, second in (servicer.queue_timeouts, http):
        assert 9_000_000 >= first > second > 0


@pytest.mark.parametrize(
    ("code", "text", "kind"),
    [
        (grpc.StatusCode.UNAVAILABLE, "Exceeds maximum queue size", ServerBusyError),
        (grpc.StatusCode.INTERNAL, "Stub process 'x' is not healthy", StepRestartingError),
    ],
)
def test_grpc_tells_the_servers_refusal_from_a_lost_connection(
    connect: Connect, code: grpc.StatusCode, text: str, kind: type[MidasClientError]
) -> None:
    with serve_grpc(GrpcServer(9, code, text)) as port, connect(f"127.0.0.1:{port}", retries=0) as client:
        _, error = timed(lambda: client.predict(PHOTO))
    assert type(error) is kind
    assert error.status_code == code.name
    assert_nothing_leaked(error)


@pytest.mark.parametrize("where", ["header", "body"])
def test_http_dripping_server_ends_by_the_total(connect: Connect, serve_sockets: ServeSockets, where: str) -> None:
    def drip(connection: socket.socket, number: int) -> None:
        read_http_request(connection)
        if where == "body":
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        for byte in b"HTTP/1.1 200 OK\r\n" + b"X-Filler: 1\r\n" * 1000:
            connection.sendall(bytes([byte]))
            time.sleep(0.05)

    with serve_sockets(drip) as port, connect(f"http://127.0.0.1:{port}", timeout=1) as client:
        seconds, error = timed(lambda: client.predict(PHOTO))
    assert isinstance(error, DeadlineExceededError)
    assert 0.9 < seconds < 10
    assert_nothing_leaked(error)


def test_http_server_that_does_not_read_ends_by_the_total(connect: Connect, black_hole: int) -> None:
    """A photo larger than what fits on the way: the client is stuck in sending."""
    with connect(f"http://127.0.0.1:{black_hole}", timeout=1) as client:
        seconds, error = timed(lambda: client.predict(bytes(50_000_000)))
    assert isinstance(error, DeadlineExceededError)
    assert seconds < 10


def test_http_server_that_dies_in_mid_answer(connect: Connect, serve_sockets: ServeSockets) -> None:
    def die(connection: socket.socket, number: int) -> None:
        read_http_request(connection)
        connection.sendall(Answers().http()[:-20])
        connection.close()

    with serve_sockets(die) as port, connect(f"http://127.0.0.1:{port}", retries=1) as client:
        _, error = timed(lambda: client.predict(PHOTO))
    assert isinstance(error, ConnectionLostError)
    assert_nothing_leaked(error)


def test_grpc_server_that_dies_in_mid_request(connect: Connect, serve_sockets: ServeSockets) -> None:
    """A connection that is complete (HTTP/2 settings exchanged) and then broken."""

    def die(connection: socket.socket, number: int) -> None:
        empty_settings = b"\x00\x00\x00\x04\x00\x00\x00\x00\x00"
        connection.sendall(empty_settings)
        time.sleep(0.3)
        connection.recv(65536)
        connection.close()

    with serve_sockets(die) as port, connect(f"127.0.0.1:{port}", retries=1, timeout=10) as client:
        seconds, error = timed(lambda: client.predict(PHOTO))
    assert isinstance(error, (ConnectionLostError, ConnectError))
    assert seconds < 5
    assert_nothing_leaked(error)


@pytest.mark.parametrize(
    "answer",
    [
        http_answer(b"<html>hello</html>"),
        http_answer(b"{}", "Inference-Header-Content-Length: 2\r\n"),
        http_answer(b'{"outputs":[]}', "Inference-Header-Content-Length: 14\r\n"),
        http_answer(b"{}", "Inference-Header-Content-Length: many\r\n"),
        http_answer(b"<html>no such page</html>", status="404 Not Found"),
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"\x00\x00\x18\x04\x00\x00\x00\x00\x00",
    ],
    ids=["page", "no outputs", "empty outputs", "bad length", "404 page", "ssh", "http/2"],
)
def test_http_server_that_is_not_triton(connect: Connect, serve_sockets: ServeSockets, answer: bytes) -> None:
    def handle(connection: socket.socket, number: int) -> None:
        read_http_request(connection)
        connection.sendall(answer)
        connection.close()

    with serve_sockets(handle) as port, connect(f"http://127.0.0.1:{port}", retries=0, timeout=5) as client:
        _, error = timed(lambda: client.predict(PHOTO))
    assert isinstance(error, AnswerError), error
    assert_nothing_leaked(error)


def test_grpc_on_an_http_port(connect: Connect, serve_sockets: ServeSockets) -> None:
    def handle(connection: socket.socket, number: int) -> None:
        connection.recv(65536)
        connection.sendall(http_answer(b"<html>hello</html>", status="400 Bad Request"))
        connection.close()

    with serve_sockets(handle) as port, connect(f"127.0.0.1:{port}", retries=0, timeout=5) as client:
        _, error = timed(lambda: client.predict(PHOTO))
    assert isinstance(error, TransportError)
    assert "http://host:8000" in str(error)
    assert_nothing_leaked(error)


def test_http_idle_connection_that_the_server_closed_is_not_used(connect: Connect, serve_sockets: ServeSockets) -> None:
    closed = threading.Semaphore(0)

    def handle(connection: socket.socket, number: int) -> None:
        read_http_request(connection)
        connection.sendall(Answers().http())
        connection.close()
        closed.release()

    with serve_sockets(handle) as port, connect(f"http://127.0.0.1:{port}", retries=0) as client:
        for _ in range(3):
            assert client.predict(PHOTO).depth.shape == (3, 4)
            assert closed.acquire(timeout=10)
            time.sleep(0.05)  # an event loop takes note of it when it looks next


def test_grpc_client_finds_a_server_that_comes_up_later(connect: Connect, dead_port: int) -> None:
    """gRPC's own pauses between attempts to connect, up to two minutes by default, do not outlast the client's."""
    with connect(f"127.0.0.1:{dead_port}", retries=0) as client:
        for _ in range(5):
            assert client.health() == Health(live=False, ready=False, detail=client.health().detail)
        servicer = GrpcServer(0, grpc.StatusCode.UNAVAILABLE, "")
        with serve_grpc(servicer, dead_port):
            start = time.monotonic()
            while True:
                try:
                    client.predict(PHOTO)
                    break
                except ConnectError:
                    assert time.monotonic() - start < 30
                    time.sleep(0.05)


def test_grpc_answers_above_four_megabytes(connect: Connect) -> None:
    class Large(GrpcServer):
        def ModelInfer(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
            answers = Answers()
            answers.outputs[1] = ("DEPTH", "FP32", [1, 1500, 2000], bytes(4 * 1500 * 2000))
            return answers.grpc()

    with (
        serve_grpc(Large(0, grpc.StatusCode.UNAVAILABLE, "")) as port,
        connect(f"127.0.0.1:{port}") as client,
    ):
        assert client.predict(PHOTO).depth.shape == (1500, 2000)


@both_protocols
def test_close_while_another_thread_waits(connect: Connect, scheme: str, serve_sockets: ServeSockets) -> None:
    """It ends at once, with an error of ours."""
    arrived = threading.Event()

    def hold(connection: socket.socket, number: int) -> None:
        connection.sendall(b"\x00\x00\x00\x04\x00\x00\x00\x00\x00" if not scheme else b"")
        arrived.set()
        time.sleep(3)

    with serve_sockets(hold) as port:
        client = connect(f"{scheme}127.0.0.1:{port}", timeout=20, retries=0)
        with futures.ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(timed, lambda: client.predict(PHOTO))
            assert arrived.wait(5)
            client.close()
            seconds, error = waiting.result(30)
    assert isinstance(error, (ClientClosedError, ConnectError))
    assert seconds < 10
    assert_nothing_leaked(error)
