"""Every request's id, and a line of JSON for it in the access log."""

from __future__ import annotations

import json
import logging
import re
import secrets
import sys
import time
from contextlib import suppress
from datetime import datetime, timezone

from fastapi import Request
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from midas_gateway.disconnect import CallerLeft
from midas_gateway.metrics import REQUESTS, SECONDS
from midas_gateway.problems import Problem, answer

_log = logging.getLogger(__name__)

_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
LEFT = 499
"""The log's status of a request whose caller went away; nobody is answered with it."""


class Access:
    """The outermost of the gateway's layers.

    A caller's own X-Request-ID is kept where it is plain; it goes to Triton's log, and back with the answer.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).get("x-request-id", "")
        identity = given if _ID.fullmatch(given) else secrets.token_hex(16)
        scope.setdefault("state", {})["request_id"] = identity
        started = time.perf_counter()
        status, size = LEFT, 0

        async def send_on(message: Message) -> None:
            nonlocal status, size
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["X-Request-ID"] = identity
            elif message["type"] == "http.response.body":
                size += len(message.get("body", b""))
            await send(message)

        try:
            await self._app(scope, receive, send_on)
        except CallerLeft:
            pass
        except Exception:
            _log.exception("request %s failed", identity)
            if status != LEFT:
                raise  # the answer has begun, and can only be cut off
            problem = Problem(500, "The gateway has failed. Its log says why, under this request's id")
            await answer(Request(scope), problem)(scope, receive, send_on)
        finally:
            seconds = time.perf_counter() - started
            route = getattr(scope.get("route"), "path", "page")
            REQUESTS.labels(route, scope["method"], status).inc()
            SECONDS.labels(route).observe(seconds)
            write_line(
                request_id=identity,
                caller=scope["state"].get("caller") or _host(scope.get("client")),
                method=scope["method"],
                path=scope["path"],
                status=status,
                size=size,
                seconds=seconds,
            )


def write_line(*, request_id: str, caller: str, method: str, path: str, status: int, size: int, seconds: float) -> None:
    """A line of the access log.

    Args:
        request_id: by which the answer names it.
        caller: the name of a key, or an address.
        method: of the request.
        path: of the request, without its query.
        status: of the answer.
        size: of the answer's body in bytes.
        seconds: until the answer's end.
    """
    line = {
        "time": datetime.now(timezone.utc).isoformat(timespec="milliseconds"),
        "request_id": request_id,
        "caller": caller,
        "method": method,
        "path": path,
        "status": status,
        "bytes": size,
        "ms": round(seconds * 1000, 1),
    }
    # A log that nobody reads any more is no reason to fail a request.
    with suppress(OSError):
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()


def _host(client: tuple[str, int] | None) -> str:
    return client[0] if client else ""
