"""Model repositories to measure: one a build, exported when it is needed."""

import subprocess
import sys
from pathlib import Path

from benchmarks.errors import BenchmarkError
from export.repository.manifest import read_manifest
from export.targets.builds import Build
from midas_server.repository import manifest_file

FOLDER = Path("build")
"""The folder of the repositories that are exported for a measurement."""


def folder_of(build: Build, folder: Path = FOLDER) -> Path:
    """Return where the networks of a build are exported to, for instance `build/onnx_fp32`."""
    return folder / f"{build.target}_{build.precision}"


def export(model: str, repository: Path, build: Build | None) -> None:
    """Export a network into `repository` unless it is there; untrained where its weights are not at hand.

    Args:
        model: the network.
        repository: a folder, made if needed.
        build: the build that it must have; None takes any that is there, or else float32 ONNX.

    Raises:
        BenchmarkError: the exporter refused, or its result differs too much from its source; in its words.
    """
    command = [sys.executable, "-m", "export", model, "--if-needed", "--repository", str(repository)]
    if build is not None:
        command += ["--target", build.target, "--precision", build.precision]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    if done.returncode != 0:
        lines = [line for line in done.stderr.splitlines() if line.startswith("error: ")] or done.stderr.splitlines()
        reason = lines[-1].removeprefix("error: ") if lines else f"exit status {done.returncode}"
        raise BenchmarkError(f"{model} could not be exported{'' if build is None else f' as {build}'}: {reason}")


def build_in(repository: Path, model: str) -> str | None:
    """Return the build of a network in a repository, for instance "onnx fp32"; None where there is no telling."""
    manifest = read_manifest(manifest_file(repository, model))
    return None if manifest is None else f"{manifest.build} {manifest.precision}"
