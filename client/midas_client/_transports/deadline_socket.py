"""Sockets that keep a deadline for everything that is done with them.

A socket's own timeout begins anew with every byte that arrives, so a server which drips its answer holds a caller for
ever, in the header as in the body. Here the time that is left is set before each operation.
"""

from __future__ import annotations

import socket
import ssl
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    _Base = socket.socket
else:
    _Base = object


class _Deadline(_Base):
    """Mixed into a socket class: `deadline` is on time.monotonic(); TimeoutError is raised from then on."""

    deadline: float | None = None

    def _arm(self) -> None:
        if self.deadline is None:
            return
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("timed out")
        self.settimeout(left)

    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        self._arm()
        return super().recv_into(*args, **kwargs)

    def send(self, *args: Any, **kwargs: Any) -> int:
        self._arm()
        return super().send(*args, **kwargs)

    def sendall(self, *args: Any, **kwargs: Any) -> None:
        self._arm()
        super().sendall(*args, **kwargs)


class DeadlineSocket(_Deadline, socket.socket):
    """A plain socket with a deadline."""


class DeadlineTlsSocket(_Deadline, ssl.SSLSocket):
    """A TLS socket with a deadline, made by an ssl.SSLContext whose sslsocket_class is this."""


def connect(host: str, port: int, deadline: float) -> DeadlineSocket:
    """A TCP connection to the first of the host's addresses that answers before the deadline.

    The lookup of the host's name has the resolver's own time limit.

    Raises:
        OSError: none of the addresses answers; TimeoutError at the deadline.
    """
    failure: OSError = OSError("the name has no address")
    for family, kind, protocol, _, where in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        connection = DeadlineSocket(family, kind, protocol)
        try:
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError("timed out")
            connection.settimeout(left)
            connection.connect(where)
            # A request leaves in two writes, header and body: without this the body waits for the header's
            # acknowledgement.
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError as error:
            connection.close()
            failure = error
        else:
            return connection
    raise failure
