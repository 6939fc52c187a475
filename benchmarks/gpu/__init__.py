"""`python -m benchmarks gpu`: the networks on a GPU. It needs PyTorch alone, so no more is imported."""
