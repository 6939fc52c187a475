"""ONNX Runtime and OpenVINO tell their makers nothing: no thread, no process, no file in the home folder."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.networks import ROOT
from tests.test_architecture import ARROWS, imports

RUNTIMES = {"onnxruntime", "openvino"}
OTHERS_PROGRAMS = "benchmarks.peers.programs."  # run by themselves, with the environment of `benchmarks`
USERS = ("accuracy", "export", "midas_server", "training")
REPORT = """
import os, sys, threading
forks = []
os.register_at_fork(before=lambda: forks.append(1))
import {package}
import onnxruntime, openvino
assert openvino.Core().available_devices
print(sys.modules["openvino_telemetry"], threading.active_count(), len(forks), os.environ["ORT_DISABLE_TELEMETRY"])
"""


def test_the_packages_that_compute_are_known() -> None:
    found = {
        module.partition(".")[0]
        for package in ARROWS
        for module, name in imports(package)
        if name.partition(".")[0] in RUNTIMES and not module.startswith(OTHERS_PROGRAMS)
    }
    assert found == set(USERS)


@pytest.mark.parametrize("package", [*USERS, "benchmarks"])
def test_a_package_that_computes_keeps_the_runtimes_silent(package: str, tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "ORT_DISABLE_TELEMETRY"}
    shown = subprocess.run(
        [sys.executable, "-c", REPORT.format(package=package)],
        cwd=ROOT,
        env={**environment, "HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache")},
        check=True,
        capture_output=True,
        text=True,
    )
    assert shown.stdout.split() == ["None", "1", "0", "1"]
    assert not list(tmp_path.iterdir())
