"""ONNX Runtime on the processor, for graphs that are compared and timed here rather than served."""

import onnxruntime as ort

from midas_server.cores import cores


def open_session(model: bytes | str, *, soonest_first: bool = False) -> ort.InferenceSession:
    """Open a graph, given as its bytes or as the path of its file, with a thread for each core this process may use.

    `soonest_first` runs each node as soon as its inputs are there. By default ONNX Runtime begins with what the first
    output needs, and keeps all tensors that other outputs are made of.

    Threads do not spin while they wait for each other: on a core that others use too, one that spins takes the time of
    those that work, and an image has been seen to take ten times as long.
    """
    options = ort.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = cores()
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    if soonest_first:
        options.execution_order = ort.ExecutionOrder.PRIORITY_BASED
    return ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
