"""Answers a batch of requests so that one that fails fails alone."""

import traceback
from collections.abc import Callable
from typing import Any

import triton_python_backend_utils as pb_utils

from midas_server.errors import InvalidRequest


def answer_each(requests: list[Any], answer: Callable[[Any], list[Any]]) -> list[Any]:
    """Call `answer` for each request and wrap its tensors, or its error, in a response.

    An `InvalidRequest` becomes status 400 with its text. Anything else is our fault: status 500 with a short text,
    and the traceback in the server's log, where the operator needs it.
    """
    responses = []
    for request in requests:
        try:
            responses.append(pb_utils.InferenceResponse(output_tensors=answer(request)))
        except InvalidRequest as error:
            responses.append(_failed(str(error), pb_utils.TritonError.INVALID_ARG))
        except Exception as error:  # noqa: BLE001  (whatever it is, the neighbours in the batch must be answered)
            pb_utils.Logger.log_error("".join(traceback.format_exception(error)))
            responses.append(_failed(f"internal error ({type(error).__name__})", pb_utils.TritonError.INTERNAL))
    return responses


def _failed(text: str, code: int) -> Any:
    return pb_utils.InferenceResponse(output_tensors=[], error=pb_utils.TritonError(text, code))
