"""What is done to the installation, one after the other at random, with a pause in which it must come to itself."""

import random
import shutil
import signal
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from benchmarks.soak.installation import Installation, role, signal_processes

FULL_FOR = 10.0
STOPPED_FOR = 5.0
_LEFT = 64 << 10
"""Bytes that a full file system has left."""

Fault = Callable[[Installation, random.Random], str]


def kill_step(installation: Installation, dice: random.Random) -> str:
    """SIGKILL to a step."""
    victim = dice.choice(installation.steps())
    signal_processes([victim], signal.SIGKILL)
    return "a step was killed"


def stop_step(installation: Installation, dice: random.Random) -> str:
    """SIGSTOP to a step, for ever."""
    signal_processes([dice.choice(installation.steps())], signal.SIGSTOP)
    return "a step was stopped"


def crash_triton(installation: Installation, dice: random.Random) -> str:
    """SIGABRT to a tritonserver: its launcher starts another."""
    signal_processes([dice.choice(installation.tritons())], signal.SIGABRT)
    return "a tritonserver crashed"


def stop_triton(installation: Installation, dice: random.Random) -> str:
    """SIGSTOP to a tritonserver, and SIGCONT some seconds later."""
    victim = [dice.choice(installation.tritons())]
    signal_processes(victim, signal.SIGSTOP)
    time.sleep(STOPPED_FOR)
    signal_processes(victim, signal.SIGCONT)
    return f"a tritonserver stood still for {STOPPED_FOR:.0f} s"


def kill_launcher(installation: Installation, dice: random.Random) -> str:
    """SIGKILL to a launcher; with Envoy its fleet starts another, without it the soak does."""
    launchers = [each for each in installation.server.processes() if role(each) == "launcher"]
    with_fleet = len(installation.health) > 1
    signal_processes([dice.choice(launchers[1:] if with_fleet else launchers[:1])], signal.SIGKILL)
    return "a launcher was killed"


def kill_gateway(installation: Installation, dice: random.Random) -> str:
    """SIGKILL to the gateway; the soak starts another."""
    signal_processes(installation.web.processes(), signal.SIGKILL)
    return "the gateway was killed"


def reload(installation: Installation, dice: random.Random) -> str:
    """A restart in order, which loads all models anew: of one after the other with Envoy."""
    first = installation.server.processes()[:1]
    signal_processes(first, signal.SIGUSR1 if len(installation.health) > 1 else signal.SIGTERM)
    return "the models were loaded again"


def fill_shared_memory(installation: Installation, dice: random.Random) -> str:
    """Fill /dev/shm for some seconds."""
    return _fill(installation.shm(), "/dev/shm")  # noqa: S108  (its name for the log)


def fill_disk(installation: Installation, dice: random.Random) -> str:
    """Fill the gateway's folder for some seconds."""
    return _fill(installation.disk(), "the gateway's disk")


def faults(installation: Installation) -> Mapping[str, Fault]:
    """Those that can be done here, by name."""
    found: dict[str, Fault] = {
        each.__name__: each
        for each in (kill_step, stop_step, crash_triton, stop_triton, kill_launcher, kill_gateway, reload)
    }
    if installation.isolated:
        found |= {each.__name__: each for each in (fill_shared_memory, fill_disk)}
    return found


def _fill(folder: Path, name: str) -> str:
    filler = folder / "soak_filler"
    size = shutil.disk_usage(filler.parent).free - _LEFT
    try:
        with filler.open("wb") as file:
            for _ in range(size // (1 << 20)):
                file.write(bytes(1 << 20))
            file.write(bytes(size % (1 << 20)))
    except OSError:
        pass  # somebody else took the rest: it is full
    time.sleep(FULL_FOR)
    filler.unlink(missing_ok=True)
    return f"{name} was full for {FULL_FOR:.0f} s"
