"""What both clients have in common: their calls, and a transport of their own in each process."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, ClassVar, Generic, NoReturn, TypeVar

from midas_client._address import parse_address
from midas_client._calls import Calls
from midas_client._errors import UsageError
from midas_client._forks import leave_to_the_parent, renew_in_children
from midas_client._many import check_concurrency, check_photos
from midas_client._options import check_model, request_parameters
from midas_client._retry import DEFAULT_RETRIES
from midas_client._security import Tls, Token, check_security
from midas_client._timeout import Timeout
from midas_client._transports.answer import closed
from midas_client._untrained import UntrainedWarnings

_Transport = TypeVar("_Transport")

DEFAULT_URL = "localhost:8001"
DEFAULT_TIMEOUT = Timeout()


class BaseClient(Generic[_Transport]):
    """The client without its calls: DepthClient has a Transport, AsyncDepthClient an AsyncTransport.

    The arguments are those that DepthClient describes.

    Raises:
        AddressError, OptionError: an argument is wrong.
    """

    _open_transport: ClassVar[Callable[..., Any]]
    """Makes a transport from an Address, a Timeout, a Security and whether to use shared memory."""

    def __init__(
        self,
        url: str = DEFAULT_URL,
        *,
        timeout: Timeout | float = DEFAULT_TIMEOUT,
        retries: int = DEFAULT_RETRIES,
        tls: Tls | None = None,
        token: Token | None = None,
        headers: Mapping[str, str] | None = None,
        shared_memory: bool = False,
        transport: _Transport | None = None,
    ) -> None:
        self._calls = Calls(timeout, retries)
        self._untrained = UntrainedWarnings()
        if transport is None:
            address = parse_address(url)
            security = check_security(address, tls, token, headers)
            self._open = partial(
                self._open_transport, address, self._calls.timeout, security, shared_memory=shared_memory
            )
            transport = self._open()
            renew_in_children(self)
        self._transport: _Transport | None = transport
        self._opening = threading.Lock()
        self._closed = False

    def __reduce__(self) -> NoReturn:
        raise UsageError("A client cannot be pickled or copied", hint="Make one in each process")

    def _transport_here(self) -> _Transport:
        """The transport of this process, which a forked one opens when it first needs it.

        Raises:
            ClientClosedError: the client was closed before the fork.
        """
        with self._opening:
            if self._transport is None:
                if self._closed:
                    raise closed()
                self._transport = self._open()
            return self._transport

    def _transport_to_close(self) -> _Transport | None:
        """The transport, if one is open. No other is opened from now on."""
        self._closed = True
        with self._opening:
            return self._transport

    def _begin_in_child(self) -> None:
        """In a process that was just forked: nothing of the parent's connections, and no lock that it held."""
        self._opening = threading.Lock()
        self._calls.begin_in_child()
        self._untrained = UntrainedWarnings()
        leave_to_the_parent(self._transport)
        self._transport = None


def check_many(photos: object, what: str, *, model: str, options: Mapping[str, Any], concurrency: int) -> None:
    """Refuse at once what no photo of a run could be sent with.

    Args:
        photos: the caller's iterable; nothing is taken from it.
        what: "photos" or "frames", for the message.
        model: the variant's name.
        options: the keywords of Options.
        concurrency: requests under way at a time.

    Raises:
        OptionError: one of them is wrong.
    """
    check_photos(photos, what)
    request_parameters(options)
    check_model(model)
    check_concurrency(concurrency)
