"""The client that is awaited."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Mapping
from types import TracebackType
from typing import Any, TypeVar, cast

from midas_client._base_client import BaseClient, check_many
from midas_client._calls import Ask, Call, Work
from midas_client._depth_map import DepthMap
from midas_client._errors import MidasClientError, OptionError
from midas_client._forks import leave_to_the_parent
from midas_client._health import Health
from midas_client._many import DEFAULT_CONCURRENCY, AnyPhoto, Prediction, predictions_in_order_async
from midas_client._model_description import ModelDescription
from midas_client._options import DEFAULT_MODEL, Options
from midas_client._photo import Photo, encoded_frame
from midas_client._progress import ShowProgress, showing
from midas_client._statistics import ModelStatistics
from midas_client._timeout import Timeout
from midas_client._transport import AsyncTransport
from midas_client._transports.opening import open_async_transport
from midas_client._video import DEFAULT_FRAMES, DEFAULT_SMOOTHING, frame_smoother

if sys.version_info >= (3, 11):
    from typing import Unpack
else:
    from typing_extensions import Unpack

_Result = TypeVar("_Result")


class AsyncDepthClient(BaseClient[AsyncTransport]):
    """The twin of DepthClient for asyncio: the same arguments, methods, errors and arrays, awaited.

    A client belongs to the event loop in which it is first used. A call that is cancelled ends its request.

    >>> import asyncio
    >>> from midas_client import AsyncDepthClient
    >>> async def nearest(url):
    ...     async with AsyncDepthClient(url) as client:
    ...         maps = await asyncio.gather(client.predict("photo.jpg"), client.predict("photo.jpg", filter="median"))
    ...         return [depth_map.depth.max() for depth_map in maps]
    >>> len(asyncio.run(nearest(url)))
    2
    """

    _open_transport = staticmethod(open_async_transport)
    _loop: asyncio.AbstractEventLoop | None = None

    async def __aenter__(self) -> AsyncDepthClient:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """End all connections. A call that waits in another task may fail; later ones raise ClientClosedError."""
        transport = self._transport_to_close()
        if transport is not None:
            await transport.close()

    async def predict(
        self,
        photo: Photo,
        *,
        model: str = DEFAULT_MODEL,
        timeout: Timeout | float | None = None,
        request_id: str | None = None,
        headers: Mapping[str, str] | None = None,
        **options: Unpack[Options],
    ) -> DepthMap:
        """The depth of one photo: see DepthClient.predict()."""
        depth_map = await self._carry_out(
            self._calls.depth_map(
                photo, model=model, options=options, timeout=timeout, request_id=request_id, headers=headers
            )
        )
        self._untrained.warn(depth_map, stacklevel=3)
        return depth_map

    def predict_many(
        self,
        photos: Iterable[AnyPhoto] | AsyncIterable[AnyPhoto],
        *,
        model: str = DEFAULT_MODEL,
        concurrency: int = DEFAULT_CONCURRENCY,
        progress: ShowProgress = False,
        timeout: Timeout | float | None = None,
        **options: Unpack[Options],
    ) -> AsyncIterator[Prediction[AnyPhoto]]:
        """The depth of many photos, for `async for`: see DepthClient.predict_many(). Photos may come asynchronously."""
        check_many(photos, "photos", model=model, options=options, concurrency=concurrency)

        async def depth_map_of(photo: AnyPhoto) -> DepthMap:
            return await self._carry_out(self._calls.depth_map(photo, model=model, options=options, timeout=timeout))

        async def run() -> AsyncIterator[Prediction[AnyPhoto]]:
            with showing(progress, photos) as step:
                async for prediction in predictions_in_order_async(photos, depth_map_of, concurrency):
                    if prediction.depth_map is not None:
                        self._untrained.warn(prediction.depth_map, stacklevel=3)
                    step(prediction.error is not None)
                    yield prediction

        return run()

    def predict_video(
        self,
        frames: Iterable[Photo] | AsyncIterable[Photo],
        *,
        model: str = DEFAULT_MODEL,
        smoothing: float = DEFAULT_SMOOTHING,
        concurrency: int = DEFAULT_FRAMES,
        timeout: Timeout | float | None = None,
        **options: Unpack[Options],
    ) -> AsyncIterator[DepthMap]:
        """The depth of a video's frames, for `async for`: see DepthClient.predict_video()."""
        check_many(frames, "frames", model=model, options=options, concurrency=concurrency)
        smoother = frame_smoother(smoothing, options.get("format"))

        async def depth_map_of(frame: Photo) -> DepthMap:
            return await self._carry_out(
                self._calls.depth_map(frame, model=model, options=options, timeout=timeout, encode=encoded_frame)
            )

        async def run() -> AsyncIterator[DepthMap]:
            async for prediction in predictions_in_order_async(frames, depth_map_of, concurrency):
                depth_map = prediction.result()
                self._untrained.warn(depth_map, stacklevel=3)
                if smoother is not None:
                    depth_map = await asyncio.to_thread(smoother.smoothed, prediction.photo, depth_map)
                yield depth_map

        return run()

    async def models(self, *, timeout: Timeout | float | None = None) -> list[ModelDescription]:
        """The depth models that the server has loaded, sorted: see DepthClient.models().

        Raises:
            ServerError: the server refused.
            TransportError: there was no answer in time.
        """
        return await self._carry_out(self._calls.models(timeout))

    async def model_statistics(
        self, model: str = DEFAULT_MODEL, *, timeout: Timeout | float | None = None
    ) -> ModelStatistics:
        """What a model has done since it was loaded.

        Raises:
            ServerError: the server refused.
            TransportError: there was no answer in time.
        """
        return await self._carry_out(self._calls.model_statistics(model, timeout))

    async def server_version(self, *, timeout: Timeout | float | None = None) -> str:
        """Triton's version, such as "2.51.0".

        Raises:
            ServerError: the server refused.
            TransportError: there was no answer in time.
        """
        return await self._carry_out(self._calls.server_version(timeout))

    async def health(self, *, timeout: Timeout | float | None = None, steps: bool = False) -> Health:
        """Whether the server answers and is ready, asked once. An unreachable server is an answer, not an error."""
        return await self._carry_out(self._calls.health(timeout, steps=steps))

    async def wait_ready(self, timeout: float = 60.0, *, model: str | None = None) -> None:
        """Return as soon as the server, or this model of it, takes requests: see DepthClient.wait_ready()."""
        await self._carry_out(self._calls.wait_ready(timeout, model))

    def _begin_in_child(self) -> None:
        leave_to_the_parent(self._loop)
        self._loop = None
        super()._begin_in_child()

    async def _carry_out(self, call: Call[_Result]) -> _Result:
        """Carry out the steps of a call, one after the other."""
        self._stay_in_one_loop()
        result: object = None
        failure: MidasClientError | None = None
        while True:
            try:
                step = call.send(result) if failure is None else call.throw(failure)
            except StopIteration as end:
                finished: _Result = end.value
                return finished
            result = failure = None
            try:
                if isinstance(step, Ask):
                    result = await cast("Any", step.question)(self._transport_here(), step.seconds)
                elif isinstance(step, Work):
                    result = await asyncio.to_thread(step.task)
                else:
                    await asyncio.sleep(step.seconds)
            except MidasClientError as error:
                failure = error

    def _stay_in_one_loop(self) -> None:
        loop = asyncio.get_running_loop()
        if self._loop is None:
            self._loop = loop
        elif self._loop is not loop:
            raise OptionError(
                "This AsyncDepthClient was first used in another event loop, to which its connections belong",
                hint="Make one client in each event loop, or use DepthClient in threads",
            )
