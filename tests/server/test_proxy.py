"""The proxy of docs/proxy.md, a real Envoy with the rules of deploy/envoy/envoy.yaml, before a real Triton."""

import json
import re
import socket
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import psutil
import pytest
import requests
import tritonclient.grpc as triton_grpc

from deploy.scale.configuration import Addresses, Edge, rendered
from midas_client import DepthClient
from midas_server.launch import Triton
from midas_server.launch.ports import free_ports
from tests.deploy.fleet import envoy
from tests.networks import DEFAULT
from tests.own_server import own_server

pytestmark = pytest.mark.long  # it installs Envoy

INFER = f"/v2/models/{DEFAULT}/infer"
BARE = {"Inference-Header-Content-Length": "0"}


@pytest.fixture(scope="module")
def behind(cold: Path) -> Iterator[Triton]:
    with own_server(cold, [DEFAULT], health_port=0) as server:
        yield server


@pytest.fixture(scope="module")
def proxy(behind: Triton, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """The proxy's addresses for HTTP and gRPC; it waits a second for slow clients."""
    http, grpc, inside, status, admin = free_ports(5)
    assert behind.health_port
    there = Addresses("127.0.0.1", behind.http_port, behind.grpc_port, behind.health_port)
    config = json.dumps(rendered(Edge("127.0.0.1", http, grpc, inside, status, admin), [there]))
    assert config.count('"request_headers_timeout": "10s"') == 3
    file = tmp_path_factory.mktemp("proxy") / "envoy.json"
    file.write_text(config.replace('"request_headers_timeout": "10s"', '"request_headers_timeout": "1s"'))
    command = [envoy(), "-c", str(file), "--disable-hot-restart", "--concurrency", "1", "--log-level", "error"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        try:
            with DepthClient(f"http://127.0.0.1:{http}") as client:
                client.wait_ready(30)
            yield f"127.0.0.1:{http}", f"127.0.0.1:{grpc}"
        finally:
            process.terminate()


def exchange(address: str, *parts: bytes) -> bytes:
    """All that comes back, until the other side closes the connection."""
    host, port = address.split(":")
    answer = b""
    with socket.create_connection((host, int(port)), timeout=60) as connection:
        with suppress(BrokenPipeError, ConnectionResetError):
            for part in parts:
                connection.sendall(part)
        with suppress(ConnectionResetError):
            while received := connection.recv(65536):
                answer += received
    return answer


def head(**headers: str) -> bytes:
    lines = [f"POST {INFER} HTTP/1.1", "Host: triton", "Connection: close"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in (BARE | headers).items()]
    return "\r\n".join([*lines, "", ""]).encode()


def chunks(body: bytes) -> bytes:
    """A body as HTTP chunks of one byte each."""
    return b"".join(b"1\r\n%c\r\n" % byte for byte in body) + b"0\r\n\r\n"


def test_photos_pass_by_both_protocols(behind: Triton, proxy: tuple[str, str], photo: bytes) -> None:
    with DepthClient(behind.grpc_url) as direct:
        expected = direct.predict(photo)
    for url in (f"http://{proxy[0]}", proxy[1]):
        with DepthClient(url) as client:
            client.wait_ready(30)
            answer = client.predict(photo)
        np.testing.assert_allclose(answer.depth, expected.depth, rtol=1e-5, atol=1e-5)


def test_a_photo_in_chunks_of_one_byte_arrives_whole(proxy: tuple[str, str], photo: bytes) -> None:
    answer = exchange(proxy[0], head(Transfer_Encoding="chunked"), chunks(photo))
    assert answer.startswith(b"HTTP/1.1 200 ")


def test_what_ends_triton_does_not_reach_it(behind: Triton, proxy: tuple[str, str], photo: bytes) -> None:
    server = psutil.Process(behind.pid)
    answer = exchange(proxy[0], head(Transfer_Encoding="chunked"), chunks(bytes(600_000)))
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"got 600,000 bytes" in answer
    assert server.is_running()
    assert server.status() != psutil.STATUS_ZOMBIE
    assert requests.post(f"http://{proxy[0]}{INFER}", photo, headers=BARE, timeout=60).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "headers", "size", "status"),
    [
        ("POST", INFER, {}, 100, 400),
        ("POST", INFER, {"Inference-Header-Content-Length": "10000"}, 20_000, 400),
        ("POST", INFER, BARE | {"Content-Encoding": "gzip"}, 100, 415),
        ("POST", INFER, BARE, 40_000_001, 413),
        ("POST", "/v2/repository/index", {}, 2, 404),
        ("POST", f"/v2/repository/models/{DEFAULT}/load", {}, 2, 404),
        ("POST", f"/v2/repository/../models/{DEFAULT}/load", {}, 2, 404),
        ("GET", f"/v2/models/{DEFAULT}/stats", {}, 0, 404),
        ("GET", f"/v2/models/{DEFAULT}/config", {}, 0, 404),
        ("GET", "/v2/models/stats", {}, 0, 404),
        ("GET", "/v2/systemsharedmemory/status", {}, 0, 404),
        ("GET", "/v2/health/ready", {}, 0, 200),
    ],
)
def test_only_photos_and_health_pass(
    proxy: tuple[str, str], method: str, path: str, headers: dict[str, str], size: int, status: int
) -> None:
    request = requests.Request(method, f"http://{proxy[0]}", headers=headers, data=bytes(size)).prepare()
    request.url = f"http://{proxy[0]}{path}"  # as it is, with its dots
    with requests.Session() as session:
        assert session.send(request, timeout=60).status_code == status


def test_a_body_of_unknown_length_is_bounded(proxy: tuple[str, str]) -> None:
    piece = b"100000\r\n" + bytes(0x100000) + b"\r\n"
    assert exchange(proxy[0], head(Transfer_Encoding="chunked"), *[piece] * 40).startswith(b"HTTP/1.1 413 ")


def test_a_client_that_stops_within_its_headers_is_cut_off(proxy: tuple[str, str]) -> None:
    assert re.match(rb"HTTP/1.1 408 |$", exchange(proxy[0], head()[:40]))


def test_the_repository_is_not_reached_by_grpc(proxy: tuple[str, str]) -> None:
    with triton_grpc.InferenceServerClient(proxy[1]) as client:
        assert client.is_server_ready()
        with pytest.raises(triton_grpc.InferenceServerException, match="UNIMPLEMENTED"):
            client.get_model_repository_index()
