"""Model repositories to measure: one a format, exported when it is needed."""

import subprocess
import sys
from pathlib import Path

from benchmarks.errors import BenchmarkError
from export.errors import BuildError
from export.repository.manifest import read_manifest
from export.targets.builds import Build
from midas_server.repository import manifest_file

BUILD = Path("build")
"""The folder of the repositories that are exported for a measurement."""


def format_named(text: str) -> Build:
    """Read ``target:precision``, for instance "onnx:fp32", "openvino:bf16", "tensorrt:fp16".

    Raises:
        BenchmarkError: there is no such format.
    """
    target, _, precision = text.partition(":")
    try:
        return Build.named(target, precision)
    except BuildError as error:
        raise BenchmarkError(f"{error}: name a build as TARGET:PRECISION, for instance onnx:fp32") from error


def folder_of(form: Build, build: Path = BUILD) -> Path:
    """Return where the networks of a format are exported to, for instance ``build/onnx_fp32``."""
    return build / f"{form.target}_{form.precision}"


def export(model: str, repository: Path, form: Build | None) -> None:
    """Export a network into ``repository`` unless it is there; untrained where its weights are not at hand.

    Args:
        model: the network.
        repository: a folder, made if needed.
        form: the format that it must have; None takes any that is there, or else float32 ONNX.

    Raises:
        BenchmarkError: the exporter refused, or its result differs too much from its source; in its words.
    """
    command = [sys.executable, "-m", "export", model, "--if-needed", "--repository", str(repository)]
    if form is not None:
        command += ["--target", form.target, "--precision", form.precision]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    if done.returncode != 0:
        lines = [line for line in done.stderr.splitlines() if line.startswith("error: ")] or done.stderr.splitlines()
        reason = lines[-1].removeprefix("error: ") if lines else f"exit status {done.returncode}"
        raise BenchmarkError(f"{model} could not be exported{'' if form is None else f' as {form}'}: {reason}")


def format_in(repository: Path, model: str) -> str | None:
    """Return the format of a network in a repository, for instance "onnx fp32"; None where there is no telling."""
    manifest = read_manifest(manifest_file(repository, model))
    return None if manifest is None else f"{manifest.build} {manifest.precision}"
