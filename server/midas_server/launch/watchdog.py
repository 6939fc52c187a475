"""Replaces steps that die or hang, while the server and the other steps go on.

Triton 24.10 does not notice a dead stub process: requests through it fail one by one, and every health check stays
green. The process table tells. Loading the model again with its own config plus a marker makes Triton build new
instances and swap them in, without a gap for what still works and without touching the repository's files.

A step that is stopped, waits for ever or never comes to an end is killed first: it must not go on with what Triton has
given up.

A request that a dead step had in hand keeps the replaced instances in Triton for ever, in 24.10 (it does not delete the
request's response factory, which holds the model). The watchdog ends their processes. Their shared memory is still in
Triton's hands; where much of it has come together, the server is replaced when it has nothing to do.
"""

import contextlib
import logging
import signal
import threading
import time
from collections import Counter
from pathlib import Path

import psutil

from midas_server.launch.repository_api import LOADED_WITHIN, RepositoryApi, RepositoryApiError
from midas_server.launch.step_process import STOPPED_STATES, StepProcess

INTERVAL = 0.2
LONGEST_INTERVAL = 1.0  # on a machine with much to do
LONGEST_PAUSE = 30.0
# Replaced processes finish what they have in hand, and Triton ends them. Later than that it does not.
LEFT_OVER_AFTER = 10.0
MOST_LEFT_OVER = 512_000_000  # bytes of shared memory
IDLE_FOR = 10.0
# A machine with much to do may keep an answer back for some seconds.
ANSWER_INTERVAL, MOST_UNANSWERED = 5.0, 3
MARKER = "replaced_by_watchdog_at"
RESTARTS = "restarts"  # a step reads it from its config and shows it as a metric

log = logging.getLogger(__name__)


