"""Finds a Triton server, starts it, waits until it is ready, watches its steps, and stops it."""

from midas_server.launch.distribution import CannotRunHere
from midas_server.launch.readiness import StartFailed
from midas_server.launch.server import Triton
from midas_server.launch.tuning import Tuning

__all__ = ["CannotRunHere", "StartFailed", "Triton", "Tuning"]
