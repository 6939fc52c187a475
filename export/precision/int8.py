"""A graph whose convolutions and matrix products with weights compute in int8, for processors.

Static quantisation by `onnxruntime.quantization` in QDQ form: activations uint8 with one range for a tensor, measured
on photos; weights int8 with one scale for an output channel. Unsigned activations with signed weights is what x86
processors multiply fastest; signed ones take longer than float32 there. Ranges are whole (`reduce_range` off), as
processors with VNNI can sum them without overflow. They are measured by `export.precision.ranges`: the tool's own
calibration keeps all tensors of a photo at a time, gigabytes for a transformer.

In float32 stay:

- the first convolution, which reads the pixels, and the last, which makes the depth: measured alone, each costs more
  error than most layers inside together, and hardly any time;
- products of two activations (attention), softmax, norms and activation functions other than ReLU and clip;
- what the variant's row names.
"""

from collections.abc import Sequence

import numpy as np
import onnx
from onnx import ModelProto, NodeProto
from onnxruntime.quantization import CalibrationMethod, QuantType
from onnxruntime.quantization.calibrate import TensorsData
from onnxruntime.quantization.qdq_quantizer import QDQQuantizer

from export.graph.contract import check_for_inference
from export.graph.parity import Pixels
from export.precision.ranges import extremes

_PRODUCTS = ("Conv", "MatMul", "Gemm")
_ACTIVATIONS = ("Relu", "Clip")  # they cost nothing after a product: its range ends where theirs does


def quantized(model: ModelProto, float32: Sequence[str], photos: Sequence[Pixels]) -> ModelProto:
    """Return `model` (PIXELS -> INVERSE_DEPTH in float32) in int8; `model` itself only gets names for its nodes.

    Args:
        model: the graph.
        float32: products whose name contains one of these stay in float32, beside the rules above.
        photos: uint8 (1, H, W, 3), RGB, at network size, to calibrate with, each as it is and mirrored.
    """
    for number, node in enumerate(model.graph.node):
        node.name = node.name or f"{node.op_type}_{number}"
    ranges = extremes(model, [*photos, *(np.ascontiguousarray(photo[:, :, ::-1]) for photo in photos)])
    quantizer = QDQQuantizer(
        onnx.shape_inference.infer_shapes(model),
        per_channel=True,
        reduce_range=False,
        weight_qType=QuantType.QInt8,
        activation_qType=QuantType.QUInt8,
        tensors_range=TensorsData(
            CalibrationMethod.MinMax,
            {name: (np.float32(low), np.float32(high)) for name, (low, high) in ranges.items()},
        ),
        nodes_to_quantize=_to_quantize(model, float32),
        nodes_to_exclude=[],
        op_types_to_quantize=[*_PRODUCTS, *_ACTIVATIONS],
        extra_options={"QDQOpTypePerChannelSupportToAxis": {"MatMul": 1}},
    )
    quantizer.quantize_model()
    quantizer.model.topological_sort()
    quantised: ModelProto = quantizer.model.model
    del quantised.metadata_props[:], quantised.graph.value_info[:]
    check_for_inference(quantised)
    return quantised


def _to_quantize(model: ModelProto, float32: Sequence[str]) -> list[str]:
    """Names of the products in int8, and of the activation right after each."""
    weights = {tensor.name for tensor in model.graph.initializer}
    products = [node for node in model.graph.node if node.op_type in _PRODUCTS and node.input[1] in weights]
    chosen = [node for node in products[1:-1] if not any(part in node.name for part in float32)]
    after: dict[str, list[NodeProto]] = {}
    for node in model.graph.node:
        if node.op_type in _ACTIVATIONS:
            after.setdefault(node.input[0], []).append(node)
    return [name for node in chosen for name in (node.name, *(act.name for act in after.get(node.output[0], [])))]
