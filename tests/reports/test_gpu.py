"""What nvidia-smi says of the GPUs."""

from pathlib import Path

import pytest

from reports.gpu import Gpu, this_gpu
from reports.nvidia_smi import GpuUse, gpu_use, number


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
    assert this_gpu() == Gpu("Tesla T4", "550.90.07", 15360, 1590, 70.0, "7.5")
    assert str(this_gpu()) == (
        "Tesla T4, driver 550.90.07, 15,360 MiB, clock up to 1,590 MHz, power limit 70 W, compute capability 7.5"
    )
    assert gpu_use() == GpuUse(percent=60.0, memory_mb=1048.576, clock_mhz=1400.0, power_w=60.5)
    program.write_text("#!/bin/sh\nexit 9\n")
    assert (this_gpu(), gpu_use()) == (None, None)
