"""Networks of other sizes than MiDaS's are served right, and broken ones are named with what to do."""

import io
import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest
import tritonclient.http as triton_http

from export.commands.onnx_file import export_onnx_file
from export.commands.request import ExportRequest
from midas_server.launch import StartFailed, Triton
from tests.own_server import own_server
from tests.server.calls import infer, post

# A black photo gives 0/0, and a white one asks for four terabytes. Like a transformer with patches of 14 pixels it
# gives whole patches only.
PATCHES_OF_14 = """<ir_version: 8, opset_import: ["": 17]>
net (float[b, 3, h, w] x) => (float[b, 1, oh, ow] y) {
    patch = Constant <value: tensor = int64[1] {14}> ()
    first = Constant <value: tensor = int64[1] {2}> ()
    end = Constant <value: tensor = int64[1] {4}> ()
    starts = Constant <value: tensor = int64[2] {0, 0}> ()
    axes = Constant <value: tensor = int64[2] {2, 3}> ()
    m = ReduceMean <axes = [1]> (x)
    shape = Shape (m)
    sides = Slice (shape, first, end)
    patches = Div (sides, patch)
    whole = Mul (patches, patch)
    cut = Slice (m, starts, whole, axes)
    brightest = ReduceMax <axes = [1, 2, 3]> (x)
    one = Div (brightest, brightest)
    depth = Mul (cut, one)
    many = Constant <value: tensor = float[1] {1000000000000}> ()
    darkest = ReduceMin <axes = [0, 1, 2, 3], keepdims = 0> (x)
    length = Mul (many, darkest)
    whole_length = Cast <to = 7> (length)
    zeros = ConstantOfShape (whole_length)
    zero = ReduceSum <keepdims = 0> (zeros)
    y = Add (depth, zero)
}"""
ONE_SIZE = """<ir_version: 8, opset_import: ["": 17]>
net (float[b, 3, 518, 518] x) => (float[rows, 1, 518, 518] y) {
    one = Constant <value: tensor = int64[1] {1}> ()
    zero = Constant <value: tensor = int64[1] {0}> ()
    photos = Shape <start = 0, end = 1> (x)
    rows = Min (photos, one)
    m = ReduceMean <axes = [1]> (x)
    y = Slice (m, zero, rows, zero)
}"""


def changed(config: Path, before: str, after: str) -> None:
    text = config.read_text()
    assert before in text
    config.write_text(text.replace(before, after))


