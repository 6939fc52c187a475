"""Any ONNX depth network: wrapped so that it computes what it did, or refused with a reason."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import ModelProto

from export.commands.onnx_file import ForeignOptions, export_onnx_file
from export.commands.request import ExportRequest
from export.errors import ForeignNetworkError
from export.graph.contract import serialized
from export.graph.foreign import InputConvention, WrappedNetwork, read_onnx, wrap
from export.graph.parity import noise, onnx_runner
from export.graph.proved_sizes import ProvedSizes
from export.repository.manifest import read_manifest
from export.repository.served_config import read_rules
from midas_server.errors import InvalidRequest
from midas_server.imaging.network_size import network_size, resolutions_on
from midas_server.options import resolve, sizes

TCMONODEPTH = Path(__file__).resolve().parents[4] / "shared" / "models" / "tcmonodepth_small.onnx"
SHIFT = InputConvention("nchw", 1.0, (0.5, 0.4, 0.3), (0.2, 0.3, 0.4))


def network(  # a network as small as can be: the mean of the channels, and whatever the case needs
    source: str = "float[batch, 3, height, width] PIXELS",
    result: str = "float[batch, 1, height, width] depth",
    body: str = "depth = ReduceMean <axes = [1]> (PIXELS)",
    opset: int = 17,
    ir_version: int = 8,
) -> ModelProto:
    text = f'<ir_version: {ir_version}, opset_import: ["": {opset}]> net ({source}) => ({result}) {{ {body} }}'
    return onnx.parser.parse_model(text)


def wrapped_and_numpy(wrapped: WrappedNetwork, form: InputConvention, size: tuple[int, int, int]) -> float:
    """Largest difference between the wrapped mean of channels and numpy's."""
    pixels = noise(size)
    normalised = (pixels / 255 * form.value_range - np.array(form.mean)) / np.array(form.std)
    depth = onnx_runner(serialized(wrapped.model))(pixels)
    assert depth.shape == size
    return float(np.abs(depth - normalised.mean(-1)).max())


@pytest.mark.parametrize(
    ("case", "form"),
    [
        pytest.param(network(), InputConvention(), id="plain, and its input is called PIXELS too"),
        pytest.param(network(), SHIFT, id="mean and std"),
        pytest.param(network(), InputConvention("nchw", 255.0, (120.0,) * 3, (60.0,) * 3), id="0..255"),
        pytest.param(
            network(
                "float[batch, height, width, 3] x",
                "float[batch, height, width, 1] depth",
                "depth = ReduceMean <axes = [3]> (x)",
            ),
            InputConvention("nhwc"),
            id="nhwc",
        ),
        pytest.param(
            network("float[b, c, h, w] x", "float[b, h, w] y", "y = ReduceMean <axes = [1], keepdims = 0> (x)"),
            SHIFT,
            id="no channel, and 3 not declared",
        ),
        pytest.param(network(opset=11, ir_version=6), SHIFT, id="opset 11"),
        pytest.param(
            network(
                "float[b, 3, h, w] scale",
                "float[b, 1, h, w] INVERSE_DEPTH",
                "offset = Identity (scale) channel = ReduceMean <axes = [1]> (offset) "
                "INVERSE_DEPTH = Identity (channel)",
            ),
            SHIFT,
            id="every name of ours is taken",
        ),
    ],
)
def test_wrapped_computes_what_the_network_does(case: ModelProto, form: InputConvention) -> None:
    wrapped = wrap(case, form, side=128, resize=None)
    assert wrapped.sizes == ProvedSizes(128, 32, 1280 * 1280)
    assert (wrapped.resize, wrapped.batched) == ("minimal", True)
    assert wrapped.error < 1e-5
    for size in [(1, 128, 128), (3, 64, 160)]:
        assert wrapped_and_numpy(wrapped, form, size) < 1e-4


