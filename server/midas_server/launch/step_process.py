"""One process of a step, as it looks from outside: whether it is there, runs, and gets on with its work."""

import contextlib

import psutil

from midas_server.launch.shared_memory import FOLDER
from midas_server.progress import progress_file, read_progress

DIED, STOPPED, HUNG = "died", "stopped", "hung"

STOPPED_STATES = (psutil.STATUS_STOPPED, psutil.STATUS_TRACING_STOP)
# Triton takes a step for dead that gives no sign of life for a second, frees what it works on, and crashes if the step
# then goes on: it has to be ended. A profiler stops it for some milliseconds at a time.
STOPPED_FOR = 1.0
# A step that has work, sleeps, and uses no processor waits for something that does not come.
ASLEEP_FOR = 30.0
# Less processor time than that is no work: the threads of Triton in each step look around from time to time.
NOISE = 0.05


class StepProcess:
    """What is known of a process. Durations grow by looks: while the machine stands still, none does.

    Args:
        process: the process; its command line is Triton's for a step.
        model: whose step it is.
        progress_prefix: of the files in which the steps tell their progress.
        work_limit: seconds after which one batch counts as an endless loop.

    Attributes:
        replaced: which replacement of its model took its place; None while it is in use.
    """

    def __init__(self, process: psutil.Process, model: str, progress_prefix: str, work_limit: float) -> None:
        self.process, self.model = process, model
        self._server = process.ppid()
        self.replaced: int | None = None
        self._region = FOLDER / process.cmdline()[2]  # as Triton starts its stubs
        self._progress = progress_file(progress_prefix, process.pid)
        self._work_limit = work_limit
        self._status = process.status()
        self._used = self._processor_seconds()
        self._batches = (0, 0)
        # for how many seconds in a row it has been so
        self.dead = self.unused = self._stopped = self._working = self._asleep = 0.0

    def look(self, seconds: float) -> None:
        """Look again, so many seconds after the last time.

        Raises:
            psutil.NoSuchProcess: it has ended, and Triton knows.
        """
        with self.process.oneshot():
            if self.process.ppid() != self._server:  # Triton is gone
                raise psutil.NoSuchProcess(self.process.pid)
            before, self._status = self._status, self.process.status()
            if self._status == psutil.STATUS_ZOMBIE:
                self.dead += seconds if before == psutil.STATUS_ZOMBIE else 0
                return
            used = self._processor_seconds()
        batches = read_progress(self._progress)
        at_same_batch = batches == self._batches and batches[0] != batches[1]
        at_no_batch = batches == self._batches and batches[0] == batches[1]
        uses_processor = used - self._used > NOISE
        self._batches = batches
        if uses_processor or not at_same_batch:
            self._used = used
        stopped = self._status in STOPPED_STATES and before in STOPPED_STATES and not uses_processor
        waits = self._status == psutil.STATUS_SLEEPING and not uses_processor
        self._stopped = self._stopped + seconds if stopped else 0
        self._working = self._working + seconds if at_same_batch else 0
        self._asleep = self._asleep + seconds if at_same_batch and waits else 0
        self.unused = self.unused + seconds if waits and at_no_batch else 0

    @property
    def fault(self) -> str | None:
        """What is wrong with it, beyond doubt."""
        if self.dead:
            # Also a step that Triton itself ends is a zombie, but not at two looks.
            return DIED
        if self._stopped > STOPPED_FOR:
            return STOPPED
        if self._working > self._work_limit or self._asleep > ASLEEP_FOR:
            return HUNG
        return None

    @property
    def fault_now(self) -> str | None:
        """The same, asked anew and without waiting for certainty: it may be a moment's."""
        try:
            status = self.process.status()
        except psutil.NoSuchProcess:
            return None
        if status == psutil.STATUS_ZOMBIE:
            return DIED
        return STOPPED if status in STOPPED_STATES else self.fault

    def kill(self) -> None:
        """End it, wherever it stands."""
        with contextlib.suppress(psutil.NoSuchProcess):
            self.process.kill()

    def forget(self) -> None:
        """Remove the file in which it told its progress."""
        self._progress.unlink(missing_ok=True)

    def region_bytes(self) -> int:
        """The shared memory between it and Triton, which stays for as long as Triton does not let go of it."""
        try:
            return self._region.stat().st_blocks * 512
        except FileNotFoundError:
            return 0

    def _processor_seconds(self) -> float:
        times = self.process.cpu_times()
        return times.user + times.system
