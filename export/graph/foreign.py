"""Any ONNX depth network, wrapped so that it takes PIXELS and gives INVERSE_DEPTH as the official ones do.

    PIXELS -> Cast -> Mul, Add (range, mean, std) -> Transpose -> the network -> Squeeze -> INVERSE_DEPTH

The network must give relative inverse depth (larger is nearer) at the size of its input.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto, ValueInfoProto, compose, helper, numpy_helper, version_converter
from typing_extensions import assert_never

from export.errors import ForeignNetworkError
from export.graph.contract import INPUT, OUTPUT, normalisation, serialized, set_signature
from export.graph.parity import BOUND, Pixels, compare, onnx_runner, sizes_to_compare
from export.graph.proved_sizes import ProvedSizes, prove_sizes
from export.graph.session import open_session
from export.variants.row import RGB, Layout, Resize

OPSET_CONVERTED_TO = 17
LOWEST_OPSET = 13  # the first whose Squeeze takes its axes as an input, as the nodes here do
_LOWEST_IR = 8
_PREFIX = "net/"
_HALF_BOUND = 1e-2  # rounding of the input alone is worth 5e-4 in half precision
_FLOATS = (TensorProto.FLOAT, TensorProto.FLOAT16)


@dataclass(frozen=True)
class InputConvention:
    """How a network takes its input, which is (pixel / 255 * value_range - mean) / std in RGB.

    Attributes:
        layout: "nchw" for (B, 3, H, W), "nhwc" for (B, H, W, 3).
        value_range: 1 or 255.
        mean: of the channels, in the unit of `value_range`.
        std: as `mean`; not 0.
    """

    layout: Layout = "nchw"
    value_range: float = 1.0
    mean: RGB = (0.0, 0.0, 0.0)
    std: RGB = (1.0, 1.0, 1.0)


@dataclass(frozen=True)
class WrappedNetwork:
    """A network of the user's own behind the input and output that are served.

    Attributes:
        model: PIXELS -> INVERSE_DEPTH.
        sizes: what it takes.
        resize: the rule that suits the network.
        batched: it computes several photos at once and each as if it were alone.
        error: largest relative error against the network as it was.
    """

    model: ModelProto
    sizes: ProvedSizes
    resize: Resize
    batched: bool
    error: float


@dataclass(frozen=True)
class _Signature:
    source: ValueInfoProto
    output: str
    batch: int | None
    height: int | None
    width: int | None

    @property
    def half(self) -> bool:
        return bool(self.source.type.tensor_type.elem_type == TensorProto.FLOAT16)


def read_onnx(path: Path) -> ModelProto:
    """Return the model in `path`, with the data of files that it refers to.

    Raises:
        ForeignNetworkError: there is no such file, or it is not a valid ONNX model.
    """
    if not path.is_file():
        raise ForeignNetworkError(f"there is no file {path}")
    try:
        model = onnx.load(path)
        onnx.checker.check_model(model)
    except Exception as error:
        raise ForeignNetworkError(f"{path} is not a valid ONNX model: {_first_line(error)}") from error
    if not model.graph.node:
        raise ForeignNetworkError(f"{path} is not an ONNX model: it holds no graph")
    return model


def wrap(
    model: ModelProto,
    form: InputConvention,
    *,
    side: int | None,
    resize: Resize | None,
    multiple: int | None = None,
    output: str | None = None,
) -> WrappedNetwork:
    """Build the graph around `model`, and prove under ONNX Runtime that it computes what `model` does.

    Args:
        model: one float input of rank 4, an output of shape (B, H, W), (B, 1, H, W) or (B, H, W, 1) at the input's
            size.
        form: how it takes its input.
        side: default side in pixels; about 256, or the network's own where that is fixed.
        resize: how photos are brought to network size; "minimal", or "square" where the network's size is fixed.
        multiple: what both sides must be multiples of; found out by trying where it is None.
        output: which output is the depth; needed only where there are several.

    Raises:
        ForeignNetworkError: it cannot be served, or not with these arguments.
        ParityError: the wrapped graph does not compute the same.
    """
    model = _with_known_opset(model)
    signature = _signature(model, form.layout, output)
    side, resize, fixed_size = _size(signature, side, resize)
    original = _runner(model, signature, form)

    def try_size(height: int, width: int) -> tuple[int, ...]:
        return _try(original, (1, height, width)).shape

    sizes = prove_sizes(try_size, side, any_aspect=resize != "square", one_size=fixed_size, multiple=multiple)
    side, fixed_size = sizes.side, sizes.one_size
    squeezed = _squeezed_axis(try_size(side, side), side)

    wrapped = _around(model, signature, form, squeezed)
    set_signature(wrapped, *((side, side) if fixed_size else ("height", "width")))
    try:
        run = onnx_runner(serialized(wrapped))
    except Exception as error:
        raise ForeignNetworkError(f"ONNX Runtime cannot open the wrapped network: {_first_line(error)}") from error

    def reference(pixels: Pixels) -> NDArray[np.float32]:
        alone = [original(pixels[i : i + 1]) for i in range(len(pixels))]
        return np.concatenate([np.squeeze(depth, squeezed) if squeezed is not None else depth for depth in alone])

    bound = _HALF_BOUND if signature.half else BOUND
    compared = sizes_to_compare(side, any_aspect=resize != "square", multiple=sizes.multiple)
    worst = compare(run, reference, [size for size in compared if size[0] == 1], bound)
    batched = signature.batch is None
    if batched:
        try:
            worst = max(worst, compare(run, reference, [size for size in compared if size[0] > 1], bound))
        except Exception:  # noqa: BLE001  (ONNX Runtime raises many kinds)
            batched = False  # a batch dimension in name only: a size baked into a Reshape, say
    return WrappedNetwork(wrapped, sizes, resize, batched, worst)


def _with_known_opset(model: ModelProto) -> ModelProto:
    """The model at an opset that the nodes added here belong to."""
    opset = opset_of(model)
    if opset >= LOWEST_OPSET:
        return model
    try:
        return version_converter.convert_version(model, OPSET_CONVERTED_TO)
    except Exception as error:
        raise ForeignNetworkError(
            f"the network is in opset {opset}, which could not be converted ({_first_line(error)}): "
            f"export it again with opset {LOWEST_OPSET} or later"
        ) from error


def opset_of(model: ModelProto) -> int:
    """The version of the standard operators that `model` is written in."""
    return max((entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx")), default=1)


def _signature(model: ModelProto, layout: Layout, output: str | None) -> _Signature:
    stored = {tensor.name for tensor in model.graph.initializer}
    inputs = [entry for entry in model.graph.input if entry.name not in stored]
    if len(inputs) != 1:
        raise ForeignNetworkError(f"the network must have one input, a photo; it has {len(inputs)}: {_names(inputs)}")
    source = inputs[0]
    tensor = source.type.tensor_type
    if tensor.elem_type not in _FLOATS:
        kind = helper.tensor_dtype_to_string(tensor.elem_type) if tensor.elem_type else "no tensor"
        raise ForeignNetworkError(f"input '{source.name}' must be float32 or float16; it is {kind}")
    dimensions = [d.dim_value if d.HasField("dim_value") and d.dim_value > 0 else None for d in tensor.shape.dim]
    if len(dimensions) != 4:
        raise ForeignNetworkError(f"input '{source.name}' must have 4 dimensions; it has {_shown(dimensions)}")
    match layout:
        case "nchw":
            _, channels, height, width = dimensions
            elsewhere = width
        case "nhwc":
            _, height, width, channels = dimensions
            elsewhere = height
        case _:
            assert_never(layout)
    if channels != 3 and (channels is not None or elsewhere == 3):
        hint = f"try --layout {'nhwc' if layout == 'nchw' else 'nchw'}" if elsewhere == 3 else "it must take RGB"
        raise ForeignNetworkError(
            f"input '{source.name}' is {_shown(dimensions)}, which is not {layout} with 3 channels: {hint}"
        )
    batch = dimensions[0]
    if batch not in (1, None):
        raise ForeignNetworkError(
            f"input '{source.name}' takes {batch} photos at a time, always: "
            "export it with a dynamic batch, or with batch 1"
        )
    return _Signature(source, _chosen_output(model, output), batch, height, width)


def _chosen_output(model: ModelProto, wanted: str | None) -> str:
    names = [entry.name for entry in model.graph.output]
    if wanted is not None and wanted not in names:
        raise ForeignNetworkError(f"the network has no output '{wanted}'; it has {', '.join(names)}")
    if wanted is None and len(names) != 1:
        raise ForeignNetworkError(
            f"the network has {len(names)} outputs, {', '.join(names)}: name the depth with --output"
        )
    return wanted or names[0]


def _size(signature: _Signature, side: int | None, resize: Resize | None) -> tuple[int | None, Resize, bool]:
    """Side (None where it is to be chosen), rule, and whether the network takes that square alone."""
    height, width = signature.height, signature.width
    if height is None and width is None:
        return side, resize or "minimal", False
    if height != width or height is None:
        raise ForeignNetworkError(
            f"the network takes {height or 'any height'} x {width or 'any width'}; it must take any size "
            "or one square: export it again with dynamic height and width"
        )
    if side not in (height, None):
        raise ForeignNetworkError(
            f"the network takes {height}x{height} only: leave out --size {side}, or export it again"
        )
    if resize not in ("square", None):
        raise ForeignNetworkError(
            f"the network takes {height}x{height} only, so --resize must be square: leave it out, "
            "or export the network again with dynamic height and width"
        )
    return height, "square", True


def _runner(model: ModelProto, signature: _Signature, form: InputConvention) -> Callable[[Pixels], NDArray[np.float32]]:
    """The network as it is, fed with pixels that numpy normalises: what the wrapped graph is held against."""
    try:
        session = open_session(serialized(model))
    except Exception as error:
        raise ForeignNetworkError(f"ONNX Runtime cannot open the network: {_first_line(error)}") from error

    def run(pixels: Pixels) -> NDArray[np.float32]:
        x = (pixels / 255 * form.value_range - np.array(form.mean)) / np.array(form.std)  # (B, H, W, 3)
        if form.layout == "nchw":
            x = x.transpose(0, 3, 1, 2)  # (B, 3, H, W)
        fed = np.ascontiguousarray(x, np.float16 if signature.half else np.float32)
        return np.asarray(session.run([signature.output], {signature.source.name: fed})[0], np.float32)

    return run


def _try(run: Callable[[Pixels], NDArray[np.float32]], size: tuple[int, int, int]) -> NDArray[np.float32]:
    """Run once; the network's own error becomes a message, and its result must have the input's size."""
    _, height, width = size
    try:
        result = run(np.zeros((*size, 3), np.uint8))
    except Exception as error:
        raise ForeignNetworkError(
            f"the network does not run at {height}x{width} ({_first_line(error)}): choose another --size, "
            "or --resize square if it takes squares only"
        ) from error
    if [side for side in result.shape if side != 1] != [height, width]:
        raise ForeignNetworkError(
            f"the network gives {_shown(result.shape)} for a photo of {height}x{width}; "
            "one depth for every pixel is expected"
        )
    return result


def _squeezed_axis(shape: tuple[int, ...], side: int) -> int | None:
    """The channel dimension of one result, None where it has none."""
    layouts: dict[tuple[int, ...], int | None] = {(1, side, side): None, (1, 1, side, side): 1, (1, side, side, 1): 3}
    if shape not in layouts:
        raise ForeignNetworkError(
            f"the network gives {_shown(shape)} for one photo; "
            f"expected is [1, {side}, {side}], with or without a channel"
        )
    return layouts[shape]


def _around(model: ModelProto, signature: _Signature, form: InputConvention, squeezed: int | None) -> ModelProto:
    """`model` with the nodes before and after it. Its own names get a prefix, so that they cannot meet the new ones."""
    wrapped = compose.add_prefix(model, _PREFIX)
    scale, offset = normalisation(form.mean, form.std, form.value_range)
    constants = {"scale": scale, "offset": offset}

    before = [_Step("Cast", attributes={"to": TensorProto.FLOAT})]
    if np.any(scale != 1) or np.any(offset):
        before += [_Step("Mul", "scale"), _Step("Add", "offset")]  # (B, H, W, 3) by (3,)
    if signature.half:
        before.append(_Step("Cast", attributes={"to": TensorProto.FLOAT16}))
    if form.layout == "nchw":
        before.append(_Step("Transpose", attributes={"perm": [0, 3, 1, 2]}))  # (B, H, W, 3) -> (B, 3, H, W)
    after = [_Step("Cast", attributes={"to": TensorProto.FLOAT})]
    if squeezed is not None:
        constants["channel"] = np.array([squeezed])
        after.append(_Step("Squeeze", "channel"))  # (B, 1, H, W) -> (B, H, W)

    nodes = [
        *_chain(before, INPUT, _PREFIX + signature.source.name),
        *wrapped.graph.node,
        *_chain(after, _PREFIX + signature.output, OUTPUT),
    ]
    stored = [*wrapped.graph.initializer, *(numpy_helper.from_array(array, name) for name, array in constants.items())]
    del wrapped.graph.node[:]
    wrapped.graph.node.extend(nodes)
    del wrapped.graph.initializer[:]
    wrapped.graph.initializer.extend(stored)
    del wrapped.graph.value_info[:]  # shapes that were declared may be narrower than what the graph computes
    wrapped.ir_version = max(wrapped.ir_version, _LOWEST_IR)
    return wrapped


@dataclass(frozen=True)
class _Step:
    operator: str
    constant: str | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)


def _chain(steps: Sequence[_Step], first: str, last: str) -> list[NodeProto]:
    """Nodes that lead from the tensor `first` to the tensor `last`, each reading the one before it."""
    tensors = [first, *(f"{first}/{step.operator}_{i}" for i, step in enumerate(steps[:-1])), last]
    return [
        helper.make_node(
            step.operator,
            [tensors[i]] if step.constant is None else [tensors[i], step.constant],
            [tensors[i + 1]],
            name=f"{first}/{step.operator}_{i}",
            **step.attributes,
        )
        for i, step in enumerate(steps)
    ]


def _names(entries: Sequence[ValueInfoProto]) -> str:
    return ", ".join(entry.name for entry in entries) or "none"


def _shown(dimensions: Sequence[int | None]) -> str:
    return f"[{', '.join('any' if side is None else str(side) for side in dimensions)}]"


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n")[0][:300] or type(error).__name__
