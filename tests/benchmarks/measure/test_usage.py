"""What processes take of the machine."""

import signal
import subprocess
import sys
import time

import psutil

from benchmarks.measure.usage import Usage, UsageMeter
from reports.nvidia_smi import GpuUse

BUSY = "kept = bytearray(64 << 20); print('up', flush=True)\nwhile True: pass"

PARENT = f"""
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", {BUSY!r}])
try:
    time.sleep(60)
finally:
    child.kill()
"""


def test_a_process_is_seen_with_its_children() -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == b"up\n"
            (child,) = psutil.Process(process.pid).children()
            with UsageMeter(process.pid, gpu=lambda: None) as meter:
                enough = child.cpu_times().user + 1
                while child.cpu_times().user < enough:
                    time.sleep(0.05)
        finally:
            process.send_signal(signal.SIGINT)
    usage = meter.usage()
    assert usage.cpu_cores is not None
    assert 0.02 < usage.cpu_cores < 1.5
    assert usage.memory_mb is not None
    assert usage.memory_mb > 64
    assert usage.shared_memory_mb == 0
    assert (usage.gpu_percent, usage.gpu_memory_mb) == (None, None)


def test_without_a_process_only_the_gpu_is_seen() -> None:
    uses = iter([GpuUse(percent=90.0, memory_mb=1000.0, clock_mhz=1500.0)])
    with UsageMeter(None, gpu=lambda: next(uses, None)) as meter:
        time.sleep(0.1)
    assert meter.usage() == Usage(gpu_percent=90.0, gpu_memory_mb=1000.0, gpu_clock_mhz=1500.0)


def test_a_process_that_is_gone_is_nothing() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    with UsageMeter(process.pid, gpu=lambda: None) as meter:
        time.sleep(0.05)
    assert meter.usage() == Usage()
