"""TLS over both protocols, with the authorities that the machine trusts."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from midas_client import ConnectError, DeadlineExceededError, DepthClient
from tests.client.secure_servers import AUTHORITY, STATISTICS, serve_connections, serve_grpc


def answer_twice(connection: socket.socket) -> None:
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
    with serve_connections(answer_twice) as port, DepthClient(f"https://localhost:{port}", timeout=5) as client:
        assert client.models() == ["a"]
        assert client.models() == ["a"]


def test_https_refuses_a_certificate_that_nobody_vouches_for() -> None:
    with (
        serve_connections(answer_twice) as port,
        DepthClient(f"https://localhost:{port}", retries=0) as client,
        pytest.raises(ConnectError, match="certificate"),
    ):
        client.models()


@pytest.mark.usefixtures("trusted")
def test_https_dripping_server_ends_by_the_total() -> None:
    def drip(connection: socket.socket) -> None:
        connection.recv(65536)
        for _ in range(400):  # 20 seconds
            connection.sendall(b"H")
            time.sleep(0.05)

    with serve_connections(drip) as port, DepthClient(f"https://localhost:{port}", timeout=0.7) as client:
        start = time.monotonic()
        with pytest.raises(DeadlineExceededError):
            client.models()
        assert time.monotonic() - start < 10


def test_https_handshake_ends_by_the_connect_timeout(black_hole: int) -> None:
    with DepthClient(f"https://127.0.0.1:{black_hole}", timeout=0.7) as client:
        start = time.monotonic()
        with pytest.raises(ConnectError, match="timed out"):
            client.models()
        assert time.monotonic() - start < 10


def test_grpcs(authority_file: str) -> None:
    """In processes of their own: gRPC reads the list of authorities once."""
    printed = []
    with serve_grpc(lambda context: None) as port:
        code = (
            "from midas_client import DepthClient, ConnectError\n"
            f"client = DepthClient('grpcs://localhost:{port}', retries=0)\n"
            "try:\n    print(client.models())\n"
            "except ConnectError as error:\n    print('ConnectError')\n"
        )
        for trust in ({"GRPC_DEFAULT_SSL_ROOTS_FILE_PATH": authority_file}, {}):
            command = [sys.executable, "-c", code]
            done = subprocess.run(command, env={**os.environ, **trust}, check=True, capture_output=True, text=True)
            printed.append(done.stdout.strip())
    assert printed == ["['a']", "ConnectError"]
