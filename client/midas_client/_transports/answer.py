"""What is the same in both protocols: the input, the outputs that are asked for, and the answer in them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from midas_client._errors import AnswerError, ClientClosedError
from midas_client._transport import InferRequest, InferResponse

INPUT = "IMAGE"
DEPTH, ENCODED, INFO = OUTPUTS = ("DEPTH", "ENCODED", "INFO")
LENGTH = 4
"""Bytes before a BYTES element that say how long it is, little-endian."""


def queue_timeout(timeout: float) -> int:
    """Triton's own parameter `timeout`, in microseconds: how long the request may wait in a queue.

    Nobody waits for its answer after that, so the server need not work on it.
    """
    return max(1, round(timeout * 1_000_000))


class PlainOutputs:
    """The outputs of a depth model, all of them in the answer itself."""

    def requested(self, make: Callable[[str], Any]) -> list[Any]:
        """What to ask for, as either of tritonclient's InferRequestedOutput (make) has it."""
        return [make(name) for name in OUTPUTS]

    def array(self, result: Any, name: str) -> npt.NDArray[Any] | None:
        """An output in either of tritonclient's InferResult, by its name. None where there is no such output."""
        array: npt.NDArray[Any] | None = result.as_numpy(name)
        return array


PLAIN = PlainOutputs()


def image_tensor(image: bytes, make: Callable[[str, list[int], str], Any]) -> Any:
    """IMAGE [1, 1] with an encoded file, as either of tritonclient's InferInput (make) has it."""
    tensor = make(INPUT, [1, 1], "BYTES")
    tensor.set_data_from_numpy(np.array([[image]], dtype=np.object_))
    return tensor


def response_from(result: Any, request: InferRequest, outputs: PlainOutputs) -> InferResponse:
    """The answer without its batch dimension.

    Args:
        result: either of tritonclient's InferResult, with DEPTH [1, H, W], ENCODED [1, 1] and INFO [1, 1].
        request: what it answers.
        outputs: what was asked for with the request.

    Raises:
        AnswerError: these are not a depth model's outputs.
    """
    arrays = {name: outputs.array(result, name) for name in OUTPUTS}
    depth, encoded, info = (arrays[name] for name in OUTPUTS)
    if depth is None or encoded is None or info is None or depth.ndim != 3 or encoded.size != 1 or info.size != 1:
        shapes = {name: None if array is None else list(array.shape) for name, array in arrays.items()}
        raise AnswerError(
            f"{request.model} answered with other outputs than a depth model's: {shapes}",
            hint="Name a depth model, not a step of one",
            request_id=request.id,
        )
    return InferResponse(depth[0].astype(np.float32, copy=False), bytes(encoded.item()), bytes(info.item()))


def closed() -> ClientClosedError:
    return ClientClosedError("The client is closed", hint="Make another one")
