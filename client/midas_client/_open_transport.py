"""Which transport speaks to an address."""

from midas_client._address import Address
from midas_client._timeout import Timeout
from midas_client._transport import Transport


def open_transport(address: Address, timeout: Timeout) -> Transport:
    """The transport for an address. Nothing is sent, and only the modules of its protocol are imported."""
    if address.protocol == "grpc":
        from midas_client._grpc_transport import GrpcTransport  # noqa: PLC0415

        return GrpcTransport(address, connect=timeout.connect)
    from midas_client._http_transport import HttpTransport  # noqa: PLC0415

    return HttpTransport(address, connect=timeout.connect)
