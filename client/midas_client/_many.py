"""Many photos: several under way at a time, answers in order, memory bounded."""

from __future__ import annotations

import asyncio
import io
import os
from collections import deque
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Generic, TypeVar, cast

import numpy as np

from midas_client._depth_map import DepthMap
from midas_client._errors import MidasClientError, OptionError, UsageError
from midas_client._photo import Photo, is_picture

AnyPhoto = TypeVar("AnyPhoto", bound=Photo)

DEFAULT_CONCURRENCY = 16
"""Two of the server's largest batches: one is computed while the next gathers."""


@dataclass(frozen=True)
class Prediction(Generic[AnyPhoto]):
    """What came of one photo among many: a depth map or an error.

    Attributes:
        index: of the photo, from 0.
        photo: the caller's own object.
        depth_map: None where there is an error.
        error: None where there is a depth map.

    >>> for prediction in client.predict_many(["no such photo.jpg"]):
    ...     print(prediction.result() if prediction.error is None else prediction.error)
    'no such photo.jpg' cannot be read: No such file or directory
    """

    index: int
    photo: AnyPhoto = field(repr=False)
    depth_map: DepthMap | None
    error: MidasClientError | None

    def result(self) -> DepthMap:
        """The depth map.

        Raises:
            MidasClientError: the error, where there is no depth map.
        """
        if self.depth_map is None:
            assert self.error is not None
            raise self.error
        return self.depth_map


def check_photos(photos: object, what: str) -> None:
    """Refuse what is not many photos.

    Args:
        photos: the caller's iterable; nothing is taken from it.
        what: "photos" or "frames", for the message.

    Raises:
        OptionError: it is a single photo, whose characters, bytes or rows would be taken for photos, or no iterable.
    """
    single = isinstance(photos, (str, bytes, bytearray, os.PathLike, io.IOBase)) or is_picture(photos)
    if single or (isinstance(photos, np.ndarray) and photos.ndim != 4):
        raise OptionError(
            f"{what} are a single {type(photos).__name__}", hint=f"Give a list or another iterable of {what}"
        )
    if not isinstance(photos, (Iterable, AsyncIterable)):
        raise OptionError(f"{what} are a {type(photos).__name__}", hint=f"Give a list or another iterable of {what}")


def check_concurrency(concurrency: int) -> int:
    """The number itself.

    Raises:
        OptionError: it is not a whole number from 1 to 1024.
    """
    if isinstance(concurrency, bool) or not isinstance(concurrency, int) or not 1 <= concurrency <= 1024:
        raise OptionError(f"concurrency is {concurrency!r}", hint="It must be a whole number from 1 to 1024")
    return concurrency


def ahead(concurrency: int) -> int:
    """How many photos may be read before the caller has taken the oldest's answer.

    More than are under way: one slow photo does not leave the server idle.
    """
    return 2 * concurrency


def _check_process(started_in: int) -> None:
    """Refuse to go on in another process than the one that started.

    Raises:
        UsageError: this is a forked child: the threads and the answers under way are the parent's.
    """
    if os.getpid() != started_in:
        raise UsageError(
            "This run over many photos was started in another process, before a fork",
            hint="Call predict_many() or predict_video() in the process that takes the answers",
        )


def predictions_in_order(
    photos: Iterable[AnyPhoto], depth_map_of: Callable[[AnyPhoto], DepthMap], concurrency: int
) -> Iterator[Prediction[AnyPhoto]]:
    """The depth map of each photo, made in threads, in the photos' order.

    An error of the iterable itself is raised in its place, after the answers to the photos before it. Photos that have
    not been sent when the caller stops are dropped; the answers to the others are.

    Args:
        photos: taken one by one, at most ahead(concurrency) before the answer to the oldest is taken.
        depth_map_of: called in the threads; what it raises becomes the Prediction's error.
        concurrency: threads.

    Raises:
        UsageError: the process was forked since.
    """
    source = enumerate(photos)
    waiting: deque[Future[Prediction[AnyPhoto]]] = deque()
    broken: BaseException | None = None
    pool = ThreadPoolExecutor(concurrency, thread_name_prefix="midas-client")

    def one(index: int, photo: AnyPhoto) -> Prediction[AnyPhoto]:
        try:
            return Prediction(index, photo, depth_map_of(photo), None)
        except MidasClientError as error:
            return Prediction(index, photo, None, error)

    process = os.getpid()
    exhausted = False
    try:
        while waiting or not exhausted:
            _check_process(process)
            if not exhausted:
                try:
                    index, photo = next(source)
                except StopIteration:
                    exhausted = True
                except Exception as error:  # noqa: BLE001 - the caller's own, which is raised in its place
                    exhausted, broken = True, error
                else:
                    waiting.append(pool.submit(one, index, photo))
            # An answer that is there is not held back until a slow source, such as a camera, has the next photo.
            if waiting and (exhausted or len(waiting) == ahead(concurrency) or waiting[0].done()):
                yield waiting.popleft().result()
        if broken is not None:
            raise broken
    finally:
        if os.getpid() == process:
            pool.shutdown(wait=False, cancel_futures=True)


async def predictions_in_order_async(
    photos: Iterable[AnyPhoto] | AsyncIterable[AnyPhoto],
    depth_map_of: Callable[[AnyPhoto], Awaitable[DepthMap]],
    concurrency: int,
) -> AsyncIterator[Prediction[AnyPhoto]]:
    """The same in tasks of the running event loop. Requests under way when the caller stops are cancelled."""
    source = aiter(photos) if isinstance(photos, AsyncIterable) else _as_async(photos)
    waiting: deque[asyncio.Task[Prediction[AnyPhoto]]] = deque()
    broken: BaseException | None = None
    free = asyncio.Semaphore(concurrency)

    async def one(index: int, photo: AnyPhoto) -> Prediction[AnyPhoto]:
        async with free:
            try:
                return Prediction(index, photo, await depth_map_of(photo), None)
            except MidasClientError as error:
                return Prediction(index, photo, None, error)

    process = os.getpid()
    exhausted = False
    index = 0
    try:
        while waiting or not exhausted:
            _check_process(process)
            if not exhausted:
                try:
                    photo = await anext(source)
                except StopAsyncIteration:
                    exhausted = True
                except Exception as error:  # noqa: BLE001 - the caller's own, which is raised in its place
                    exhausted, broken = True, error
                else:
                    waiting.append(asyncio.create_task(one(index, photo)))
                    index += 1
            if waiting and (exhausted or len(waiting) == ahead(concurrency) or waiting[0].done()):
                yield await waiting.popleft()
        if broken is not None:
            raise broken
    finally:
        if os.getpid() == process:
            for task in waiting:
                task.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)


async def _as_async(photos: Iterable[AnyPhoto]) -> AsyncIterator[AnyPhoto]:
    """The photos; what an iterator does to get the next one, such as decoding a video, happens in a thread."""
    if isinstance(photos, Sequence):
        for photo in photos:
            yield photo
            await asyncio.sleep(0)
        return
    source = iter(photos)
    end = object()
    while (item := await asyncio.to_thread(next, source, end)) is not end:
        yield cast("AnyPhoto", item)
