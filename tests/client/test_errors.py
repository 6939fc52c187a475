"""From a server's answer to an error of this package."""

import pickle

import pytest

import midas_client._errors as module
from midas_client import (
    AccessDeniedError,
    AnswerError,
    ClientClosedError,
    ConnectError,
    ConnectionLostError,
    DeadlineExceededError,
    InvalidRequestError,
    MidasClientError,
    ModelNotFoundError,
    ServerBusyError,
    ServerError,
    StepRestartingError,
)
from midas_client._errors import error_from_grpc, error_from_http, no_answer

DEAD_STEP = "in ensemble 'm', Failed to process the request(s), message: Stub process 'm_preprocess_0_0' is not healthy"


def triton_json(text: str) -> bytes:
    return b'{"error":"' + text.encode() + b'"}'


@pytest.mark.parametrize(
    ("status", "body", "kind", "text"),
    [
        (
            400,
            triton_json("in ensemble 'm', IMAGE: not an image"),
            InvalidRequestError,
            r"^IMAGE: not an image \[HTTP 400",
        ),
        (404, triton_json("Request for unknown model: 'x' is not found"), ModelNotFoundError, "unknown model: 'x'"),
        # from a Triton that is stopping
        (404, triton_json("Request for unknown model: 'x' has no available versions"), ServerBusyError, "no available"),
        (404, triton_json("Not Found"), ServerError, "Not Found"),
        (404, b"<html>nginx</html>", AnswerError, "not a Triton server.*8000"),
        (401, b"", AccessDeniedError, "operator restricts"),
        (403, triton_json("This API is restricted, expecting header 'k'"), AccessDeniedError, "operator restricts"),
        (
            503,
            triton_json("in ensemble 'm', Exceeds maximum queue size"),
            ServerBusyError,
            "Exceeds maximum queue size",
        ),
        (503, b"<html>no upstream</html>", ServerBusyError, "no upstream"),
        (429, b"too many", ServerBusyError, "too many"),
        (500, triton_json(DEAD_STEP), StepRestartingError, "died or hangs"),
        (500, triton_json("in ensemble 'm', Failed to obtain the health mutex."), StepRestartingError, "died or hangs"),
        (
            500,
            triton_json(r"ValueError: broken\n\nAt:\n  model.py(3)"),
            ServerError,
            r"answered: ValueError: broken \[",
        ),
        (502, b"", ServerError, "an empty body"),
        (418, b"\xff\xfe", ServerError, "HTTP 418"),
    ],
)
def test_http(status: int, body: bytes, kind: type[MidasClientError], text: str) -> None:
    error = error_from_http(status, body, "http://host:80", "id7")
    assert type(error) is kind
    assert error.status_code == status
    assert error.request_id == "id7"
    with pytest.raises(kind, match=text):
        raise error


@pytest.mark.parametrize(
    ("code", "details", "kind", "text"),
    [
        ("INVALID_ARGUMENT", "in ensemble 'm', IMAGE: no", InvalidRequestError, r"^IMAGE: no \[gRPC INVALID_ARG"),
        ("NOT_FOUND", "Request for unknown model: 'x' is not found", ModelNotFoundError, "unknown model"),
        ("NOT_FOUND", "Request for unknown model: 'x' has no available versions", ServerBusyError, "no available"),
        ("UNAVAILABLE", "in ensemble 'm', Exceeds maximum queue size", ServerBusyError, "Exceeds maximum queue"),
        ("UNAVAILABLE", "This protocol is restricted, expecting", AccessDeniedError, "operator restricts"),
        ("INTERNAL", DEAD_STEP, StepRestartingError, "died or hangs"),
        ("UNAVAILABLE", "Socket closed", ConnectionLostError, "Socket closed"),
        ("UNKNOWN", "Stream removed (Socket closed)", ConnectionLostError, "Stream removed"),
        ("UNAVAILABLE", "failed to connect to all addresses; last error: UNKNOWN: ipv4:1: Connection refused",
         ConnectError, "No connection to host:1: Connection refused"),
        ("UNAVAILABLE", "DNS resolution failed for nohost:1: Domain name not found", ConnectError, "Domain name not"),
        ("DEADLINE_EXCEEDED", "Deadline Exceeded", DeadlineExceededError, "in time"),
        ("CANCELLED", "Channel closed!", ClientClosedError, "was closed"),
        ("UNIMPLEMENTED", "", AnswerError, "not a Triton server.*8001"),
        ("INTERNAL", "something", ServerError, "something"),
    ],
)  # fmt: skip
def test_grpc(code: str, details: str, kind: type[MidasClientError], text: str) -> None:
    error = error_from_grpc(code, details, "host:1", "id7")
    assert type(error) is kind
    with pytest.raises(kind, match=text):
        raise error


def test_prefixes_are_stripped_and_the_servers_words_kept() -> None:
    words = "[request id: 7] in ensemble 'a', in ensemble 'b', IMAGE: empty"
    error = error_from_http(400, triton_json(words), "", None)
    assert error.message == "IMAGE: empty"
    assert error.server_message == words


def test_deadline_is_pythons_timeout() -> None:
    error = no_answer("host:1", "id7")
    assert isinstance(error, TimeoutError)
    assert str(error).startswith("No answer from host:1 in time. The server is overloaded")
    assert str(error).endswith("[request id7]")


def test_errors_travel_between_processes() -> None:
    for error in (error_from_http(400, triton_json("no"), "", "id7"), no_answer("host:1", "id7")):
        copy = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes
        assert type(copy) is type(error)
        assert str(copy) == str(error)


def test_the_tree_in_the_docstring_is_the_tree() -> None:
    drawn = (module.__doc__ or "").split("[r]: the client")[0]
    classes = [c for c in vars(module).values() if isinstance(c, type) and issubclass(c, MidasClientError)]
    for kind in classes:
        line = next(line for line in drawn.splitlines() if f" {kind.__name__} " in f" {line.strip()} ")
        assert ("[r]" in line) == kind.retryable, kind.__name__
    assert drawn.count("Error") >= len(classes)
