"""Imported for its effect, before ONNX Runtime and OpenVINO: neither tells its makers what is done with it.

ONNX Runtime, from 1.29 on, writes facts about each network into a database in the home folder, and a thread sends them
to Microsoft. `import openvino` forks the process from a thread, and the child tells Google Analytics. A process with
threads must not be forked, and whom a server calls is its operator's decision.
"""

import os
import sys

# It is read when onnxruntime is imported, also by the processes that this one starts: Triton, with the steps.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
# OpenVINO goes on without this package where it cannot be imported. None says so.
sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
