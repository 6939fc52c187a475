"""What is put under load: Triton with its launcher, or several behind Envoy, and a gateway. Each is started again.

/dev/shm and the gateway's folder are small file systems of their own where the user may mount them (root), so that they
can be filled without harm to anybody else.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import psutil

from benchmarks.errors import BenchmarkError
from midas_server.end_with_parent import end_with_parent
from midas_server.launch.ports import free_ports
from midas_server.launch.shared_memory import FOLDER

SHM_MB, DISK_MB = 768, 64


class Part:
    """One process that is started again when it has ended.

    Args:
        name: for the log.
        command: what is run.
        mount: a folder that becomes a file system of its own, and its megabytes; None for none.
        log: where its output goes.
    """

    def __init__(self, name: str, command: Sequence[str], mount: tuple[Path, int] | None, log: Path) -> None:
        self.name = name
        self.starts = 0
        self._command = [*_mounted(*mount), *command] if mount else list(command)
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it."""
        self.starts += 1
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=end_with_parent,  # noqa: PLW1509  (it makes one system call and takes no lock)
            )

    @property
    def ended(self) -> int | None:
        """Its exit status; None while it runs."""
        return None if self._process is None else self._process.poll()

    def processes(self) -> list[psutil.Process]:
        """It and all that it has started; none if it has ended."""
        if self._process is None or self.ended is not None:
            return []
        with suppress(psutil.NoSuchProcess):
            first = psutil.Process(self._process.pid)
            return [first, *first.children(recursive=True)]
        return []

    def root(self) -> Path:
        """The file systems as it sees them."""
        return Path(f"/proc/{self._process.pid if self._process else os.getpid()}/root")

    def stop(self) -> None:
        """Ask it to stop, and wait; kill it with what it has started if it does not."""
        if self._process is None:
            return
        left = self.processes()
        self._process.terminate()
        try:
            self._process.wait(60)
        except subprocess.TimeoutExpired:
            for each in left:
                with suppress(psutil.NoSuchProcess):
                    each.kill()
            self._process.wait()


class Installation:
    """The whole; entered, it serves.

    Args:
        repository, models: what Triton loads.
        folder: for logs and the gateway's results.
        envoy: the program, for two Tritons behind it; None for one Triton without it.

    Attributes:
        grpc: where Triton, or Envoy, takes gRPC: `host:port`.
        http: the same for HTTP.
        gateway: the gateway's address.
        health: the launchers' health ports.
        isolated: whether /dev/shm and the gateway's folder are file systems of their own.
    """

    def __init__(self, repository: Path, models: str, folder: Path, envoy: Path | None) -> None:
        http, grpc, metrics, health, web, inside, status, admin = free_ports(8)
        self.isolated = _may_mount()
        self.grpc, self.http = f"127.0.0.1:{grpc}", f"http://127.0.0.1:{http}"
        self.gateway = f"http://127.0.0.1:{web}"
        python = (sys.executable, "-m")
        loads = ("--repository", str(repository), "--models", models)
        if envoy is None:
            command = [
                *(*python, "midas_server", "serve", *loads, "--http-port", str(http), "--grpc-port", str(grpc)),
                *("--metrics-port", str(metrics), "--health-port", str(health)),
            ]
            self.health = [health]
            behind = ["--triton", self.grpc, "--triton-health", f"http://127.0.0.1:{health}"]
        else:
            first = 20000 + os.getpid() % 400 * 30  # thirty ports in a row, below those that the system gives out
            command = [
                *(*python, "deploy.scale", "serve", "--count", "2", *loads, "--envoy", str(envoy)),
                *("--http-port", str(http), "--grpc-port", str(grpc), "--inside-port", str(inside)),
                *("--status-port", str(status), "--admin-port", str(admin), "--first-port", str(first)),
            ]
            self.health = [first + 3, first + 13]
            behind = ["--triton", f"127.0.0.1:{inside}"]
        self._results = folder / "gateway"
        self._results.mkdir(parents=True, exist_ok=True)
        self.server = Part(
            "server",
            command,
            (FOLDER, SHM_MB) if self.isolated else None,
            folder / "server.log",
        )
        self.web = Part(
            "gateway",
            [
                *(*python, "midas_gateway", "--port", str(web), "--folder", str(self._results / "kept")),
                *("--keep", "600", "--drain-seconds", "0", *behind),
            ],
            (self._results, DISK_MB) if self.isolated else None,
            folder / "gateway.log",
        )

    def __enter__(self) -> "Installation":
        try:
            for part in (self.server, self.web):
                part.start()
            self._wait_until_ready(time.monotonic() + 300)
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _wait_until_ready(self, deadline: float) -> None:
        while not self.ready():
            for part in (self.server, self.web):
                if part.ended is not None:
                    raise BenchmarkError(f"the {part.name} did not start: see {part.name}.log in the soak's folder")
            if time.monotonic() > deadline:
                raise BenchmarkError("nothing was ready after five minutes: see the logs in the soak's folder")
            time.sleep(0.5)

    def stop(self) -> None:
        """End all, the gateway first."""
        for part in (self.web, self.server):
            part.stop()

    def ready(self) -> bool:
        """Whether the gateway says that a photo would be answered, and so does every launcher."""
        addresses = [f"{self.gateway}/readyz", *(f"http://127.0.0.1:{port}/readyz" for port in self.health)]
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            for address in addresses:
                opener.open(address, timeout=5).close()
        except OSError:
            return False
        return True

    def mend(self) -> list[str]:
        """Start again what has ended; returns its names."""
        ended = [part for part in (self.server, self.web) if part.ended is not None]
        for part in ended:
            part.start()
        return [part.name for part in ended]

    def tritons(self) -> list[psutil.Process]:
        """The tritonservers that run now."""
        return [each for each in self.server.processes() if role(each) == "triton"]

    def steps(self) -> list[psutil.Process]:
        """The processes of steps that run now."""
        return [each for each in self.server.processes() if role(each) == "steps"]

    def shm(self) -> Path:
        """Where shared memory lives, as the server sees it."""
        return self.server.root() / FOLDER.relative_to("/")

    def disk(self) -> Path:
        """The gateway's folder as the gateway sees it."""
        return self.web.root() / self._results.resolve().relative_to("/")


def role(process: psutil.Process) -> str:
    """What a process is for: triton, steps, envoy, gateway, or launcher for the rest; `ended` for a zombie."""
    try:
        if process.status() == psutil.STATUS_ZOMBIE:
            return "ended"
        name, command = process.name(), process.cmdline()
    except psutil.Error:
        return "ended"
    if "tritonserver" in name:
        return "triton"
    if "triton_python" in name:
        return "steps"
    if "envoy" in name:
        return "envoy"
    return "gateway" if any("midas_gateway" in word or "multiprocessing" in word for word in command) else "launcher"


def _may_mount() -> bool:
    unshare = shutil.which("unshare")
    if unshare is None or os.getuid() != 0:
        return False
    return subprocess.run([unshare, "--mount", "true"], check=False, capture_output=True).returncode == 0


def _mounted(folder: Path, megabytes: int) -> list[str]:
    """A command before another one, which then has this folder to itself."""
    script = f'mount -t tmpfs -o size={megabytes}m tmpfs "$0" && exec "$@"'
    return [str(shutil.which("unshare")), "--mount", "sh", "-c", script, str(folder)]


def signal_processes(processes: Sequence[psutil.Process], number: signal.Signals) -> int:
    """Send it to those that still run; returns how many."""
    count = 0
    for each in processes:
        with suppress(psutil.NoSuchProcess):
            each.send_signal(number)
            count += 1
    return count
