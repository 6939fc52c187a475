"""TensorRT on this machine: trtexec, its version, and the GPUs to build for."""

import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from export.errors import NoTensorRTError

TRTEXEC_VARIABLE = "TRTEXEC"
# Where NVIDIA's Triton and TensorRT containers, and Debian's and Ubuntu's packages, put it.
CONTAINER_PLACES = (Path("/usr/src/tensorrt/bin/trtexec"), Path("/opt/tensorrt/bin/trtexec"))
OLDEST_MAJOR = 10

_BANNER = re.compile(r"\[TensorRT v(\d+)\]")
_SECONDS = 60


@dataclass(frozen=True)
class PlanGpu:
    """A GPU that a plan is built for.

    Attributes:
        index: its number in the order of the PCI bus, which is nvidia-smi's.
        name: "Tesla T4".
        capability: compute capability, "7.5".
    """

    index: int
    name: str
    capability: str


@dataclass(frozen=True)
class Toolkit:
    """TensorRT on this machine.

    Attributes:
        trtexec: the program.
        version: of TensorRT, "10.14.1".
        gpus: one for each compute capability in this machine.
    """

    trtexec: Path
    version: str
    gpus: Sequence[PlanGpu]

    @property
    def major(self) -> int:
        """10 or 11."""
        return int(self.version.split(".")[0])


def find_toolkit() -> Toolkit:
    """Find trtexec (the file in TRTEXEC, on PATH, or at its place in NVIDIA's containers) and the GPUs.

    Raises:
        NoTensorRTError: there is no trtexec, it does not run, it is older than TensorRT 10, or there is no GPU.
    """
    trtexec = _find_trtexec()
    version = _version(trtexec)
    if int(version.split(".")[0]) < OLDEST_MAJOR:
        raise NoTensorRTError(f"{trtexec} is of TensorRT {version}: {OLDEST_MAJOR} or newer is needed")
    return Toolkit(trtexec, version, _one_gpu_a_capability())


def _find_trtexec() -> Path:
    named = os.environ.get(TRTEXEC_VARIABLE)
    if named:
        if not os.access(named, os.X_OK) or not Path(named).is_file():
            raise NoTensorRTError(f"{TRTEXEC_VARIABLE} names {named}, which is not a program: correct it or unset it")
        return Path(named)
    on_path = shutil.which("trtexec")
    for place in [Path(on_path)] if on_path else CONTAINER_PLACES:
        if place.is_file():
            return place
    raise NoTensorRTError("TensorRT's trtexec is not on this machine")


def _version(trtexec: Path) -> str:
    """The version in the first line that trtexec prints: 8501 is 8.5.1, 101401 is 10.14.1."""
    try:
        done = subprocess.run([str(trtexec), "--help"], capture_output=True, text=True, timeout=_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NoTensorRTError(f"{trtexec} does not run: {error}") from error
    banner = _BANNER.search(done.stdout + done.stderr)
    if banner is None:
        lines = (done.stderr.strip() or done.stdout.strip()).splitlines()
        raise NoTensorRTError(
            f"{trtexec} --help does not say its TensorRT version (exit status {done.returncode}): "
            f"{lines[-1] if lines else 'it said nothing'}"
        )
    number = int(banner[1])
    thousands = 10_000 if number >= 100_000 else 1_000  # the minor version has two digits since TensorRT 10
    return f"{number // thousands}.{number % thousands // 100}.{number % 100}"


def _one_gpu_a_capability() -> list[PlanGpu]:
    command = ["nvidia-smi", "--query-gpu=index,name,compute_cap", "--format=csv,noheader"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NoTensorRTError("there is no GPU to build for: nvidia-smi does not run here") from error
    gpus: dict[str, PlanGpu] = {}
    for line in done.stdout.splitlines():
        parts = [part.strip() for part in line.split(",")]
        if len(parts) == 3 and parts[0].isdigit() and re.fullmatch(r"\d+\.\d", parts[2]):
            gpus.setdefault(parts[2], PlanGpu(int(parts[0]), parts[1], parts[2]))
    if done.returncode != 0 or not gpus:
        said = (done.stderr.strip() or done.stdout.strip()).splitlines()
        raise NoTensorRTError(f"there is no GPU to build for: nvidia-smi says {said[-1] if said else 'nothing'}")
    return list(gpus.values())
