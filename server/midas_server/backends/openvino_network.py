"""Reads and compiles model.xml as a model config says; nothing here knows Triton, so that a program without one can.

The parameters are those of Triton's C++ backend, and two that it ignores: INFERENCE_PRECISION_HINT (f32, bf16 or f16),
and ONE_BY_ONE (YES), with which the photos of a batch are computed one after the other.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import openvino

from midas_server.backends.contract import ANY
from midas_server.backends.pieces import Arrays, Opened

THREADS_PARAMETER = "INFERENCE_NUM_THREADS"
PRECISIONS = ("f32", "bf16", "f16")
PERFORMANCE_HINTS = ("LATENCY", "THROUGHPUT", "CUMULATIVE_THROUGHPUT")


class CompiledNetwork:
    """A network, first read and then compiled; what a config asks for is checked on the way.

    Args:
        file: the model.xml; its model.bin lies beside it.
        config: the model config, parsed from JSON.

    Raises:
        ValueError: a parameter of the config has a value that is not allowed.
    """

    def __init__(self, file: Path, config: Mapping[str, Any]) -> None:
        parameters = config.get("parameters", {})
        self._parameters: dict[str, str] = {key: value["string_value"] for key, value in parameters.items()}
        self._core = openvino.Core()
        if self._parameters.get("CPU_EXTENSION_PATH"):
            self._core.add_extension(self._parameters["CPU_EXTENSION_PATH"])
        self.model = _read(self._core, file)
        if self.asked("RESHAPE_IO_LAYERS"):
            self.model.reshape(_configured_shapes(config))
        self.one_by_one = self.asked("ONE_BY_ONE")
        self._batch_size = 1 if self.one_by_one else int(config["max_batch_size"])

    def asked(self, parameter: str) -> bool:
        """Whether a parameter of the config is YES."""
        return self._parameters.get(parameter, "").upper() == "YES"

    def compile(self, threads: int | None = None) -> Any:
        """Return an `openvino.CompiledModel`; for one photo at a time where the config says so.

        Args:
            threads: of a computation, whatever the config says.
        """
        if self._batch_size == 1:  # a fixed batch is faster, and it is what the C++ backend sets
            for port in self.model.inputs:
                port.get_node().set_layout(openvino.Layout("N..."))
            openvino.set_batch(self.model, 1)
        device = self._parameters.get("TARGET_DEVICE", "CPU").upper()
        properties = _properties(self._parameters)
        if threads is not None:
            properties[THREADS_PARAMETER] = threads
        return self._core.compile_model(self.model, device, properties)

    def opened(self, threads: int | None = None) -> Opened:
        """Compile it; `threads` as in `compile`."""
        request = self.compile(threads).create_infer_request()

        def compute(feeds: Arrays) -> Arrays:
            results = request.infer(dict(feeds), share_inputs=True)
            return {port.get_any_name(): results[port] for port in request.model_outputs}

        return Opened(compute, 1 if self.one_by_one else None)


def _read(core: Any, file: Path) -> Any:
    """Read model.xml and model.bin of one export, even if another takes the folder's place between the two.

    The descriptor stays with the folder, and the path through it. A folder that was replaced is emptied soon, so what
    fails there is tried in the one that has its place.
    """
    while True:
        folder = os.open(file.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            return core.read_model(f"/proc/self/fd/{folder}/{file.name}")
        except RuntimeError:
            if os.path.samestat(os.fstat(folder), file.parent.stat()):
                raise
        finally:
            os.close(folder)


def _properties(parameters: Mapping[str, str]) -> dict[str, Any]:
    """OpenVINO's own names and values for the parameters of a config."""
    properties: dict[str, Any] = {}
    for name in (THREADS_PARAMETER, "COMPILATION_NUM_THREADS"):
        if parameters.get(name):
            if not parameters[name].isdecimal():
                raise ValueError(f"parameter {name} is {parameters[name]!r}: a number of threads is expected")
            properties[name] = int(parameters[name])
    if parameters.get("NUM_STREAMS"):
        streams = parameters["NUM_STREAMS"].upper()
        if streams not in ("AUTO", "NUMA") and not streams.isdecimal():
            raise ValueError(f"parameter NUM_STREAMS is {streams!r}: allowed are AUTO, NUMA and a number")
        properties["NUM_STREAMS"] = streams
    if parameters.get("PERFORMANCE_HINT"):
        properties["PERFORMANCE_HINT"] = _one_of(parameters, "PERFORMANCE_HINT", PERFORMANCE_HINTS, str.upper)
    if parameters.get("HINT_BF16"):
        _one_of(parameters, "HINT_BF16", ("YES",), str.upper)
        properties["INFERENCE_PRECISION_HINT"] = "bf16"
    elif parameters.get("INFERENCE_PRECISION_HINT"):
        properties["INFERENCE_PRECISION_HINT"] = _one_of(parameters, "INFERENCE_PRECISION_HINT", PRECISIONS, str.lower)
    return properties


def _one_of(parameters: Mapping[str, str], name: str, allowed: tuple[str, ...], spelled: Any) -> str:
    value: str = spelled(parameters[name])
    if value not in allowed:
        raise ValueError(f"parameter {name} is {parameters[name]!r}: allowed are {', '.join(allowed)}")
    return value


def _configured_shapes(config: Mapping[str, Any]) -> dict[str, Any]:
    batch = [ANY] if config["max_batch_size"] > 0 else []
    return {
        tensor["name"]: openvino.PartialShape([*batch, *(int(dim) for dim in tensor["dims"])])
        for tensor in config["input"]
    }
