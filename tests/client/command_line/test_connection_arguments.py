"""Which server, and who asks: addresses, tokens, headers, certificates."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
import trustme

from midas_client._cli import main

STATISTICS = b'{"model_stats":[{"name":"a"},{"name":"a_preprocess"},{"name":"postprocess"}]}'
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s" % (len(STATISTICS), STATISTICS)


@pytest.fixture
def heard() -> list[str]:
    """What the server was sent."""
    return []


@pytest.fixture
def port(serve_sockets: Callable[..., AbstractContextManager[int]], heard: list[str]) -> Iterator[int]:
    def answer(connection: socket.socket, _number: int) -> None:
        heard.append(connection.recv(65536).decode().lower())
        connection.sendall(ANSWER)
        connection.close()

    with serve_sockets(answer) as port:
        yield port


def test_from_the_environment(port: int, heard: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIDAS_URL", f"http://127.0.0.1:{port}")
    assert main(["models"]) == 0
    assert "authorization" not in heard[-1]
    monkeypatch.setenv("MIDAS_TOKEN", "sesame")
    assert main(["models"]) == 0
    assert "authorization: bearer sesame\r\n" in heard[-1]


def test_from_the_command_line(
    port: int, heard: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MIDAS_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("MIDAS_TOKEN", "sesame")
    (tmp_path / "token").write_text("swordfish\n")
    (tmp_path / "headers").write_text("X-API-Key: 42\n\nX-Tenant: blue : green\n")
    arguments = ["--token-file", str(tmp_path / "token"), "--header", f"@{tmp_path / 'headers'}"]
    assert main(["models", "--url", f"http://127.0.0.1:{port}", *arguments, "--header", "X-Trace:7"]) == 0
    for line in ("authorization: bearer swordfish", "x-api-key: 42", "x-tenant: blue : green", "x-trace: 7"):
        assert f"{line}\r\n" in heard[-1]
    assert capsys.readouterr().out == "a\n"


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--token-file", "missing"], "--token-file missing cannot be read: No such file"),
        (["--token-file", "empty"], "is empty"),
        (["--token-file", "binary"], "not a text file"),
        (["--header", "secret"], "no colon"),
        (["--header", "@missing"], "--header missing cannot be read"),
        (["--header", "X Y: 1"], "not a header's name"),
        (["--header", "Host: example.org"], "client's own"),
        (["--ca", "empty"], "PEM"),
        (["--ca", "missing"], "cannot be read"),
        (["--cert", "certificate.pem"], "belong together"),
        (["--ca", "certificate.pem"], "does not use TLS"),
    ],
)
def test_wrong_arguments(
    arguments: list[str],
    reason: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("empty").touch()
    Path("binary").write_bytes(b"\xff\xfe\xff")
    Path("certificate.pem").write_text("-----BEGIN CERTIFICATE-----\n")
    assert main(["models", *arguments]) == 2
    errors = capsys.readouterr().err
    assert reason in errors
    assert "secret" not in errors


def test_tls_files(dead_port: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """They reach the client, which is tested with them elsewhere; a wrong one is a wrong command line."""
    authority = trustme.CA()
    certificate = authority.issue_cert("me")
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    certificate.cert_chain_pems[0].write_to_path(tmp_path / "me.pem")
    certificate.private_key_pem.write_to_path(tmp_path / "key.pem")
    files = ["--ca", tmp_path / "ca.pem", "--cert", tmp_path / "me.pem", "--key", tmp_path / "key.pem"]
    arguments = ["models", "--timeout", "3", *map(str, files)]
    assert main([*arguments, "--url", f"https://127.0.0.1:{dead_port}"]) == 1
    assert "No connection to" in capsys.readouterr().err
