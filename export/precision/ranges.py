"""How large each tensor inside a graph becomes on real photos: what does not fit into half precision shows here."""

from collections.abc import Mapping, Sequence

import onnx
from onnx import ModelProto, TensorProto, helper

from export.graph.contract import INPUT, serialized
from export.graph.parity import Pixels
from export.graph.session import open_session

_SUFFIX = "/largest"


def largest_magnitudes(model: ModelProto, photos: Sequence[Pixels]) -> Mapping[str, float]:
    """The largest absolute value of every float32 tensor that a node of `model` computes, over all `photos`.

    Args:
        model: PIXELS -> INVERSE_DEPTH in float32.
        photos: uint8 (1, H, W, 3), RGB, each at network size.
    """
    watched = _float_tensors(model)
    nodes, outputs = len(model.graph.node), len(model.graph.output)
    for name in watched:
        # reduced inside the graph: to keep all tensors until the end would take gigabytes
        model.graph.node.append(helper.make_node("Abs", [name], [f"{name}/abs"]))
        model.graph.node.append(helper.make_node("ReduceMax", [f"{name}/abs"], [name + _SUFFIX], keepdims=0))
        model.graph.output.append(helper.make_tensor_value_info(name + _SUFFIX, TensorProto.FLOAT, []))
    try:
        watching = serialized(model)
    finally:
        del model.graph.node[nodes:], model.graph.output[outputs:]
    session = open_session(watching)
    del watching
    largest = dict.fromkeys(watched, 0.0)
    for photo in photos:
        values = session.run([name + _SUFFIX for name in watched], {INPUT: photo})
        largest = {name: max(largest[name], float(value)) for name, value in zip(watched, values, strict=True)}
    return largest


def _float_tensors(model: ModelProto) -> list[str]:
    inferred = onnx.shape_inference.infer_shapes(model).graph
    types = {entry.name: entry.type.tensor_type.elem_type for entry in (*inferred.value_info, *inferred.output)}
    computed = [name for node in model.graph.node for name in node.output if name]
    return [name for name in computed if types.get(name) == TensorProto.FLOAT]
