"""What every network's graph looks like from outside, whichever way it was made.

    input   PIXELS          uint8    [batch, height, width, 3]   RGB
    output  INVERSE_DEPTH   float32  [batch, height, width]      relative inverse depth, larger is nearer

A metric network has the same names; its INVERSE_DEPTH is depth in metres, larger is farther.

Mean and std are inside: uint8 moves a quarter of the bytes of float32, and the normalisation costs one multiplication
and one addition a value where the network runs anyway.
"""

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import ModelProto, TensorProto, helper

from export.variants.row import RGB

INPUT, OUTPUT = "PIXELS", "INVERSE_DEPTH"


def normalisation(mean: RGB, std: RGB, value_range: float = 1.0) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return `scale`, `offset`, float32 (3,): (pixel / 255 * value_range - mean) / std = pixel * scale + offset."""
    scale = value_range / 255 / np.asarray(std, np.float64)
    offset = -np.asarray(mean, np.float64) / np.asarray(std, np.float64)
    return scale.astype(np.float32), offset.astype(np.float32)


def set_signature(model: ModelProto, height: int | str, width: int | str) -> None:
    """Declare PIXELS and INVERSE_DEPTH as the only input and output, in place.

    A height or width is a number where it is fixed, a name where it is dynamic; the batch is always dynamic.
    """
    del model.graph.input[:]
    del model.graph.output[:]
    dimensions = ["batch", height, width]
    model.graph.input.append(helper.make_tensor_value_info(INPUT, TensorProto.UINT8, [*dimensions, 3]))
    model.graph.output.append(helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, dimensions))


def check_for_inference(model: ModelProto) -> None:
    """Run the ONNX checker with shape inference, and refuse what belongs to training only.

    Raises:
        onnx.checker.ValidationError: not valid ONNX, or a Dropout or a BatchNormalization in training mode is left in
            it.
    """
    onnx.checker.check_model(model, full_check=True)
    for node in model.graph.node:
        training = any(attribute.name == "training_mode" and attribute.i for attribute in node.attribute)
        if node.op_type == "Dropout" or training:
            raise onnx.checker.ValidationError(f"{node.op_type} '{node.name}' belongs to training")


def serialized(model: ModelProto) -> bytes:
    """The bytes of `model`, the same ones for the same model."""
    data: bytes = model.SerializeToString(deterministic=True)
    return data
