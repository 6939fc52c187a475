"""The client that is awaited, with the methods of the one that waits: each test of a client's behaviour takes both."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Coroutine, Iterator
from types import TracebackType
from typing import Any, TypeVar

from midas_client import AsyncDepthClient, DepthMap, Health, ModelDescription, ModelStatistics, Prediction, Transport

_Result = TypeVar("_Result")


class AsyncFromSync:
    """A fake transport without coroutines, as an AsyncTransport."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._transport, name)

        async def call(*arguments: Any) -> Any:
            return method(*arguments)

        return call


class BlockingDepthClient:
    """An AsyncDepthClient in an event loop of its own, in a thread."""

    def __init__(self, *arguments: Any, transport: Transport | None = None, **keywords: Any) -> None:
        wrapped: Any = None if transport is None else AsyncFromSync(transport)
        self._client = AsyncDepthClient(*arguments, transport=wrapped, **keywords)
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, daemon=True).start()

    def __enter__(self) -> BlockingDepthClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._wait(self._client.close())

    def predict(self, photo: Any, **keywords: Any) -> DepthMap:
        return self._wait(self._client.predict(photo, **keywords))

    def predict_many(self, photos: Any, **keywords: Any) -> Iterator[Prediction[Any]]:
        return self._each(self._client.predict_many(photos, **keywords))

    def predict_video(self, frames: Any, **keywords: Any) -> Iterator[DepthMap]:
        return self._each(self._client.predict_video(frames, **keywords))

    def models(self, **keywords: Any) -> list[ModelDescription]:
        return self._wait(self._client.models(**keywords))

    def model_statistics(self, *arguments: Any, **keywords: Any) -> ModelStatistics:
        return self._wait(self._client.model_statistics(*arguments, **keywords))

    def server_version(self, **keywords: Any) -> str:
        return self._wait(self._client.server_version(**keywords))

    def health(self, **keywords: Any) -> Health:
        return self._wait(self._client.health(**keywords))

    def wait_ready(self, *arguments: Any, **keywords: Any) -> None:
        self._wait(self._client.wait_ready(*arguments, **keywords))

    def _wait(self, call: Coroutine[Any, Any, _Result]) -> _Result:
        return asyncio.run_coroutine_threadsafe(call, self._loop).result()

    def _each(self, items: AsyncIterator[_Result]) -> Iterator[_Result]:
        async def one() -> tuple[bool, Any]:
            try:
                return True, await anext(items)
            except StopAsyncIteration:
                return False, None

        while True:
            more, item = self._wait(one())
            if not more:
                return
            yield item