@pytest.fixture(scope="module")
def networks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with a network of one size, one on a grid of 14, and that again with a config for a grid of 32."""
    folder = tmp_path_factory.mktemp("networks")
    repository = folder / "model_repository"
    for name, text in [("one_size", ONE_SIZE), ("grid_of_14", PATCHES_OF_14)]:
        onnx.save(onnx.parser.parse_model(text), folder / f"{name}.onnx")
        export_onnx_file(name, folder / f"{name}.onnx", ExportRequest(repository=repository))
    for config in repository.glob("*/config.pbtxt"):  # one process each is enough, and `Tuning` would start all twice
        config.write_text(re.sub(r"\bcount: \d+", "count: 1", config.read_text()))
    # It gives one row, however many photos there are; export found that out.
    config = repository / "one_size_network" / "config.pbtxt"
    changed(config, "max_batch_size: 1\n", "max_batch_size: 8\n")
    # A batch is computed in pieces of so many: with one thread each piece would get its row.
    two = 'parameters { key: "intra_op_thread_count" value { string_value: "2" } }\n'
    config.write_text(config.read_text() + two)
    for step in ("", "_preprocess", "_network"):
        shutil.copytree(repository / f"grid_of_14{step}", repository / f"wrong_grid{step}")
        changed(repository / f"wrong_grid{step}" / "config.pbtxt", "grid_of_14", "wrong_grid")
    changed(repository / "wrong_grid_preprocess" / "config.pbtxt", 'string_value: "14"', 'string_value: "32"')
    changed(repository / "wrong_grid_preprocess" / "config.pbtxt", 'string_value: "252"', 'string_value: "224"')
    return repository


@pytest.fixture(scope="module")
def log() -> io.StringIO:
    """What the server has logged so far."""
    return io.StringIO()


@pytest.fixture(scope="module")
def server(networks: Path, log: io.StringIO) -> Iterator[Triton]:
    models = ["one_size", "grid_of_14", "wrong_grid"]
    with own_server(networks, models, log=log) as started:
        yield started


@pytest.mark.parametrize(
    ("model", "options", "size"),
    [
        ("one_size", {}, (518, 518)),
        ("grid_of_14", {}, (378, 252)),
        ("grid_of_14", {"resolution": 266, "aspect": "square"}, (266, 266)),
    ],
)
def test_other_grids_are_served(
    server: Triton, photo: bytes, model: str, options: dict[str, object], size: tuple[int, int]
) -> None:
    depth, _, info = infer(server, photo, model, output_size="network", **options)
    assert depth.shape == (1, *size[::-1])
    assert info["network"] == {"width": size[0], "height": size[1]}


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ("one_size", "one_size takes only 518x518"),
        ("grid_of_14", "allowed are integers from 140 to 1274 in steps of 14; the default of grid_of_14 is 252"),
    ],
)
def test_a_resolution_off_the_grid_is_refused(server: Triton, photo: bytes, model: str, message: str) -> None:
    with pytest.raises(Exception, match=message):
        infer(server, photo, model, resolution=256)


def test_a_map_of_another_size_than_the_input_is_no_answer(server: Triton, photo: bytes) -> None:
    with pytest.raises(Exception, match=r"wrong_grid gave depth of 252x252 for an input of 256x256.*leave out"):
        infer(server, photo, "wrong_grid", resolution=256, aspect="square")


def test_a_network_that_gives_no_numbers_is_named(server: Triton) -> None:
    black = cv2.imencode(".png", np.zeros((30, 40, 3), np.uint8))[1].tobytes()
    answer = post(server, black, "grid_of_14")
    assert answer.status_code == 500
    message = answer.json()["error"]
    assert "grid_of_14 gave values that are not finite (NaN or infinity) at " in message
    assert "another precision" in message
    assert "internal error" not in message


def test_a_network_without_memory_says_so(server: Triton) -> None:
    white = cv2.imencode(".png", np.full((30, 40, 3), 255, np.uint8))[1].tobytes()
    answer = post(server, white, "grid_of_14")
    assert answer.status_code == 500
    message = answer.json()["error"]
    assert "grid_of_14_network: ONNX Runtime ran out of memory: ask for a smaller resolution" in message


@pytest.mark.parametrize(
    ("value", "line"),
    # Triton writes a message's backslashes twice.
    [
        (0, r"request 'order\\n17': grid_of_14 gave values"),
        (255, r"request 'order\\n17': grid_of_14_network: "),
    ],
    ids=["a step", "the network"],
)
def test_the_log_names_the_request_that_failed(server: Triton, log: io.StringIO, value: int, line: str) -> None:
    picture = cv2.imencode(".png", np.full((30, 40, 3), value, np.uint8))[1].tobytes()
    tensor = triton_http.InferInput("IMAGE", [1, 1], "BYTES")
    tensor.set_data_from_numpy(np.array([[picture]], dtype=np.object_))
    with (
        triton_http.InferenceServerClient(server.http_url, network_timeout=60) as client,
        pytest.raises(Exception, match="grid_of_14"),
    ):
        client.infer("grid_of_14", [tensor], request_id="order\n17")
    deadline = time.monotonic() + 10
    while line not in log.getvalue():
        assert time.monotonic() < deadline, log.getvalue()
        time.sleep(0.02)


def test_too_few_rows_for_a_batch_are_no_answer(server: Triton) -> None:
    pixels = triton_http.InferInput("PIXELS", [2, 518, 518, 3], "UINT8")
    pixels.set_data_from_numpy(np.zeros((2, 518, 518, 3), np.uint8))
    with (
        triton_http.InferenceServerClient(server.http_url, network_timeout=60) as client,
        pytest.raises(Exception, match="'INVERSE_DEPTH' has 1 rows for a batch of 2: set max_batch_size to 1"),
    ):
        client.infer("one_size_network", [pixels])


def test_a_default_off_the_grid_is_told_at_the_start(networks: Path, tmp_path: Path) -> None:
    repository = Path(shutil.copytree(networks, tmp_path / "model_repository"))
    changed(repository / "grid_of_14_preprocess" / "config.pbtxt", 'string_value: "252"', 'string_value: "256"')
    server = own_server(repository, ["grid_of_14", "one_size"])
    with pytest.raises(StartFailed) as failed, server:
        pass
    assert "grid_of_14 cannot be served: its default resolution is 256, and allowed are" in str(failed.value)
    assert "one_size" not in str(failed.value)
