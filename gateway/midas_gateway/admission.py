"""Who may ask, and how often: looked at before anything of a request's body is read."""

from __future__ import annotations

import ipaddress
import math
import re
from collections.abc import Mapping

from fastapi import Request
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from midas_gateway.keys import digest
from midas_gateway.problems import Problem, answer
from midas_gateway.rates import Rates

# The page's files, its results (whose ids nobody can guess), the documentation and the health are for everybody.
_GUARDED = re.compile(r"/(?:predict|jobs|models|metrics)(?:/|$)")
_COUNTED = re.compile(r"/(?:predict|jobs)(?:/|$)")


class Admission:
    """Asks for a key where there are some, and keeps each caller, by key or address, at the rate.

    Args:
        app: what answers those who are let in.
        keys: names of the keys, by their SHA-256; empty for an open gateway.
        rates: of each caller; None for no limit.
    """

    def __init__(self, app: ASGIApp, keys: Mapping[str, str], rates: Rates | None) -> None:
        self._app = app
        self._keys = keys
        self._rates = rates

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers: dict[str, str] = {}

        async def send_on(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [
                    *message["headers"],
                    *((name.encode(), value.encode()) for name, value in headers.items()),
                ]
            await send(message)

        try:
            caller = self._caller(scope)
            scope["state"]["caller"] = caller
            if self._rates is not None and _COUNTED.match(scope["path"]) and scope["method"] in ("POST", "PUT"):
                headers = _counted(self._rates, caller)
        except Problem as problem:
            await answer(Request(scope), problem)(scope, receive, send)
            return
        await self._app(scope, receive, send_on)

    def _caller(self, scope: Scope) -> str:
        """The name of the request's key, or the address that it comes from."""
        if self._keys and _GUARDED.match(scope["path"]):
            given = Headers(scope=scope)
            scheme, _, token = given.get("authorization", "").partition(" ")
            key = token.strip() if scheme.lower() == "bearer" else given.get("x-api-key", "")
            if not key:
                raise Problem(
                    401,
                    "This needs a key. Send it as Authorization: Bearer KEY, or as X-API-Key: KEY",
                    headers={"WWW-Authenticate": "Bearer", "Connection": "close"},
                )
            # Digests are compared, so how long a look-up takes says nothing of a key.
            name = self._keys.get(digest(key))
            if name is None:
                raise Problem(403, "This key is not known here", headers={"Connection": "close"})
            return name
        return _address(scope)


def _counted(rates: Rates, caller: str) -> dict[str, str]:
    """Count a request. Gives the headers that tell what is left; raises Problem where nothing is."""
    standing = rates.count(caller)
    rate = rates.rate
    headers = {
        "RateLimit-Policy": f'"default";q={rate.count};w={rate.seconds}',
        "RateLimit": f'"default";r={standing.remaining};t={math.ceil(standing.full)}',
    }
    if not standing.allowed:
        seconds = max(1, math.ceil(standing.wait))
        raise Problem(
            429,
            f"More than {rate.count} requests in {rate.seconds} s. Try again in {seconds} s",
            headers={**headers, "Retry-After": str(seconds), "Connection": "close"},
        )
    return headers


def _address(scope: Scope) -> str:
    """The caller's address; of an IPv6 one the network, since a household has more addresses than one can count."""
    host = str((scope.get("client") or ("unknown",))[0])
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if address.version == 6 and address.ipv4_mapped is None:
        return str(ipaddress.ip_network((address, 64), strict=False))
    return host
