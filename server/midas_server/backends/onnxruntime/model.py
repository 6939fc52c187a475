"""A Triton backend called `onnxruntime`: opens model.onnx with the Python package of ONNX Runtime.

It reads from a config what Triton's C++ backend of that name reads: the model's file name, the graph optimisation
level, `execution_mode`, `intra_op_thread_count`, `inter_op_thread_count`, `enable_mem_arena`, `enable_mem_pattern`.
"""

import json
from typing import Any

from midas_server.backends.batch import BatchedModel, model_file
from midas_server.backends.contract import ANY, TensorInfo, check_tensors
from midas_server.backends.onnx_session import THREADS_PARAMETER, computed_by, has_cuda, open_session
from midas_server.backends.pieces import Opened
from midas_server.backends.threads_by_load import threads_by_load
from midas_server.end_with_server import end_with_server

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
    """One instance: a session, or one for each number of threads, see `threads_by_load`."""

    def initialize(self, args: dict[str, str]) -> None:
        """Open the network; Triton calls this once, with the config of the model and the folder of its files."""
        end_with_server()
        config = json.loads(args["model_config"])
        file = model_file(args, config, "model.onnx")
        # The GPU where there is one, else the processor.
        on_gpu = args["model_instance_kind"] != "CPU" and has_cuda()
        gpu = int(args["model_instance_device_id"]) if on_gpu else None

        def opened(threads: int | None) -> Opened:
            session = open_session(file, config, gpu, threads)
            check_tensors(config, "input", {i.name: _info(i) for i in session.get_inputs()})
            check_tensors(config, "output", {o.name: _info(o) for o in session.get_outputs()})
            return computed_by(session, config)

        # On a GPU a batch is computed as a whole, and every instance uses all of it.
        compute = threads_by_load(args, config, THREADS_PARAMETER, opened) if gpu is None else opened(None).compute
        self.model = BatchedModel(config, "ONNX Runtime", compute)

    def execute(self, requests: list[Any]) -> list[Any]:
        """Compute a batch, and answer its requests in their order."""
        return self.model.execute(requests)


def _info(tensor: Any) -> TensorInfo:
    dims = tuple(d if isinstance(d, int) else ANY for d in tensor.shape)
    return TensorInfo(CONFIG_TYPES.get(tensor.type, tensor.type), dims)
