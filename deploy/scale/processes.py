"""The processes of a fleet: a launcher with its Triton, and Envoy. They end when the process that started them does."""

import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from deploy.scale.configuration import LOOPBACK, Addresses
from midas_server.end_with_parent import end_with_parent

# After a launcher that ended by itself soon after its start: twice as long each time.
FIRST_PAUSE, LONGEST_PAUSE, LASTING = 1.0, 30.0, 60.0


@dataclass(frozen=True)
class Ports:
    """Those of one Triton, all on loopback."""

    http: int
    grpc: int
    metrics: int
    health: int


class Member:
    """One launcher with its Triton, which is started again whenever it has ended.

    Args:
        name: for messages.
        ports: where it listens.
        command: of `midas-server serve`, without its ports.
    """

    def __init__(self, name: str, ports: Ports, command: Sequence[str]) -> None:
        self.name = name
        self.ports = ports
        self.addresses = Addresses(LOOPBACK, ports.http, ports.grpc, ports.health)
        self._command = [
            *(sys.executable, "-m", "midas_server", "serve", "--host", LOOPBACK),
            *("--http-port", str(ports.http), "--grpc-port", str(ports.grpc)),
            *("--metrics-port", str(ports.metrics), "--health-port", str(ports.health), *command),
        ]
        self._pause = 0.0
        self._start_at = 0.0  # while it has ended: when the next one starts
        self._process: subprocess.Popen[bytes] | None = None
        self._asked = False  # to stop
        self.starts = 0

    @property
    def status(self) -> int | None:
        """What it ended with; None while it runs."""
        return None if self._process is None else self._process.poll()

    def start(self) -> None:
        """Start it; it takes some seconds to be ready."""
        self.starts += 1
        self._started = time.monotonic()
        self._asked = False
        self._process = started(self._command, stdout=subprocess.DEVNULL)  # what it announces is not for callers

    def ask_to_stop(self) -> None:
        """Its readiness falls, it finishes what it has, and ends."""
        self._asked = True
        if self._process is not None:
            self._process.terminate()

    def stop(self, patience: float) -> None:
        """Wait until it has ended; it is killed if that takes longer than this many seconds."""
        if self._process is not None:
            ended(self._process, patience)

    def tend(self) -> str | None:
        """Start it again if it has ended; what there is to say, if anything."""
        if self.status is None:
            return None
        now = time.monotonic()
        if self._start_at == 0.0:
            soon = not self._asked and now - self._started < LASTING
            self._pause = min(max(FIRST_PAUSE, 2 * self._pause), LONGEST_PAUSE) if soon else 0.0
            self._start_at = now + self._pause
            return None if self._asked else f"{self.name} ended by itself with status {self.status}: another is started"
        if now >= self._start_at:
            self._start_at = 0.0
            self.start()
        return None


class Envoy:
    """The proxy, and what its admin port tells and does."""

    def __init__(self, binary: str, config: Path, admin: int) -> None:
        self._command = [binary, "-c", str(config), "--disable-hot-restart", "--log-level", "warning"]
        # At a stop: connections are closed one by one as their answers are sent.
        self._command += ["--drain-time-s", "1", "--drain-strategy", "immediate"]
        self._admin = f"http://{LOOPBACK}:{admin}"
        self._open = urllib.request.build_opener(urllib.request.ProxyHandler({})).open
        self._process: subprocess.Popen[bytes] | None = None
        self._started = 0.0

    def start(self) -> None:
        """Start it."""
        self._started = time.monotonic()
        self._process = started(self._command)

    def tend(self) -> str | None:
        """Start it again if it has ended, at most once a second; what there is to say, if anything."""
        if self.status is None or time.monotonic() - self._started < FIRST_PAUSE:
            return None
        said = f"Envoy ended by itself with status {self.status}: another is started"
        self.start()
        return said

    @property
    def status(self) -> int | None:
        """What it ended with; None while it runs."""
        return None if self._process is None else self._process.poll()

    def validate(self) -> str:
        """What is wrong with the configuration, in Envoy's words; empty if nothing is."""
        done = subprocess.run([*self._command, "--mode", "validate"], capture_output=True, text=True, check=False)
        return "" if done.returncode == 0 else done.stderr.strip().splitlines()[-1]

    def healthy(self, cluster: str) -> set[int]:
        """The ports of a cluster's hosts that get photos now."""
        try:
            clusters = json.loads(self._ask("/clusters?format=json"))["cluster_statuses"]
        except (OSError, ValueError):
            return set()
        return {
            int(host["address"]["socket_address"]["port_value"])
            for each in clusters
            if each["name"] == cluster
            for host in each.get("host_statuses", ())
            # True is only written for what keeps photos away.
            if not any(value is True for value in host["health_status"].values())
        }

    def drain(self, patience: float) -> None:
        """Take no new connections, and wait until what is under way is answered, or for so many seconds."""
        deadline = time.monotonic() + patience
        if self._process is None or self.status is not None:
            return  # what listens on the admin port is somebody else's
        try:
            self._ask("/healthcheck/fail", b"")
            self._ask("/drain_listeners?graceful&skip_exit", b"")
            while time.monotonic() < deadline and self._under_way():
                time.sleep(0.1)
        except OSError:
            return  # it has ended

    def stop(self) -> None:
        """End it at once."""
        if self._process is not None:
            self._process.terminate()
            ended(self._process, 5)

    def _under_way(self) -> bool:
        lines = self._ask("/stats?filter=^http\\.(http|grpc)\\.downstream_rq_active$").splitlines()
        return any(line.rpartition(": ")[2] != "0" for line in lines)

    def _ask(self, path: str, body: bytes | None = None) -> str:
        with self._open(f"{self._admin}{path}", body, timeout=5) as answer:
            return str(answer.read().decode())


def started(
    command: Sequence[str], stdout: int | IO[bytes] | None = None, stderr: IO[bytes] | None = None
) -> "subprocess.Popen[bytes]":
    """Start a process that ends with this one."""
    # Sessions of their own: Ctrl-C reaches this process, which stops them in order.
    return subprocess.Popen(
        list(command),
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=stderr,
        start_new_session=True,
        preexec_fn=end_with_parent,  # noqa: PLW1509  (it makes one system call and takes no lock)
    )


def ended(process: "subprocess.Popen[bytes]", patience: float) -> None:
    """Wait until a process has ended, and kill it if that takes longer than so many seconds."""
    try:
        process.wait(patience)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
