"""Measurements of the running service with Triton's own load generator: ``python -m benchmarks``."""
