"""Where a server is, from the text that a user writes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal
from urllib.parse import quote, urlsplit

from midas_client._errors import AddressError

Protocol = Literal["grpc", "http"]

_FORMS = "Write host:port for gRPC, http://host:port for HTTP, grpcs:// or https:// for TLS"
_PROTOCOLS: dict[str, tuple[Protocol, bool]] = {
    "grpc": ("grpc", False),
    "grpcs": ("grpc", True),
    "http": ("http", False),
    "https": ("http", True),
}


@dataclass(frozen=True)
class Address:
    """A server: protocol, TLS or not, host, port, and the path before /v2 (HTTP behind a proxy; empty otherwise)."""

    protocol: Protocol
    tls: bool
    host: str
    port: int
    path: str = ""

    @property
    def target(self) -> str:
        """host:port, an IPv6 host in brackets."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def __str__(self) -> str:
        if self.protocol == "http":
            return f"{'https' if self.tls else 'http'}://{self.target}{self.path}"
        return f"grpcs://{self.target}" if self.tls else self.target


def parse_address(url: str) -> Address:
    """`host:port` and `grpc://` mean gRPC, `grpcs://` gRPC with TLS, `http://` and `https://` HTTP.

    Raises:
        AddressError: the text is not such an address.
    """
    if not isinstance(url, str) or not url.strip():
        raise AddressError(f"The server's address is {url!r}", hint=_FORMS)
    text = url.strip()
    try:
        parts = urlsplit(text if "://" in text else f"grpc://{text}")
        port = parts.port
    except ValueError as error:
        raise AddressError(f"{url!r} is not an address: {error}", hint=_FORMS) from None
    if parts.scheme not in _PROTOCOLS:
        raise AddressError(f"{url!r} begins with {parts.scheme}://", hint=_FORMS)
    protocol, tls = _PROTOCOLS[parts.scheme]
    if not parts.hostname:
        raise AddressError(f"{url!r} has no host", hint=_FORMS)
    if parts.username is not None or parts.query or parts.fragment:
        raise AddressError(f"{url!r} has more than host, port and path", hint=_FORMS)
    path = quote(parts.path.rstrip("/"), safe="/%:@!$&'()*+,;=~")
    if protocol == "grpc" and path:
        raise AddressError(f"{url!r} has a path, which gRPC has not", hint=_FORMS)
    if port is None and protocol == "grpc":
        raise AddressError(f"{url!r} has no port", hint="Triton's gRPC port is usually 8001, as in localhost:8001")
    return Address(protocol, tls, parts.hostname, port or (443 if tls else 80), path)
