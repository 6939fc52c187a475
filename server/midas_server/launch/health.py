"""Tells over HTTP whether every step answers, which Triton 24.10 does not know; `midas-server health` asks.

GET /readyz    200 when requests would be answered, else 503; the body says which step is dead or hangs. 503 also where
               the server is about to stop: it answers what it gets, and should get no more
GET /healthz   200 as long as the launcher runs: it starts a server that crashes again, and replaces steps
GET /metrics   the same for Prometheus
"""

import json
import socketserver
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from midas_server.launch.launcher_metrics import CONTENT_TYPE, exposition
from midas_server.launch.readiness import StartFailed


@dataclass(frozen=True)
class ServerHealth:
    """The state of a server and its steps.

    Attributes:
        server: `starting`, `ready`, or `not ready`: Triton's own word; or `stopping`.
        faults: by step what is wrong with it, None where it answers.
        replacements: by step how often it was replaced.
        starts: how many servers the launcher has started.
    """

    server: str
    faults: Mapping[str, str | None]
    replacements: Mapping[str, int] = field(default_factory=dict)
    starts: int = 0

    @property
    def ready(self) -> bool:
        """Whether requests would be answered."""
        return self.server == "ready" and not any(self.faults.values())

    def to_json(self) -> str:
        """What `/readyz` answers: `ready`, `server`, and of each step its `state` and how often it was `replaced`."""
        steps = {
            step: {"state": fault or "answers", "replaced": self.replacements.get(step, 0)}
            for step, fault in sorted(self.faults.items())
        }
        return json.dumps({"ready": self.ready, "server": self.server, "steps": steps})

    def to_metrics(self) -> str:
        """What `/metrics` answers."""
        return exposition(
            ready=self.server == "ready", starts=self.starts, faults=self.faults, replaced=self.replacements
        )


@contextmanager
def serve_health(host: str, port: int, ask: Callable[[], ServerHealth]) -> Iterator[int]:
    """Answer until the context is left; yields the port.

    Raises:
        StartFailed: the port cannot be used.
    """
    handler = type("Handler", (_Handler,), {"ask": staticmethod(ask)})
    try:
        server = _Server((host, port), handler)
    except OSError as error:
        raise StartFailed(
            f"{host}:{port} cannot be used for health_port ({error.strerror}): stop what listens there, or choose "
            "another (--health-port)"
        ) from None
    threading.Thread(target=server.serve_forever, name="health", daemon=True).start()
    try:
        yield int(server.server_address[1])
    finally:
        server.shutdown()
        server.server_close()


def ask_health(url: str) -> tuple[bool, str]:
    """Whether the launcher there says that it is ready, and its words or why there are none."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # not by way of the environment's proxy
    try:
        with opener.open(f"{url.rstrip('/')}/readyz", timeout=4) as response:
            words = response.read().decode(errors="replace")
    except urllib.error.HTTPError as error:
        return False, error.read().decode(errors="replace")
    except (OSError, ValueError) as error:
        return False, f"no answer from {url}: {error}"
    with suppress(ValueError, TypeError, KeyError):
        return json.loads(words)["ready"] is True, words
    return False, f"{url} answers, but is not the launcher: its port is that of --health-port"


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def server_bind(self) -> None:
        socketserver.TCPServer.server_bind(self)  # HTTPServer's asks the name service for the host's name, and waits

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A probe that has waited long enough hangs up, which is nobody's fault: Envoy's waits half a second."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    ask: Callable[[], ServerHealth]
    timeout = 5  # for a caller that connects and says nothing

    def do_GET(self) -> None:
        if self.path == "/metrics":
            self._answer(200, self.ask().to_metrics(), CONTENT_TYPE)
        elif self.path == "/healthz":
            self._answer(200, '{"alive": true}')
        elif self.path == "/readyz":
            health = self.ask()
            self._answer(200 if health.ready else 503, health.to_json())
        else:
            self._answer(404, '{"error": "there are /readyz, /healthz and /metrics"}')

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: probes come every few seconds."""

    def _answer(self, status: int, text: str, kind: str = "application/json") -> None:
        body = f"{text.rstrip()}\n".encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
