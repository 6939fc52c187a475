"""OpenVINO's files: what they hold in each precision, and that they compute what the graph does."""

from collections.abc import Mapping

import pytest

from export.graph.contract import serialized
from export.graph.parity import noise, onnx_runner, relative_error
from export.precision.int8 import quantized
from export.targets.builds import Precision
from export.targets.openvino import openvino_runner, to_openvino
from tests.export.small_graph import small_pixels_graph

SIZES = [(1, 64, 96), (1, 32, 32)]
ERRORS: Mapping[Precision, float] = {"fp32": 1e-5, "fp16": 1e-3, "bf16": 2e-2, "int8": 5e-2}


@pytest.mark.parametrize("precision", ERRORS)
def test_it_computes_what_the_graph_does(precision: Precision) -> None:
    graph = small_pixels_graph()
    expected = onnx_runner(serialized(graph))
    if precision == "int8":
        graph = quantized(graph, [], [noise(size) for size in SIZES])
    files = to_openvino(graph, precision)
    assert sorted(files) == ["model.bin", "model.xml"]
    run = openvino_runner(files, precision)
    for size in SIZES:
        pixels = noise(size)
        assert relative_error(run(pixels), expected(pixels)) < ERRORS[precision]


def test_half_weights_take_half_the_size() -> None:
    sizes = {precision: len(to_openvino(small_pixels_graph(), precision)["model.bin"]) for precision in ERRORS}
    assert sizes["fp16"] == sizes["bf16"] < 0.6 * sizes["fp32"]
