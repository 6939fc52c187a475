"""The warning about weights that mean nothing, once for each model of a client."""

from __future__ import annotations

import threading
import warnings

from midas_client._depth_map import DepthMap
from midas_client._errors import UntrainedWeightsWarning


class UntrainedWarnings:
    """Knows which models have been warned about."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._warned: set[str] = set()

    def warn(self, depth_map: DepthMap, stacklevel: int) -> None:
        """Warn when its model is untrained and new. stacklevel names the caller's line, as for warnings.warn()."""
        if depth_map.weights != "untrained":
            return
        with self._lock:
            first = depth_map.model not in self._warned
            self._warned.add(depth_map.model)
        if first:
            warnings.warn(
                f"{depth_map.variant} has untrained weights: its depth maps say nothing about the photo. "
                "Export the model from an official checkpoint for real depth.",
                UntrainedWeightsWarning,
                stacklevel=stacklevel,
            )
