"""Who the server is and who calls: TLS with files of the caller's, certificates of clients, tokens, headers."""

from __future__ import annotations

import itertools
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc
import pytest

from midas_client import (
    AccessDeniedError,
    ConnectError,
    DepthClient,
    MidasClientError,
    OptionError,
    Tls,
    TransportError,
)
from tests.client.secure_servers import AUTHORITY, STATISTICS, serve_connections, serve_grpc

if TYPE_CHECKING:
    from tests.client.conftest import Connect

CALLER = AUTHORITY.issue_cert("caller@example.org")

both_protocols = pytest.mark.parametrize("protocol", ["grpc", "http"])


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("certificates")
    AUTHORITY.cert_pem.write_to_path(folder / "ca.pem")
    CALLER.cert_chain_pems[0].write_to_path(folder / "caller.pem")
    CALLER.private_key_pem.write_to_path(folder / "caller.key")
    return {name: str(folder / name) for name in ("ca.pem", "caller.pem", "caller.key")}


@contextmanager
def serve(
    protocol: str, *, certificate: bool = False, tls: bool = True, seen: list[dict[str, str]] | None = None
) -> Iterator[str]:
    """A server that without TLS turns away who has neither token nor key; gives its address.

    Args:
        protocol: grpc or http.
        certificate: whether callers need one.
        tls: whether it uses TLS.
        seen: gets the headers of each request, their names in small letters.
    """
    requests: list[dict[str, str]] = [] if seen is None else seen

    def admitted(headers: dict[str, str]) -> bool:
        requests.append(headers)
        return tls or "authorization" in headers or "x-api-key" in headers

    def admit(context: grpc.ServicerContext) -> None:
        if not admitted(dict(context.invocation_metadata())):
            context.abort(grpc.StatusCode.UNAUTHENTICATED, "who are you?")

    def answer(connection: socket.socket) -> None:
        data = b""
        while b"\r\n\r\n" not in data:
            piece = connection.recv(65536)
            if not piece:
                return
            data += piece
        lines = data.decode().split("\r\n")[1:]
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines if line)}
        known = admitted(headers)
        status, body = ("200 OK", STATISTICS) if known else ("401 Unauthorized", b'{"error":"who are you?"}')
        connection.sendall(
            f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body
        )

    server = (
        serve_grpc(admit, tls=tls, asks_for_certificate=certificate)
        if protocol == "grpc"
        else serve_connections(answer, tls=tls, asks_for_certificate=certificate)
    )
    with server as port:
        yield f"{protocol}{'s' if tls else ''}://localhost:{port}"


@both_protocols
def test_an_authority_of_ones_own(connect: Connect, protocol: str, files: dict[str, str]) -> None:
    with serve(protocol) as url:
        with connect(url, tls=Tls(ca=files["ca.pem"]), timeout=10) as client:
            assert client.models() == ["a"]
        with connect(url, retries=0, timeout=10) as client, pytest.raises(ConnectError):
            client.models()


@both_protocols
def test_a_certificate_of_the_clients(connect: Connect, protocol: str, files: dict[str, str]) -> None:
    own = Tls(ca=files["ca.pem"], certificate=files["caller.pem"], key=files["caller.key"])
    with serve(protocol, certificate=True) as url:
        with connect(url, tls=own, timeout=10) as client:
            assert client.models() == ["a"]
        with (
            connect(url, tls=Tls(ca=files["ca.pem"]), retries=0, timeout=10) as client,
            pytest.raises(TransportError),
        ):
            client.models()


@both_protocols
def test_tokens_and_headers(connect: Connect, protocol: str) -> None:
    seen: list[dict[str, str]] = []
    tokens = (f"token {number}" for number in itertools.count())
    with serve(protocol, tls=False, seen=seen) as url:
        with connect(url, token="secret", headers={"X-Tenant": "7"}, timeout=10) as client:  # noqa: S106
            assert client.models() == ["a"]
        with connect(url, headers={"X-API-Key": "0815"}, timeout=10) as client:
            assert client.models() == ["a"]
        with connect(url, token=lambda: next(tokens), timeout=10) as client:
            client.models()
            client.models()
        with connect(url, timeout=10) as client, pytest.raises(AccessDeniedError, match="token=") as caught:
            client.models()
    assert caught.value.status_code in (401, "UNAUTHENTICATED")
    # models() asks several questions; each carries the headers, and a token of its own.
    assert {headers["authorization"] for headers in seen if headers.get("x-tenant") == "7"} == {"Bearer secret"}
    assert any(headers.get("x-api-key") == "0815" for headers in seen)
    bearers = [each for each in (headers.get("authorization", "") for headers in seen) if "token" in each]
    assert len(set(bearers)) == len(bearers) >= 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"token": ""}, "The token is not a line of printable ASCII text"),
        ({"token": "secret\n"}, "Is there a newline at its end"),
        ({"headers": {"X-Key": "a\r\nX-Other: b"}}, "The header X-Key is not a line"),
        ({"headers": {"X Key": "a"}}, "'X Key' is not a header's name"),
        ({"headers": {"Content-Length": "3"}}, "Content-Length is the client's own"),
        ({"headers": {"Authorization": "Basic x"}, "token": "y"}, "Authorization is the client's own"),
        ({"tls": Tls()}, "localhost:1 does not use TLS"),
        ({"tls": "ca.pem"}, "tls is a str"),
    ],
)
def test_what_cannot_be_sent(connect: Connect, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(OptionError, match=message) as caught:
        connect("localhost:1", **arguments)
    assert "secret" not in str(caught.value)


def test_a_token_that_turns_bad(connect: Connect) -> None:
    with connect("localhost:1", token=lambda: "secret\n") as client, pytest.raises(OptionError) as caught:
        client.models()
    assert "secret" not in str(caught.value)


def test_files_that_are_no_certificates(tmp_path: Path, files: dict[str, str]) -> None:
    (tmp_path / "text").write_text("hello")
    for wrong, message in (
        ({"ca": tmp_path / "none.pem"}, "cannot be read: No such file"),
        ({"ca": tmp_path / "text"}, "is not a PEM file"),
        ({"certificate": files["caller.pem"]}, "belong together"),
    ):
        with pytest.raises(OptionError, match=message):
            Tls(**wrong)


@both_protocols
def test_a_key_of_another_certificate(connect: Connect, protocol: str, files: dict[str, str], tmp_path: Path) -> None:
    other = tmp_path / "other.key"
    AUTHORITY.issue_cert("other@example.org").private_key_pem.write_to_path(other)
    own = Tls(ca=files["ca.pem"], certificate=files["caller.pem"], key=other)
    with (
        serve(protocol, certificate=True) as url,
        pytest.raises(MidasClientError),
        connect(url, tls=own, retries=0, timeout=5) as client,
    ):
        client.models()


def test_secrets_are_not_shown() -> None:
    with DepthClient("localhost:1", token="secret", headers={"X-API-Key": "secret"}) as client:  # noqa: S106
        transport = client._transport
        assert "secret" not in repr([client, vars(client), transport, vars(transport)])
