"""The ONNX file that this project serves, opened with ONNX Runtime; runs in the peers' environments."""

# mypy: disable-error-code="import-not-found, import-untyped"

import os

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray


class OnnxNetwork:
    """Pixels, uint8 RGB `[B, h, w, 3]`, to depth, float32 `[B, h, w]`; may be called from several threads.

    `allow_spinning` is off as in our own backend: threads that spin while they wait take the cores from the
    decoding beside them.
    """

    def __init__(self) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = int(os.environ["THREADS"])
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._session = ort.InferenceSession(os.environ["ONNX_FILE"], options, providers=["CPUExecutionProvider"])
        self._input = self._session.get_inputs()[0].name

    def __call__(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        return np.asarray(self._session.run(None, {self._input: pixels})[0], np.float32)
