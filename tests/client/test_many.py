"""Many photos: in order, bounded, each with its own fate."""

from __future__ import annotations

import asyncio
import io
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from midas_client import (
    AsyncDepthClient,
    InferRequest,
    InferResponse,
    InvalidRequestError,
    OptionError,
    PhotoError,
    Progress,
)

if TYPE_CHECKING:
    from tests.client.conftest import Connect, FakeTransport

MakeResponse = Callable[..., InferResponse]


class Echo:
    """Answers with a depth map of one value, the photo's number; notes what happens at the same time."""

    def __init__(self, make_response: MakeResponse, slow: frozenset[int] = frozenset()) -> None:
        self._make_response = make_response
        self._slow = slow
        self._lock = threading.Lock()
        self.now = self.most = self.sent = 0

    def answer(self, request: InferRequest) -> InferResponse:
        number = int(request.image)
        if number % 7 == 5:
            raise InvalidRequestError(f"number {number} is refused")
        return self._make_response(np.full((3, 4), number, np.float32))

    def begin(self, change: int) -> None:
        with self._lock:
            self.now += change
            self.sent += change > 0
            self.most = max(self.most, self.now)

    def infer(self, request: InferRequest, timeout: float) -> InferResponse:
        self.begin(1)
        time.sleep(0.2 if int(request.image) in self._slow else 0.002)
        self.begin(-1)
        return self.answer(request)

    def is_ready(self, model: str | None, timeout: float) -> bool:
        return True

    def statistics(self, timeout: float) -> list[dict[str, Any]]:
        return []

    def server_version(self, timeout: float) -> str:
        return ""

    def close(self) -> None:
        pass


class AsyncEcho(Echo):
    """The same, awaited: the waits overlap."""

    async def infer(self, request: InferRequest, timeout: float) -> InferResponse:  # type: ignore[override]
        self.begin(1)
        await asyncio.sleep(0.2 if int(request.image) in self._slow else 0.002)
        self.begin(-1)
        return self.answer(request)

    async def close(self) -> None:  # type: ignore[override]
        pass


def numbers(count: int) -> Iterator[bytes]:
    for number in range(count):
        yield str(number).encode()


def test_in_order_with_an_error_for_each_that_fails(connect: Connect, make_response: MakeResponse) -> None:
    client = connect(transport=Echo(make_response, slow=frozenset({0, 20})))
    predictions = list(client.predict_many(numbers(50), concurrency=8))
    assert [prediction.index for prediction in predictions] == list(range(50))
    for prediction in predictions:
        number = int(prediction.photo)
        assert number == prediction.index
        if number % 7 == 5:
            assert prediction.depth_map is None
            assert isinstance(prediction.error, InvalidRequestError)
            with pytest.raises(InvalidRequestError, match=f"number {number}"):
                prediction.result()
        else:
            assert prediction.error is None
            assert (prediction.result().depth == number).all()


@pytest.mark.parametrize("concurrency", [1, 3, 16])
def test_no_more_at_a_time_than_asked_for(make_response: MakeResponse, concurrency: int) -> None:
    transport = AsyncEcho(make_response, slow=frozenset(range(concurrency)))

    async def run() -> int:
        client = AsyncDepthClient(transport=transport)  # type: ignore[arg-type]
        return sum([1 async for _ in client.predict_many(numbers(64), concurrency=concurrency)])

    assert asyncio.run(run()) == 64
    assert transport.most == concurrency


def test_threads_are_no_more_than_asked_for(make_response: MakeResponse) -> None:
    from midas_client import DepthClient  # noqa: PLC0415 - the other tests take both clients

    transport = Echo(make_response, slow=frozenset(range(8)))
    assert len(list(DepthClient(transport=transport).predict_many(numbers(40), concurrency=4))) == 40
    assert transport.most == 4


def test_the_source_is_read_as_the_answers_are_taken(connect: Connect, make_response: MakeResponse) -> None:
    """An iterable of any length: what is read ahead is bounded, and leaving the loop ends the run."""
    read: list[int] = []

    def endless() -> Iterator[bytes]:
        number = 0
        while True:
            read.append(number)
            yield str(number).encode()
            number += 1

    predictions = connect(transport=Echo(make_response)).predict_many(endless(), concurrency=4)
    for taken in range(1, 30):
        next(predictions)
        time.sleep(0.01)
        assert len(read) <= taken + 2 * 4


def test_answers_are_not_held_back_by_a_slow_source(connect: Connect, make_response: MakeResponse) -> None:
    """As of a camera: an answer comes before the next eight photos do."""
    read: list[int] = []
    echo = Echo(make_response)

    def slow() -> Iterator[bytes]:
        for number in range(5):
            read.append(number)
            yield str(number).encode()
            while echo.sent < len(read) or echo.now:
                time.sleep(0.001)

    predictions = connect(transport=echo).predict_many(slow(), concurrency=4)
    next(predictions)
    assert len(read) < 5


