"""Everything that this package raises on its own account, and the way from a server's answer to one of these errors.

    MidasClientError
     ├── UsageError (also a ValueError)       wrong from the start: nothing was sent
     │    ├── AddressError                    not an address of a server
     │    ├── OptionError                     an option or a colour map that does not exist
     │    ├── MetricFitError                  known distances from which no metres follow
     │    └── PhotoError                      not a path, bytes or array of a photo, or a file that cannot be read
     ├── ClientClosedError                    the client was used after close()
     ├── TransportError                       the server gave no answer
     │    ├── ConnectError             [r]    nobody listens there, the name is unknown, the host does not answer
     │    ├── ConnectionLostError      [r]    the connection broke before the answer was complete
     │    ├── DeadlineExceededError           no answer in time (also a TimeoutError)
     │    └── AnswerError                     something answered that is not a depth server
     └── ServerError                          the server answered with an error
          ├── InvalidRequestError             the photo or an option was refused (400, INVALID_ARGUMENT)
          ├── AccessDeniedError               not allowed (401, 403, a restricted part of the API)
          ├── ModelNotFoundError              no model of that name (404, NOT_FOUND); `.models` has those there are
          ├── ServerBusyError          [r]    queues are full, or too many calls (503, 429, UNAVAILABLE)
          └── StepRestartingError      [r]    a step of the model has died or hangs, and is being replaced

[r]: the client tries again, within its deadline, before it raises. Warnings are UntrainedWeightsWarning and
SharedMemoryWarning.
"""

from __future__ import annotations

import difflib
import json
import re
from typing import ClassVar


