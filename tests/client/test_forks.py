"""Clients that were made before a fork, against a real Triton: every process gets the depth of its own photos."""

from __future__ import annotations

import asyncio
import copy
import io
import multiprocessing
import os
import pickle
import threading
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from midas_client import AsyncDepthClient, ClientClosedError, DepthClient, Tls, UntrainedWeightsWarning, UsageError
from midas_client._transports import grpc_forks, region
from midas_server.launch import Triton
from tests.client.secure_servers import AUTHORITY, serve_tls_before

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
def right(open_triton: Triton) -> list[Depth]:
    """The depth of each photo, from a client of its own."""
    with DepthClient(open_triton.grpc_url) as client, warnings.catch_warnings():
        warnings.simplefilter("ignore", UntrainedWeightsWarning)
        return [client.predict(photo, model=MODEL).depth for photo in PHOTOS]


@pytest.fixture(params=["grpc", "http"])
def url(request: pytest.FixtureRequest, open_triton: Triton) -> str:
    return open_triton.grpc_url if request.param == "grpc" else f"http://{open_triton.http_url}"


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
        child.join(100)
    codes = [child.exitcode for child in children]
    for child in children:
        child.kill()
    assert failures.empty(), failures.get()
    assert codes == [0] * PROCESSES


def _check_sync(url: str, right: list[Depth], calls: int, **how: Any) -> None:
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

    with DepthClient(url, timeout=30, **how) as client:
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


def _check_async(url: str, right: list[Depth], calls: int, **how: Any) -> None:
    async def check(number: int) -> None:
        for call in range(calls):
            depth = (await client.predict(PHOTOS[number], model=MODEL)).depth
            assert np.array_equal(depth, right[number]), f"call {call} got the depth of another photo"

    def child(number: int) -> None:
        async def run() -> None:
            await check(number)
            await client.close()

        asyncio.run(run())

    client = AsyncDepthClient(url, timeout=30, **how)
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


def test_a_client_closed_before_the_fork_stays_closed(url: str) -> None:
    client = DepthClient(url)
    client.models()
    client.close()

    def child(_: int) -> None:
        with pytest.raises(ClientClosedError):
            client.models()
        client.close()

    _in_children(child)


def test_a_run_over_many_photos_stays_in_its_process(url: str) -> None:
    with DepthClient(url) as client:
        run = client.predict_many(PHOTOS, model=MODEL, concurrency=1)
        next(run)

        def child(_: int) -> None:
            with pytest.raises(UsageError, match="started in another process"):
                next(run)

        _in_children(child)
        assert [prediction.error for prediction in run] == [None] * PROCESSES


def test_close_in_a_child_leaves_the_parents_regions(url: str, right: list[Depth]) -> None:
    with DepthClient(url, shared_memory=True) as client:
        client.predict(PHOTOS[0], model=MODEL)
        before = sorted(region.FOLDER.glob(f"midas_client_*_{os.getpid()}_*"))
        assert before
        _in_children(lambda _: client.close())
        assert sorted(region.FOLDER.glob(f"midas_client_*_{os.getpid()}_*")) == before
        assert np.array_equal(client.predict(PHOTOS[0], model=MODEL).depth, right[0])


# Long, since gRPC over TLS has been seen to hang in children, once in some hundred forks of a busy machine.
@pytest.mark.long
@pytest.mark.parametrize("check", [_check_sync, _check_async], ids=["waits", "awaited"])
@pytest.mark.parametrize("scheme", ["grpcs", "https"])
def test_over_tls(
    scheme: str, check: Callable[..., None], open_triton: Triton, right: list[Depth], tmp_path: Path
) -> None:
    authority = tmp_path / "authority.pem"
    AUTHORITY.cert_pem.write_to_path(authority)
    plain = open_triton.grpc_url if scheme == "grpcs" else open_triton.http_url
    with serve_tls_before(plain, tmp_path) as port:
        check(f"{scheme}://localhost:{port}", right, 2, tls=Tls(ca=str(authority)))


@pytest.mark.parametrize("kind", ["inside", "awaited"])
def test_a_call_that_no_fork_can_wait_for_is_an_error_in_the_child(
    kind: str, open_triton: Triton, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(grpc_forks, "LONGEST_WAIT", 0.01)
    client = DepthClient(open_triton.grpc_url)

    def child(_: int) -> None:
        with pytest.raises(UsageError, match=r"forked while its parent waited.*spawn or forkserver"):
            client.models()
        client.close()

    with getattr(grpc_forks.GATE, kind)():
        _in_children(child)
    assert client.models() == [MODEL]
    client.close()


@pytest.mark.parametrize("kind", [DepthClient, AsyncDepthClient])
@pytest.mark.parametrize("way", [pickle.dumps, copy.deepcopy, copy.copy])
def test_a_client_cannot_be_pickled(kind: Callable[[str], object], way: Callable[[object], object]) -> None:
    with pytest.raises(UsageError, match="Make one in each process"):
        way(kind("localhost:8001"))


def _models_of(url: str) -> list[str]:
    with DepthClient(url) as client:
        return [*client.models()]


@pytest.mark.parametrize("start", ["spawn", "forkserver"])
def test_other_ways_to_start_a_process(start: str, url: str) -> None:
    with DepthClient(url) as client, multiprocessing.get_context(start).Pool(1) as pool:
        assert pool.apply(_models_of, (url,)) == client.models() == [MODEL]


@pytest.mark.long
def test_200_calls_in_each_of_4_processes(url: str, right: list[Depth]) -> None:
    _check_sync(url, right, 200)


@pytest.mark.long
def test_200_calls_in_each_of_4_processes_awaited(url: str, right: list[Depth]) -> None:
    _check_async(url, right, 200)
