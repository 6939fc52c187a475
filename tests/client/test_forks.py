"""Clients that were made before a fork, against a real Triton: every process gets the depth of its own photos."""

from __future__ import annotations

import asyncio
import io
import multiprocessing
import threading
import traceback
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from midas_client import AsyncDepthClient, ClientClosedError, DepthClient, UntrainedWeightsWarning
from midas_server.launch import Triton

MODEL = "midas_tiny_256"
PROCESSES = 4
# Large enough for shared memory, and a different one for each process.
SIZE = (420, 400)

Depth = npt.NDArray[np.float32]
_fork = multiprocessing.get_context("fork")


def _photo(number: int) -> bytes:
    coarse = np.random.default_rng(number).integers(0, 256, (5, 6, 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(coarse).resize(SIZE, Image.Resampling.BICUBIC).save(file, "PNG")
    return file.getvalue()


PHOTOS = [_photo(number) for number in range(PROCESSES + 1)]


@pytest.fixture(scope="module")
def shared(repository: Path) -> Iterator[Triton]:
    """A server that takes regions of shared memory too."""
    with Triton(
        repository, [MODEL], http_port=0, grpc_port=0, metrics_port=0, exit_timeout=2, allow_client_shm=True
    ) as server:
        yield server


@pytest.fixture(scope="module")
def right(shared: Triton) -> list[Depth]:
    """The depth of each photo, from a client of its own."""
    with DepthClient(shared.grpc_url) as client, warnings.catch_warnings():
        warnings.simplefilter("ignore", UntrainedWeightsWarning)
        return [client.predict(photo, model=MODEL).depth for photo in PHOTOS]


@pytest.fixture(params=["grpc", "http"])
def url(request: pytest.FixtureRequest, shared: Triton) -> str:
    return shared.grpc_url if request.param == "grpc" else f"http://{shared.http_url}"


def _in_children(work: Callable[[int], None], meanwhile: Callable[[], None] = lambda: None) -> None:
    """work(number) in forked processes at once, and meanwhile() here. Fails with what a child said."""
    failures = _fork.SimpleQueue()

    def run(number: int) -> None:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UntrainedWeightsWarning)
                work(number)
        except BaseException:  # noqa: BLE001 - the parent tells it
            failures.put(traceback.format_exc())

    children = [_fork.Process(target=run, args=(number,), daemon=True) for number in range(PROCESSES)]
    for child in children:
        child.start()
    meanwhile()
    for child in children:
        child.join(240)
    codes = [child.exitcode for child in children]
    for child in children:
        child.kill()
    assert failures.empty(), failures.get()
    assert codes == [0] * PROCESSES


def _check_sync(url: str, right: list[Depth], calls: int, *, shared_memory: bool) -> None:
    def check(number: int) -> None:
        for call in range(calls):
            depth = client.predict(PHOTOS[number], model=MODEL).depth
            assert np.array_equal(depth, right[number]), f"call {call} got the depth of another photo"

    def child(number: int) -> None:
        check(number)
        client.close()
        with pytest.raises(ClientClosedError):
            client.models()

    def meanwhile() -> None:
        check(PROCESSES)

    with DepthClient(url, shared_memory=shared_memory, timeout=120) as client:
        check(PROCESSES)
        stop = threading.Event()

        def busy() -> None:
            while not stop.is_set():
                check(PROCESSES)

        # Connections are in use and locks are held at the moment of the fork.
        threads = [threading.Thread(target=busy) for _ in range(2)]
        for thread in threads:
            thread.start()
        try:
            _in_children(child, meanwhile)
        finally:
            stop.set()
            for thread in threads:
                thread.join()
        # What the children closed, this process still has.
        check(PROCESSES)


def _check_async(url: str, right: list[Depth], calls: int, *, shared_memory: bool) -> None:
    async def check(number: int) -> None:
        for call in range(calls):
            depth = (await client.predict(PHOTOS[number], model=MODEL)).depth
            assert np.array_equal(depth, right[number]), f"call {call} got the depth of another photo"

    def child(number: int) -> None:
        async def run() -> None:
            await check(number)
            await client.close()

        asyncio.run(run())

    client = AsyncDepthClient(url, shared_memory=shared_memory, timeout=120)
    loop = asyncio.new_event_loop()
    try:
        loop.run_until_complete(check(PROCESSES))
        _in_children(child, lambda: loop.run_until_complete(check(PROCESSES)))
        loop.run_until_complete(check(PROCESSES))
        loop.run_until_complete(client.close())
    finally:
        loop.close()


@pytest.mark.parametrize("shared_memory", [False, True], ids=["plain", "shared memory"])
def test_each_process_gets_its_own_answers(url: str, right: list[Depth], shared_memory: bool) -> None:
    _check_sync(url, right, 4, shared_memory=shared_memory)


@pytest.mark.parametrize("shared_memory", [False, True], ids=["plain", "shared memory"])
def test_each_process_gets_its_own_answers_awaited(url: str, right: list[Depth], shared_memory: bool) -> None:
    _check_async(url, right, 4, shared_memory=shared_memory)


@pytest.mark.long
def test_200_calls_in_each_of_4_processes(url: str, right: list[Depth]) -> None:
    _check_sync(url, right, 200, shared_memory=False)


@pytest.mark.long
def test_200_calls_in_each_of_4_processes_awaited(url: str, right: list[Depth]) -> None:
    _check_async(url, right, 200, shared_memory=False)
