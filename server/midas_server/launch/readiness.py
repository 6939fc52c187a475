"""Waits until a server that was started serves, or tells why it never will."""

import re
import subprocess
import time
from collections.abc import Sequence

import psutil

from midas_server.launch.repository_api import RepositoryApi
from midas_server.launch.server_log import ServerLog
from midas_server.launch.step_process import STOPPED_STATES

# Triton ends a step that it has no use for and takes note of its end at once. Of one that dies it takes none.
UNNOTICED_FOR = 1.0
TRACEBACK = "\n\nAt:\n"  # of a step's exception; the log has it
DEAD_STEP = re.compile(r"Stub process '[^']*' is not healthy|Failed to obtain the health mutex")


class StartFailed(RuntimeError):  # noqa: N818
    """Triton did not come up; the text says why, in the words of what failed."""


class StepDied(StartFailed):
    """A step's process died while the server started, which then may wait for it for ever."""


def wait_until_ready(
    api: RepositoryApi,
    process: "subprocess.Popen[str]",
    models: Sequence[str],
    log: ServerLog,
    timeout: float,
) -> None:
    """Return as soon as every model is ready.

    Args:
        api: of the server.
        process: the server's.
        models: those that have to be ready.
        log: the server's, for the words of what failed.
        timeout: seconds until then.

    Raises:
        StepDied: a step's process is gone; another start may well succeed.
        StartFailed: the server has ended, takes too long, or could not load a model.
    """
    deadline = time.monotonic() + timeout
    dead: dict[int, float] = {}
    while not api.live():
        if process.poll() is not None:
            raise StartFailed(f"tritonserver ended with status {process.returncode}:\n" + log.complaints())
        now = time.monotonic()
        dead = {step: dead.get(step, now) for step in _lost_children(process.pid)}
        if DEAD_STEP.search(log.complaints()) or any(now - since > UNNOTICED_FOR for since in dead.values()):
            raise StepDied("a step's process died or was stopped while tritonserver started:\n" + log.complaints())
        if now > deadline:
            raise StartFailed(f"tritonserver did not answer within {timeout:g} s:\n" + log.complaints())
        time.sleep(0.05)
    # It answers once every model was tried.
    index = {model["name"]: model for model in api.index()}
    if all(index[name].get("state") == "READY" for name in models):
        return
    reasons = "\n".join(
        f"  {name}: {model['reason'].partition(TRACEBACK)[0].strip()}"
        for name, model in index.items()
        if model.get("state") == "UNAVAILABLE" and model.get("reason", "unloaded") != "unloaded"
    )
    failure = StepDied if DEAD_STEP.search(reasons) else StartFailed
    # A config that cannot be parsed is in the log only.
    raise failure("not every model could be loaded:\n" + (reasons or log.complaints()))


def _lost_children(server: int) -> list[int]:
    """Process ids of the server's children that have ended without its taking note, or are stopped."""
    lost = []
    try:
        for child in psutil.Process(server).children():
            try:
                if child.status() in (psutil.STATUS_ZOMBIE, *STOPPED_STATES):
                    lost.append(child.pid)
            except psutil.NoSuchProcess:
                continue
    except psutil.NoSuchProcess:
        return []
    return lost
