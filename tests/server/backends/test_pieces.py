"""A batch computed in pieces is the batch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from midas_server.backends.onnx_session import computed_by, open_session
from midas_server.backends.pieces import Arrays, Opened, in_pieces
from midas_server.cores import cores


@pytest.mark.parametrize(
    ("rows", "photos", "pieces"),
    [(1, 1, [1]), (1, 4, [1]), (3, 1, [1, 1, 1]), (5, 2, [2, 2, 1]), (4, 4, [4]), (8, 3, [3, 3, 2]), (8, None, [8])],
)
def test_rows_come_back_in_their_order(rows: int, photos: int | None, pieces: list[int]) -> None:
    seen: list[int] = []

    def compute(feeds: Arrays) -> Arrays:
        seen.append(len(feeds["a"]))
        return {"sum": feeds["a"] + feeds["b"], "twice": 2 * feeds["a"]}

    a, b = np.arange(6.0 * rows).reshape(rows, 2, 3), np.ones((rows, 2, 3))
    results = in_pieces({"a": a, "b": b}, lambda: Opened(compute, photos))
    assert seen == pieces
    np.testing.assert_array_equal(results["sum"], a + 1)
    np.testing.assert_array_equal(results["twice"], 2 * a)


@pytest.mark.parametrize(
    ("threads", "config", "photos"),
    [(1, {"max_batch_size": 8}, 1), (3, {"max_batch_size": 8}, 3), (None, {"max_batch_size": 8}, cores())],
)
def test_a_piece_has_as_many_photos_as_there_are_threads(
    tmp_path: Path, threads: int | None, config: dict[str, Any], photos: int
) -> None:
    assert opened(tmp_path, threads, config).photos == photos


def test_without_a_batch_dimension_nothing_is_cut(tmp_path: Path) -> None:
    network = opened(tmp_path, 1, {"max_batch_size": 0})
    assert network.photos is None
    rows = np.arange(6, dtype=np.float32).reshape(3, 2)
    np.testing.assert_array_equal(in_pieces({"X": rows}, lambda: network)["Y"], 2 * rows)


def opened(folder: Path, threads: int | None, config: dict[str, Any]) -> Opened:
    """A network that doubles its input."""
    graph = helper.make_graph(
        [helper.make_node("Add", ["X", "X"], ["Y"])],
        "doubler",
        [helper.make_tensor_value_info("X", TensorProto.FLOAT, ["batch", "n"])],
        [helper.make_tensor_value_info("Y", TensorProto.FLOAT, ["batch", "n"])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.save(model, folder / "model.onnx")
    config = {**config, "output": [{"name": "Y"}]}
    return computed_by(open_session(folder / "model.onnx", config, threads=threads), config)
