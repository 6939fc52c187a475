"""Who the server is, and who calls: TLS, a client's own certificate, a bearer token, further headers."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from midas_client._address import Address
from midas_client._errors import OptionError

Token = str | Callable[[], str]

_NAME = re.compile(r"^[!#$%&'*+.^_`|~0-9A-Za-z-]+$")
# What TLS and HTTP or gRPC write themselves.
_TAKEN = frozenset({"host", "content-length", "content-type", "transfer-encoding", "te", "connection"})


@dataclass(frozen=True)
class Tls:
    """Files for `grpcs://` and `https://`, all PEM.

    Attributes:
        ca: certificates of the authorities to trust instead of the usual ones.
        certificate: this client's own certificate with its chain, where the server asks for one (mTLS).
        key: its private key, not encrypted.

    Raises:
        OptionError: a file cannot be read, or certificate and key are not given together.

    >>> client = DepthClient("grpcs://depth.example.com:8001", tls=Tls(ca="ca.pem"), token="secret")
    """

    ca: str | os.PathLike[str] | None = None
    certificate: str | os.PathLike[str] | None = None
    key: str | os.PathLike[str] | None = None

    def __post_init__(self) -> None:
        if (self.certificate is None) != (self.key is None):
            raise OptionError("A client's certificate and its key belong together", hint="Give both, or neither")
        for name in ("ca", "certificate", "key"):
            path = getattr(self, name)
            if path is None:
                continue
            try:
                text = Path(path).read_bytes()
            except OSError as error:
                raise OptionError(f"tls.{name} {os.fspath(path)!r} cannot be read: {error.strerror}") from None
            if b"-----BEGIN" not in text:
                raise OptionError(f"tls.{name} {os.fspath(path)!r} is not a PEM file", hint="Convert it with openssl")


@dataclass(frozen=True, repr=False)
class Security:
    """What a transport needs to know: files, and the headers of each request. Keeps secrets out of its repr."""

    ca: str | None
    certificate: str | None
    key: str | None
    token: Token | None
    fixed: Mapping[str, str]

    def headers(self) -> dict[str, str]:
        """The headers of one request, names in lower case.

        Raises:
            OptionError: what the token's function gives is no token.
        """
        if self.token is None:
            return dict(self.fixed)
        token = self.token() if callable(self.token) else self.token
        _check_value("token", token)
        return {**self.fixed, "authorization": f"Bearer {token}"}


def check_security(
    address: Address, tls: Tls | None, token: Token | None, headers: Mapping[str, str] | None
) -> Security:
    """The caller's wishes, checked.

    Args:
        address: of the server; only one with TLS takes tls.
        tls: what DepthClient was given.
        token: as above; a function is asked at each request.
        headers: as above; name to value.

    Raises:
        OptionError: one of them is wrong, or does not go with the address.
    """
    if tls is not None and not isinstance(tls, Tls):
        raise OptionError(f"tls is a {type(tls).__name__}", hint="Give Tls(ca=..., certificate=..., key=...)")
    if tls is not None and not address.tls:
        raise OptionError(f"{address} does not use TLS", hint="Write grpcs://host:port or https://host:port")
    if token is not None and not callable(token):
        _check_value("token", token)
    fixed: dict[str, str] = {}
    for name, value in (headers or {}).items():
        if not isinstance(name, str) or not _NAME.match(name):
            raise OptionError(f"{name!r} is not a header's name", hint="Letters, digits and dashes are")
        lower = name.lower()
        if lower in _TAKEN or (lower == "authorization" and token is not None):
            raise OptionError(f"The header {name} is the client's own", hint="Leave it out")
        _check_value(f"header {name}", value)
        fixed[lower] = value
    files = Tls() if tls is None else tls
    return Security(_path(files.ca), _path(files.certificate), _path(files.key), token, fixed)


def _check_value(name: str, value: object) -> None:
    """Without the value in the message: it may be a secret."""
    if not isinstance(value, str) or not value.strip() or not (value.isascii() and value.isprintable()):
        raise OptionError(f"The {name} is not a line of printable ASCII text", hint="Is there a newline at its end?")


def _path(path: str | os.PathLike[str] | None) -> str | None:
    return None if path is None else os.fspath(path)
