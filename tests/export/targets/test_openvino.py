"""OpenVINO's files: what they hold in each precision, and that they compute what the graph does.

OpenVINO itself runs in a process of its own, as it does for users: its threads would stay in the one that goes on to
start servers for other tests.
"""

from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import pytest

from export.graph.contract import serialized
from export.graph.parity import noise, onnx_runner, relative_error
from export.precision.int8 import quantized
from export.targets.builds import Precision
from export.targets.openvino import openvino_runner, to_openvino
from tests.export.small_graph import small_pixels_graph

SIZES = [(1, 64, 96), (1, 32, 32)]
ERRORS: Mapping[Precision, float] = {"fp32": 1e-5, "fp16": 1e-3, "bf16": 2e-2, "int8": 5e-2}


def errors(precision: Precision) -> list[float]:
    """How far the files are from the graph, at each of SIZES; for a process of its own."""
    graph = small_pixels_graph()
    expected = onnx_runner(serialized(graph))
    if precision == "int8":
        graph = quantized(graph, [], [noise(size) for size in SIZES])
    files = to_openvino(graph, precision)
    assert sorted(files) == ["model.bin", "model.xml"]
    run = openvino_runner(files, precision)
    return [relative_error(run(noise(size)), expected(noise(size))) for size in SIZES]


def weights_size(precision: Precision) -> int:
    """Bytes of the weights; for a process of its own."""
    return len(to_openvino(small_pixels_graph(), precision)["model.bin"])


@pytest.fixture(scope="module")
def apart() -> Iterator[ProcessPoolExecutor]:
    """What runs a function in another process, which nothing was forked into."""
    with ProcessPoolExecutor(1, get_context("spawn")) as processes:
        yield processes


@pytest.mark.parametrize("precision", ERRORS)
def test_it_computes_what_the_graph_does(precision: Precision, apart: ProcessPoolExecutor) -> None:
    assert max(apart.submit(errors, precision).result()) < ERRORS[precision]


def test_half_weights_take_half_the_size(apart: ProcessPoolExecutor) -> None:
    sizes = dict(zip(ERRORS, apart.map(weights_size, ERRORS), strict=True))
    assert sizes["fp16"] == sizes["bf16"] < 0.6 * sizes["fp32"]
