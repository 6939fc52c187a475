"""Step of an ensemble; the code is in the server package."""

from midas_server.steps.preprocess import TritonPythonModel  # noqa: F401
