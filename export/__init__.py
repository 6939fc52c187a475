"""From a checkpoint to a model repository: checkpoint -> network -> ONNX -> parity -> the folders that Triton loads.

`export.pipeline` runs the steps in order; `python -m export` is its command line.
"""