def test_half_precision() -> None:
    case = network("float16[b, 3, h, w] x", "float16[b, 1, h, w] y", "m = ReduceMean <axes = [1]> (x) y = Identity (m)")
    wrapped = wrap(case, SHIFT, side=128, resize="upper_bound")
    assert wrapped.resize == "upper_bound"
    assert wrapped_and_numpy(wrapped, SHIFT, (2, 128, 160)) < 1e-2


def test_a_network_of_one_size() -> None:
    case = network("float[batch, 3, 192, 192] x", "float[batch, 1, 192, 192] y", "y = ReduceMean <axes = [1]> (x)")
    wrapped = wrap(case, SHIFT, side=None, resize=None)
    assert wrapped.sizes == ProvedSizes(192, 32, 192 * 192, one_size=True)
    assert (wrapped.resize, wrapped.batched) == ("square", True)
    dimensions = wrapped.model.graph.input[0].type.tensor_type.shape.dim
    assert [d.dim_param or d.dim_value for d in dimensions] == ["batch", 192, 192, 3]
    assert wrapped_and_numpy(wrapped, SHIFT, (2, 192, 192)) < 1e-4


FLATTENED = """
    shape = Constant <value: tensor = int64[3] {1, 128, 128}> ()
    m = ReduceMean <axes = [1]> (x)
    y = Reshape (m, shape)
"""
MIXED = """
    all = ReduceMean <axes = [0, 1, 2, 3]> (x)
    m = ReduceMean <axes = [1]> (x)
    y = Add (m, all)
"""


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(network("float[1, 3, 128, 128] x", "float[1, 128, 128] y", FLATTENED), id="declared"),
        pytest.param(network("float[b, 3, 128, 128] x", "float[1, 128, 128] y", FLATTENED), id="baked into a reshape"),
        pytest.param(network("float[b, 3, h, w] x", "float[b, 1, h, w] y", MIXED), id="photos influence each other"),
    ],
)
def test_a_network_of_one_photo_at_a_time(case: ModelProto) -> None:
    wrapped = wrap(case, SHIFT, side=128, resize=None)
    assert not wrapped.batched
    assert wrapped.model.graph.input[0].type.tensor_type.shape.dim[0].dim_param == "batch"
    assert onnx_runner(serialized(wrapped.model))(noise((1, 128, 128))).shape == (1, 128, 128)


@pytest.mark.parametrize("side", [518, 64, 300])
def test_a_network_of_one_size_that_is_on_no_grid_of_32(side: int, tmp_path: Path) -> None:
    case = network(f"float[b, 3, {side}, {side}] x", f"float[b, 1, {side}, {side}] y", MEAN)
    file = tmp_path / "net.onnx"
    file.write_bytes(serialized(case))
    export_onnx_file("my_net", file, ExportRequest(repository=tmp_path / "repository"))
    rules = read_rules(tmp_path / "repository", "my_net")
    rules.check_default()
    options = resolve({}, rules)
    assert sizes(640, 480, options, rules)[0] == (side, side)
    with pytest.raises(InvalidRequest, match=f"my_net takes only {side}x{side}"):
        resolve({"resolution": 256}, rules)


def floored(multiple: int, cap: int = 1 << 20) -> ModelProto:
    """Like a transformer of this patch: its output is as large as whole patches, and no larger than `cap`."""
    body = f"""
        patch = Constant <value: tensor = int64[1] {{{multiple}}}> ()
        cap = Constant <value: tensor = int64[1] {{{cap}}}> ()
        first = Constant <value: tensor = int64[1] {{2}}> ()
        end = Constant <value: tensor = int64[1] {{4}}> ()
        starts = Constant <value: tensor = int64[2] {{0, 0}}> ()
        axes = Constant <value: tensor = int64[2] {{2, 3}}> ()
        m = ReduceMean <axes = [1]> (x)
        shape = Shape (m)
        sides = Slice (shape, first, end)
        patches = Div (sides, patch)
        whole = Mul (patches, patch)
        capped = Min (whole, cap)
        y = Slice (m, starts, capped, axes)
    """
    return network("float[b, 3, h, w] x", "float[b, 1, oh, ow] y", body)


