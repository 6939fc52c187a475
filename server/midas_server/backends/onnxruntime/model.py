"""A Triton backend called `onnxruntime`: opens model.onnx with the Python package of ONNX Runtime.

It reads from a config what Triton's C++ backend of that name reads: the model's file name, the graph optimisation
level, `execution_mode`, `intra_op_thread_count`, `inter_op_thread_count`, `enable_mem_arena`, `enable_mem_pattern`.
"""

import json
from typing import Any

import onnxruntime as ort

from midas_server.backends.batch import Arrays, BatchedModel, model_file
from midas_server.backends.contract import ANY, TensorInfo, check_tensors

# The config's `optimization.graph.level`, as the C++ backend reads it; all optimisations where it is not set.
OPTIMIZATION_LEVELS = {
    -1: ort.GraphOptimizationLevel.ORT_ENABLE_BASIC,
    0: ort.GraphOptimizationLevel.ORT_ENABLE_ALL,
    1: ort.GraphOptimizationLevel.ORT_ENABLE_EXTENDED,
    2: ort.GraphOptimizationLevel.ORT_DISABLE_ALL,
}

CONFIG_TYPES = {
    "tensor(bool)": "TYPE_BOOL",
    "tensor(uint8)": "TYPE_UINT8",
    "tensor(int8)": "TYPE_INT8",
    "tensor(int32)": "TYPE_INT32",
    "tensor(int64)": "TYPE_INT64",
    "tensor(float16)": "TYPE_FP16",
    "tensor(float)": "TYPE_FP32",
    "tensor(double)": "TYPE_FP64",
}


class TritonPythonModel:
    """One instance: one session."""

    def initialize(self, args: dict[str, str]) -> None:
        config = json.loads(args["model_config"])
        file = model_file(args, config, "model.onnx")
        self.session = ort.InferenceSession(file, _session_options(config), providers=_providers(args))
        check_tensors(config, "input", {i.name: _info(i) for i in self.session.get_inputs()})
        check_tensors(config, "output", {o.name: _info(o) for o in self.session.get_outputs()})
        self.model = BatchedModel(config, "ONNX Runtime", self._compute)

    def execute(self, requests: list[Any]) -> list[Any]:
        return self.model.execute(requests)

    def _compute(self, feeds: Arrays) -> Arrays:
        return dict(zip(self.model.outputs, self.session.run(self.model.outputs, feeds), strict=True))


def _session_options(config: dict[str, Any]) -> Any:
    parameters = {key: value["string_value"] for key, value in config.get("parameters", {}).items()}
    options = ort.SessionOptions()
    level = int(config.get("optimization", {}).get("graph", {}).get("level", 0))
    options.graph_optimization_level = OPTIMIZATION_LEVELS.get(level, ort.GraphOptimizationLevel.ORT_ENABLE_ALL)
    execution_mode = parameters.get("execution_mode", "0")
    if execution_mode not in ("0", "1"):
        raise ValueError(f"parameter execution_mode is {execution_mode!r}: allowed are 0 (sequential) and 1 (parallel)")
    options.execution_mode = (
        ort.ExecutionMode.ORT_PARALLEL if execution_mode == "1" else ort.ExecutionMode.ORT_SEQUENTIAL
    )
    # 0 leaves the choice to ONNX Runtime: one thread a core
    options.intra_op_num_threads = int(parameters.get("intra_op_thread_count", "0"))
    options.inter_op_num_threads = int(parameters.get("inter_op_thread_count", "0"))
    # Threads that spin while they wait take the cores from the steps around the network, and where anything else runs
    # they wait for each other: a batch of eight took 681 to 1420 ms so, and 407 to 529 ms without, on two busy cores.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.enable_cpu_mem_arena = _flag(parameters, "enable_mem_arena")
    options.enable_mem_pattern = _flag(parameters, "enable_mem_pattern")
    return options


def _flag(parameters: dict[str, str], name: str) -> bool:
    value = parameters.get(name, "1").lower()
    if value not in ("0", "1", "false", "true"):
        raise ValueError(f"parameter {name} is {value!r}: allowed are 0 and 1")
    return value in ("1", "true")


def _providers(args: dict[str, str]) -> list[Any]:
    """The GPU where there is one and the package was built for it (onnxruntime-gpu), else the processor."""
    providers: list[Any] = ["CPUExecutionProvider"]
    if args["model_instance_kind"] != "CPU" and "CUDAExecutionProvider" in ort.get_available_providers():
        providers.insert(0, ("CUDAExecutionProvider", {"device_id": int(args["model_instance_device_id"])}))
    return providers


def _info(tensor: Any) -> TensorInfo:
    dims = tuple(d if isinstance(d, int) else ANY for d in tensor.shape)
    return TensorInfo(CONFIG_TYPES.get(tensor.type, tensor.type), dims)
