"""What the launcher knows and Triton does not, for Prometheus: `/metrics` of the health port."""

import os
import time
from collections.abc import Mapping, Sequence

from midas_server.launch.shared_memory import FOLDER

STARTED = time.time()  # once: the kernel's own figure moves with the clock, and would look like a restart

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def exposition(*, ready: bool, starts: int, faults: Mapping[str, str | None], replaced: Mapping[str, int]) -> str:
    """The page that Prometheus reads.

    Args:
        ready: Triton's own word.
        starts: how many servers the launcher has started so far.
        faults: by step what is wrong with it, None where it answers.
        replaced: by step how often it was replaced.
    """
    shm = os.statvfs(FOLDER)
    steps = sorted(faults)
    return "".join(
        (
            _family("server_ready", "gauge", "Whether Triton says that it is ready", [("", int(ready))]),
            _family("server_starts_total", "counter", "Servers started: more than one after a crash", [("", starts)]),
            _family(
                "start_time_seconds",
                "gauge",
                "When the launcher itself was started, in Unix time",
                [("", STARTED)],
            ),
            _family(
                "step_answers",
                "gauge",
                "Whether a step answers: 0 while it is dead, stopped or hangs",
                [(f'{{step="{step}"}}', int(faults[step] is None)) for step in steps],
            ),
            _family(
                "step_replacements_total",
                "counter",
                "How often the watchdog has replaced a step of the server that runs now",
                [(f'{{step="{step}"}}', replaced.get(step, 0)) for step in steps],
            ),
            _family("shm_size_bytes", "gauge", f"Size of {FOLDER}", [("", shm.f_blocks * shm.f_frsize)]),
            _family("shm_free_bytes", "gauge", f"What is free in {FOLDER}", [("", shm.f_bavail * shm.f_frsize)]),
        )
    )


def _family(name: str, kind: str, words: str, samples: Sequence[tuple[str, float]]) -> str:
    name = f"midas_launcher_{name}"
    lines = [f"# HELP {name} {words}", f"# TYPE {name} {kind}", *(f"{name}{label} {value}" for label, value in samples)]
    return "\n".join(lines) + "\n"
