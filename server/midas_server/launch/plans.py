"""Holds TensorRT plans against this machine before Triton starts.

A plan runs on one compute capability with one TensorRT version. Triton finds that out while it loads, and says so deep
in its log; the manifest that export writes beside each plan (`model_sm75.plan.json`) tells before.
"""

import os
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from midas_server.repository import ManifestError, read_facts, version_folder

# Set by NVIDIA's containers: "10.14.1.48".
VERSION_VARIABLE = "TRT_VERSION"
LIBRARY_FOLDERS = (
    *("/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu"),
    *("/usr/local/tensorrt/lib", "/opt/tensorrt/lib", "/opt/tritonserver/lib"),
)
_SECONDS = 60


class PlanRefused(RuntimeError):  # noqa: N818
    """A plan that cannot run here; the text says why, and how to get one that can."""


@dataclass(frozen=True)
class _Plan:
    file: Path
    capability: str
    tensorrt: str
    size: int


def check_plans(repository: Path, models: Sequence[str]) -> None:
    """Check that the models' TensorRT plans can run on this machine's GPUs with its TensorRT.

    Models without plans are not looked at: without any, nothing is run.

    Raises:
        PlanRefused: a plan has no readable manifest or is not whole, there is no GPU or no TensorRT here, or the plans
            are for others.
    """
    of_models = {model: files for model in models if (files := _plan_files(repository, model))}
    if not of_models:
        return
    plans = {model: [_read(file, model) for file in files] for model, files in of_models.items()}
    capabilities = _capabilities(next(iter(plans)))
    version = _tensorrt_version(next(iter(plans)))
    for model, there in plans.items():
        for number, capability in capabilities.items():
            _check(model, there, number, capability, version)


def _plan_files(repository: Path, model: str) -> list[Path]:
    return sorted(version_folder(repository, model).glob("*.plan"))


def _read(file: Path, model: str) -> _Plan:
    manifest = file.with_name(f"{file.name}.json")
    try:
        facts = read_facts(manifest) or {}
        plan = _Plan(file, str(facts["compute_capability"]), str(facts["tensorrt"]), int(facts["plan_bytes"]))
    except (ManifestError, KeyError, TypeError, ValueError):
        raise PlanRefused(
            f"the TensorRT plan {file} has no readable manifest {manifest.name}, so nobody knows which GPU and "
            f"TensorRT it is for: {_advice(model)}"
        ) from None
    if file.stat().st_size != plan.size:
        raise PlanRefused(
            f"the TensorRT plan {file} has {file.stat().st_size:,} bytes, its manifest says {plan.size:,}: "
            f"{_advice(model)}"
        )
    return plan


def _check(model: str, plans: Sequence[_Plan], number: str, capability: str, version: str) -> None:
    fitting = [plan for plan in plans if plan.capability == capability]
    if not fitting:
        built = ", ".join(plan.capability for plan in plans)
        raise PlanRefused(
            f"'{model}' has TensorRT plans for compute capability {built}; GPU {number} of this machine has "
            f"{capability}: {_advice(model)}"
        )
    for plan in fitting:
        if plan.tensorrt != version:
            raise PlanRefused(
                f"the TensorRT plan {plan.file} was built with TensorRT {plan.tensorrt}; this server has {version}, "
                f"which does not load it: {_advice(model)}"
            )


def _capabilities(model: str) -> dict[str, str]:
    """Compute capability by GPU number, of those that Triton will use."""
    command = ["nvidia-smi", "--query-gpu=index,uuid,compute_cap", "--format=csv,noheader"]
    no_gpu = f"'{model}' has TensorRT plans, which need an NVIDIA GPU; there is none here"
    otherwise = f"serve where the GPU is, or export for the processor: python -m export {model}"
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired):
        raise PlanRefused(f"{no_gpu} (nvidia-smi does not run): {otherwise}") from None
    rows = [[part.strip() for part in line.split(",")] for line in done.stdout.splitlines()]
    gpus = [row for row in rows if len(row) == 3 and re.fullmatch(r"\d+\.\d", row[2])]
    if done.returncode != 0 or not gpus:
        said = (done.stderr.strip() or done.stdout.strip()).splitlines()
        raise PlanRefused(f"{no_gpu} (nvidia-smi says: {said[-1] if said else 'nothing'}): {otherwise}")
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        chosen = [name.strip() for name in visible.split(",")]
        gpus = [row for row in gpus if row[0] in chosen or any(name and row[1].startswith(name) for name in chosen)]
        if not gpus:
            raise PlanRefused(f"{no_gpu} (CUDA_VISIBLE_DEVICES is '{visible}'): {otherwise}")
    return {row[0]: row[2] for row in gpus}


def _tensorrt_version(model: str) -> str:
    """The first three numbers of the server's TensorRT version, as a plan's manifest has them."""
    version = os.environ.get(VERSION_VARIABLE) or _library_version()
    if version is None:
        raise PlanRefused(
            f"'{model}' has TensorRT plans, and this server has no TensorRT ({VERSION_VARIABLE} is not set, and there "
            "is no libnvinfer): serve it in the container (docker compose --profile gpu up), or export for ONNX "
            f"Runtime: python -m export {model}"
        )
    return ".".join(version.split(".")[:3])


def _library_version() -> str | None:
    """From the library's file name, `libnvinfer.so.10.14.1`."""
    folders = [*os.environ.get("LD_LIBRARY_PATH", "").split(os.pathsep), *LIBRARY_FOLDERS]
    for folder in filter(None, folders):
        for library in sorted(Path(folder).glob("libnvinfer.so.*.*.*"), reverse=True):
            return library.name.removeprefix("libnvinfer.so.")
    return None


def _advice(model: str) -> str:
    return f"build it on this machine: python -m export {model} --target tensorrt"
