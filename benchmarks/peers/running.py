"""A peer while it runs: started, waited for, and stopped with everything that it started."""

import contextlib
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from types import TracebackType

import psutil

from benchmarks.errors import BenchmarkError
from benchmarks.load.http_clients import Request, answer_of
from midas_server.end_with_parent import end_with_parent

START_TIMEOUT_S = 120.0
STOP_TIMEOUT_S = 5.0

_QUIET_SHARE = 0.25
_QUIET_WITHIN_S = 15.0


class Running:
    """A program that serves HTTP, in a `with` statement: entering waits until it answers, leaving stops it.

    Args:
        name: for messages.
        command: what starts it.
        variables: what it has in its environment beside ours.
        request: what it is to answer with 200.
        folder: its working directory.

    Raises:
        BenchmarkError: on entering, when it does not come up; with the last lines that it wrote.
    """

    def __init__(
        self, name: str, command: Sequence[str], variables: Mapping[str, str], request: Request, folder: str
    ) -> None:
        self.request = request
        self.answer = b""
        """The first answer's body."""
        self._name = name
        self._command = list(command)
        self._variables = {**os.environ, **variables}
        self._folder = folder
        self._resources = contextlib.ExitStack()
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "Running":
        try:
            self._start()
        except BaseException:
            self._resources.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._resources.close()

    def cpu_seconds(self) -> float:
        """Return what its processes have taken of the processor so far."""
        assert self._process is not None
        return cpu_seconds(self._process.pid)

    def _start(self) -> None:
        log = self._resources.enter_context(tempfile.TemporaryFile())  # noqa: SIM115  (closed by the stack)
        self._process = subprocess.Popen(
            self._command,
            cwd=self._folder,
            env=self._variables,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            # Ctrl-C is for the benchmark, which stops it in order.
            start_new_session=True,
            preexec_fn=end_with_parent,  # noqa: PLW1509  (it makes one system call and takes no lock)
        )
        self._resources.callback(_stop, self._process)
        deadline = time.monotonic() + START_TIMEOUT_S
        while True:
            status, answer = answer_of(self.request, timeout=START_TIMEOUT_S)
            if status == 200:
                break
            if self._process.poll() is not None or time.monotonic() > deadline or status not in (0, 503):
                log.seek(0)
                last = log.read().decode(errors="replace").strip().splitlines()[-3:]
                raise BenchmarkError(
                    f"{self._name} does not serve ({f'status {status}' if status else 'no answer'}): {' / '.join(last)}"
                )
            time.sleep(0.1)
        self.answer = answer
        self._wait_until_quiet()

    def _wait_until_quiet(self) -> None:
        """Wait for the workers that load after the first one answers."""
        deadline = time.monotonic() + _QUIET_WITHIN_S
        before, since = self.cpu_seconds(), time.monotonic()
        while time.monotonic() < deadline:
            time.sleep(0.5)
            now, at = self.cpu_seconds(), time.monotonic()
            if now - before < _QUIET_SHARE * (at - since):
                return
            before, since = now, at


def cpu_seconds(pid: int) -> float:
    """Return what a process and all that it started have taken of the processor so far, in seconds."""
    total = 0.0
    with contextlib.suppress(psutil.NoSuchProcess):
        leader = psutil.Process(pid)
        for process in (leader, *leader.children(recursive=True)):
            with contextlib.suppress(psutil.NoSuchProcess):
                times = process.cpu_times()
                total += times.user + times.system
    return total


def _stop(leader: "subprocess.Popen[bytes]") -> None:
    """End a process and all that it started, in whichever sessions they are."""
    family: list[psutil.Process] = []
    if leader.poll() is None:  # else its number may be another's
        with contextlib.suppress(psutil.NoSuchProcess):
            family = psutil.Process(leader.pid).children(recursive=True)
    leader.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        leader.wait(STOP_TIMEOUT_S)
    _, alive = psutil.wait_procs(family, timeout=1)
    for process in alive:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    # Its group's number is given out again only when the group is empty: whoever has it now is a stranger.
    if leader.poll() is None or not psutil.pid_exists(leader.pid):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(leader.pid, signal.SIGKILL)
    psutil.wait_procs(alive, timeout=STOP_TIMEOUT_S)
    leader.wait()
