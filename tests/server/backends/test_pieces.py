"""A batch computed in pieces is the batch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from midas_server.backends.onnx_session import computed_by, open_session
from midas_server.backends.pieces import Arrays, Opened, in_pieces
from midas_server.cores import cores
from tests.server.backends.doubler import save_doubler


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
    ("threads", "photos"),
    [(1, 1), (3, 3), (None, cores()), (-1, cores())],  # ONNX Runtime takes -1 for a choice of its own
)
def test_a_piece_has_as_many_photos_as_there_are_threads(tmp_path: Path, threads: int | None, photos: int) -> None:
    network = opened(tmp_path, threads, max_batch_size=8)
    assert network.photos == photos
    rows = np.arange(10, dtype=np.float32).reshape(5, 2)
    np.testing.assert_array_equal(in_pieces({"X": rows}, lambda: network)["Y"], 2 * rows)


def test_without_a_batch_dimension_nothing_is_cut(tmp_path: Path) -> None:
    network = opened(tmp_path, 1, max_batch_size=0)
    assert network.photos is None
    rows = np.arange(6, dtype=np.float32).reshape(3, 2)
    np.testing.assert_array_equal(in_pieces({"X": rows}, lambda: network)["Y"], 2 * rows)


def opened(folder: Path, threads: int | None, *, max_batch_size: int) -> Opened:
    save_doubler(folder / "model.onnx")
    config = {"max_batch_size": max_batch_size, "output": [{"name": "Y"}]}
    return computed_by(open_session(folder / "model.onnx", config, threads=threads), config)
