"""Small servers over TLS, or without, with certificates from an authority that lasts as long as the test run."""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from concurrent import futures
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path

import grpc
import trustme
from tritonclient.grpc import service_pb2, service_pb2_grpc

AUTHORITY = trustme.CA()
CERTIFICATE = AUTHORITY.issue_cert("localhost", "127.0.0.1")

# What Triton says of an ensemble "a", over HTTP and over gRPC.
STATISTICS = b'{"model_stats":[{"name":"a"},{"name":"a_preprocess"},{"name":"postprocess"}]}'
NAMES = ["a", "a_preprocess"]


@contextmanager
def serve_connections(
    handle: Callable[[socket.socket], None], *, tls: bool = True, asks_for_certificate: bool = False
) -> Iterator[int]:
    """A server on a free port; handle gets each connection, with TLS those whose handshake went well, one at a time."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    CERTIFICATE.configure_cert(context)
    if asks_for_certificate:
        context.verify_mode = ssl.CERT_REQUIRED
        AUTHORITY.configure_trust(context)
    listener = socket.create_server(("127.0.0.1", 0))

    def accept() -> None:
        while True:
            try:
                connection = listener.accept()[0]
            except OSError:
                return
            # It fails where the client does not trust the certificate, has none itself, or has given up.
            with (
                contextlib.suppress(OSError),
                context.wrap_socket(connection, server_side=True) if tls else connection as opened,
            ):
                handle(opened)

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)


@contextmanager
def serve_grpc(
    admit: Callable[[grpc.ServicerContext], None], *, tls: bool = True, asks_for_certificate: bool = False
) -> Iterator[int]:
    """A server on a free port that answers statistics to those whom admit does not turn away with `abort`."""
    server = grpc.server(futures.ThreadPoolExecutor(2))
    service_pb2_grpc.add_GRPCInferenceServiceServicer_to_server(_Statistics(admit), server)
    key = CERTIFICATE.private_key_pem.bytes()
    chain = b"".join(pem.bytes() for pem in CERTIFICATE.cert_chain_pems)
    credentials = grpc.ssl_server_credentials(
        [(key, chain)], AUTHORITY.cert_pem.bytes() if asks_for_certificate else None, asks_for_certificate
    )
    port = server.add_secure_port("127.0.0.1:0", credentials) if tls else server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield port
    finally:
        server.stop(0).wait(5)


@contextmanager
def serve_tls_before(address: str, folder: Path) -> Iterator[int]:
    """A process that takes TLS off every connection, HTTP/2 too, and passes the rest on to a server at host:port.

    A process of its own, so that nothing of it is copied by a fork. The folder takes the certificate's file.
    """
    certificate = folder / "certificate.pem"
    CERTIFICATE.private_key_and_cert_chain_pem.write_to_path(certificate)
    start = multiprocessing.get_context("spawn")
    here, there = start.Pipe()
    process = start.Process(target=_take_tls_off, args=(address, certificate, there), daemon=True)
    process.start()
    there.close()
    try:
        yield here.recv()
    finally:
        process.kill()
        process.join()


def _take_tls_off(address: str, certificate: Path, started: Connection) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    context.set_alpn_protocols(["h2", "http/1.1"])
    host, _, port = address.rpartition(":")

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        writer.close()

    async def connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        behind, to_behind = await asyncio.open_connection(host, int(port))
        await asyncio.gather(pass_on(reader, to_behind), pass_on(behind, writer))

    async def run() -> None:
        server = await asyncio.start_server(connect, "127.0.0.1", 0, ssl=context)
        started.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(run())


class _Statistics(service_pb2_grpc.GRPCInferenceServiceServicer):  # type: ignore[misc]
    def __init__(self, admit: Callable[[grpc.ServicerContext], None]) -> None:
        self._admit = admit

    def ModelStatistics(self, request: object, context: grpc.ServicerContext) -> object:  # noqa: N802 - Triton's name
        self._admit(context)
        return service_pb2.ModelStatisticsResponse(model_stats=[service_pb2.ModelStatistics(name=n) for n in NAMES])
