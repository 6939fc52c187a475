"""OpenVINO is imported without the package that forks the process and reports the import to its makers."""

import subprocess
import sys

import pytest

from tests.test_architecture import ARROWS, imports

REPORT = """
import os, threading
forks = []
os.register_at_fork(before=lambda: forks.append(1))
import {module}
import openvino, sys
assert openvino.Core().available_devices
print(sys.modules["openvino_telemetry"], threading.active_count(), len(forks))
"""


@pytest.mark.parametrize("module", ["midas_server.backends.openvino_network", "export.targets.openvino"])
def test_openvino_starts_no_thread_and_no_process_that_reports_its_use(module: str) -> None:
    code = REPORT.format(module=module)
    shown = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert shown.stdout.split() == ["None", "1", "0"]


def test_nothing_else_imports_openvino() -> None:
    found = {module for package in ARROWS for module, name in imports(package) if name.partition(".")[0] == "openvino"}
    assert found == {"midas_server.backends.quiet_openvino"}
