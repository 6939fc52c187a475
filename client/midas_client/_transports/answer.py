"""What is the same in both protocols: the tensors' names, and the answer in them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from midas_client._errors import AnswerError, ClientClosedError
from midas_client._transport import InferRequest, InferResponse

INPUT = "IMAGE"
OUTPUTS = ("DEPTH", "ENCODED", "INFO")


def queue_timeout(timeout: float) -> int:
    """Triton's own parameter `timeout`, in microseconds: how long the request may wait in a queue.

    Nobody waits for its answer after that, so the server need not work on it.
    """
    return max(1, round(timeout * 1_000_000))


def response_from(output: Callable[[str], npt.NDArray[np.generic] | None], request: InferRequest) -> InferResponse:
    """The answer from tritonclient's arrays, DEPTH [1, H, W], ENCODED [1, 1] and INFO [1, 1], looked up by name.

    Raises AnswerError.
    """
    arrays = {name: output(name) for name in OUTPUTS}
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
