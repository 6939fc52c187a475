"""The same networks exported: with ONNX Runtime on the GPU, as a TensorRT plan, and served by Triton; where installed.

Each is exported with untrained weights, by the export's own command line, in a process of its own.
"""

import importlib
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.errors import BenchmarkError
from benchmarks.gpu.device import Watch
from benchmarks.gpu.pytorch import Timing
from export.variants import VARIANTS

FOLDER = Path("build/gpu")
_FEWEST = 5


def missing(runtime: str) -> str | None:
    """Why a runtime cannot be measured here, in a few words; None where it can."""
    needed = {"onnx runtime": ("onnx", "onnxruntime"), "tensorrt": ("onnx", "onnxruntime"), "served": ("pytriton",)}
    absent = [package for package in needed[runtime] if not find_spec(package)]
    if absent:
        return f"{', '.join(absent)} {'is' if len(absent) == 1 else 'are'} not installed"
    if runtime == "onnx runtime":
        providers = importlib.import_module("onnxruntime").get_available_providers()
        return None if "CUDAExecutionProvider" in providers else "the onnxruntime that is installed has no CUDA"
    if runtime == "tensorrt":
        from export.errors import NoTensorRTError  # noqa: PLC0415
        from export.targets.tensorrt.toolkit import find_toolkit  # noqa: PLC0415

        try:
            find_toolkit()
        except NoTensorRTError as error:
            return str(error)
    return None


def onnx_runtime(name: str, precision: str, *, seconds: float, limit_s: float, watch: Watch) -> Timing:
    """Time a network with ONNX Runtime on the GPU, one image at a time, its way to the GPU and back included.

    Raises:
        BenchmarkError: it could not be exported or run.
    """
    import numpy as np  # noqa: PLC0415

    folder = _export(name, "onnx", precision, limit_s)
    onnxruntime: Any = importlib.import_module("onnxruntime")
    session = onnxruntime.InferenceSession(folder / "model.onnx", providers=["CUDAExecutionProvider"])
    side = VARIANTS[name].resolution
    pixels = np.zeros((1, side, side, 3), np.uint8)
    for _ in range(3):
        session.run(None, {"PIXELS": pixels})
    times: list[float] = []
    end = time.perf_counter() + seconds
    with watch.watching() as seen:
        while len(times) < _FEWEST or time.perf_counter() < end:
            started = time.perf_counter()
            session.run(None, {"PIXELS": pixels})
            times.append(1000 * (time.perf_counter() - started))
    return Timing(1, median(times), None, seen)


def tensorrt(name: str, precision: str, *, limit_s: float, watch: Watch) -> Timing:
    """Build a plan and return what trtexec measured: one image, without its way to the GPU.

    Raises:
        BenchmarkError: it could not be built.
    """
    with watch.watching() as seen:
        folder = _export(name, "tensorrt", precision, limit_s)
    against = json.loads((folder / "manifest.json").read_text())["against_fp32"]
    return Timing(1, float(against["milliseconds"]), None, seen)


def served(name: str, file: Path, *, limit_s: float) -> str:
    """Measure the whole served path into the same record; return the command's table.

    Raises:
        BenchmarkError: it could not be measured.
    """
    words = ["quick", "--models", name, "--builds", "onnx:fp32", "--concurrency", "1,8,32", "--rates", "none"]
    words += ["--results", "network", "--seconds", "3", "--no-limit", "--output", str(file)]
    return _run([sys.executable, "-m", "benchmarks", *words], limit_s)


def _export(name: str, target: str, precision: str, limit_s: float) -> Path:
    words = [name, "--untrained", "--if-needed", "--target", target, "--precision", precision]
    repository = FOLDER / f"{target}_{precision}"
    _run([sys.executable, "-m", "export", *words, "--repository", str(repository)], limit_s)
    return repository / f"{name}_network" / "1"


def _run(command: Sequence[str], limit_s: float) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=limit_s, check=False)
    except subprocess.TimeoutExpired as error:
        raise BenchmarkError(f"it took longer than the {limit_s:.0f} s that were left") from error
    if done.returncode != 0:
        raise BenchmarkError((done.stderr.strip() or done.stdout.strip() or "it was killed").splitlines()[-1])
    return done.stdout


def clean() -> None:
    """Remove what was exported: networks are large."""
    shutil.rmtree(FOLDER, ignore_errors=True)
