"""A Triton backend called `openvino`: opens model.xml with the Python package of OpenVINO.

It reads from a config what Triton's C++ backend of that name reads, and refuses what that refuses. One parameter is
its own: INFERENCE_PRECISION_HINT (f32, bf16 or f16). The C++ backend ignores it and knows HINT_BF16 only.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import openvino

from midas_server.backends.batch import Arrays, BatchedModel, model_file
from midas_server.backends.contract import ANY, TensorInfo, check_tensors

CONFIG_TYPES = {
    "boolean": "TYPE_BOOL",
    "u8": "TYPE_UINT8",
    "i8": "TYPE_INT8",
    "i32": "TYPE_INT32",
    "i64": "TYPE_INT64",
    "f16": "TYPE_FP16",
    "f32": "TYPE_FP32",
    "f64": "TYPE_FP64",
}
PRECISIONS = ("f32", "bf16", "f16")
PERFORMANCE_HINTS = ("LATENCY", "THROUGHPUT", "CUMULATIVE_THROUGHPUT")


class TritonPythonModel:
    """One instance: one compiled model and one inference request."""

    def initialize(self, args: dict[str, str]) -> None:
        config = json.loads(args["model_config"])
        if args["model_instance_kind"] != "CPU":
            raise ValueError(f"model '{config['name']}': the openvino backend takes instances of KIND_CPU only")
        parameters = {key: value["string_value"] for key, value in config.get("parameters", {}).items()}
        core = openvino.Core()
        if parameters.get("CPU_EXTENSION_PATH"):
            core.add_extension(parameters["CPU_EXTENSION_PATH"])
        model = _read(core, model_file(args, config, "model.xml"))
        if _yes(parameters, "RESHAPE_IO_LAYERS"):
            model.reshape(_configured_shapes(config))
        check_tensors(config, "input", {port.get_any_name(): _info(port) for port in model.inputs})
        check_tensors(config, "output", {port.get_any_name(): _info(port) for port in model.outputs})
        self.batch_size = int(config["max_batch_size"])
        self.padding = _yes(parameters, "ENABLE_BATCH_PADDING")
        if self.batch_size == 1:  # a fixed batch is faster, and it is what the C++ backend sets
            for port in model.inputs:
                port.get_node().set_layout(openvino.Layout("N..."))
            openvino.set_batch(model, 1)
        device = parameters.get("TARGET_DEVICE", "CPU").upper()
        self.request = core.compile_model(model, device, _properties(parameters)).create_infer_request()
        self.model = BatchedModel(config, "OpenVINO", self._compute)

    def execute(self, requests: list[Any]) -> list[Any]:
        return self.model.execute(requests)

    def _compute(self, feeds: Arrays) -> Arrays:
        """Padding would be computed for nothing, so none is added here; who did not ask for it is refused as there."""
        rows = len(next(iter(feeds.values())))
        if self.batch_size and rows != self.batch_size and not self.padding:
            raise ValueError(
                f"expected a batch of {self.batch_size}, got {rows}: set the parameter ENABLE_BATCH_PADDING to YES, "
                "or max_batch_size to 1"
            )
        results = self.request.infer(dict(feeds), share_inputs=True)
        return {port.get_any_name(): results[port] for port in self.request.model_outputs}


def _read(core: Any, file: Path) -> Any:
    """Read model.xml and model.bin of one export, even if another takes the folder's place between the two.

    The descriptor stays with the folder, and the path through it.
    """
    folder = os.open(file.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        return core.read_model(f"/proc/self/fd/{folder}/{file.name}")
    finally:
        os.close(folder)


def _properties(parameters: Mapping[str, str]) -> dict[str, Any]:
    """OpenVINO's own names and values for the parameters of a config."""
    properties: dict[str, Any] = {}
    for name in ("INFERENCE_NUM_THREADS", "COMPILATION_NUM_THREADS"):
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


def _yes(parameters: Mapping[str, str], name: str) -> bool:
    return parameters.get(name, "").upper() == "YES"


def _configured_shapes(config: Mapping[str, Any]) -> dict[str, Any]:
    batch = [ANY] if config["max_batch_size"] > 0 else []
    return {
        tensor["name"]: openvino.PartialShape([*batch, *(int(dim) for dim in tensor["dims"])])
        for tensor in config["input"]
    }


def _info(port: Any) -> TensorInfo:
    kind = port.get_element_type().get_type_name()
    dims = tuple(dim.get_length() if dim.is_static else ANY for dim in port.get_partial_shape())
    return TensorInfo(CONFIG_TYPES.get(kind, kind), dims)
