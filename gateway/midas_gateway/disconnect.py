"""Work that ends when its caller goes away."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from fastapi import Request

_Result = TypeVar("_Result")


class CallerLeft(Exception):  # noqa: N818 - nothing went wrong
    """The caller has closed the connection: nobody waits for an answer."""


async def unless_disconnected(request: Request, work: Coroutine[Any, Any, _Result]) -> _Result:
    """What the work gives. It is cancelled when the caller goes away, and so is its request to Triton.

    Call it when all of the request's body has been read: what comes next is the disconnect.

    Raises:
        CallerLeft: the caller went away first.
    """
    task = asyncio.create_task(work)
    watch = asyncio.create_task(_disconnected(request))
    try:
        await asyncio.wait((task, watch), return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise CallerLeft
        return task.result()
    finally:
        for each in (task, watch):
            each.cancel()
        await asyncio.gather(task, watch, return_exceptions=True)


async def _disconnected(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