@pytest.mark.parametrize(
    ("patch", "arguments", "expected"),
    [
        pytest.param(14, {"side": 224, "resize": "square"}, ProvedSizes(224, 14, 1274**2), id="14, and a side of both"),
        pytest.param(14, {"resize": "lower_bound"}, ProvedSizes(252, 14, 1274**2), id="14, and no side is named"),
        pytest.param(14, {"side": 280, "multiple": 28}, ProvedSizes(280, 28, 1260**2), id="28 is coarser"),
        pytest.param(16, {}, ProvedSizes(256, 32, 1280**2), id="16 divides 32"),
        pytest.param(
            48, {"side": 384, "resize": "square"}, ProvedSizes(384, 32, 384**2, one_size=True), id="one square"
        ),
    ],
)
def test_the_grid_of_a_network_is_found_or_one_square_allowed(
    patch: int, arguments: dict[str, Any], expected: ProvedSizes
) -> None:
    wrapped = wrap(floored(patch), SHIFT, **{"side": None, "resize": None, **arguments})
    assert wrapped.sizes == expected
    run = onnx_runner(serialized(wrapped.model))
    for side in [] if expected.one_size else resolutions_on(expected.multiple)[::11]:
        size = network_size(640, 480, side, wrapped.resize, expected.multiple)[::-1]
        if size[0] * size[1] <= expected.max_area:
            assert run(np.zeros((1, *size, 3), np.uint8)).shape == (1, *size), f"resolution={side}"


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        pytest.param(floored(32, cap=640), ProvedSizes(256, 32, 480**2, max_side=480), id="never larger than 640"),
        pytest.param(floored(32, cap=5000), ProvedSizes(256, 32, 1280**2, max_side=1280), id="nothing very long"),
    ],
)
def test_only_sizes_that_ran_are_allowed(case: ModelProto, expected: ProvedSizes, tmp_path: Path) -> None:
    assert wrap(case, SHIFT, side=None, resize=None).sizes == expected
    (tmp_path / "net.onnx").write_bytes(serialized(case))
    export_onnx_file("my_net", tmp_path / "net.onnx", ExportRequest(repository=tmp_path / "repository"))
    rules = read_rules(tmp_path / "repository", "my_net")
    with pytest.raises(InvalidRequest, match=f"my_net takes (at most|sides up to) {expected.max_side}|use a smaller"):
        sizes(8000, 600, resolve({"resolution": 384}, rules), rules)


MEAN = "y = ReduceMean <axes = [1]> (x)"


