"""A command and what it started are stopped and continued together, and none of them is left."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import psutil
import pytest

from benchmarks.measure.process_tree import ProcessTree

# The system counts processor time in steps of a hundredth of a second.
PROGRAM = """
import subprocess, sys, time
while time.process_time() < 0.1:
    pass
child = subprocess.Popen([sys.executable, "-c", "while True: pass"])
print(child.pid, flush=True)
child.wait()
"""


@pytest.fixture
def command() -> Iterator["subprocess.Popen[str]"]:
    with subprocess.Popen([sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, text=True) as process:
        tree = ProcessTree(process)
        try:
            yield process
        finally:
            tree.end()


def child_of(command: "subprocess.Popen[str]") -> psutil.Process:
    assert command.stdout
    return psutil.Process(int(command.stdout.readline()))


def wait(for_what: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not for_what():
        assert time.monotonic() < end, "it did not come in a minute"
        time.sleep(0.01)


def test_all_stop_and_go_on_together(command: "subprocess.Popen[str]") -> None:
    tree, child = ProcessTree(command), child_of(command)
    both = (psutil.Process(command.pid), child)
    tree.stop()
    wait(lambda: all(process.status() == psutil.STATUS_STOPPED for process in both))
    taken = sum(child.cpu_times()[:2])
    tree.go_on()
    wait(lambda: sum(child.cpu_times()[:2]) > taken)
    assert all(process.status() != psutil.STATUS_STOPPED for process in both)


def test_processor_time_and_memory_are_those_of_all(command: "subprocess.Popen[str]") -> None:
    tree, child = ProcessTree(command), child_of(command)
    wait(lambda: sum(child.cpu_times()[:2]) > 0.1)
    seconds = tree.processor_seconds()
    assert seconds[""] > 0.05
    assert seconds[" ".join(child.cmdline())] > 0.1
    own = psutil.Process(command.pid).memory_full_info().pss / 2**20
    assert tree.megabytes() > own


def test_a_stopped_command_ends_with_what_it_started(command: "subprocess.Popen[str]") -> None:
    tree, child = ProcessTree(command), child_of(command)
    tree.stop()
    tree.end()
    assert command.returncode is not None
    wait(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE)
