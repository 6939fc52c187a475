"""Triton's side of the pipeline: the Python-backend steps before and after every network."""
