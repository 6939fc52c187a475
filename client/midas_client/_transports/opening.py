"""Which transport speaks to an address. Nothing is sent, and only the modules of its protocol are imported."""

from __future__ import annotations

from typing import TYPE_CHECKING

from midas_client._address import Address
from midas_client._forks import parent_had
from midas_client._security import Security
from midas_client._timeout import Timeout
from midas_client._transport import AsyncTransport, Transport

if TYPE_CHECKING:
    from midas_client._transports.grpc_async import AsyncGrpcTransport
    from midas_client._transports.grpc_in_threads import ThreadedGrpcTransport
    from midas_client._transports.grpc_sync import GrpcTransport
    from midas_client._transports.http_async import AsyncHttpTransport
    from midas_client._transports.http_sync import HttpTransport


def open_transport(address: Address, timeout: Timeout, security: Security, *, shared_memory: bool = False) -> Transport:
    """The transport that waits.

    Raises:
        OptionError: a file of security is not what it should be.
    """
    transport = _sync(address, timeout, security)
    if not shared_memory:
        return transport
    from midas_client._transports.shared_memory_sync import SharedMemoryTransport  # noqa: PLC0415

    return SharedMemoryTransport(transport)


def _sync(address: Address, timeout: Timeout, security: Security) -> GrpcTransport | HttpTransport:
    if address.protocol == "grpc":
        from midas_client._transports.grpc_sync import GrpcTransport  # noqa: PLC0415

        return GrpcTransport(address, timeout.connect, security)
    from midas_client._transports.http_sync import HttpTransport  # noqa: PLC0415

    return HttpTransport(address, timeout.connect, security)


def open_async_transport(
    address: Address, timeout: Timeout, security: Security, *, shared_memory: bool = False
) -> AsyncTransport:
    """The transport that is awaited.

    Raises:
        OptionError: a file of security is not what it should be.
    """
    transport = _async(address, timeout, security)
    if not shared_memory:
        return transport
    from midas_client._transports.shared_memory_async import AsyncSharedMemoryTransport  # noqa: PLC0415

    return AsyncSharedMemoryTransport(transport)


def _async(
    address: Address, timeout: Timeout, security: Security
) -> AsyncGrpcTransport | ThreadedGrpcTransport | AsyncHttpTransport:
    if address.protocol == "grpc" and parent_had("midas_client._transports.grpc_async"):
        from midas_client._transports.grpc_in_threads import ThreadedGrpcTransport  # noqa: PLC0415

        return ThreadedGrpcTransport(address, timeout.connect, security)
    if address.protocol == "grpc":
        from midas_client._transports.grpc_async import AsyncGrpcTransport  # noqa: PLC0415

        return AsyncGrpcTransport(address, timeout.connect, security)
    from midas_client._transports.http_async import AsyncHttpTransport  # noqa: PLC0415

    return AsyncHttpTransport(address, timeout.connect, security)
