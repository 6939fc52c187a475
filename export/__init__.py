"""From a checkpoint to a model repository: checkpoint -> network -> ONNX -> parity -> the folders that Triton loads.

`export.variant_export` and `export.onnx_file_export` make the graph, `export.pipeline` does the rest.
`python -m export` is the command line.
"""
