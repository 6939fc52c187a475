"""Replaces Python steps that die, while the server and the other steps go on.

Triton 24.10 does not notice a dead stub process: requests through it fail one by one, and every health check stays
green. The process table tells. Loading the model again with its own config plus a marker makes Triton build new
instances and swap them in, without a gap for what still works and without touching the repository's files.
"""

import contextlib
import logging
import threading
import time
from collections import Counter
from pathlib import Path

import psutil

from midas_server.launch.repository_api import RepositoryApi, RepositoryError

INTERVAL = 0.2
LONGEST_PAUSE = 30.0
MARKER = "replaced_by_watchdog_at"
RESTARTS = "restarts"  # a step reads it from its config and shows it as a metric

log = logging.getLogger(__name__)


class Watchdog:
    """Watches the steps of one server in a thread of its own.

    Attributes:
        replacements: how often each model was replaced.
    """

    def __init__(self, server_pid: int, api: RepositoryApi, repository: Path) -> None:
        self.replacements: Counter[str] = Counter()
        self._server = psutil.Process(server_pid)
        self._api = api
        self._repository = repository
        self._alive: dict[int, str] = {}
        self._dying: set[int] = set()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)

    def start(self) -> None:
        """Take note of the steps there are, so that one that dies at once is missed, and watch from then on."""
        with contextlib.suppress(psutil.NoSuchProcess):  # the server itself is gone; whoever started it sees that
            self._dead_models()
        self._thread.start()

    def stop(self) -> None:
        """Stop watching; a replacement that is under way gets a moment to finish."""
        self._stopped.set()
        self._thread.join(timeout=5)

    def _watch(self) -> None:
        failures = 0
        pending: set[str] = set()
        while not self._stopped.wait(min(INTERVAL * 2**failures, LONGEST_PAUSE)):
            try:
                pending |= self._dead_models()
            except psutil.NoSuchProcess:
                return  # the server itself is gone; whoever started it sees that
            for model in sorted(pending):
                if self._replace(model):
                    pending.remove(model)
                    failures = 0
                else:
                    failures = min(failures + 1, 10)

    def _dead_models(self) -> set[str]:
        """Models of which a process has died since the last look.

        A step that Triton itself ends is a zombie too, for a moment; one that is still a zombie at the next look
        died without Triton knowing.
        """
        dead: set[str] = set()
        seen: dict[int, str] = {}
        dying: set[int] = set()
        for process in self._server.children():
            try:
                if process.status() == psutil.STATUS_ZOMBIE:
                    if process.pid in self._dying:
                        dead.add(self._alive[process.pid])
                    elif process.pid in self._alive:
                        dying.add(process.pid)
                        seen[process.pid] = self._alive[process.pid]
                elif (model := self._model_of(process)) is not None:
                    seen[process.pid] = model
            except psutil.NoSuchProcess:
                continue
        self._alive, self._dying = seen, dying
        return dead

    def _model_of(self, process: psutil.Process) -> str | None:
        """The model of a stub process, from the model file on its command line."""
        if process.pid in self._alive:
            return self._alive[process.pid]
        for argument in process.cmdline()[1:2]:
            if Path(argument).is_relative_to(self._repository):
                return Path(argument).relative_to(self._repository).parts[0]
        return None

    def _replace(self, model: str) -> bool:
        started = time.monotonic()
        try:
            config = self._api.config(model)
            parameters = config.setdefault("parameters", {})
            parameters[MARKER] = {"string_value": str(time.time())}
            parameters[RESTARTS] = {"string_value": str(self.replacements[model] + 1)}
            config.pop("model_warmup", None)  # requests fail until it is loaded: slow ones are better
            self._api.load(model, config)
        except RepositoryError as error:
            log.error("step '%s' died and could not be replaced: %s", model, error)
            return False
        self.replacements[model] += 1
        log.warning("step '%s' died and was replaced in %.1f s", model, time.monotonic() - started)
        return True
