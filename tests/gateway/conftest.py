"""What the gateway's tests share: real gateways, each a process of its own, in front of the real Triton."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests

from midas_server.launch import Triton
from tests.gateway import http


class Gateway:
    """A running gateway.

    Attributes:
        url: where it serves.
        folder: what it keeps on disk.
        process: of its command.
        lines: of its access log, so far.
    """

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.folder = folder
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", "midas_gateway", "--port", "0", "--folder", str(folder)),
                *("--drain-seconds", "0", *arguments),
            ],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        first = self.process.stdout.readline()
        assert "http://" in first, f"it did not start: {self.process.wait(5)}"
        self.url = f"http://{first.split('http://')[1].strip()}"
        self.lines: list[str] = []
        # A log that nobody reads would fill the pipe and stop the gateway.
        threading.Thread(target=self._read, daemon=True).start()
        # On a machine that is busy with other tests it takes a while to import everything.
        until(lambda: _answers(f"{self.url}/healthz"), seconds=120)

    def log_of(self, request_id: str) -> dict[str, Any]:
        """The line of a request in the access log."""

        def line() -> dict[str, Any] | None:
            lines = [json.loads(line) for line in self.lines]
            return next((line for line in lines if line["request_id"] == request_id), None)

        found: dict[str, Any] = until(line)
        return found

    def memory(self) -> int:
        """Bytes in memory of all of its processes."""
        process = psutil.Process(self.process.pid)
        return sum(int(each.memory_info().rss) for each in (process, *process.children(recursive=True)))

    def stop(self) -> int:
        """Stop it in order. Returns its exit status."""
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(40)
        finally:
            self.process.kill()

    def kill(self) -> None:
        """End it at once, and its workers, which would go on without it."""
        workers = psutil.Process(self.process.pid).children(recursive=True)
        self.process.kill()
        self.process.wait()
        for worker in workers:
            with suppress(psutil.NoSuchProcess):
                worker.kill()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line)


def until(state: Callable[[], Any], seconds: float = 30) -> Any:
    """What state() gives as soon as it is true."""
    deadline = time.monotonic() + seconds
    while not (found := state()):
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.02)
    return found


def _answers(url: str) -> bool:
    try:
        return http.get(url).ok
    except requests.ConnectionError:
        return False


StartGateway = Callable[..., Any]


@pytest.fixture(scope="session")
def start_gateway(triton: Triton, tmp_path_factory: pytest.TempPathFactory) -> StartGateway:
    """A context manager: a gateway of its own in front of the shared Triton, with these arguments."""

    @contextmanager
    def start(*arguments: str, folder: Path | None = None, triton_url: str = "") -> Iterator[Gateway]:
        gateway = Gateway(
            folder or tmp_path_factory.mktemp("gateway"),
            *("--triton", triton_url or triton.grpc_url, *arguments),
        )
        try:
            yield gateway
        finally:
            if gateway.process.poll() is None:
                gateway.kill()

    return start


@pytest.fixture(scope="session")
def gateway(start_gateway: StartGateway) -> Iterator[Gateway]:
    """One gateway for all tests that only ask."""
    with start_gateway() as running:
        yield running
