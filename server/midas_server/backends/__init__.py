"""Python-based Triton backends for a machine without the container.

`backends/<name>/model.py` beside Triton's own `backends/python/` is a backend called `<name>`: it serves the very
`config.pbtxt` that the container serves with its C++ backend of that name.
"""
