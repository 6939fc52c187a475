"""How small and how large each tensor inside a graph becomes on real photos: int8's scales, float16's overflow.

Each tensor is reduced to two numbers inside the graph, as soon as it is made: to keep all of them until the end takes
11 GB for Depth Anything's smallest network.
"""

from collections.abc import Mapping, Sequence

import onnx
from onnx import ModelProto, NodeProto, TensorProto, helper

from export.graph.contract import INPUT, serialized
from export.graph.parity import Pixels
from export.graph.session import open_session


def extremes(model: ModelProto, photos: Sequence[Pixels]) -> Mapping[str, tuple[float, float]]:
    """The smallest and the largest value of every float32 tensor that a node of `model` computes, over all `photos`.

    Args:
        model: PIXELS -> INVERSE_DEPTH in float32.
        photos: uint8 (1, H, W, 3), RGB, each at network size.
    """
    watched = _float_tensors(model)
    nodes = [NodeProto.FromString(node.SerializeToString()) for node in model.graph.node]
    outputs = len(model.graph.output)
    wanted, with_ends = set(watched), []
    for node in nodes:
        with_ends.append(node)
        for name in wanted.intersection(node.output):  # right behind it: ONNX Runtime keeps to this order
            with_ends.append(helper.make_node("ReduceMin", [name], [_smallest(name)], keepdims=0))
            with_ends.append(helper.make_node("ReduceMax", [name], [_largest(name)], keepdims=0))
    ends = [end for name in watched for end in (_smallest(name), _largest(name))]
    try:
        _set_nodes(model, with_ends)
        model.graph.output.extend(helper.make_tensor_value_info(end, TensorProto.FLOAT, []) for end in ends)
        watching = serialized(model)
    finally:
        _set_nodes(model, nodes)
        del model.graph.output[outputs:]
    session = open_session(watching, soonest_first=True)
    del watching
    found: dict[str, tuple[float, float]] = {}
    for photo in photos:
        values = [float(value) for value in session.run(ends, {INPUT: photo})]
        for name, low, high in zip(watched, values[::2], values[1::2], strict=True):
            lowest, highest = found.get(name, (low, high))
            found[name] = min(lowest, low), max(highest, high)
    return found


def _set_nodes(model: ModelProto, nodes: Sequence[NodeProto]) -> None:
    del model.graph.node[:]
    model.graph.node.extend(nodes)


def _smallest(name: str) -> str:
    return f"{name}/smallest"


def _largest(name: str) -> str:
    return f"{name}/largest"


def _float_tensors(model: ModelProto) -> list[str]:
    inferred = onnx.shape_inference.infer_shapes(model).graph
    types = {entry.name: entry.type.tensor_type.elem_type for entry in (*inferred.value_info, *inferred.output)}
    computed = [name for node in model.graph.node for name in node.output if name]
    return [name for name in computed if types.get(name) == TensorProto.FLOAT]
