"""Networks in the model repository: from a checkpoint, or an ONNX file of the user's own, to what Triton loads.

What differs between networks stands in `export.variants`. The rooms, each of which knows those before it:

    networks, weights     PyTorch networks and their checkpoints
    graph, precision      their ONNX graphs, checked against the source; in half precision or int8
    targets, repository   the model files of each runtime; the folders around them
    auto                  the build that fits the machine, found by trying them all
    commands              from one end to the other: `variant` or `onnx_file` makes the graph, `pipeline` the rest
"""

import midas_server.no_telemetry  # noqa: F401
