"""ONNX graphs: traced from PyTorch or given by the user, simplified, and held against their source."""