class MidasClientError(Exception):
    """Root of all errors of this package.

    Attributes:
        message: what was wrong.
        hint: what to do; may be empty.
        status_code: the protocol's own, 404 over HTTP, "NOT_FOUND" over gRPC; None without an answer.
        server_message: the server's words, complete; None without an answer.
        request_id: the request's id in the server's log; None where nothing was sent.
        retry_after: seconds that a gateway or proxy asked to wait before another attempt; None where none did.
        http_status: what a web service that passes the error on to its own caller would answer.
    """

    retryable: ClassVar[bool] = False
    http_status: ClassVar[int] = 500

    def __init__(
        self,
        message: str,
        *,
        hint: str = "",
        status_code: int | str | None = None,
        server_message: str | None = None,
        request_id: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.status_code = status_code
        self.server_message = server_message
        self.request_id = request_id
        self.retry_after: float | None = None

    def __str__(self) -> str:
        text = self.message
        if self.hint:
            text = f"{text.rstrip('.')}. {self.hint}" if text[-1:] not in "!?" else f"{text} {self.hint}"
        marks = []
        if self.status_code is not None:
            marks.append(
                f"HTTP {self.status_code}" if isinstance(self.status_code, int) else f"gRPC {self.status_code}"
            )
        if self.request_id:
            marks.append(f"request {self.request_id}")
        return f"{text} [{', '.join(marks)}]" if marks else text


class UsageError(MidasClientError, ValueError):
    """The call was wrong from the start; nothing was sent."""

    http_status = 400


class AddressError(UsageError):
    """Not an address of a server."""


class OptionError(UsageError):
    """An option, a value of an option or a colour map that does not exist."""

    http_status = 422


class MetricFitError(UsageError):
    """The known distances do not say how relative depth becomes metres."""

    http_status = 422


class PhotoError(UsageError):
    """Not a path, bytes or array of a photo, or a photo or a video that cannot be read."""


class ClientClosedError(MidasClientError):
    """The client was used after close()."""

    http_status = 503


class TransportError(MidasClientError):
    """The server gave no answer."""

    http_status = 502


class ConnectError(TransportError):
    """There was no connection: nobody listens there, the name is unknown, or the host does not answer."""

    retryable = True
    http_status = 503


class ConnectionLostError(TransportError):
    """The connection broke before the answer was complete."""

    retryable = True
    http_status = 503


class DeadlineExceededError(TransportError, TimeoutError):
    """No answer within the total of the timeout."""

    http_status = 504


class AnswerError(TransportError):
    """Something answered that is not a depth server, or one of another version."""


class ServerError(MidasClientError):
    """The server answered with an error."""

    http_status = 502


class InvalidRequestError(ServerError):
    """The server refused the photo or an option (400, INVALID_ARGUMENT).

    Attributes:
        option: the name of the option that was refused; None where the photo was.
    """

    http_status = 400

    @property
    def option(self) -> str | None:
        refused = _OPTION.match(self.message)
        return refused[1] if refused else None


class AccessDeniedError(ServerError):
    """Not allowed: credentials are missing, or this part of the API is restricted."""


class ModelNotFoundError(ServerError):
    """The server has no model of that name; `models` has those there are, empty where the server would not tell."""

    models: tuple[str, ...] = ()
    http_status = 404

    def name_models(self, models: list[str], asked: str) -> None:
        """Add the models that the server has to the message and as `models`; those close to the one asked for first."""
        self.models = tuple(models)
        close = difflib.get_close_matches(asked, models, 3)
        if models:
            meant = f"Did you mean {' or '.join(close)}? " if close else ""
            self.hint = f"{meant}The server has: {', '.join(models)}"


class ServerBusyError(ServerError):
    """The server's queues are full, it is stopping (503, UNAVAILABLE), or a proxy counts too many calls (429)."""

    retryable = True
    http_status = 503


class StepRestartingError(ServerError):
    """A step of the model has died; the server replaces it within seconds."""

    retryable = True
    http_status = 503


class SharedMemoryWarning(UserWarning):
    """Shared memory was asked for and cannot be had: answers come the plain way, slower and no less right."""


class UntrainedWeightsWarning(UserWarning):
    """The model's weights are untrained: its depth maps show that everything runs, and nothing of the photo's depth."""


# Said in front of the reason: the request's id, which the error has anyway, and the ensemble, which the caller named.
_PREFIXES = re.compile(r"^(?:\[request id: [^\]]*\] |in ensemble '[^']*', )+")
# How the server's words begin where an option is at fault: they come as text only.
_OPTION = re.compile(r"option (\w+)")
_DEAD_STEP = re.compile(r"Stub process '[^']*' is not healthy|Failed to obtain the health mutex")
# An instance is called after its step, with two numbers.
_DEAD_INSTANCE = re.compile(r"Stub process '([^']*?)(?:_\d+_\d+)?' is not healthy")
_STEP = re.compile(r"expected \d+ inputs? but got|unexpected inference (?:in|out)put", re.IGNORECASE)
_RESTRICTED = re.compile(r"\b(?:protocol|API) is restricted\b", re.IGNORECASE)
# gRPC's own words, which nothing but the text tells from a server's: its statuses carry no sign of who made them.
_NO_CONNECTION = re.compile(r"failed to connect to|errors resolving|DNS resolution|Name resolution", re.IGNORECASE)
_BROKEN_STREAM = re.compile(
    r"Stream removed|Socket closed|RST_STREAM|GOAWAY|Connection reset|Connection timed out|Broken pipe|recvmsg|sendmsg"
    r"|FD Shutdown|End of TCP stream|Transport closed|keepalive",
    re.IGNORECASE,
)

_KIND_OF_HTTP: dict[int, type[ServerError]] = {
    400: InvalidRequestError,
    401: AccessDeniedError,
    403: AccessDeniedError,
    404: ModelNotFoundError,
    429: ServerBusyError,
    503: ServerBusyError,
}
_KIND_OF_GRPC: dict[str, type[ServerError]] = {
    "INVALID_ARGUMENT": InvalidRequestError,
    "UNAUTHENTICATED": AccessDeniedError,
    "PERMISSION_DENIED": AccessDeniedError,
    "NOT_FOUND": ModelNotFoundError,
    "UNAVAILABLE": ServerBusyError,
}
_HINTS: dict[type[ServerError], str] = {
    AccessDeniedError: "The server's operator restricts this call: is token= or headers= needed, or another one?",
    ServerBusyError: "Its queues stayed full: send fewer requests at once, or allow more time",
    StepRestartingError: "A step of the model died or hangs and was not replaced in time: try again in a few seconds",
}


def dead_steps(error: MidasClientError) -> list[str]:
    """The steps that a server's words call dead."""
    return _DEAD_INSTANCE.findall(error.server_message or "")


def _server_error(kind: type[ServerError], text: str, status_code: int | str, request_id: str | None) -> ServerError:
    """The error for the server's words, without the prefixes and with one line of them in the message."""
    words = _PREFIXES.sub("", text).strip()
    if _DEAD_STEP.search(words):
        kind = StepRestartingError
    elif _RESTRICTED.search(words):
        kind = AccessDeniedError
    elif kind is ModelNotFoundError and "has no available versions" in words:
        kind = ServerBusyError  # a Triton that is stopping has let go of it, or it is being loaded again
    elif kind is ModelNotFoundError and "model" not in words.lower():
        kind = ServerError
    first_line = words.splitlines()[0] if words else "no explanation"
    message = first_line if kind in (InvalidRequestError, ModelNotFoundError) else f"The server answered: {first_line}"
    hint = "Name a depth model, not a step of one" if _STEP.search(words) else _HINTS.get(kind, "")
    return kind(message, hint=hint, status_code=status_code, server_message=text, request_id=request_id)


def error_from_http(status: int, body: bytes, address: str, request_id: str | None) -> MidasClientError:
    """The error for an HTTP answer.

    Args:
        status: any but 200.
        body: Triton's JSON, or whatever a proxy says.
        address: of the server, for the message.
        request_id: of the infer request; None for other requests.
    """
    try:
        document = json.loads(body)
    except ValueError:
        document = None
    if status == 405:
        # Every port of Triton's but that of HTTP says so to its own calls: the metrics' port does.
        return AnswerError(
            f"{address} answers HTTP, but takes no photos: is it the port of Triton's metrics?",
            hint="Check the port: Triton's HTTP port is usually 8000, that of its metrics 8002",
            status_code=status,
            request_id=request_id,
        )
    if isinstance(document, dict) and isinstance(document.get("error"), str):
        return _server_error(_KIND_OF_HTTP.get(status, ServerError), document["error"], status, request_id)
    if status == 404:
        return AnswerError(
            f"{address} answers HTTP, but is not a Triton server",
            hint="Check host, port and path: Triton's HTTP port is usually 8000",
            status_code=status,
            request_id=request_id,
        )
    text = body[:200].decode("utf-8", "replace") or "an empty body"
    return _server_error(_KIND_OF_HTTP.get(status, ServerError), text, status, request_id)


def error_from_grpc(code: str, details: str, address: str, request_id: str | None) -> MidasClientError:
    """The error for a gRPC status.

    Args:
        code: its name, such as "NOT_FOUND".
        details: the text beside it.
        address: of the server, for the message.
        request_id: of the infer request; None for other requests.
    """
    if code == "DEADLINE_EXCEEDED":
        return no_answer(address, request_id)
    if code == "CANCELLED":
        return ClientClosedError("The client was closed while it waited for an answer")
    if code == "UNAVAILABLE" and _NO_CONNECTION.search(details):
        return no_connection(address, _last_cause(details))
    if code in ("UNAVAILABLE", "INTERNAL", "UNKNOWN") and _BROKEN_STREAM.search(details):
        return connection_lost(address, details, request_id)
    if code == "UNIMPLEMENTED" or details.startswith("Received http2 header with status"):
        return AnswerError(
            f"{address} answers gRPC, but is not a Triton server: {details}",
            hint="Check host and port: Triton's gRPC port is usually 8001",
            status_code=code,
            request_id=request_id,
        )
    return _server_error(_KIND_OF_GRPC.get(code, ServerError), details, code, request_id)


def _last_cause(details: str) -> str:
    """'Connection refused' out of gRPC's 'failed to connect to all addresses; last error: UNKNOWN: ipv4:...: ...'."""
    cause = details.rsplit("last error: ", 1)[-1].rsplit(": ", 1)[-1].strip(" ]")
    if cause == "OK" and "handshake" in details.lower():
        return "no TLS is spoken there, or none that fits"
    return "timed out" if cause == "tcp handshaker shutdown" else cause


def no_connection(address: str, cause: str) -> ConnectError:
    """The error where nothing was sent: nobody listens, or the connection was refused."""
    return ConnectError(
        f"No connection to {address}: {cause}",
        hint="Is the server running, and is this its port? gRPC is usually host:8001, HTTP http://host:8000",
    )


def connection_lost(address: str, cause: str, request_id: str | None) -> ConnectionLostError:
    """The error where the request may have reached the server."""
    return ConnectionLostError(
        f"The connection to {address} broke before the answer was complete: {cause}",
        hint="The server may have been restarted, or this is the port of another protocol: gRPC is usually host:8001, "
        "HTTP http://host:8000",
        request_id=request_id,
    )


def no_answer(address: str, request_id: str | None) -> DeadlineExceededError:
    """The error at the end of a timeout."""
    return DeadlineExceededError(
        f"No answer from {address} in time",
        hint="The server is overloaded or hangs, or the timeout is too short for this photo and model",
        request_id=request_id,
    )
