"""The ranges of a graph's tensors on photos, and that measuring them takes no more memory than running the graph."""

import sys
from subprocess import run

import numpy as np
import pytest
from onnx import ModelProto, TensorProto, helper

from export.graph.contract import serialized
from export.graph.parity import noise, onnx_runner
from export.precision.ranges import extremes
from tests.export.small_graph import small_pixels_graph
from tests.networks import ROOT

PHOTOS = [noise((1, 64, 96)), noise((1, 96, 64))]
LAYERS = 60


@pytest.mark.parametrize("gain", [1.0, 1e6])
def test_ranges_are_those_of_the_tensors(gain: float) -> None:
    model = small_pixels_graph(gain)
    before = serialized(model)
    found = extremes(model, PHOTOS)
    assert serialized(model) == before
    depths = [onnx_runner(before)(photo) for photo in PHOTOS]
    assert found["INVERSE_DEPTH"] == pytest.approx((min(map(np.min, depths)), max(map(np.max, depths))), rel=1e-5)
    assert found["x"] == (0.0, 1.0)
    assert (max(found["c"]) > 1e5) == (gain > 1)


def chain() -> ModelProto:
    """A graph of `LAYERS` steps whose tensors are as large as the photo; each is needed by the next one alone."""
    nodes = [helper.make_node("Cast", ["PIXELS"], ["x0"], to=TensorProto.FLOAT)]
    nodes += [helper.make_node("Sin", [f"x{number}"], [f"x{number + 1}"]) for number in range(LAYERS)]
    nodes.append(helper.make_node("ReduceMean", [f"x{LAYERS}"], ["INVERSE_DEPTH"], axes=[3], keepdims=0))
    pixels = helper.make_tensor_value_info("PIXELS", TensorProto.UINT8, ["b", "h", "w", 3])
    depth = helper.make_tensor_value_info("INVERSE_DEPTH", TensorProto.FLOAT, ["b", "h", "w"])
    graph = helper.make_graph(nodes, "chain", [pixels], [depth])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def test_measuring_keeps_no_tensors() -> None:
    """In a process of its own, whose memory nothing else has used: 60 tensors of 12 MB each."""
    code = """
import resource
from export.graph.parity import noise
from export.precision.ranges import extremes
from tests.export.precision.test_ranges import chain

model, photo = chain(), noise((1, 1000, 1000))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
extremes(model, [photo])
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""
    done = run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert int(done.stdout) < 200  # MB; 720 and more where all are kept
