"""HTTP, on the standard library's http.client, with tritonclient's encoding of tensors.

tritonclient's own HTTP client runs on gevent, which binds it to one thread, and its timeouts begin anew with every
byte.
"""

from __future__ import annotations

import http.client
import json
import selectors
import ssl
import threading
import time
from typing import cast
from urllib.parse import quote

import numpy as np
import tritonclient.http as triton

from midas_client._address import Address
from midas_client._deadline_socket import DeadlineSocket, DeadlineTlsSocket, connect
from midas_client._errors import (
    AnswerError,
    ClientClosedError,
    MidasClientError,
    connection_lost,
    error_from_http,
    no_answer,
    no_connection,
)
from midas_client._transport import INPUT, OUTPUTS, InferRequest, InferResponse, queue_timeout, response_from

_HEADER_LENGTH = "Inference-Header-Content-Length"


class _Connection(http.client.HTTPConnection):
    """One connection, whose sock is a DeadlineSocket or a DeadlineTlsSocket."""

    def set_deadline(self, deadline: float) -> None:
        cast("DeadlineSocket | DeadlineTlsSocket", self.sock).deadline = deadline

    def is_stale(self) -> bool:
        """Whether the server has closed it, or sent what nobody asked for, while it lay idle."""
        with selectors.DefaultSelector() as selector:
            selector.register(self.sock, selectors.EVENT_READ)
            return bool(selector.select(0))


class HttpTransport:
    """Connections to one server, opened when needed and kept for the next call."""

    def __init__(self, address: Address, connect: float) -> None:
        self._address = address
        self._connect_timeout = connect
        self._tls = _tls_context() if address.tls else None
        self._lock = threading.Lock()
        self._idle: list[_Connection] = []
        self._closed = False

    def infer(self, request: InferRequest, timeout: float) -> InferResponse:
        image = triton.InferInput(INPUT, [1, 1], "BYTES")
        image.set_data_from_numpy(np.array([[request.image]], dtype=np.object_))
        body, json_length = triton.InferenceServerClient.generate_request_body(
            [image],
            outputs=[triton.InferRequestedOutput(name) for name in OUTPUTS],
            request_id=request.id,
            parameters=dict(request.parameters),
            timeout=queue_timeout(timeout),
        )
        status, headers, answer = self._exchange(
            "POST",
            f"/v2/models/{quote(request.model, safe='')}/infer",
            timeout,
            body=body,
            headers={_HEADER_LENGTH: str(json_length), "Content-Type": "application/octet-stream"},
            request_id=request.id,
        )
        self._raise_for(status, answer, request.id)
        try:
            result = triton.InferenceServerClient.parse_response_body(
                answer, header_length=int(headers.get(_HEADER_LENGTH, ""))
            )
            return response_from(result.as_numpy, request)
        except (ValueError, KeyError, TypeError, triton.InferenceServerException) as error:
            failure = self._not_triton(error, request.id)
        raise failure

    def is_ready(self, model: str | None, timeout: float) -> bool:
        path = "/v2/health/ready" if model is None else f"/v2/models/{quote(model, safe='')}/ready"
        status, _, body = self._exchange("GET", path, timeout)
        if status != 200 and body and not body.startswith(b"{"):
            # Triton says "not ready" without a body or with JSON; a page is somebody else's.
            self._raise_for(status, body, None)
        return status == 200

    def model_names(self, timeout: float) -> list[str]:
        status, _, body = self._exchange("GET", "/v2/models/stats", timeout)
        self._raise_for(status, body, None)
        try:
            return [str(entry["name"]) for entry in json.loads(body)["model_stats"]]
        except (ValueError, KeyError, TypeError) as error:
            failure = self._not_triton(error, None)
        raise failure

    def close(self) -> None:
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def _exchange(
        self,
        method: str,
        path: str,
        timeout: float,
        *,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
        request_id: str | None = None,
    ) -> tuple[int, http.client.HTTPMessage, bytes]:
        """Send one HTTP request; (status, headers, body) of the answer."""
        deadline = time.monotonic() + timeout
        connection = self._checkout(deadline)
        failure: MidasClientError
        done = False
        try:
            connection.request(method, self._address.path + path, body=body, headers=headers or {})
            response = connection.getresponse()
            answer = response.read()
            # The same connection takes the next request, unless the server has announced that it closes it.
            self._checkin(connection)
            done = True
        except TimeoutError:
            failure = no_answer(str(self._address), request_id)
        except http.client.BadStatusLine as error:
            # An empty status line is a connection that was closed; any other text is not HTTP.
            lost = isinstance(error, http.client.RemoteDisconnected)
            failure = (
                connection_lost(str(self._address), "the server closed it", request_id)
                if lost
                else self._not_triton(error, request_id)
            )
        except (OSError, http.client.HTTPException) as error:
            failure = connection_lost(str(self._address), _reason(error), request_id)
        else:
            return response.status, response.headers, answer
        finally:
            if not done:
                connection.close()
        raise failure

    def _checkout(self, deadline: float) -> _Connection:
        while True:
            with self._lock:
                if self._closed:
                    raise ClientClosedError("The client is closed", hint="Make another DepthClient")
                connection = self._idle.pop() if self._idle else None
            if connection is None:
                return self._open(deadline)
            if not connection.is_stale():
                connection.set_deadline(deadline)
                return connection
            connection.close()

    def _checkin(self, connection: _Connection) -> None:
        with self._lock:
            if not self._closed and connection.sock is not None:
                self._idle.append(connection)
                return
        connection.close()

    def _open(self, deadline: float) -> _Connection:
        connection = _Connection(self._address.host, self._address.port)
        until = min(deadline, time.monotonic() + self._connect_timeout)
        failure: MidasClientError
        try:
            plain = connect(self._address.host, self._address.port, until)
            connection.sock = plain
            if self._tls is not None:
                plain.settimeout(max(0.001, until - time.monotonic()))
                connection.sock = self._tls.wrap_socket(plain, server_hostname=self._address.host)
        except (OSError, UnicodeError) as error:
            connection.close()
            failure = no_connection(str(self._address), _reason(error))
        else:
            connection.set_deadline(deadline)
            return connection
        raise failure

    def _raise_for(self, status: int, body: bytes, request_id: str | None) -> None:
        if status != 200:
            raise error_from_http(status, body, str(self._address), request_id)

    def _not_triton(self, error: Exception, request_id: str | None) -> AnswerError:
        return AnswerError(
            f"{self._address} answered with something else than Triton's protocol: {_reason(error)}",
            hint="Is this its HTTP port, usually 8000? For gRPC, usually 8001, write host:port without http://",
            request_id=request_id,
        )


def _tls_context() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.sslsocket_class = DeadlineTlsSocket
    return context


def _reason(error: BaseException) -> str:
    if isinstance(error, TimeoutError):
        return "timed out"
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) or type(error).__name__
