"""Graph clean-up after tracing: what is known at export time is computed at export time.

The tracer leaves arithmetic on constants (the amounts of a Pad, say) and a Constant node for every literal. Runtimes
cope, but an int8 or TensorRT conversion, and a reader, want the plain graph.
"""

import math

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

# A folded tensor above this many elements, and larger than what it is made of, would make the file grow for no gain:
# runtimes fold it when they load the graph. The intermediate results of Swin v2's position bias are just below it.
_LARGEST_FOLDED = 1 << 21
_RANDOM = {
    "RandomNormal",
    "RandomUniform",
    "RandomNormalLike",
    "RandomUniformLike",
    "Multinomial",
    "Bernoulli",
    "Dropout",
}

Constants = dict[str, TensorProto]


def simplify(model: ModelProto) -> None:
    """Fold constants, move paddings into their convolutions and drop what nothing uses, in place.

    Constants become initializers, equal small ones (literals) only once. The function that the graph computes stays the
    same.
    """
    constants: Constants = {tensor.name: tensor for tensor in model.graph.initializer}
    nodes = _fold_constants(model, constants)
    nodes = _pad_inside_convolutions(nodes, constants)
    nodes = _reachable(nodes, {output.name for output in model.graph.output})
    _share_equal_literals(nodes, constants)

    used = {name for node in nodes for name in node.input}
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    del model.graph.initializer[:]
    model.graph.initializer.extend(tensor for name, tensor in constants.items() if name in used)
    del model.graph.value_info[:]


def _fold_constants(model: ModelProto, constants: Constants) -> list[NodeProto]:
    """Return the nodes that depend on an input; the outputs of all others are added to `constants`."""
    kept: list[NodeProto] = []
    for node in model.graph.node:
        foldable = (
            not node.domain
            and node.op_type not in _RANDOM
            and not any(attribute.HasField("g") for attribute in node.attribute)
        )
        if not foldable or not all(name in constants or not name for name in node.input):
            kept.append(node)
            continue
        results = _evaluate(node, model, constants)
        largest = max([_LARGEST_FOLDED, *(math.prod(constants[name].dims) for name in node.input if name)])
        if node.op_type != "Constant" and any(result.size > largest for result in results):
            kept.append(node)
            continue
        for name, result in zip(node.output, results, strict=True):
            constants[name] = numpy_helper.from_array(np.asarray(result, order="C"), name)
    return kept


def _evaluate(node: NodeProto, model: ModelProto, constants: Constants) -> list[NDArray[np.generic]]:
    names = [name for name in node.input if name]
    graph = helper.make_graph(
        [node],
        "folded",
        [helper.make_tensor_value_info(name, constants[name].data_type, None) for name in names],
        [helper.make_empty_tensor_value_info(name) for name in node.output],
    )
    single = helper.make_model(graph, opset_imports=model.opset_import, ir_version=model.ir_version)
    feeds = {name: numpy_helper.to_array(constants[name]) for name in names}
    return [np.asarray(result) for result in ReferenceEvaluator(single).run(None, feeds)]


def _pad_inside_convolutions(nodes: list[NodeProto], constants: Constants) -> list[NodeProto]:
    """Turn a Pad with zeros, read by one Conv only, into that Conv's own padding."""
    readers: dict[str, int] = {}
    for node in nodes:
        for name in node.input:
            readers[name] = readers.get(name, 0) + 1
    pads = {
        node.output[0]: node
        for node in nodes
        if node.op_type == "Pad" and readers.get(node.output[0]) == 1 and _spatial_zero_padding(node, constants)
    }
    moved: set[str] = set()
    for node in nodes:
        pad = pads.get(node.input[0]) if node.op_type == "Conv" else None
        if pad is None:
            continue
        own = next((attribute for attribute in node.attribute if attribute.name == "pads"), None)
        before_after = _spatial_zero_padding(pad, constants)
        total = [a + b for a, b in zip(before_after, own.ints if own else [0] * len(before_after), strict=True)]
        if own:
            node.attribute.remove(own)
        node.attribute.append(helper.make_attribute("pads", total))
        node.input[0] = pad.input[0]
        moved.add(pad.output[0])
    return [node for node in nodes if node.op_type != "Pad" or node.output[0] not in moved]


def _spatial_zero_padding(pad: NodeProto, constants: Constants) -> list[int]:
    """The padding of (B, C, H, W) as Conv writes it, [top, left, bottom, right]; empty where Conv cannot express it."""
    mode = next((attribute.s for attribute in pad.attribute if attribute.name == "mode"), b"constant")
    if mode != b"constant" or len(pad.input) < 2 or pad.input[1] not in constants or len(pad.input) > 3:
        return []
    if len(pad.input) == 3 and pad.input[2]:
        value = constants.get(pad.input[2])
        if value is None or np.any(numpy_helper.to_array(value)):
            return []
    amounts = [int(amount) for amount in numpy_helper.to_array(constants[pad.input[1]])]
    before, after = amounts[: len(amounts) // 2], amounts[len(amounts) // 2 :]
    if len(before) != 4 or any(before[:2] + after[:2]) or min(amounts) < 0:
        return []
    return before[2:] + after[2:]


def _reachable(nodes: list[NodeProto], outputs: set[str]) -> list[NodeProto]:
    """Only the nodes that an output depends on, in their order."""
    needed = set(outputs)
    kept: list[NodeProto] = []
    for node in reversed(nodes):
        if needed.intersection(node.output):
            kept.append(node)
            needed.update(node.input)
            for attribute in node.attribute:
                needed.update(name for inner in attribute.g.node for name in inner.input)
    return kept[::-1]


def _share_equal_literals(nodes: list[NodeProto], constants: Constants) -> None:
    """Let nodes that read equal constants of at most 16 elements read the first of them."""
    first: dict[bytes, str] = {}
    same: dict[str, str] = {}
    for name, tensor in constants.items():
        array = numpy_helper.to_array(tensor)
        if array.size <= 16:
            key = repr((tensor.data_type, array.shape)).encode() + array.tobytes()
            same[name] = first.setdefault(key, name)
    for node in nodes:
        for index, name in enumerate(node.input):
            node.input[index] = same.get(name, name)
