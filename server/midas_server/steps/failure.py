"""Answers a batch of requests so that one that fails fails alone."""

import traceback
from collections.abc import Callable
from typing import Any

import cv2
import triton_python_backend_utils as pb_utils

from midas_server.errors import InvalidRequest, NetworkFault
from midas_server.request_names import request_names

NO_MEMORY = "the server has too little memory for this photo at the moment: try again, or ask for a smaller result"


def answer_each(requests: list[Any], answer: Callable[[Any], list[Any]]) -> list[Any]:
    """Call `answer` for each request and wrap its tensors, or its error, in a response.

    An `InvalidRequest` becomes status 400 with its text, a `NetworkFault` status 500 with its text, and too little
    memory status 503, since another moment may have more. Anything else is our fault: status 500 with a short text, and
    the traceback in the server's log, where the operator needs it, under the request's id.
    """
    responses = []
    for request in requests:
        try:
            responses.append(pb_utils.InferenceResponse(output_tensors=answer(request)))
        except InvalidRequest as error:
            responses.append(_failed(str(error), pb_utils.TritonError.INVALID_ARG))
        except NetworkFault as error:
            pb_utils.Logger.log_error(f"{request_names([request])}{error}")
            responses.append(_failed(str(error), pb_utils.TritonError.INTERNAL))
        except Exception as error:  # noqa: BLE001  (whatever it is, the neighbours in the batch must be answered)
            traced = "".join(traceback.format_exception(error))
            pb_utils.Logger.log_error(f"{request_names([request])}{traced}")
            if _lacks_memory(error):
                responses.append(_failed(NO_MEMORY, pb_utils.TritonError.UNAVAILABLE))
            else:
                responses.append(_failed(f"internal error ({type(error).__name__})", pb_utils.TritonError.INTERNAL))
    return responses


def _lacks_memory(error: Exception) -> bool:
    return isinstance(error, MemoryError) or (isinstance(error, cv2.error) and error.code == cv2.Error.StsNoMem)


def _failed(text: str, code: int) -> Any:
    return pb_utils.InferenceResponse(output_tensors=[], error=pb_utils.TritonError(text, code))