@pytest.mark.parametrize(
    ("case", "arguments", "message"),
    [
        pytest.param(
            network(
                "float[b, 3, h, w] x, float[1] k",
                "float[b, 1, h, w] y",
                "m = Mul (x, k) y = ReduceMean <axes = [1]> (m)",
            ),
            {},
            "must have one input, a photo; it has 2: x, k",
            id="two inputs",
        ),
        pytest.param(
            network(
                "uint8[b, 3, h, w] x", "float[b, 1, h, w] y", "f = Cast <to = 1> (x) y = ReduceMean <axes = [1]> (f)"
            ),
            {},
            "input 'x' must be float32 or float16; it is TensorProto.UINT8",
            id="uint8",
        ),
        pytest.param(
            network("float[3, h, w] x", "float[1, h, w] y", "y = ReduceMean <axes = [0]> (x)"),
            {},
            r"must have 4 dimensions; it has \[3, any, any\]",
            id="rank 3",
        ),
        pytest.param(
            network("float[b, h, w, 3] x", "float[b, h, w, 1] y", "y = ReduceMean <axes = [3]> (x)"),
            {},
            "is not nchw with 3 channels: try --layout nhwc",
            id="layout is nhwc",
        ),
        pytest.param(
            network("float[b, 4, h, w] x", "float[b, 1, h, w] y", MEAN),
            {},
            "not nchw with 3 channels: it must take RGB",
            id="4 channels",
        ),
        pytest.param(
            network("float[4, 3, h, w] x", "float[4, 1, h, w] y", MEAN),
            {},
            "takes 4 photos at a time, always",
            id="batch of 4",
        ),
        pytest.param(
            network("float[b, 3, 128, 192] x", "float[b, 1, 128, 192] y", MEAN),
            {},
            "takes 128 x 192; it must take any size or one square",
            id="one size that is not square",
        ),
        pytest.param(
            network("float[b, 3, h, 128] x", "float[b, 1, h, 128] y", MEAN),
            {},
            "takes any height x 128; it must take any size or one square",
            id="one side fixed",
        ),
        pytest.param(
            network("float[b, 3, 128, 128] x", "float[b, 1, 128, 128] y", MEAN),
            {"side": 256},
            "takes 128x128 only: leave out --size 256",
            id="another size than its own",
        ),
        pytest.param(
            network("float[b, 3, 128, 128] x", "float[b, 1, 128, 128] y", MEAN),
            {"resize": "minimal"},
            "takes 128x128 only, so --resize must be square",
            id="another rule than square",
        ),
        pytest.param(
            network("float[b, 3, h, w] x", "float[b, 3, h, w] y", "y = Relu (x)"),
            {},
            r"gives \[1, 3, 256, 256\] for a photo of 256x256; one depth for every pixel",
            id="three channels out",
        ),
        pytest.param(
            network("float[b, 3, h, w] x", "float[b, 1] y", "y = ReduceMean <axes = [1, 2, 3], keepdims = 0> (x)"),
            {},
            "one depth for every pixel is expected",
            id="a classifier",
        ),
        pytest.param(
            network("float[b, 3, h, w] x", "float[1, 128, 128] y", FLATTENED),
            {"side": 256},
            "does not run at 256x256 .*: choose another --size, or --resize square",
            id="a size that is baked in",
        ),
        pytest.param(
            network("float[b, 3, h, w] x", "float[1, 128, 128] y", FLATTENED),
            {"side": 128},
            "does not run at 160x160 .*--resize square",
            id="an aspect that is baked in",
        ),
        pytest.param(
            network("float[b, 3, h, w] x", "float[b, 1, h, w] y, float[b, 3, h, w] z", MEAN + " z = Relu (x)"),
            {},
            "has 2 outputs, y, z: name the depth with --output",
            id="two outputs",
        ),
        pytest.param(
            floored(48),
            {},
            r"for a photo of 256x256; one depth for every pixel is expected",
            id="a grid that is not tried",
        ),
        pytest.param(
            floored(64), {}, r"a photo of 288x288; .*sides in steps of 32 were tried; --multiple names others", id="64"
        ),
        pytest.param(
            network(
                "float[b, 3, h, w] x",
                "float[b, 1, oh, ow] y",
                "m = ReduceMean <axes = [1]> (x) y = MaxPool <kernel_shape = [2, 2], strides = [2, 2]> (m)",
            ),
            {},
            r"gives \[1, 1, 128, 128\] for a photo of 256x256",
            id="half size",
        ),
        pytest.param(
            network(
                "float[b, 3, h, w] x",
                "float[b, 1, oh, ow] y",
                "m = ReduceMean <axes = [1]> (x) y = MaxPool <kernel_shape = [2, 2]> (m)",
            ),
            {},
            r"gives \[1, 1, 255, 255\] for a photo of 256x256",
            id="a pixel less",
        ),
        pytest.param(
            network(
                "float[b, 3, h, w] x",
                "float[b, 1, w, h] y",
                "m = ReduceMean <axes = [1]> (x) y = Transpose <perm = [0, 1, 3, 2]> (m)",
            ),
            {},
            r"gives \[1, 1, 256, 288\] for a photo of 288x256",
            id="height and width exchanged",
        ),
        pytest.param(network(), {"output": "disparity"}, "no output 'disparity'; it has depth", id="no such output"),
    ],
)
def test_what_cannot_be_served_is_refused_with_the_reason(
    case: ModelProto, arguments: dict[str, object], message: str
) -> None:
    side, resize, output = (arguments.get(name) for name in ("side", "resize", "output"))
    with pytest.raises(ForeignNetworkError, match=message):
        wrap(case, InputConvention(), side=side, resize=resize, output=output)  # type: ignore[arg-type]