class Watchdog:
    """Watches the steps of one server in a thread of its own, and replaces them in another.

    Args:
        server_pid: tritonserver's process id.
        api: of the server.
        repository: the one that it serves.
        progress_prefix: of the files in which its steps tell their progress.
        work_limit: seconds after which one batch counts as an endless loop.

    Attributes:
        replacements: how often each model was replaced.
    """

    def __init__(
        self, server_pid: int, api: RepositoryApi, repository: Path, progress_prefix: str, work_limit: float
    ) -> None:
        self.replacements: Counter[str] = Counter()
        self._server = psutil.Process(server_pid)
        self._api = api
        self._repository = repository
        self._progress_prefix = progress_prefix
        self._work_limit = work_limit
        self._lock = threading.Lock()  # of what follows
        self._steps: dict[int, StepProcess] = {}
        self._broken: dict[str, str] = {}  # models to be replaced, and why
        self._unanswered = 0  # questions in a row
        self._stopped = threading.Event()
        self._threads = [threading.Thread(target=run, daemon=True) for run in (self._watch, self._mend)]

    def start(self) -> None:
        """Take note of the steps there are, so that one that dies at once is missed, and watch from then on."""
        with contextlib.suppress(psutil.NoSuchProcess):  # the server itself is gone; whoever started it sees that
            self._look(0)
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Stop watching; a replacement that is under way gets a moment to finish."""
        self._stopped.set()
        for thread in self._threads:
            thread.join(timeout=5)

    def faults(self) -> dict[str, str | None]:
        """What is wrong with each step now: `died`, `stopped`, `hung`, until it is replaced; None where it answers."""
        with self._lock:
            found: dict[str, str | None] = {}
            for step in self._steps.values():
                if step.replaced is None:
                    found[step.model] = found.get(step.model) or step.fault_now
            return {**found, **self._broken}

    def _watch(self) -> None:
        last = time.monotonic()
        while not self._stopped.wait(INTERVAL):
            now = time.monotonic()
            try:
                with self._lock:
                    # The time in which the machine stood still is not the steps' fault.
                    self._look(min(now - last, LONGEST_INTERVAL))
            except psutil.NoSuchProcess:
                self._stopped.set()  # the server itself is gone; whoever started it sees that
            last = now

    def _look(self, seconds: float) -> None:
        """See what has become of the steps since the last look, and kill those that hang."""
        if self._server.status() in STOPPED_STATES:
            return  # Somebody has stopped the server with its steps.
        seen: dict[int, StepProcess] = {}
        for process in self._server.children():
            with contextlib.suppress(psutil.Error, IndexError):  # it has ended meanwhile
                step = self._steps.get(process.pid) or self._new(process)
                if step is not None:
                    step.look(seconds)
                    seen[process.pid] = step
        for pid in self._steps.keys() - seen.keys():
            self._steps[pid].forget()
        self._steps = seen
        for step in seen.values():
            fault = step.fault
            if fault is not None and not step.dead:
                step.kill()
            if fault is not None and step.replaced is None:
                self._broken.setdefault(step.model, fault)
        self._clear_away()

    def _new(self, process: psutil.Process) -> StepProcess | None:
        """A stub process, by the model file on its command line."""
        for argument in process.cmdline()[1:2]:
            if Path(argument).is_relative_to(self._repository):
                model = Path(argument).relative_to(self._repository).parts[0]
                return StepProcess(process, model, self._progress_prefix, self._work_limit)
        return None

    def _clear_away(self) -> None:
        """End what is left of replaced instances and has no work any more; replace the server if they left much."""
        left_over = 0
        for step in self._steps.values():
            if step.replaced is None:
                continue
            if step.dead:
                step.forget()
                left_over += step.region_bytes()
            elif step.unused > LEFT_OVER_AFTER:
                step.kill()
        idle = all(step.unused > IDLE_FOR for step in self._steps.values() if step.replaced is None)
        if left_over > MOST_LEFT_OVER and idle:
            # Triton itself would wait for the lost requests until its exit timeout, and answer nothing meanwhile.
            self._end_server(f"{left_over // 1_000_000} MB of shared memory are left of lost steps, and nothing to do")

    def _mend(self) -> None:
        failures = 0
        asked = time.monotonic()
        while not self._stopped.wait(min(INTERVAL / 4 * 2**failures, LONGEST_PAUSE)):
            with self._lock:
                broken = sorted(self._broken)
            for model in broken:
                failures = 0 if self._replace(model) else min(failures + 1, 10)
            if time.monotonic() - asked > ANSWER_INTERVAL:
                self._note_answer(self._api.live())
                asked = time.monotonic()

    def _note_answer(self, answers: bool) -> None:
        """Say once that the server stands still, and once that it goes on; it may be somebody's will."""
        if answers and self._unanswered >= MOST_UNANSWERED:
            log.warning("tritonserver answers again")
        self._unanswered = 0 if answers else self._unanswered + 1
        if self._unanswered == MOST_UNANSWERED:
            log.error(
                "tritonserver does not answer: process %d is stopped or hangs. It is not replaced: continue it (kill "
                "-CONT %d), or kill it (kill -ABRT %d), and another is started",
                *[self._server.pid] * 3,
            )

    def _replace(self, model: str) -> bool:
        started = time.monotonic()
        with self._lock:
            fault = self._broken[model]
            old = [step for step in self._steps.values() if step.model == model and step.replaced is None]
        try:
            config = self._api.config(model)
            parameters = config.setdefault("parameters", {})
            parameters[MARKER] = {"string_value": str(time.time())}
            parameters[RESTARTS] = {"string_value": str(self.replacements[model] + 1)}
            config.pop("model_warmup", None)  # requests fail until it is loaded: slow ones are better
            self._api.load(model, config)
        except RepositoryApiError as error:
            log.error("step '%s' %s and could not be replaced: %s", model, fault, error)
            if time.monotonic() - started > LOADED_WITHIN:
                self._end_server("tritonserver does not answer any more")
            return False
        with self._lock:
            self.replacements[model] += 1
            for step in old:
                step.replaced = self.replacements[model]
            with contextlib.suppress(psutil.NoSuchProcess):
                self._look(0)  # its new processes are known before it counts as mended
            del self._broken[model]
        log.warning("step '%s' %s and was replaced in %.1f s", model, fault, time.monotonic() - started)
        return True

    def _end_server(self, reason: str) -> None:
        """Whoever started it starts another."""
        log.error("%s: tritonserver is ended, and started again", reason)
        with contextlib.suppress(psutil.NoSuchProcess):
            self._server.send_signal(signal.SIGABRT)
