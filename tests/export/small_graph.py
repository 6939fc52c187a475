"""A depth network of five layers: everything that a conversion has to deal with, in milliseconds."""

from pathlib import Path

import numpy as np
import onnx
from onnx import ModelProto, TensorProto, helper, numpy_helper

from export.graph.contract import check_for_inference, set_signature

TEXT = """<ir_version: 8, opset_import: ["": 17]>
small (float[b, 3, h, w] x) => (float[b, 1, h, w] y) {
    [first] a = Conv <pads = [1, 1, 1, 1]> (x, w1, b1)
    [first_relu] a1 = Relu (a)
    [second] c = Conv <pads = [1, 1, 1, 1]> (a1, w2, b2)
    [second_relu] c1 = Relu (c)
    [last_but_one] d = Conv <pads = [1, 1, 1, 1]> (c1, w3, b3)
    [sum] e = Add (d, a1)
    [channels_last] f = Transpose <perm = [0, 2, 3, 1]> (e)
    [product] g = MatMul (f, w4)
    [weights] s = Softmax <axis = -1> (g)
    [attention] t = Mul (f, s)
    [channels_first] u = Transpose <perm = [0, 3, 1, 2]> (t)
    [last] v = Conv (u, w5, b5)
    [depth] y = Relu (v)
}"""
SHAPES = {"w1": (8, 3, 3, 3), "w2": (8, 8, 3, 3), "w3": (8, 8, 3, 3), "w4": (8, 8), "w5": (1, 8, 1, 1)}


def small_graph(gain: float = 1.0) -> ModelProto:
    """NCHW float32 to depth (B, 1, H, W). `gain` multiplies the second layer and divides the third."""
    model = onnx.parser.parse_model(TEXT)
    random = np.random.RandomState(0)
    for name, shape in SHAPES.items():
        weights = random.standard_normal(shape) / np.sqrt(np.prod(shape[1:]))
        weights = np.abs(weights) if name == "w5" else weights
        weights *= {"w2": gain, "w3": 1 / gain}.get(name, 1)
        model.graph.initializer.append(numpy_helper.from_array(weights.astype(np.float32), name))
        if name != "w4":
            bias = np.full(shape[0], 0.5 if name == "w5" else 0.1, np.float32)
            model.graph.initializer.append(numpy_helper.from_array(bias, name.replace("w", "b")))
    onnx.checker.check_model(model, full_check=True)
    return model


def small_pixels_graph(gain: float = 1.0) -> ModelProto:
    """The same as export makes graphs: PIXELS -> INVERSE_DEPTH."""
    model = small_graph(gain)
    nodes = list(model.graph.node)
    nodes[-1].output[0] = "y4"
    model.graph.initializer.append(numpy_helper.from_array(np.array(1 / 255, np.float32), "scale"))
    model.graph.initializer.append(numpy_helper.from_array(np.array([1]), "channel"))
    nodes = [
        helper.make_node("Cast", ["PIXELS"], ["p1"], "cast", to=TensorProto.FLOAT),
        helper.make_node("Mul", ["p1", "scale"], ["p2"], "normalise"),
        helper.make_node("Transpose", ["p2"], ["x"], "to_channels_first", perm=[0, 3, 1, 2]),
        *nodes,
        helper.make_node("Squeeze", ["y4", "channel"], ["INVERSE_DEPTH"], "squeeze"),
    ]
    kept = [onnx.NodeProto.FromString(node.SerializeToString()) for node in nodes]
    del model.graph.node[:]
    model.graph.node.extend(kept)
    set_signature(model, "height", "width")
    check_for_inference(model)
    return model


def save_small_graph(folder: Path, side: int | None = None) -> Path:
    """Write `small_graph` as a file of a user's own, of free size, or for `side` x `side` only: that exports fast."""
    model = small_graph()
    if side:  # no other size has to be proved
        for value in (model.graph.input[0], model.graph.output[0]):
            for dimension in value.type.tensor_type.shape.dim[2:]:
                dimension.dim_value = side
    onnx.save(model, folder / "small.onnx")
    return folder / "small.onnx"
