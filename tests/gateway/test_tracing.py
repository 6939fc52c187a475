"""A request under one id, and in one trace: from its caller, by the gateway, to Triton."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import grpc
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from tritonclient.grpc import service_pb2, service_pb2_grpc

from tests.gateway import http
from tests.gateway.conftest import StartGateway, until

TRACE = "0af7651916cd43dd8448eb211c80319c"
CALLER = "b7ad6b7169203331"
HEADERS = {"traceparent": f"00-{TRACE}-{CALLER}-01", "X-Request-ID": "order-17", "Content-Type": "image/jpeg"}
PHOTO = b"\xff\xd8\xff of a photo"


class Listener(service_pb2_grpc.GRPCInferenceServiceServicer):  # type: ignore[misc]
    """Stands where Triton does, and notes what it is asked with: Triton shows no caller what has come to it."""

    def __init__(self) -> None:
        self.asked: list[tuple[service_pb2.ModelInferRequest, dict[str, str]]] = []

    def ModelInfer(self, request: service_pb2.ModelInferRequest, context: Any) -> None:  # noqa: N802
        self.asked.append((request, dict(context.invocation_metadata())))
        context.abort(grpc.StatusCode.INVALID_ARGUMENT, "this is nothing but a listener")


class Collector(ThreadingHTTPServer):
    """Takes spans by OTLP over HTTP."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Export)
        self.spans: list[Span] = []


class _Export(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        told = ExportTraceServiceRequest.FromString(self.rfile.read(int(self.headers["Content-Length"])))
        for resource in told.resource_spans:
            for scope in resource.scope_spans:
                self.server.spans += scope.spans
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as started:
        threading.Thread(target=started.serve_forever, daemon=True).start()
        yield started
        started.shutdown()


@pytest.fixture
def listener() -> Iterator[tuple[Listener, str]]:
    listening = Listener()
    server = grpc.server(ThreadPoolExecutor(2))
    service_pb2_grpc.add_GRPCInferenceServiceServicer_to_server(listening, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield listening, f"127.0.0.1:{port}"
    server.stop(None)


def test_triton_gets_the_id_and_the_callers_trace(start_gateway: StartGateway, listener: tuple[Listener, str]) -> None:
    listening, address = listener
    with start_gateway(triton_url=address) as gateway:
        http.post(f"{gateway.url}/predict", data=PHOTO, headers=HEADERS)
        # What is no traceparent goes no further.
        http.post(f"{gateway.url}/predict", data=PHOTO, headers={**HEADERS, "traceparent": "00-x"})
    (request, metadata), (_, other) = listening.asked
    assert request.id == "order-17"
    assert metadata["traceparent"] == HEADERS["traceparent"]
    assert "traceparent" not in other


def test_the_gateways_own_span_lies_between_caller_and_triton(
    start_gateway: StartGateway, listener: tuple[Listener, str], collector: Collector
) -> None:
    listening, address = listener
    url = f"http://127.0.0.1:{collector.server_address[1]}/v1/traces"
    with start_gateway("--otlp", url, triton_url=address) as gateway:
        http.post(f"{gateway.url}/predict", data=PHOTO, headers=HEADERS)
        gateway.stop()
    span = until(lambda: next((each for each in collector.spans if each.trace_id.hex() == TRACE), None))
    assert span.parent_span_id.hex() == CALLER
    assert listening.asked[0][1]["traceparent"] == f"00-{TRACE}-{span.span_id.hex()}-01"
