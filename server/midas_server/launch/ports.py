"""Ports to listen on: a free one, the one that was asked for, or the reason why not."""

import contextlib
import socket
import time
from collections.abc import Callable

import psutil

from midas_server.launch.leftovers import is_ending, is_orphaned_server

# A process that ends gives up its port and its name at different moments: then nobody seems to listen there.
NOBODYS_FOR = 1.0


class PortTaken(RuntimeError):  # noqa: N818
    """Something listens there; the text says what."""


def reserve(host: str, port: int, patience: float, write_log: Callable[[str], None]) -> socket.socket:
    """A socket that holds a port; 0 picks a free one.

    Where a server listens whose launcher was killed, it is waited for, since it was told to end; one that does not end
    is killed.

    Args:
        host: the address to listen on.
        port: the port.
        patience: seconds that such a server gets to end.
        write_log: told of the wait.

    Raises:
        PortTaken: the port is not to be had.
    """
    started, ending, killed = time.monotonic(), False, False
    while True:
        try:
            return _bound(host, port)
        except OSError as error:
            reason = error.strerror
        holder = _listening_on(port)
        orphaned = holder is not None and is_orphaned_server(holder)
        if holder is not None and not (orphaned or is_ending(holder)):
            raise PortTaken(f"{reason} by {_described(holder)}")
        if holder is not None and not ending:
            write_log(f"waiting for port {port}: {_described(holder)} still ends, its launcher was killed\n")
            started, ending = time.monotonic(), True
        now = time.monotonic()
        if holder is not None and orphaned and not killed and now > started + patience:
            with contextlib.suppress(psutil.NoSuchProcess):
                holder.kill()
            started, killed = now, True  # on a busy machine it holds its ports for another moment
        elif now > started + (2 * patience if ending else NOBODYS_FOR):
            raise PortTaken(reason)
        time.sleep(0.1)


def free_ports(count: int) -> list[int]:
    """Different ports of loopback on which nothing listens now: all are held until all are known."""
    with contextlib.ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [int(each.getsockname()[1]) for each in sockets]


def _bound(host: str, port: int) -> socket.socket:
    held = socket.socket()
    try:
        # as Triton itself binds: a port in TIME_WAIT is free
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind((host, port))
    except OSError:
        held.close()
        raise
    return held


def _listening_on(port: int) -> psutil.Process | None:
    """Which process listens there; None where nobody does, or the system does not say (another user's process)."""
    for connection in psutil.net_connections("tcp"):
        if connection.status == psutil.CONN_LISTEN and connection.laddr[1:] == (port,) and connection.pid:
            try:
                return psutil.Process(connection.pid)
            except psutil.NoSuchProcess:
                return None
    return None


def _described(process: psutil.Process) -> str:
    try:
        return f"{process.name()}, process {process.pid}"
    except psutil.Error:
        return f"process {process.pid}"
