"""Traces, by W3C's traceparent: passed on to Triton, with the extra `otel` by way of a span of the gateway's own."""

from __future__ import annotations

import re

from fastapi import Request
from opentelemetry.propagate import inject
from starlette.types import ASGIApp

_TRACEPARENT = re.compile(r"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")


def trace_headers(request: Request) -> dict[str, str]:
    """The headers by which Triton's spans become children of the request's own, or of its caller's."""
    headers: dict[str, str] = {}
    inject(headers)
    given = request.headers.get("traceparent", "")
    if "traceparent" not in headers and _TRACEPARENT.fullmatch(given):
        headers["traceparent"] = given
    return headers


def traced(app: ASGIApp, collector: str) -> ASGIApp:
    """The app with a span for each request, sent to a collector by OTLP over HTTP.

    Args:
        app: the gateway.
        collector: where spans go, such as http://127.0.0.1:4318/v1/traces.

    Raises:
        ImportError: the extra `otel` is not installed.
    """
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415
    from opentelemetry.instrumentation.asgi import OpenTelemetryMiddleware  # noqa: PLC0415
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415

    provider = TracerProvider(resource=Resource.create({"service.name": "midas-gateway"}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(collector)))
    # Parts of an answer are no work of their own.
    wrapped: ASGIApp = OpenTelemetryMiddleware(app, tracer_provider=provider, exclude_spans=["receive", "send"])
    return wrapped
