"""A detector behind the server: its answers become labelled boxes of the photo."""

from collections.abc import Iterator

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from midas_server.launch import Triton
from room_report.detector import Detector, decoded, letterboxed
from room_report.errors import RegionError

BOXES = np.array([[16, 8, 32, 24], [0, 0, 64, 48]], np.float32)

CONFIG = """
backend: "onnxruntime"
input [ { name: "images" data_type: TYPE_FP32 dims: [ 1, 3, 48, 64 ] } ]
output [
  { name: "boxes" data_type: TYPE_FP32 dims: [ 2, 4 ] },
  { name: "scores" data_type: TYPE_FP32 dims: [ 2 ] },
  { name: "labels" data_type: TYPE_INT64 dims: [ 2 ] }
]
"""


def test_a_photo_is_scaled_with_its_ratio_kept() -> None:
    filled, scale = letterboxed(np.full((30, 60, 3), 255, np.uint8), (32, 32))
    assert scale == pytest.approx(32 / 60)
    assert (filled[:, :16] == 1).all()
    assert (filled[:, 16:] < 0.5).all()


def test_three_outputs_are_known_by_their_names() -> None:
    boxes, scores, classes = decoded(
        {"boxes": BOXES[None], "scores": np.array([[0.9, 0.2]], np.float32), "labels": np.array([[1, 0]])}
    )
    assert (boxes == BOXES).all()
    assert scores.tolist() == pytest.approx([0.9, 0.2])
    assert classes.tolist() == [1, 0]


def test_of_one_output_the_surest_of_overlapping_boxes_stays() -> None:
    rows = np.array([[20, 20, 10, 10, 0.1, 0.8], [21, 20, 10, 10, 0.1, 0.7], [50, 20, 10, 10, 0.6, 0.1]], np.float32)
    boxes, scores, classes = decoded({"output0": rows.T[None]})
    assert boxes.tolist() == [[15, 15, 25, 25], [45, 15, 55, 25]]
    assert scores.tolist() == pytest.approx([0.8, 0.6])
    assert classes.tolist() == [1, 0]


def test_an_answer_of_another_form_is_refused() -> None:
    with pytest.raises(RegionError, match=r"logits \[1, 1000\].*Wanted"):
        decoded({"logits": np.zeros((1, 1000), np.float32)})


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Triton]:
    """A server with a network that answers the same two boxes for each photo, the second as sure as it is bright."""
    repository = tmp_path_factory.mktemp("detectors")
    (repository / "boxes" / "1").mkdir(parents=True)
    graph = helper.make_graph(
        [
            helper.make_node("ReduceMean", ["images"], ["bright"], axes=[0, 1, 2, 3], keepdims=0),
            helper.make_node("Reshape", ["bright", "one"], ["brightness"]),
            helper.make_node("Concat", ["sure", "brightness"], ["scores"], axis=0),
            helper.make_node("Identity", ["boxes_"], ["boxes"]),
            helper.make_node("Identity", ["labels_"], ["labels"]),
        ],
        "boxes",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, [1, 3, 48, 64])],
        [
            helper.make_tensor_value_info("boxes", TensorProto.FLOAT, [2, 4]),
            helper.make_tensor_value_info("scores", TensorProto.FLOAT, [2]),
            helper.make_tensor_value_info("labels", TensorProto.INT64, [2]),
        ],
        [
            numpy_helper.from_array(BOXES, "boxes_"),
            numpy_helper.from_array(np.array([0.9], np.float32), "sure"),
            numpy_helper.from_array(np.array([1, 0], np.int64), "labels_"),
            numpy_helper.from_array(np.array([1], np.int64), "one"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.checker.check_model(model)
    onnx.save(model, str(repository / "boxes" / "1" / "model.onnx"))
    (repository / "boxes" / "config.pbtxt").write_text(CONFIG)
    with Triton(repository, ["boxes"], http_port=0, grpc_port=0, metrics_port=0) as running:
        yield running


@pytest.mark.long
def test_a_served_detector_gives_boxes_of_the_photo(server: Triton) -> None:
    detector = Detector(server.grpc_url, "boxes", ["table", "sofa"])
    dark, bright = (np.full((96, 128, 3), level, np.uint8) for level in (0, 250))
    (sofa,) = detector.regions(dark)
    assert sofa.label == "sofa"
    rows, columns = np.nonzero(sofa.mask)
    assert (columns.min(), rows.min(), columns.max(), rows.max()) == (32, 16, 64, 48)
    assert [region.label for region in detector.regions(bright)] == ["sofa", "table"]


@pytest.mark.long
def test_a_model_that_is_not_there_is_named(server: Triton) -> None:
    with pytest.raises(RegionError, match=r"detector other at .* did not answer"):
        Detector(server.grpc_url, "other", ["table"]).regions(np.zeros((8, 8, 3), np.uint8))