def test_an_error_of_the_source_comes_in_its_place(connect: Connect, make_response: MakeResponse) -> None:
    def broken() -> Iterator[bytes]:
        yield from numbers(3)
        raise ZeroDivisionError("the caller's own")

    taken = []
    with pytest.raises(ZeroDivisionError, match="the caller's own"):
        for prediction in connect(transport=Echo(make_response)).predict_many(broken()):
            taken.append(prediction.index)
    assert taken == [0, 1, 2]


def test_wrong_options_are_refused_at_once(connect: Connect, fake: type[FakeTransport]) -> None:
    client = connect(transport=fake())
    for wrong in ({"filter": "blur"}, {"concurrency": 0}, {"concurrency": True}, {"model": ""}, {"quality": 3}):
        with pytest.raises(OptionError):
            client.predict_many([], **wrong)
        with pytest.raises(OptionError):
            client.predict_video([], **wrong)


@pytest.mark.parametrize(
    "single", ["photo.jpg", Path("photo.jpg"), b"photo", io.BytesIO(), np.zeros((2, 2, 3), np.uint8), None, 3]
)
def test_a_single_photo_is_not_many(connect: Connect, fake: type[FakeTransport], single: Any) -> None:
    """Its characters, bytes or rows would be taken for photos."""
    client = connect(transport=fake())
    with pytest.raises(OptionError, match="Give a list or another iterable of photos"):
        client.predict_many(single)
    with pytest.raises(OptionError, match="Give a list or another iterable of frames"):
        client.predict_video(single)


def test_an_array_of_frames_is_many(connect: Connect, fake: type[FakeTransport]) -> None:
    frames = np.zeros((3, 8, 8, 3), np.uint8)
    assert len(list(connect(transport=fake()).predict_many(frames))) == 3


def test_photos_that_are_none(connect: Connect, fake: type[FakeTransport]) -> None:
    predictions = list(connect(transport=fake()).predict_many(["no such photo.jpg", b"photo"]))
    assert isinstance(predictions[0].error, PhotoError)
    assert predictions[1].error is None


def test_progress(connect: Connect, make_response: MakeResponse, capsys: pytest.CaptureFixture[str]) -> None:
    client = connect(transport=Echo(make_response))
    seen: list[Progress] = []
    list(client.predict_many(list(numbers(12)), progress=seen.append))
    assert [progress.done for progress in seen] == list(range(1, 13))
    assert seen[-1].failed == 1
    assert seen[-1].total == 12
    assert capsys.readouterr().err == ""
    list(client.predict_many(numbers(12), progress=True))
    bar = capsys.readouterr().err
    assert "12photo" in bar
    assert "failed=1" in bar


def test_photos_may_come_asynchronously(make_response: MakeResponse) -> None:
    async def arriving() -> AsyncIterator[bytes]:
        for number in range(9):
            await asyncio.sleep(0.001)
            yield str(number).encode()

    async def run() -> list[int]:
        client = AsyncDepthClient(transport=AsyncEcho(make_response))  # type: ignore[arg-type]
        return [prediction.index async for prediction in client.predict_many(arriving())]

    assert asyncio.run(run()) == list(range(9))


def test_leaving_early_cancels_what_is_under_way(make_response: MakeResponse) -> None:
    transport = AsyncEcho(make_response, slow=frozenset(range(1, 100)))

    async def run() -> float:
        client = AsyncDepthClient(transport=transport)  # type: ignore[arg-type]
        predictions = client.predict_many(numbers(100), concurrency=8)
        await anext(predictions)
        start = time.monotonic()
        await predictions.aclose()  # type: ignore[attr-defined]
        return time.monotonic() - start

    assert asyncio.run(run()) < 0.19
    assert transport.sent <= 16


def test_video_gives_frames_in_order_and_raises(connect: Connect, make_response: MakeResponse) -> None:
    client = connect(transport=Echo(make_response))
    given = []
    with pytest.raises(InvalidRequestError, match="number 5"):
        for depth_map in client.predict_video(numbers(20), smoothing=0):
            given.append(float(depth_map.depth[0, 0]))
    assert given == [0, 1, 2, 3, 4]


def test_one_event_loop(fake: type[FakeTransport]) -> None:
    client = AsyncDepthClient("localhost:1")

    async def ask() -> None:
        await client.health(timeout=0.2)

    asyncio.run(ask())
    with pytest.raises(OptionError, match="another event loop"):
        asyncio.run(ask())
