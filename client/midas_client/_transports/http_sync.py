"""HTTP for the client that waits, on the standard library's http.client.

tritonclient's own HTTP client runs on gevent, which binds it to one thread, and its timeouts begin anew with every
byte.
"""

from __future__ import annotations

import contextlib
import http.client
import selectors
import socket
import threading
import time
from typing import Any, cast

from midas_client._address import Address
from midas_client._errors import MidasClientError, connection_lost, no_answer, no_connection
from midas_client._security import Security
from midas_client._transport import InferRequest, InferResponse
from midas_client._transports.answer import PLAIN, PlainOutputs, closed
from midas_client._transports.deadline_socket import DeadlineSocket, DeadlineTlsSocket, connect
from midas_client._transports.http_messages import HttpAnswer, HttpMessages, HttpRequest, reason, tls_context


class _Connection(http.client.HTTPConnection):
    """One connection, whose sock is a DeadlineSocket or a DeadlineTlsSocket."""

    def set_deadline(self, deadline: float) -> None:
        cast("DeadlineSocket | DeadlineTlsSocket", self.sock).deadline = deadline

    def is_stale(self) -> bool:
        """Whether the server has closed it, or sent what nobody asked for, while it lay idle."""
        with selectors.DefaultSelector() as selector:
            selector.register(self.sock, selectors.EVENT_READ)
            return bool(selector.select(0))

    def interrupt(self) -> None:
        """Wake the thread that waits for it: its operation fails."""
        with contextlib.suppress(OSError, AttributeError):  # it has just ended by itself
            self.sock.shutdown(socket.SHUT_RDWR)


class HttpTransport:
    """Connections to one server, opened when needed and kept for the next call."""

    def __init__(self, address: Address, connect: float, security: Security) -> None:
        self._address = address
        self._connect_timeout = connect
        self._security = security
        self._messages = HttpMessages(address)
        self._tls = tls_context(security) if address.tls else None
        if self._tls is not None:
            self._tls.sslsocket_class = DeadlineTlsSocket
        self._lock = threading.Lock()
        self._idle: list[_Connection] = []
        self._busy: set[_Connection] = set()
        self._closed = False

    def infer(self, request: InferRequest, timeout: float, outputs: PlainOutputs = PLAIN) -> InferResponse:
        answer = self._exchange(self._messages.depth(request, timeout, outputs), timeout)
        return self._messages.read_depth(answer, request, outputs)

    def is_ready(self, model: str | None, timeout: float) -> bool:
        return self._messages.read_is_ready(self._exchange(self._messages.is_ready(model), timeout))

    def statistics(self, timeout: float) -> list[dict[str, Any]]:
        return self._messages.read_statistics(self._exchange(self._messages.statistics(), timeout))

    def model_config(self, model: str, timeout: float) -> dict[str, Any]:
        return self._messages.read_config(self._exchange(self._messages.config(model), timeout))

    def server_version(self, timeout: float) -> str:
        return self._messages.read_server_version(self._exchange(self._messages.server_version(), timeout))

    def register_region(self, name: str, size: int, timeout: float) -> None:
        self._messages.read_done(self._exchange(self._messages.register_region(name, size), timeout))

    def unregister_region(self, name: str, timeout: float) -> None:
        self._messages.read_done(self._exchange(self._messages.unregister_region(name), timeout))

    def region_names(self, timeout: float) -> list[str]:
        return self._messages.read_region_names(self._exchange(self._messages.region_names(), timeout))

    def close(self) -> None:
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
            for connection in self._busy:
                connection.interrupt()
        for connection in idle:
            connection.close()

    def _is_closed(self) -> bool:
        """Asked anew: another thread may have closed it since."""
        return self._closed

    def _exchange(self, request: HttpRequest, timeout: float) -> HttpAnswer:
        """Send one request and read all of the answer."""
        deadline = time.monotonic() + timeout
        headers = {**self._security.headers(), **request.headers}
        connection = self._checkout(deadline)
        failure: MidasClientError
        done = False
        try:
            connection.request(request.method, request.path, body=request.body, headers=headers)
            response = connection.getresponse()
            answer = HttpAnswer(response.status, cast("Any", response.headers), response.read())
            # The same connection takes the next request, unless the server has announced that it closes it.
            self._checkin(connection)
            done = True
        except TimeoutError:
            failure = no_answer(str(self._address), request.id)
        except http.client.BadStatusLine as error:
            # An empty status line is a connection that was closed; any other text is not HTTP.
            lost = isinstance(error, http.client.RemoteDisconnected)
            failure = (
                connection_lost(str(self._address), "the server closed it", request.id)
                if lost
                else self._messages.not_triton(error, request.id)
            )
        except (OSError, http.client.HTTPException) as error:
            failure = connection_lost(str(self._address), reason(error), request.id)
        else:
            return answer
        finally:
            if not done:
                self._drop(connection)
        raise closed() if self._closed else failure

    def _checkout(self, deadline: float) -> _Connection:
        while True:
            with self._lock:
                if self._closed:
                    raise closed()
                connection = self._idle.pop() if self._idle else None
            if connection is None:
                connection = self._open(deadline)
            elif connection.is_stale():
                connection.close()
                continue
            connection.set_deadline(deadline)
            with self._lock:
                self._busy.add(connection)
                if self._is_closed():
                    connection.interrupt()
            return connection

    def _drop(self, connection: _Connection) -> None:
        with self._lock:
            self._busy.discard(connection)
        connection.close()

    def _checkin(self, connection: _Connection) -> None:
        with self._lock:
            self._busy.discard(connection)
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
            failure = no_connection(str(self._address), reason(error))
        else:
            return connection
        raise failure
