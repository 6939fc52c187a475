"""What a float16 graph gives on a GPU, found out on a processor.

ONNX Runtime has hardly any float16 kernels for processors: it computes such a graph in float32 and leaves out the
rounding between nodes, so that neither the error nor an overflow shows. Here every float16 tensor is float32, rounded
to float16 by two casts that must stay. Sums inside a node stay in float32, as on tensor cores.
"""

import numpy as np
import onnx
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

_HALF, _FLOAT = TensorProto.FLOAT16, TensorProto.FLOAT


def rounding_as_half(half: ModelProto) -> ModelProto:
    """Return a float32 graph that rounds to float16 wherever `half` holds float16; `half` stays as it is."""
    inferred = onnx.shape_inference.infer_shapes(half).graph
    halves = {
        entry.name for entry in (*inferred.value_info, *inferred.output) if entry.type.tensor_type.elem_type == _HALF
    }
    rounding = ModelProto()
    rounding.CopyFrom(half)
    graph = rounding.graph
    del graph.value_info[:]
    for tensor in graph.initializer:
        if tensor.data_type == _HALF:
            tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor).astype(np.float32), tensor.name))
    nodes: list[NodeProto] = []
    for node in graph.node:
        nodes.append(node)
        for index, name in enumerate(node.output):
            if name not in halves:
                continue
            wide, narrow = f"{name}/wide", f"{name}/narrow"
            if _makes_half(node):
                node.output[index] = narrow
            else:
                node.output[index] = wide
                nodes.append(helper.make_node("Cast", [wide], [narrow], to=_HALF))
            nodes.append(helper.make_node("Cast", [narrow], [name], to=_FLOAT))
    kept = [NodeProto.FromString(node.SerializeToString()) for node in nodes]
    del graph.node[:]
    graph.node.extend(kept)
    return rounding


def _makes_half(node: NodeProto) -> bool:
    """Whether the node says itself that its output is float16."""
    return any(
        (attribute.name == "to" and attribute.i == _HALF)
        or (attribute.name == "value" and attribute.t.data_type == _HALF)
        for attribute in node.attribute
    )
