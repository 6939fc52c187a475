"""`midas-gateway`: the gateway in the foreground."""

from __future__ import annotations

import argparse
import dataclasses
import sys
from pathlib import Path

import uvicorn

from midas_gateway.settings import Settings

DEFAULT_PORT = 8080


def main() -> int:
    """Parse the command line and serve until Ctrl-C or SIGTERM."""
    arguments = vars(_parser().parse_args())
    host, port, workers = (arguments.pop(name) for name in ("host", "port", "workers"))
    settings = Settings(**arguments)
    settings.to_environment()
    uvicorn.run(
        "midas_gateway.app:from_environment",
        factory=True,
        host=host,
        port=port,
        workers=workers,
        access_log=False,
        log_level="warning",
        server_header=False,
        timeout_graceful_shutdown=settings.stop_seconds,
    )
    return 0


def _parser() -> argparse.ArgumentParser:
    defaults = {field.name: field.default for field in dataclasses.fields(Settings)} | {"folder": Settings().folder}
    parser = argparse.ArgumentParser(
        prog="midas-gateway",
        description="Depth by an HTTP POST, and a web page for it.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on")
    parser.add_argument("--port", type=int, default=DEFAULT_PORT, help="the port to listen on")
    parser.add_argument("--workers", type=int, default=1, help="processes that share the port")
    parser.add_argument("--triton", default=defaults["triton"], help="Triton's address, as the client takes it")
    parser.add_argument(
        "--triton-health",
        default="",
        help="the launcher's --health-port, such as http://127.0.0.1:8003; else photos ask",
    )
    parser.add_argument("--folder", type=Path, default=defaults["folder"], help="where results and jobs are kept")
    return parser


if __name__ == "__main__":
    sys.exit(main())
