"""gRPC for the client that is awaited, in a process that was forked from one which awaited gRPC too.

grpc.aio has one thread for a whole process, which a fork does not copy, and ends a child that uses it anew. gRPC's
waiting client works there, so it waits in threads.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from midas_client._address import Address
from midas_client._security import Security
from midas_client._transport import InferRequest, InferResponse
from midas_client._transports.answer import PLAIN, PlainOutputs
from midas_client._transports.grpc_sync import GrpcTransport


class ThreadedGrpcTransport:
    """GrpcTransport, awaited. A call that is cancelled still ends in its thread, at its timeout at the latest."""

    def __init__(self, address: Address, connect: float, security: Security) -> None:
        self._beneath = GrpcTransport(address, connect, security)

    async def infer(self, request: InferRequest, timeout: float, outputs: PlainOutputs = PLAIN) -> InferResponse:
        return await asyncio.to_thread(self._beneath.infer, request, timeout, outputs)

    async def is_ready(self, model: str | None, timeout: float) -> bool:
        return await asyncio.to_thread(self._beneath.is_ready, model, timeout)

    async def statistics(self, timeout: float) -> Sequence[Mapping[str, Any]]:
        return await asyncio.to_thread(self._beneath.statistics, timeout)

    async def model_config(self, model: str, timeout: float) -> dict[str, Any]:
        return await asyncio.to_thread(self._beneath.model_config, model, timeout)

    async def server_version(self, timeout: float) -> str:
        return await asyncio.to_thread(self._beneath.server_version, timeout)

    async def register_region(self, name: str, size: int, timeout: float) -> None:
        await asyncio.to_thread(self._beneath.register_region, name, size, timeout)

    async def unregister_region(self, name: str, timeout: float) -> None:
        await asyncio.to_thread(self._beneath.unregister_region, name, timeout)

    async def region_names(self, timeout: float) -> list[str]:
        return await asyncio.to_thread(self._beneath.region_names, timeout)

    async def close(self) -> None:
        self._beneath.close()
