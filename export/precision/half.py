"""A graph that computes in float16, with islands that stay in float32; input and output keep their types.

float16 has 11 significant bits and ends at 65504. In float32 stay:

- the normalisation of the pixels in front, up to the first convolution or matrix product;
- operators that sum many terms or exponentiate: softmax, layer norm and the pieces of one (`ISLANDS`);
- every node that makes or reads a tensor which came near 65504 on the photos: measured, not guessed;
- what the variant's row names.

The conversion itself is `onnxruntime.transformers.float16`. It rounds to float16 between any two nodes of an island as
well; those casts are taken out again here, or a value too large for float16 would be infinite inside its island.
"""

from collections.abc import Mapping, Sequence

from onnx import ModelProto, NodeProto, TensorProto
from onnxruntime.transformers.float16 import DEFAULT_OP_BLOCK_LIST, convert_float_to_float16
from onnxruntime.transformers.onnx_model import OnnxModel

from export.graph.contract import check_for_inference
from export.graph.parity import Pixels
from export.precision.ranges import extremes

ISLANDS = (
    "Softmax",
    "LogSoftmax",
    "LayerNormalization",
    "InstanceNormalization",
    "ReduceMean",
    "ReduceSum",
    "ReduceL2",
    "LpNormalization",
    "Pow",
    "Sqrt",
    "Reciprocal",
    "Exp",
)
LARGEST = 65504 / 4  # photos that were not measured may go further
_PRODUCTS = ("Conv", "MatMul", "Gemm")


def in_half_precision(model: ModelProto, islands: Sequence[str], photos: Sequence[Pixels]) -> ModelProto:
    """Convert `model` (PIXELS -> INVERSE_DEPTH in float32) in place, and return it.

    Args:
        model: the graph.
        islands: nodes whose name contains one of these stay in float32, beside the rules above.
        photos: uint8 (1, H, W, 3), RGB, at network size; the ranges are measured on them.
    """
    for number, node in enumerate(model.graph.node):
        node.name = node.name or f"{node.op_type}_{number}"
    largest = {name: max(-low, high) for name, (low, high) in extremes(model, photos).items()}
    in_front = _before_the_first_product(model.graph.node)
    blocked = [
        node.name
        for node in model.graph.node
        if node.name in in_front
        or node.op_type in ISLANDS
        or any(part in node.name for part in islands)
        or any(largest.get(name, 0.0) >= LARGEST for name in (*node.input, *node.output))
    ]
    half: ModelProto = convert_float_to_float16(
        model, keep_io_types=True, op_block_list=DEFAULT_OP_BLOCK_LIST, node_block_list=blocked
    )
    _join_islands(half)
    graph = OnnxModel(half)
    graph.topological_sort()
    del half.graph.value_info[:]
    check_for_inference(half)
    return half


def _before_the_first_product(nodes: Sequence[NodeProto]) -> set[str]:
    """Names of the nodes that only the pixels lead to: normalisation and its transpose."""
    first = next((index for index, node in enumerate(nodes) if node.op_type in _PRODUCTS), len(nodes))
    return {node.name for node in nodes[:first]}


def _join_islands(model: ModelProto) -> None:
    """Let a node in float32 read what another node in float32 made, without the two casts between them."""
    to_half: Mapping[str, str] = {
        node.output[0]: node.input[0] for node in model.graph.node if _casts_to(node, TensorProto.FLOAT16)
    }
    made_by = {name: node for node in model.graph.node for name in node.output}
    # PIXELS is cast to float by a node of the graph, which is no pair with the one after it
    direct = {
        node.output[0]: to_half[node.input[0]]
        for node in model.graph.node
        if _casts_to(node, TensorProto.FLOAT) and node.input[0] in to_half and to_half[node.input[0]] in made_by
    }
    for node in model.graph.node:
        for index, name in enumerate(node.input):
            node.input[index] = direct.get(name, name)
    outputs = {output.name for output in model.graph.output}
    while True:
        read = {name for node in model.graph.node for name in node.input} | outputs
        unused = [node for node in model.graph.node if not read.intersection(node.output)]
        if not unused:
            return
        for node in unused:
            model.graph.node.remove(node)


def _casts_to(node: NodeProto, kind: int) -> bool:
    return node.op_type == "Cast" and node.attribute[0].i == kind
