"""Measurements of the running service with Triton's own load generator: `python -m benchmarks`."""

import midas_server.no_telemetry  # noqa: F401
