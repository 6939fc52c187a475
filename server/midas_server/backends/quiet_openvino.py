"""OpenVINO, without the package that reports its use to its makers.

With that package, `import openvino` forks the process from a thread, and the child tells Google Analytics of the
import. A process with threads must not be forked, and whom a server calls is its operator's decision. OpenVINO goes on
without the package where it cannot be imported.
"""

import sys

sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]  # None: it is not to be had

import openvino  # noqa: E402

__all__ = ["openvino"]
