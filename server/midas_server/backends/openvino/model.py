"""A Triton backend called `openvino`: opens model.xml with the Python package of OpenVINO.

It reads from a config what Triton's C++ backend of that name reads, and refuses what that refuses. Two parameters are
its own, see `openvino_network`. The C++ backend knows HINT_BF16 only.
"""

import json
from typing import Any

from midas_server.backends.batch import BatchedModel, model_file
from midas_server.backends.contract import ANY, TensorInfo, check_tensors
from midas_server.backends.openvino_network import THREADS_PARAMETER, CompiledNetwork
from midas_server.backends.pieces import Arrays
from midas_server.backends.threads_by_load import threads_by_load
from midas_server.end_with_server import end_with_server

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


class TritonPythonModel:
    """One instance: a compiled model, or one for each number of threads, see `threads_by_load`."""

    def initialize(self, args: dict[str, str]) -> None:
        """Open the network; Triton calls this once, with the config of the model and the folder of its files.

        Raises:
            ValueError: the config asks for a GPU.
        """
        end_with_server()
        config = json.loads(args["model_config"])
        if args["model_instance_kind"] != "CPU":
            raise ValueError(f"model '{config['name']}': the openvino backend takes instances of KIND_CPU only")
        network = CompiledNetwork(model_file(args, config, "model.xml"), config)
        check_tensors(config, "input", {port.get_any_name(): _info(port) for port in network.model.inputs})
        check_tensors(config, "output", {port.get_any_name(): _info(port) for port in network.model.outputs})
        self.batch_size = int(config["max_batch_size"])
        self.any_batch = network.one_by_one or network.asked("ENABLE_BATCH_PADDING")
        self.compute = threads_by_load(args, config, THREADS_PARAMETER, network.opened)
        self.model = BatchedModel(config, "OpenVINO", self._compute)

    def execute(self, requests: list[Any]) -> list[Any]:
        """Compute a batch, and answer its requests in their order."""
        return self.model.execute(requests)

    def _compute(self, feeds: Arrays) -> Arrays:
        """Padding would be computed for nothing, so none is added here; who did not ask for it is refused as there."""
        rows = len(next(iter(feeds.values())))
        if self.batch_size and rows != self.batch_size and not self.any_batch:
            raise ValueError(
                f"expected a batch of {self.batch_size}, got {rows}: set the parameter ENABLE_BATCH_PADDING to YES, "
                "or max_batch_size to 1"
            )
        return self.compute(feeds)


def _info(port: Any) -> TensorInfo:
    kind = port.get_element_type().get_type_name()
    dims = tuple(dim.get_length() if dim.is_static else ANY for dim in port.get_partial_shape())
    return TensorInfo(CONFIG_TYPES.get(kind, kind), dims)