def test_one_of_several_outputs() -> None:
    case = network("float[b, 3, h, w] x", "float[b, 3, h, w] z, float[b, 1, h, w] y", MEAN + " z = Relu (x)")
    wrapped = wrap(case, InputConvention(), side=128, resize=None, output="y")
    assert wrapped_and_numpy(wrapped, InputConvention(), (1, 128, 128)) < 1e-5


@pytest.mark.parametrize("content", [b"", b"hello", b"<html></html>", b"\x08\x08", bytes(range(256))])
def test_a_file_that_is_not_onnx(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "x.onnx"
    path.write_bytes(content)
    with pytest.raises(ForeignNetworkError, match=r"x\.onnx is not (a valid|an) ONNX model"):
        read_onnx(path)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("My-Net", "use lower-case letters, digits and underscores"),
        ("../net", "use lower-case letters"),
        ("midas_v21_small_256", "is a variant of the table"),
        ("postprocess", "is the name of a step"),
        ("a_network", "is the name of a step"),
        ("a_preprocess", "is the name of a step"),
    ],
)
def test_names_that_cannot_be(name: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(ForeignNetworkError, match=message):
        export_onnx_file(name, tmp_path / "x.onnx", ExportRequest(repository=tmp_path / "repository"))
    assert not (tmp_path / "repository").exists()


def test_export_writes_the_ensemble_once(tmp_path: Path) -> None:
    file, repository = tmp_path / "net.onnx", tmp_path / "repository"
    file.write_bytes(serialized(network("float[1, 3, 128, 128] x", "float[1, 128, 128] y", FLATTENED)))
    warnings: list[str] = []
    first = export_onnx_file("my_net", file, ExportRequest(repository=repository, warn=warnings.append))
    assert [folder.name for folder in first.written] == ["my_net_network", "my_net_preprocess", "postprocess", "my_net"]
    assert warnings == ["my_net computes one photo at a time: its graph has no batch dimension that works"]
    config = (repository / "my_net_network" / "config.pbtxt").read_text()
    assert "max_batch_size: 1\n" in config
    assert "dims: [ 128, 128, 3 ]" in config
    manifest = read_manifest(repository / "my_net_network" / "1" / "manifest.json")
    assert manifest == first.manifest
    assert manifest is not None
    assert manifest.weights == f"sha256:{manifest.checkpoint_sha256}"
    assert manifest.parity is None

    if_needed = ExportRequest(repository=repository, if_needed=True)
    again = export_onnx_file("my_net", file, if_needed)
    assert again.written == []
    assert again.network == first.network
    other_options = export_onnx_file("my_net", file, if_needed, ForeignOptions(value_range=255))
    assert other_options.written
    file.write_bytes(serialized(network("float[1, 3, 160, 160] x", "float[1, 1, 160, 160] y", MEAN)))
    other_file = export_onnx_file("my_net", file, if_needed, ForeignOptions(value_range=255))
    assert other_file.network.resolution == 160


@pytest.mark.skipif(not TCMONODEPTH.is_file(), reason="the trained network is not part of the project")
def test_a_trained_network() -> None:
    wrapped = wrap(read_onnx(TCMONODEPTH), InputConvention("nchw", 255.0), side=256, resize="minimal")
    assert wrapped.batched
    assert wrapped.error < 1e-5
    pixels = noise((2, 256, 352))
    session = ort.InferenceSession(TCMONODEPTH, providers=["CPUExecutionProvider"])
    expected = session.run(None, {"input": pixels.transpose(0, 3, 1, 2).astype(np.float32)})[0][:, 0]
    assert np.allclose(onnx_runner(serialized(wrapped.model))(pixels), expected, rtol=1e-4, atol=1e-5)
