"""Limits that fire before memory: too large, too slow, too many at once."""

from __future__ import annotations

import io
import socket
import time
import zlib
from collections.abc import Iterator
from contextlib import suppress
from urllib.parse import urlsplit

import psutil
import pytest
import requests

from tests.gateway import http
from tests.gateway.conftest import Gateway, StartGateway, until
from tests.gateway.test_predict import refused

MB = 1_000_000
HEAD = (
    "POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: image/jpeg\r\nTransfer-Encoding: chunked\r\n"
    "X-Request-ID: {}\r\n\r\n"
)


def connect(gateway: Gateway) -> socket.socket:
    target = urlsplit(gateway.url)
    return socket.create_connection((target.hostname or "", target.port or 0), timeout=30)


def chunk(data: bytes) -> bytes:
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


def status_of(connection: socket.socket) -> int:
    """The status of the answer, or 0 where the connection was cut."""
    try:
        line = connection.makefile("rb").readline()
    except ConnectionError:
        return 0
    return int(line.split()[1]) if line else 0


def test_a_declared_length_is_refused_before_a_byte_is_read(gateway: Gateway) -> None:
    with connect(gateway) as connection:
        connection.sendall(
            b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: image/jpeg\r\nContent-Length: 100000000\r\n\r\n"
        )
        assert status_of(connection) == 413


def test_a_chunked_body_of_100_mb_is_cut_off_at_the_limit(gateway: Gateway) -> None:
    before = gateway.memory()
    sent = 0
    with connect(gateway) as connection:
        connection.sendall(HEAD.format("cut-off").encode())
        try:
            while sent < 100 * MB:
                connection.sendall(chunk(bytes(MB)))
                sent += MB
        except ConnectionError:
            pass
    assert sent < 50 * MB  # the limit of 32 MB, and what the system's buffers hold
    assert gateway.log_of("cut-off")["status"] == 413
    assert gateway.memory() - before < 80 * MB


def test_a_form_is_cut_off_too(gateway: Gateway) -> None:
    def form() -> Iterator[bytes]:
        yield b'--x\r\nContent-Disposition: form-data; name="image"; filename="a.jpg"\r\n\r\n'
        for _ in range(60):
            yield bytes(MB)

    headers = {"Content-Type": "multipart/form-data; boundary=x", "X-Request-ID": "form-cut-off"}
    # The answer comes while the caller still sends; not every library then looks at it.
    with suppress(requests.ConnectionError):
        refused(http.post(f"{gateway.url}/predict", data=form(), headers=headers), 413)
    assert gateway.log_of("form-cut-off")["status"] == 413


def test_a_slow_upload_ends(start_gateway: StartGateway) -> None:
    with start_gateway("--upload-seconds", "0.5") as slow, connect(slow) as connection:
        connection.sendall(HEAD.format("slow").encode() + chunk(b"\xff\xd8\xff"))
        assert status_of(connection) == 408


def test_all_uploads_share_one_memory(start_gateway: StartGateway, photo: bytes) -> None:
    with start_gateway("--upload-memory", str(3 * MB)) as small:
        held = [connect(small) for _ in range(3)]
        try:
            for number, connection in enumerate(held):
                connection.sendall(HEAD.format(f"held-{number}").encode() + chunk(bytes(900_000)))
            until(lambda: gauge(small) == 2_700_000)
            answer = http.post(f"{small.url}/predict", data=bytes(MB), headers={"Content-Type": "image/jpeg"})
            refused(answer, 503)
            assert answer.headers["retry-after"]
        finally:
            for connection in held:
                connection.close()
        # What is given up is free again.
        until(lambda: gauge(small) == 0)
        assert http.post(f"{small.url}/predict", files={"image": photo}).ok


def gauge(gateway: Gateway) -> float:
    """The bytes that uploads hold, by the gateway's own count."""
    lines = http.get(f"{gateway.url}/metrics").text.splitlines()
    return float(next(line.split()[1] for line in lines if line.startswith("midas_gateway_upload_bytes")))


def test_a_picture_of_many_pixels_in_a_small_file(gateway: Gateway) -> None:
    side = 30_000
    rows = zlib.compressobj(9)
    packed = b"".join(rows.compress(bytes(side // 8 + 1)) for _ in range(side)) + rows.flush()

    def part(kind: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")

    header = side.to_bytes(4, "big") * 2 + b"\x01\0\0\0\0"
    bomb = b"\x89PNG\r\n\x1a\n" + part(b"IHDR", header) + part(b"IDAT", packed) + part(b"IEND", b"")
    assert len(bomb) < MB
    assert "pixels" in refused(http.post(f"{gateway.url}/predict", files={"image": bomb}), 400)["message"]


def test_tiny_chunks_never_reach_triton(gateway: Gateway, photo: bytes) -> None:
    # Triton up to 25.06 dies of a body in very many small chunks; what the gateway sends it is in one piece.
    with connect(gateway) as connection:
        connection.sendall(HEAD.format("tiny").encode())
        small = io.BytesIO()
        for at in range(len(photo)):
            small.write(chunk(photo[at : at + 1]))
        connection.sendall(small.getvalue() + b"0\r\n\r\n")
        assert status_of(connection) == 200
    assert http.get(f"{gateway.url}/readyz").ok


@pytest.mark.long
def test_a_thousand_slow_uploads(gateway: Gateway, photo: bytes) -> None:
    http.post(f"{gateway.url}/predict", files={"image": photo})
    before = gateway.memory()
    most = 0
    held: list[socket.socket] = []
    temporary = set(gateway.folder.rglob("*"))
    try:
        for number in range(1000):
            connection = connect(gateway)
            connection.sendall(HEAD.format(f"many-{number}").encode())
            held.append(connection)
        for _ in range(4):
            for connection in held:
                try:
                    connection.sendall(chunk(bytes(200_000)))
                except OSError:
                    continue
            most = max(most, gateway.memory())
        files = [file.path for file in psutil.Process(gateway.process.pid).open_files()]
        assert not [path for path in files if "jobs" not in path and "sqlite" not in path]
        assert most - before < 150 * MB, f"{(most - before) / MB:.0f} MB"
        print(f"1000 slow uploads: {(most - before) / MB:.0f} MB more")
    finally:
        for connection in held:
            connection.close()
    assert {path for path in gateway.folder.rglob("*") if path.suffix != ".png"} <= temporary
    until(lambda: gauge(gateway) == 0)
    started = time.monotonic()
    assert http.post(f"{gateway.url}/predict", files={"image": photo}).ok
    print(f"a photo after it: {time.monotonic() - started:.2f} s")
