"""What a real Envoy lets in, passes on and repeats; the Tritons behind it are stand-ins that note what they get."""

import json
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from concurrent import futures
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import grpc
import pytest
import requests
import trustme

from deploy.scale.configuration import FILE, Addresses, Edge, rendered
from midas_client import AccessDeniedError, DepthClient, MidasClientError, Tls
from midas_server.launch.ports import free_ports
from tests.deploy.fleet import envoy, small_photo, until
from tests.server.launch.test_launch import is_listening

pytestmark = pytest.mark.long  # it installs Envoy

INFER = "/inference.GRPCInferenceService/ModelInfer"
KEY = "0123456789abcdef-of-the-shop"


@dataclass
class StandIn:
    """In place of a Triton: what each request had, and what it is answered.

    Attributes:
        code: the gRPC status that photos get; None answers them.
    """

    headers: list[dict[str, str]] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    left: list[float] = field(default_factory=list)  # seconds of the deadline
    code: grpc.StatusCode | None = None
    health: int = 200
    go_on: threading.Event = field(default_factory=threading.Event)  # photos wait for it

    def __post_init__(self) -> None:
        self.go_on.set()

    def service(self, details: Any) -> Any:
        """gRPC's own hook: any method."""

        def answer(request: bytes, context: Any) -> bytes:
            if details.method != INFER:
                return b"\x08\x01"  # ServerReadyResponse, ready
            self.headers.append(dict(details.invocation_metadata))
            self.sizes.append(len(request))
            self.left.append(context.time_remaining())
            self.go_on.wait(60)
            if self.code is not None:
                context.abort(self.code, "as the test wants it")
            return b""

        return grpc.unary_unary_rpc_method_handler(answer)


@contextmanager
def stand_in() -> Iterator[tuple[StandIn, Addresses]]:
    here = StandIn()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(here.health)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def do_POST(self) -> None:
            here.headers.append({name.lower(): value for name, value in self.headers.items()})
            here.sizes.append(len(self.rfile.read(int(self.headers["Content-Length"]))))
            self.do_GET()

        def log_message(self, format: str, *args: object) -> None:
            pass

    handlers = futures.ThreadPoolExecutor(8)
    options = [("grpc.max_receive_message_length", -1), ("grpc.http2.max_ping_strikes", 0)]
    server = grpc.server(handlers, handlers=[here], options=options)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=http.serve_forever, daemon=True).start()
    try:
        yield here, Addresses("127.0.0.1", http.server_address[1], port, http.server_address[1])
    finally:
        http.shutdown()
        server.stop(0)


@contextmanager
def edge(folder: Path, tritons: list[Addresses], **secure: Any) -> Iterator[Edge]:
    """Envoy before them, ready."""
    http, grpc_port, inside, status, admin = free_ports(5)
    edge = Edge("127.0.0.1", http, grpc_port, inside, status, admin, **secure)
    config = folder / "envoy.json"
    config.write_text(json.dumps(rendered(edge, tritons)))
    command = [envoy(), "-c", str(config), "--disable-hot-restart", "--concurrency", "1", "--log-level", "error"]
    with (folder / "access.log").open("wb") as log, subprocess.Popen(command, stdout=log) as process:
        try:
            until(lambda: is_listening(edge.grpc), "Envoy listens", 30)
            clusters = f"http://127.0.0.1:{edge.admin}/clusters"
            healthy = "::health_flags::healthy"
            until(
                lambda: requests.get(clusters, timeout=5).text.count(healthy) == 2 * len(tritons) + 1, "all are healthy"
            )
            yield edge
        finally:
            process.terminate()


Three = tuple[Edge, list[StandIn]]


@pytest.fixture
def three(tmp_path: Path) -> Iterator[Three]:
    with ExitStack() as stack:
        there = [stack.enter_context(stand_in()) for _ in range(3)]
        yield stack.enter_context(edge(tmp_path, [addresses for _, addresses in there])), [each for each, _ in there]


