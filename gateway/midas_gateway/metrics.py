"""GET /metrics: what the gateway counts, for Prometheus."""

from __future__ import annotations

import os

import prometheus_client
from fastapi import APIRouter
from fastapi.responses import Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.multiprocess import MultiProcessCollector

router = APIRouter()

REQUESTS = Counter("midas_gateway_requests", "Requests answered", ["route", "method", "status"])
SECONDS = Histogram(
    "midas_gateway_request_seconds",
    "From a request's first byte to the last of its answer",
    ["route"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
UPLOADS = Gauge("midas_gateway_upload_bytes", "Bytes that uploads under way hold", multiprocess_mode="livesum")
JOBS = Counter("midas_gateway_jobs", "Jobs that have ended", ["state"])


@router.get(
    "/metrics",
    response_model=None,
    responses={
        200: {"description": "Prometheus' text format.", "content": {"text/plain": {"schema": {"type": "string"}}}}
    },
    response_class=Response,
    tags=["operation"],
)
def metrics() -> Response:
    """The counts of all workers together."""
    registry: CollectorRegistry = prometheus_client.REGISTRY
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return Response(prometheus_client.generate_latest(registry), media_type=CONTENT_TYPE_LATEST)
