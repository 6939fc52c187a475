"""A graph as OpenVINO's own files, model.xml and model.bin, and what runs them here.

The precision is carried by two things: the files, and for what they leave open the hint that the config gives to the
runtime (see `export.repository.configs`).

    fp32    weights float32                            computed in float32
    fp16    weights float16, half the size             computed in float32
    bf16    weights float16, half the size             computed in bfloat16 where the processor can, else float32
    int8    quantisation nodes of the ONNX graph       int8, the rest in float32

A processor with AVX-512 can, also without bfloat16 of its own: it then has the errors of `bf16` and not its speed.
"""

import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from onnx import ModelProto

from export.errors import NoRuntimeError
from export.graph.contract import INPUT, OUTPUT, serialized
from export.graph.parity import Depth, Pixels
from export.targets.builds import Precision
from export.targets.verdict import Runner

try:
    import openvino
except ImportError as error:
    raise NoRuntimeError(
        'OpenVINO is not installed: run "make setup", or pip install "openvino>=2025.4,<2027"'
    ) from error

XML, BIN = "model.xml", "model.bin"


def to_openvino(model: ModelProto, precision: Precision) -> dict[str, bytes]:
    """Convert a graph that is in float32 or quantised; see above for what becomes of its weights."""
    converted = openvino.Core().read_model(serialized(model))
    with tempfile.TemporaryDirectory(prefix="midas-openvino-") as folder:
        xml = Path(folder) / XML
        openvino.save_model(converted, xml, compress_to_fp16=precision in ("fp16", "bf16"))
        return {XML: xml.read_bytes(), BIN: xml.with_suffix(".bin").read_bytes()}


def openvino_runner(files: Mapping[str, bytes], precision: Precision) -> Runner:
    """Return a function that runs the files on the processor as the served model does: one photo at a time."""
    core = openvino.Core()
    model = core.read_model(files[XML], files[BIN])
    for port in model.inputs:
        port.get_node().set_layout(openvino.Layout("N..."))
    openvino.set_batch(model, 1)
    hints = {
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_PRECISION_HINT": "bf16" if precision == "bf16" else "f32",
    }
    request = core.compile_model(model, "CPU", hints).create_infer_request()

    def run(pixels: Pixels) -> Depth:
        return np.array(request.infer({INPUT: pixels})[OUTPUT], np.float32)

    return run
