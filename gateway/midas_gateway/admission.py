"""Who may ask, and how often: keys and rates, looked at before anything of a request's body is read."""

from __future__ import annotations

import hashlib
import ipaddress
import math
import re
import time
from collections.abc import Mapping
from pathlib import Path

from fastapi import Request
from limits import RateLimitItem, parse
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import MovingWindowRateLimiter
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from midas_gateway.problems import Problem, answer

# The page's files, its results (whose ids nobody can guess), the documentation and the health are for everybody.
_GUARDED = re.compile(r"/(?:predict|jobs|models|metrics)(?:/|$)")
_COUNTED = re.compile(r"/(?:predict|jobs)(?:/|$)")
_LINE = re.compile(r"(?P<name>[A-Za-z0-9._-]{1,64})\s+(?P<key>\S{16,256})")


class KeysError(ValueError):
    """A file of keys that cannot be used; the text says why."""


def read_keys(path: Path) -> dict[str, str]:
    """The names of the keys in a file, by the SHA-256 of each key.

    Args:
        path: a line for each key: a name, white space, and the key of at least 16 characters. `#` begins a comment.

    Raises:
        KeysError: it cannot be read, has another line, or no key.
    """
    try:
        lines = path.read_text().splitlines()
    except (OSError, ValueError) as error:
        raise KeysError(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}") from None
    keys: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        text = line.partition("#")[0].strip()
        if not text:
            continue
        found = _LINE.fullmatch(text)
        if found is None:
            raise KeysError(f"{path}, line {number}: write a name, a space, and a key of 16 to 256 characters")
        keys[_digest(found["key"])] = found["name"]
    if not keys:
        raise KeysError(f"{path} has no key: write a line with a name, a space, and a key")
    return keys


def read_rate(text: str) -> RateLimitItem | None:
    """A rate such as `120/minute`; None for an empty text. Raises ValueError."""
    return parse(text) if text else None


class Admission:
    """Asks for a key where there are some, and keeps each caller, by key or address, at the rate.

    Args:
        app: what answers those who are let in.
        keys: names of the keys, by their SHA-256; empty for an open gateway.
        rate: of each caller, such as `120/minute`; empty for none.
    """

    def __init__(self, app: ASGIApp, keys: Mapping[str, str], rate: str) -> None:
        self._app = app
        self._keys = keys
        self._rate = read_rate(rate)
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

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
            if self._rate is not None and _COUNTED.match(scope["path"]) and scope["method"] in ("POST", "PUT"):
                headers = await self._count(self._rate, caller)
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
            name = self._keys.get(_digest(key))
            if name is None:
                raise Problem(403, "This key is not known here", headers={"Connection": "close"})
            return name
        return _address(scope)

    async def _count(self, rate: RateLimitItem, caller: str) -> dict[str, str]:
        """Count a request. Gives the headers that tell what is left; raises Problem where nothing is."""
        allowed = await self._limiter.hit(rate, caller)
        window = await self._limiter.get_window_stats(rate, caller)
        seconds = max(1, math.ceil(window.reset_time - time.time()))
        headers = {
            "RateLimit-Policy": f'"default";q={rate.amount};w={rate.get_expiry()}',
            "RateLimit": f'"default";r={window.remaining};t={seconds}',
        }
        if not allowed:
            raise Problem(
                429,
                f"More than {rate.amount} requests in {rate.get_expiry()} s. Try again in {seconds} s",
                headers={**headers, "Retry-After": str(seconds), "Connection": "close"},
            )
        return headers


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()


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
