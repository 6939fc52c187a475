"""What processes take of the machine."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from benchmarks.measure.usage import Usage, UsageMeter
from reports import gpu
from reports.gpu import GpuUse, number, this_gpu

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
            with UsageMeter(process.pid, gpu=lambda: None) as meter:
                time.sleep(1.5)
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


def test_a_figure_that_the_driver_does_not_know_is_none() -> None:
    assert number("71.5") == 71.5
    assert number("[N/A]") is None


NVIDIA_SMI = """#!/bin/sh
case "$1" in
  *name,driver*) echo "Tesla T4, 550.90.07, 15360, 1590, 70.00, 7.5" ;;
  *utilization*) echo "80, 1000, 1500, 60.5"; echo "40, [N/A], 1300, [N/A]" ;;
esac
"""


def test_what_nvidia_smi_says_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "nvidia-smi"
    program.write_text(NVIDIA_SMI)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert this_gpu() == gpu.Gpu("Tesla T4", "550.90.07", 15360, 1590, 70.0, "7.5")
    assert gpu.gpu_use() == GpuUse(percent=60.0, memory_mb=1048.576, clock_mhz=1400.0, power_w=60.5)
    program.write_text("#!/bin/sh\nexit 9\n")
    assert (this_gpu(), gpu.gpu_use()) == (None, None)
