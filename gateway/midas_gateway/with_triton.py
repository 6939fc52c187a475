"""`make serve-web`: Triton on loopback, and the gateway in front of it, as two processes.

The gateway is stopped first, so that Triton can still answer what was begun; whichever ends by itself ends the other.
"""

from __future__ import annotations

import argparse
import signal
import socket
import subprocess
import sys
import time
from types import FrameType

_STOP_SECONDS = 45.0


def main() -> int:
    """Serve until Ctrl-C or SIGTERM, or until one of the two ends. Returns its status."""
    parser = argparse.ArgumentParser(description="Triton on loopback, with the gateway in front of it.")
    parser.add_argument("--repository", required=True, help="the model repository")
    parser.add_argument("--models", required=True, help="what Triton loads")
    parser.add_argument("gateway", nargs=argparse.REMAINDER, metavar="-- OPTIONS", help="options of midas-gateway")
    arguments = parser.parse_args()
    # It takes both: one asks for it, and the other allows it.
    shared = ["--allow-client-shm"] if "--shared-memory" in arguments.gateway else []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _interrupt)
    http, grpc, metrics, health = _free_ports(4)
    # Sessions of their own: Ctrl-C reaches this process, which stops them in order.
    triton = subprocess.Popen(
        [
            *(sys.executable, "-m", "midas_server", "serve"),
            *("--repository", arguments.repository, "--models", arguments.models),
            *("--http-port", str(http), "--grpc-port", str(grpc)),
            *("--metrics-port", str(metrics), "--health-port", str(health), *shared),
        ],
        start_new_session=True,
    )
    web = subprocess.Popen(
        [
            *(sys.executable, "-m", "midas_gateway"),
            *("--triton", f"127.0.0.1:{grpc}", "--triton-health", f"http://127.0.0.1:{health}"),
            *arguments.gateway[1:],
        ],
        start_new_session=True,
    )
    try:
        while triton.poll() is None and web.poll() is None:
            time.sleep(0.2)
    except KeyboardInterrupt:
        return 0
    finally:
        for process in (web, triton):
            _stop(process)
    code = triton.returncode or web.returncode or 0
    return 1 if code < 0 else code  # below 0: by a signal


def _free_ports(count: int) -> list[int]:
    """Free ports of loopback. All are held until all are known, or the same one might come twice."""
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [int(each.getsockname()[1]) for each in held]
    for each in held:
        each.close()
    return ports


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _interrupt(number: int, frame: FrameType | None) -> None:
    # Once: a second Ctrl-C would leave the processes behind.
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, signal.SIG_IGN)
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
