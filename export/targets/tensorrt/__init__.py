"""The TensorRT target: an ONNX graph becomes one plan for each kind of GPU, built by NVIDIA's own tool, trtexec.

A plan belongs to one TensorRT version and one compute capability (7.5: T4, 8.6: RTX 3090, 9.0: H100 and H200), so a
manifest lies beside each, and the server refuses one that is not this machine's before Triton starts.
"""
