"""The smallest network: Y is twice X, row by row."""

from pathlib import Path

import onnx
from onnx import TensorProto, helper


def save_doubler(file: Path) -> None:
    """Write it as ONNX: float32 `[batch, n]` to float32 `[batch, n]`."""
    graph = helper.make_graph(
        [helper.make_node("Add", ["X", "X"], ["Y"])],
        "doubler",
        [helper.make_tensor_value_info("X", TensorProto.FLOAT, ["batch", "n"])],
        [helper.make_tensor_value_info("Y", TensorProto.FLOAT, ["batch", "n"])],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), file)
