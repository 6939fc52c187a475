"""Shared memory for the client that is awaited, around either of its transports."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar, cast

from midas_client._pause import Pause
from midas_client._transport import AsyncTransport, InferRequest, InferResponse
from midas_client._transports.shared_memory import Flow, SharedMemory

_Answer = TypeVar("_Answer")


class AsyncSharedMemoryTransport:
    """Another transport, with depth maps through shared memory where the server is on this machine.

    The one beneath has the methods of RegionTransport too, awaited.
    """

    def __init__(self, beneath: AsyncTransport) -> None:
        self._beneath = beneath
        self._memory = SharedMemory()
        # When nobody closes it: at the latest when Python ends.
        weakref.finalize(self, self._memory.unlink)

    async def infer(self, request: InferRequest, timeout: float) -> InferResponse:
        return await self._drive(self._memory.response(request, timeout))

    async def is_ready(self, model: str | None, timeout: float) -> bool:
        return await self._beneath.is_ready(model, timeout)

    async def statistics(self, timeout: float) -> Sequence[Mapping[str, Any]]:
        return await self._beneath.statistics(timeout)

    async def model_config(self, model: str, timeout: float) -> Any:
        return await cast("Any", self._beneath).model_config(model, timeout)

    async def server_version(self, timeout: float) -> str:
        return await self._beneath.server_version(timeout)

    async def close(self) -> None:
        try:
            await self._drive(self._memory.close())
        finally:
            await self._beneath.close()

    async def _drive(self, flow: Flow[_Answer]) -> _Answer:
        try:
            call = next(flow)
            while True:
                if isinstance(call, Pause):
                    await asyncio.sleep(call.seconds)
                    call = flow.send(None)
                    continue
                try:
                    result = await call(self._beneath)
                except BaseException as error:  # noqa: BLE001  (the flow decides, and raises it where it is final)
                    call = flow.throw(error)
                else:
                    call = flow.send(result)
        except StopIteration as end:
            answer: _Answer = end.value
            return answer
