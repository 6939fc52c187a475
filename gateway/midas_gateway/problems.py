"""What a caller is told when something goes wrong: application/problem+json (RFC 9457), everywhere.

Beside the members of the RFC each document has `success: false`, `message`, `code`, `request_id` and, where values are
limited, `allowed`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from midas_client import ConnectError, MidasClientError, ModelNotFoundError

MEDIA_TYPE = "application/problem+json"

CODES: Mapping[int, str] = {
    400: "bad_request",
    401: "key_missing",
    403: "key_refused",
    404: "not_found",
    405: "method_not_allowed",
    408: "upload_too_slow",
    409: "conflict",
    413: "too_large",
    415: "not_a_photo",
    422: "option_refused",
    429: "too_many_requests",
    500: "internal_error",
    502: "server_misbehaves",
    503: "busy",
    504: "too_late",
}
"""The word for each status; a program may rely on it."""

RETRY_SECONDS = 2


class Problem(Exception):  # noqa: N818 - RFC 9457's own word
    """A failure that the caller is told of.

    Args:
        status: of HTTP, one of CODES.
        message: what was wrong and what to do.
        allowed: the values that would do.
        headers: of the answer, beside its own.
    """

    def __init__(
        self, status: int, message: str, *, allowed: Sequence[object] = (), headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status, self.message, self.allowed = status, message, list(allowed)
        self.headers = dict(headers or {})


def problem_of(error: MidasClientError) -> Problem:
    """The failure that an error of the client SDK is to the gateway's caller."""
    # The id is a member of its own, and how gateway and Triton reach each other is not the caller's concern.
    if isinstance(error, ConnectError):
        return Problem(error.http_status, "The depth server cannot be reached just now: try again in a few seconds")
    message = f"{error.message.rstrip('.')}. {error.hint}" if error.hint else error.message
    allowed = error.models if isinstance(error, ModelNotFoundError) else ()
    return Problem(error.http_status, message, allowed=allowed)


def document_of(problem: Problem, *, path: str, request_id: str) -> dict[str, Any]:
    """The document that tells of a failure.

    Args:
        problem: what went wrong.
        path: that was asked.
        request_id: of the request.
    """
    document: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(problem.status).phrase,
        "status": problem.status,
        "detail": problem.message,
        "instance": path,
        "success": False,
        "message": problem.message,
        "code": CODES.get(problem.status, "error"),
        "request_id": request_id,
    }
    if problem.allowed:
        document["allowed"] = problem.allowed
    return document


def answer(request: Request, problem: Problem) -> Response:
    """The answer that tells of a failure."""
    identity = request.scope.get("state", {}).get("request_id", "")
    document = document_of(problem, path=request.url.path, request_id=identity)
    headers = dict(problem.headers)
    if problem.status in (429, 503):
        headers.setdefault("Retry-After", str(RETRY_SECONDS))
    return JSONResponse(document, problem.status, headers=headers, media_type=MEDIA_TYPE)


def add_handlers(app: FastAPI) -> None:
    """Answer every failure of the app's routes with a problem."""

    async def of_problem(request: Request, error: Exception) -> Response:
        assert isinstance(error, Problem)
        return answer(request, error)

    async def of_client(request: Request, error: Exception) -> Response:
        assert isinstance(error, MidasClientError)
        return answer(request, problem_of(error))

    async def of_http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        words = {
            404: f"There is nothing at {request.url.path}. The API is described at /docs",
            405: f"{request.method} does not go with {request.url.path}. The API is described at /docs",
        }
        message = words.get(error.status_code, str(error.detail))
        return answer(request, Problem(error.status_code, message, headers=error.headers))

    async def of_validation(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        words = "; ".join(f"{'.'.join(map(str, each['loc'][1:]))}: {each['msg']}" for each in error.errors())
        return answer(request, Problem(422, words))

    app.add_exception_handler(Problem, of_problem)
    app.add_exception_handler(MidasClientError, of_client)
    app.add_exception_handler(HTTPException, of_http)
    app.add_exception_handler(RequestValidationError, of_validation)
