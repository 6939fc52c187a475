"""TLS over both protocols, with a certificate for localhost from an authority that lasts as long as the test run."""

from __future__ import annotations

import os
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent import futures
from contextlib import contextmanager
from pathlib import Path

import grpc
import pytest
import trustme
from tritonclient.grpc import service_pb2, service_pb2_grpc

from midas_client import ConnectError, DeadlineExceededError, DepthClient

AUTHORITY = trustme.CA()
CERTIFICATE = AUTHORITY.issue_cert("localhost", "127.0.0.1")

STATISTICS = b'{"model_stats":[{"name":"a"},{"name":"a_preprocess"},{"name":"postprocess"}]}'


@contextmanager
def serve_tls(handle: Callable[[ssl.SSLSocket], None]) -> Iterator[int]:
    """A TLS server on a free port; handle gets each connection whose handshake went well."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    CERTIFICATE.configure_cert(context)
    listener = socket.create_server(("127.0.0.1", 0))

    def accept() -> None:
        while True:
            try:
                connection = listener.accept()[0]
            except OSError:
                return
            try:
                with context.wrap_socket(connection, server_side=True) as secure:
                    handle(secure)
            except OSError:
                continue  # the client did not trust the certificate, or has given up

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)


def answer_twice(connection: ssl.SSLSocket) -> None:
    for _ in range(2):
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(STATISTICS), STATISTICS))


@pytest.fixture
def authority_file(tmp_path: Path) -> str:
    AUTHORITY.cert_pem.write_to_path(tmp_path / "authority.pem")
    return str(tmp_path / "authority.pem")


@pytest.fixture
def trusted(monkeypatch: pytest.MonkeyPatch, authority_file: str) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", authority_file)


@pytest.mark.usefixtures("trusted")
def test_https() -> None:
    with serve_tls(answer_twice) as port, DepthClient(f"https://localhost:{port}", timeout=5) as client:
        assert client.models() == ["a"]
        assert client.models() == ["a"]


def test_https_refuses_a_certificate_that_nobody_vouches_for() -> None:
    with (
        serve_tls(answer_twice) as port,
        DepthClient(f"https://localhost:{port}", retries=0) as client,
        pytest.raises(ConnectError, match="certificate"),
    ):
        client.models()


@pytest.mark.usefixtures("trusted")
def test_https_dripping_server_ends_by_the_total() -> None:
    def drip(connection: ssl.SSLSocket) -> None:
        connection.recv(65536)
        for _ in range(100):
            connection.sendall(b"H")
            time.sleep(0.05)

    with serve_tls(drip) as port, DepthClient(f"https://localhost:{port}", timeout=0.7) as client:
        start = time.monotonic()
        with pytest.raises(DeadlineExceededError):
            client.models()
        assert time.monotonic() - start < 1.2


def test_https_handshake_ends_by_the_connect_timeout(black_hole: int) -> None:
    with DepthClient(f"https://127.0.0.1:{black_hole}", timeout=0.7) as client:
        start = time.monotonic()
        with pytest.raises(ConnectError, match="timed out"):
            client.models()
        assert time.monotonic() - start < 1.2


class Statistics(service_pb2_grpc.GRPCInferenceServiceServicer):  # type: ignore[misc]
    def ModelStatistics(self, request: object, context: object) -> object:  # noqa: N802 - Triton's name
        names = ["a", "a_preprocess"]
        return service_pb2.ModelStatisticsResponse(model_stats=[service_pb2.ModelStatistics(name=n) for n in names])


def test_grpcs(authority_file: str) -> None:
    """In processes of their own: gRPC reads the list of authorities once."""
    key = CERTIFICATE.private_key_pem.bytes()
    chain = b"".join(pem.bytes() for pem in CERTIFICATE.cert_chain_pems)
    server = grpc.server(futures.ThreadPoolExecutor(2))
    service_pb2_grpc.add_GRPCInferenceServiceServicer_to_server(Statistics(), server)
    port = server.add_secure_port("127.0.0.1:0", grpc.ssl_server_credentials([(key, chain)]))
    server.start()
    code = (
        "from midas_client import DepthClient, ConnectError\n"
        f"client = DepthClient('grpcs://localhost:{port}', retries=0)\n"
        "try:\n    print(client.models())\n"
        "except ConnectError as error:\n    print('ConnectError')\n"
    )
    printed = []
    for trust in ({"GRPC_DEFAULT_SSL_ROOTS_FILE_PATH": authority_file}, {}):
        command = [sys.executable, "-c", code]
        done = subprocess.run(command, env={**os.environ, **trust}, check=True, capture_output=True, text=True)
        printed.append(done.stdout.strip())
    server.stop(0).wait(5)
    assert printed == ["['a']", "ConnectError"]