def call(edge: Edge, body: bytes = b"", timeout: float = 20, **headers: str) -> bytes:
    """A photo's call over gRPC, of these bytes."""
    with grpc.insecure_channel(f"127.0.0.1:{edge.grpc}") as channel:
        method: Callable[..., bytes] = channel.unary_unary(INFER)
        metadata = [(name.replace("_", "-"), value) for name, value in headers.items()]
        return method(body, timeout=timeout, metadata=metadata)


def test_envoy_takes_the_file_as_it_is(tmp_path: Path) -> None:
    done = subprocess.run(
        [envoy(), "--mode", "validate", "-c", str(FILE)], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert "eprecated" not in done.stderr


def test_keys_of_launchers_do_not_pass(three: Three) -> None:
    edge, standing = three
    call(edge, triton_grpc_protocol_midas_launcher_key="stolen", x_request_id="order-17", traceparent="00-1-2-01")
    requests.post(
        f"http://127.0.0.1:{edge.http}/v2/models/default/infer",
        b"photo",
        headers={"Inference-Header-Content-Length": "0", "midas-launcher-key": "stolen", "X-Request-ID": "order-17"},
        timeout=20,
    ).raise_for_status()
    seen = [headers for each in standing for headers in each.headers]
    assert len(seen) == 2
    for headers in seen:
        assert headers["x-request-id"] == "order-17"
        assert "stolen" not in headers.values()


def test_deadlines_pass(three: Three) -> None:
    edge, standing = three
    call(edge, timeout=7)
    assert [0 < left <= 7 for each in standing for left in each.left] == [True]


def test_a_photo_that_is_refused_moves_once_with_all_its_bytes(three: Three) -> None:
    edge, standing = three
    for each in standing:
        each.code = grpc.StatusCode.UNAVAILABLE
    with pytest.raises(grpc.RpcError):
        call(edge, bytes(30_000_000))
    sizes = [size for each in standing for size in each.sizes]
    assert sizes == [30_000_000] * 2
    assert max(len(each.sizes) for each in standing) == 1  # not the same one twice


def test_attempts_of_envoy_and_client_add_up(three: Three) -> None:
    edge, standing = three
    for each in standing:
        each.code = grpc.StatusCode.UNAVAILABLE
    with DepthClient(f"127.0.0.1:{edge.grpc}", retries=3) as client, pytest.raises(MidasClientError):
        client.predict(small_photo())
    # The client's first goes to two, each of its three repeats to one.
    assert sum(len(each.sizes) for each in standing) == 2 + 3


def test_a_fault_of_the_photo_is_not_repeated(three: Three) -> None:
    edge, standing = three
    for each in standing:
        each.code = grpc.StatusCode.INVALID_ARGUMENT
    with DepthClient(f"127.0.0.1:{edge.grpc}") as client, pytest.raises(MidasClientError):
        client.predict(small_photo())
    assert sum(len(each.sizes) for each in standing) == 1


def answered(edge: Edge) -> bool:
    """Whether a call is answered within a second."""
    try:
        call(edge, timeout=1)
    except grpc.RpcError:
        return False
    return True


@contextmanager
def waiting(edge: Edge, standing: list[StandIn]) -> Iterator[tuple[futures.Future[bytes], StandIn]]:
    """A photo's call that is under way, and the one that has it; the others answer at once."""
    for each in standing:
        each.go_on.clear()
    with futures.ThreadPoolExecutor(1) as caller:
        answer = caller.submit(call, edge)
        until(lambda: any(each.sizes for each in standing), "the photo has come", 20)
        busy = next(each for each in standing if each.sizes)
        for each in standing:
            if each is not busy:
                each.go_on.set()
        try:
            yield answer, busy
        finally:
            busy.go_on.set()


def until_flagged(edge: Edge, flag: str, count: int) -> None:
    """Wait until Envoy says this word of so many hosts; each is there for HTTP and for gRPC."""
    url = f"http://127.0.0.1:{edge.admin}/clusters"
    until(lambda: requests.get(url, timeout=5).text.count(flag) == count, f"{count} hosts are {flag}", 20)


def test_one_that_is_to_stop_finishes_and_gets_no_more(three: Three) -> None:
    edge, standing = three
    with waiting(edge, standing) as (answer, busy):
        busy.health = 503
        until_flagged(edge, "failed_active_hc", 2)
        # What Envoy's admin port tells is in use a moment later.
        until(lambda: all(answered(edge) for _ in range(20)), "the others get all", 30)
        assert not answer.done()  # it was not moved
        busy.go_on.set()
        answer.result(20)


def test_without_a_ready_one_the_answer_comes_at_once(three: Three) -> None:
    edge, standing = three
    for each in standing:
        each.health = 503
    until_flagged(edge, "failed_active_hc", 6)

    until(lambda: not answered(edge), "nobody is asked", 20)
    with pytest.raises(grpc.RpcError) as refused:
        call(edge)
    assert refused.value.code() == grpc.StatusCode.UNAVAILABLE


def test_tls_and_keys(tmp_path: Path) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    server = authority.issue_cert("localhost")
    server.private_key_pem.write_to_path(tmp_path / "key.pem")
    server.cert_chain_pems[0].write_to_path(tmp_path / "cert.pem")
    secure = {"certificate": tmp_path / "cert.pem", "key": tmp_path / "key.pem", "api_keys": (("shop", KEY),)}
    tls = Tls(ca=tmp_path / "ca.pem")
    with stand_in() as (standing, addresses), edge(tmp_path, [addresses], **secure) as there:
        for url in (f"grpcs://localhost:{there.grpc}", f"https://localhost:{there.http}"):
            with DepthClient(url, tls=tls, token=KEY) as client:
                client.wait_ready(10)
            with DepthClient(url, tls=tls, token="another") as client, pytest.raises(AccessDeniedError):  # noqa: S106
                client.predict(small_photo())
        assert not standing.sizes
        url = f"grpcs://localhost:{there.grpc}"
        with DepthClient(url, tls=tls, token=KEY) as client, pytest.raises(MidasClientError):
            client.predict(small_photo())  # the stand-in's answer is no depth
        assert "authorization" not in standing.headers[0]
        with socket.create_connection(("localhost", there.http), timeout=10) as plain:
            plain.sendall(b"GET /v2/health/ready HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert not plain.recv(100).startswith(b"HTTP/1.1 200")


def test_too_much_memory_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Photos that are not whole yet are kept; from 95 % of the limit on, new requests get 503."""
    limit = "max_heap_size_bytes: 2000000000"
    text = FILE.read_text()
    assert limit in text
    smaller = tmp_path / "envoy.yaml"
    smaller.write_text(text.replace(limit, "max_heap_size_bytes: 100000000"))
    monkeypatch.setattr("deploy.scale.configuration.FILE", smaller)
    with stand_in() as (_, addresses), edge(tmp_path, [addresses]) as there, ExitStack() as stack:
        url = f"http://127.0.0.1:{there.http}/v2/health/ready"
        assert requests.get(url, timeout=10).status_code == 200
        for _ in range(5):
            half = stack.enter_context(socket.create_connection(("127.0.0.1", there.http), timeout=10))
            with suppress(ConnectionError):  # the later ones may be refused already
                half.sendall(
                    b"POST /v2/models/default/infer HTTP/1.1\r\nHost: a\r\nInference-Header-Content-Length: 0\r\n"
                    b"Content-Length: 39000000\r\n\r\n" + bytes(30_000_000)
                )
        until(lambda: requests.get(url, timeout=10).status_code == 503, "new ones are refused", 10)
        stack.close()
        until(lambda: requests.get(url, timeout=10).status_code == 200, "they are taken again", 10)
