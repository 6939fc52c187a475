"""A PyTorch network as an ONNX graph that takes plain pixels; see `export.graph.contract` for its input and output."""

import io
import warnings

import onnx
import torch
from onnx import ModelProto
from torch import Tensor, nn

from export.graph.contract import INPUT, OUTPUT, check_for_inference, normalisation, set_signature
from export.graph.simplify import simplify
from export.variants.row import RGB

OPSET = 17  # the lowest with LayerNormalization: all variants export alike, and old runtimes can still read it


class FromPixels(nn.Module):
    """A network with its normalisation in front, taking pixels as a decoder leaves them."""

    scale: Tensor
    offset: Tensor

    def __init__(self, network: nn.Module, mean: RGB, std: RGB) -> None:
        super().__init__()
        self.network = network
        scale, offset = normalisation(mean, std)
        self.register_buffer("scale", torch.from_numpy(scale))
        self.register_buffer("offset", torch.from_numpy(offset))

    def forward(self, pixels: Tensor) -> Tensor:
        """RGB uint8 (B, H, W, 3) -> relative inverse depth float32 (B, H, W)."""
        x = pixels.to(torch.float32) * self.scale + self.offset  # (B, H, W, 3), normalised
        depth: Tensor = self.network(x.permute(0, 3, 1, 2))  # (B, 3, H, W) -> (B, H, W)
        return depth


def to_onnx(network: FromPixels, *, side: int, fixed_size: bool = False) -> ModelProto:
    """Trace `network` into a simplified and checked ONNX model. The same weights give the same bytes.

    The batch is dynamic, and so are height and width unless `fixed_size`. `side` is the size in pixels that it is
    traced at.
    """
    example = torch.zeros(1, side, side, 3, dtype=torch.uint8)
    dynamic = {0: "batch"} if fixed_size else {0: "batch", 1: "height", 2: "width"}
    buffer = io.BytesIO()
    # With gradients the tracer would keep every block's attention for a backward pass that never comes.
    with warnings.catch_warnings(), torch.no_grad():
        # The newer exporter needs a further package and gives no better graph.
        warnings.simplefilter("ignore", DeprecationWarning)
        # A check of torch's own, before a group norm: batches of one pixel are refused, and no size here is one.
        warnings.filterwarnings("ignore", message="Converting a tensor to a Python bool", module="torch.nn.functional")
        # What the tracer does not fold, `simplify` does.
        warnings.filterwarnings("ignore", category=UserWarning, message="Constant folding - Only steps=1")
        torch.onnx.export(
            network.eval(),
            (example,),
            buffer,  # type: ignore[arg-type]
            dynamo=False,
            opset_version=OPSET,
            input_names=[INPUT],
            output_names=[OUTPUT],
            dynamic_axes={INPUT: dynamic},
        )
    model = onnx.load_model_from_string(buffer.getvalue())
    del buffer  # a network of 345 million parameters fills 1.4 GB: no more copies at a time than needed
    simplify(model)
    set_signature(model, *((side, side) if fixed_size else ("height", "width")))
    check_for_inference(model)
    return model
