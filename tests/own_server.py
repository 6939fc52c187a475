"""A Triton of a test's own, beside the one that the tests share: to harm it, to count in it, to start it otherwise."""

from functools import partial

from midas_server.launch import Triton

# On free ports, and killed at its end: a stop in order takes seconds.
own_server = partial(Triton, http_port=0, grpc_port=0, metrics_port=0, exit_timeout=0)
