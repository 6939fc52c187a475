"""gRPC for the client that is awaited, on tritonclient.grpc.aio."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import grpc
import tritonclient.grpc as triton
import tritonclient.grpc.aio as triton_aio

from midas_client._address import Address
from midas_client._errors import InvalidRequestError, MidasClientError
from midas_client._security import Security
from midas_client._transport import InferRequest, InferResponse
from midas_client._transports.answer import PLAIN, PlainOutputs, closed, response_from
from midas_client._transports.grpc_forks import GATE, keep_grpc
from midas_client._transports.grpc_messages import (
    channel_arguments,
    error_from,
    infer_arguments,
    read_config,
    read_statistics,
    with_headers,
)


class AsyncGrpcTransport:
    """One channel to one server, connected when first used."""

    def __init__(self, address: Address, connect: float, security: Security) -> None:
        GATE.check()
        self._address = address
        self._security = security
        self._arguments = channel_arguments(address, connect, security)
        self._opened: Any = None
        self._closed = False

    async def infer(self, request: InferRequest, timeout: float, outputs: PlainOutputs = PLAIN) -> InferResponse:
        arguments = infer_arguments(request, timeout, outputs)
        result = await self._ask(
            lambda client, **how: client.infer(**arguments, **with_headers(how, request)), timeout, request.id
        )
        return response_from(result, request, outputs)

    async def is_ready(self, model: str | None, timeout: float) -> bool:
        if model is None:
            return bool(await self._ask(lambda client, **how: client.is_server_ready(**how), timeout))
        try:
            return bool(await self._ask(lambda client, **how: client.is_model_ready(model, **how), timeout))
        except InvalidRequestError:
            return False

    async def statistics(self, timeout: float) -> list[dict[str, Any]]:
        return read_statistics(
            await self._ask(lambda client, **how: client.get_inference_statistics(as_json=True, **how), timeout)
        )

    async def model_config(self, model: str, timeout: float) -> dict[str, Any]:
        return read_config(
            await self._ask(lambda client, **how: client.get_model_config(model, as_json=True, **how), timeout)
        )

    async def server_version(self, timeout: float) -> str:
        metadata = await self._ask(lambda client, **how: client.get_server_metadata(**how), timeout)
        return str(metadata.version)

    async def register_region(self, name: str, size: int, timeout: float) -> None:
        key = f"/{name}"
        await self._ask(lambda client, **how: client.register_system_shared_memory(name, key, size, **how), timeout)

    async def unregister_region(self, name: str, timeout: float) -> None:
        await self._ask(lambda client, **how: client.unregister_system_shared_memory(name, **how), timeout)

    async def region_names(self, timeout: float) -> list[str]:
        status: Any = await self._ask(lambda client, **how: client.get_system_shared_memory_status(**how), timeout)
        return list(status.regions)

    async def close(self) -> None:
        self._closed = True
        if self._opened is not None:
            await self._opened.close()

    def _is_closed(self) -> bool:
        return self._closed

    def _client(self) -> Any:
        """Made by the first call, in its event loop: a channel belongs to the one in which it was made."""
        if self._opened is None:
            keep_grpc()
            self._opened = triton_aio.InferenceServerClient(**self._arguments)
        return self._opened

    async def _ask(self, call: Callable[..., Awaitable[Any]], timeout: float, request_id: str | None = None) -> Any:
        if self._is_closed():
            raise closed()
        headers = self._security.headers()
        error: MidasClientError
        try:
            with GATE.awaited():
                return await call(self._client(), client_timeout=timeout, headers=headers)
        except triton.InferenceServerException as failure:
            error = error_from(failure, self._address, request_id)
        except (grpc.aio.UsageError, asyncio.CancelledError):
            # gRPC's ways to say that another task has closed the channel; or this task itself is cancelled.
            if not self._is_closed() or _is_cancelled():
                raise
            error = closed()
        # Outside of the handler: the caller sees this error alone, not the library's beneath it.
        raise error


def _is_cancelled() -> bool:
    """Whether somebody has asked this task to end. Python 3.10 cannot tell: there, a closed client explains it."""
    task: Any = asyncio.current_task()
    return hasattr(task, "cancelling") and task.cancelling() > 0
