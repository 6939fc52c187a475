"""Float maps through shared memory: the same arrays, nothing left behind, and the plain way where it cannot be had."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import os
import signal
import subprocess
import sys
import threading
import urllib.error
import urllib.request
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from midas_client import (
    AnswerError,
    AsyncDepthClient,
    ConnectError,
    ConnectionLostError,
    DeadlineExceededError,
    DepthClient,
    Format,
    InferRequest,
    InferResponse,
    InvalidRequestError,
    MidasClientError,
    ServerBusyError,
    ServerError,
    SharedMemoryWarning,
    Timeout,
)
from midas_client._transports import region, shared_memory
from midas_client._transports.answer import PLAIN, PlainOutputs
from midas_client._transports.answer_size import largest_output
from midas_client._transports.region import NotWrittenError, OutputsInRegion, Region
from midas_client._transports.shared_memory_sync import SharedMemoryTransport
from midas_server.imaging.encode import encode_png
from midas_server.launch import Triton
from tests.networks import DEFAULT
from tests.own_server import own_server

PREFIX = "midas_client_"
SIZES = [(640, 427), (800, 600), (1280, 720)]

# Long under way, even for a caller who is held up himself: an answer that has come by then is taken.
LONG: dict[str, Any] = {"filter": "crf", "resolution": 1280, "aspect": "square"}


def url_of(server: Triton, protocol: str) -> str:
    return server.grpc_url if protocol == "grpc" else f"http://{server.http_url}"


@pytest.fixture(params=["grpc", "http"])
def url(request: pytest.FixtureRequest, open_triton: Triton) -> str:
    return url_of(open_triton, request.param)


@pytest.fixture(scope="module")
def photos(photo: bytes) -> list[bytes]:
    files = []
    for size in SIZES:
        file = io.BytesIO()
        Image.open(io.BytesIO(photo)).resize(size).save(file, "JPEG", quality=90)
        files.append(file.getvalue())
    return files


@pytest.fixture(scope="module")
def plain(open_triton: Triton, photos: list[bytes]) -> list[npt.NDArray[np.float32]]:
    """The photos' depth without shared memory."""
    with DepthClient(open_triton.grpc_url) as client:
        return [client.predict(photo).depth for photo in photos]


@pytest.fixture(autouse=True)
def nothing_is_left(open_triton: Triton) -> Iterator[None]:
    yield
    assert files() == []
    assert registered(open_triton) == []


@pytest.fixture(autouse=True)
def no_warnings() -> Iterator[None]:
    """Where none is expected, SharedMemoryWarning fails the test: the plain way would give the right array too."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", SharedMemoryWarning)
        yield


# Whose regions are looked at: other tests may run at the same time.
OURS = {os.getpid()}


def files() -> list[str]:
    paths = region.FOLDER.glob(f"{PREFIX}*")
    return sorted(path.name for path in paths if int(path.name.split("_")[4]) in OURS)


def registered(server: Triton) -> list[str]:
    with urllib.request.urlopen(f"http://{server.http_url}/v2/systemsharedmemory/status", timeout=10) as answer:
        return [entry["name"] for entry in json.load(answer)]


class Watched:
    """A transport that notes which requests came with a region, or are to fail."""

    def __init__(self) -> None:
        self.placed: list[bool] = []
        self.registrations = 0
        self.unregistered: list[str] = []
        self.refusal: MidasClientError | None = None
        self.failures: list[MidasClientError | None] = []
        self.in_use = False

    def infer(self, request: InferRequest, timeout: float, outputs: PlainOutputs = PLAIN) -> InferResponse:
        self.placed.append(isinstance(outputs, OutputsInRegion))
        failure = self.failures.pop(0) if self.failures else None
        if failure is not None:
            raise failure
        depth = np.full((1, 600, 800), len(self.placed), np.float32)
        if isinstance(outputs, OutputsInRegion):
            with (region.FOLDER / outputs.region.name).open("r+b") as file:
                file.write(depth.tobytes())
            depth = outputs.region.read(depth.shape)
        return InferResponse(depth[0], b"", b"{}")

    def register_region(self, name: str, size: int, timeout: float) -> None:
        self.registrations += 1
        if self.refusal is not None:
            raise self.refusal

    def unregister_region(self, name: str, timeout: float) -> None:
        if self.in_use:
            raise ServerError(
                "", server_message=f"Cannot unregister shared memory region '{name}', it is currently in use."
            )
        self.unregistered.append(name)

    def region_names(self, timeout: float) -> list[str]:
        return []

    def is_ready(self, model: str | None, timeout: float) -> bool:
        return True

    def statistics(self, timeout: float) -> list[dict[str, str]]:
        return []

    def server_version(self, timeout: float) -> str:
        return ""

    def close(self) -> None:
        pass


@pytest.fixture
def request_800(photos: list[bytes]) -> InferRequest:
    return InferRequest(DEFAULT, photos[1], {}, "id")


def test_sync_gives_the_same_arrays(url: str, photos: list[bytes], plain: list[npt.NDArray[np.float32]]) -> None:
    with DepthClient(url, shared_memory=True) as client:
        for _ in range(2):
            for photo, depth in zip(photos, plain, strict=True):
                np.testing.assert_array_equal(client.predict(photo).depth, depth)
        assert len(files()) == 2  # the two smaller photos share one


def test_async_gives_the_same_arrays(url: str, photos: list[bytes], plain: list[npt.NDArray[np.float32]]) -> None:
    async def predict() -> list[npt.NDArray[np.float32]]:
        async with AsyncDepthClient(url, shared_memory=True) as client:
            first = [(await client.predict(photo)).depth for photo in photos]
            maps = await asyncio.gather(*(client.predict(photo) for photo in photos))
            assert files()
            return [*first, *(depth_map.depth for depth_map in maps)]

    for got, depth in zip(asyncio.run(predict()), [*plain, *plain], strict=True):
        np.testing.assert_array_equal(got, depth)


def test_threads_do_not_see_each_others_depth(
    url: str, photos: list[bytes], plain: list[npt.NDArray[np.float32]]
) -> None:
    with DepthClient(url, shared_memory=True) as client, ThreadPoolExecutor(4) as pool:
        client.predict(photos[0])
        maps = list(pool.map(client.predict, photos * 4))
        assert len(files()) > 1
    for got, depth in zip(maps, plain * 4, strict=True):
        np.testing.assert_array_equal(got.depth, depth)


@pytest.mark.parametrize("format", ["png16", "float16"])
def test_files_of_depth_come_that_way_too(url: str, format: Format, photos: list[bytes]) -> None:
    with DepthClient(url) as plain_client, DepthClient(url, shared_memory=True) as client:
        for photo in (photos[2], photos[1]):
            got = client.predict(photo, format=format)
            assert len(files()) == 1
            assert got.encoded == plain_client.predict(photo, format=format).encoded


@pytest.mark.parametrize("options", [{"format": "color_png"}, {"format": "png8"}, {"output_size": "network"}])
def test_other_answers_come_the_plain_way(url: str, photos: list[bytes], options: dict[str, str]) -> None:
    with DepthClient(url) as plain_client, DepthClient(url, shared_memory=True) as client:
        got = client.predict(photos[0], **options)  # type: ignore[arg-type]
        assert files() == []
        want = plain_client.predict(photos[0], **options)  # type: ignore[arg-type]
        np.testing.assert_array_equal(got.depth, want.depth)
        assert got.encoded == want.encoded


def test_a_refused_photo_costs_no_region(url: str, photos: list[bytes]) -> None:
    with DepthClient(url, shared_memory=True) as client:
        client.predict(photos[0])
        before = files()
        with pytest.raises(InvalidRequestError):
            client.predict(photos[0][:2000])
        assert files() == before
        client.predict(photos[0])
        assert files() == before


@pytest.mark.parametrize("protocol", ["grpc", "http"])
def test_a_server_that_restricts_it_is_asked_once(
    triton: Triton, protocol: str, photos: list[bytes], plain: list[npt.NDArray[np.float32]]
) -> None:
    with DepthClient(url_of(triton, protocol), shared_memory=True) as client:
        with pytest.warns(SharedMemoryWarning, match="does not allow it.*--allow-client-shm") as caught:
            got = client.predict(photos[0], model=DEFAULT)
        assert [warning.filename for warning in caught] == [__file__]
        np.testing.assert_array_equal(got.depth, plain[0])
        client.predict(photos[0], model=DEFAULT)  # a second warning would be an error


def test_another_machine_is_asked_once(
    url: str, photos: list[bytes], plain: list[npt.NDArray[np.float32]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(region, "FOLDER", tmp_path)  # the server looks into its own /dev/shm
    with DepthClient(url, shared_memory=True) as client:
        with pytest.warns(SharedMemoryWarning, match="Unable to open shared memory region"):
            got = client.predict(photos[0])
        np.testing.assert_array_equal(got.depth, plain[0])
        client.predict(photos[0])
    assert list(tmp_path.iterdir()) == []


def test_without_room_it_is_the_plain_way(
    url: str, photos: list[bytes], plain: list[npt.NDArray[np.float32]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    with DepthClient(url, shared_memory=True) as client:
        with pytest.warns(SharedMemoryWarning, match="No space left on device"):
            got = client.predict(photos[0])
        assert files() == []
    np.testing.assert_array_equal(got.depth, plain[0])


def test_a_restarted_server_gets_the_regions_again(
    lean: Path, photos: list[bytes], plain: list[npt.NDArray[np.float32]]
) -> None:
    with contextlib.ExitStack() as stack:
        with own_server(lean, [DEFAULT], allow_client_shm=True) as server:
            clients = [
                stack.enter_context(DepthClient(url_of(server, protocol), shared_memory=True))
                for protocol in ("grpc", "http")
            ]
            for client in clients:
                client.predict(photos[1])
            before = files()
        http_port, grpc_port = server.http_port, server.grpc_port
        with own_server(lean, [DEFAULT], http_port=http_port, grpc_port=grpc_port, allow_client_shm=True) as server:
            for client in clients:
                client.wait_ready(30)
                np.testing.assert_array_equal(client.predict(photos[1]).depth, plain[1])
            assert files() == sorted(registered(server)) == before
            for client in clients:
                client.close()
            assert registered(server) == []


def test_after_a_timeout_the_region_is_not_used_again(
    url: str, photos: list[bytes], plain: list[npt.NDArray[np.float32]]
) -> None:
    with DepthClient(url, shared_memory=True, retries=0) as client:
        client.predict(photos[0])
        (before,) = files()
        with pytest.raises(DeadlineExceededError):
            client.predict(photos[0], timeout=0.005, **LONG)
        assert before not in files()
        for _ in range(2):
            np.testing.assert_array_equal(client.predict(photos[0]).depth, plain[0])


def test_a_cancelled_task_gives_its_region_up(
    url: str, photos: list[bytes], plain: list[npt.NDArray[np.float32]]
) -> None:
    async def run() -> npt.NDArray[np.float32]:
        async with AsyncDepthClient(url, shared_memory=True) as client:
            await client.predict(photos[0])
            (before,) = files()
            task = asyncio.create_task(client.predict(photos[0], **LONG))
            await asyncio.sleep(0.005)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert before not in files()
            return (await client.predict(photos[0])).depth

    np.testing.assert_array_equal(asyncio.run(run()), plain[0])


CRASHING = """
import sys, time
from pathlib import Path
from midas_client import DepthClient
client = DepthClient(sys.argv[1], shared_memory=True)
client.predict(Path(sys.argv[2]))
print("ready", flush=True)
if sys.argv[3] == "wait":
    time.sleep(600)
"""


def crash(url: str, photo: Path, how: str) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-W", "error::UserWarning", "-c", CRASHING, url, str(photo), how],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    OURS.add(process.pid)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def test_the_next_client_cleans_up_after_a_killed_one(
    url: str, open_triton: Triton, photos: list[bytes], tmp_path: Path
) -> None:
    (tmp_path / "photo.jpg").write_bytes(photos[0])
    with crash(url, tmp_path / "photo.jpg", "wait") as process:
        with DepthClient(url, shared_memory=True) as client:
            client.predict(photos[0])
            assert len(files()) == len(registered(open_triton)) == 2  # one that lives keeps its own
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert len(files()) == len(registered(open_triton)) == 1
    with DepthClient(url, shared_memory=True) as client:
        client.predict(photos[0])
        assert files() == registered(open_triton)
        assert len(files()) == 1


def test_a_client_that_is_not_closed_leaves_no_file(
    url: str, open_triton: Triton, photos: list[bytes], tmp_path: Path
) -> None:
    (tmp_path / "photo.jpg").write_bytes(photos[0])
    with crash(url, tmp_path / "photo.jpg", "end") as process:
        assert process.wait(30) == 0
        assert process.stdout is not None
        assert process.stdout.read() == ""
    assert files() == []
    with DepthClient(url, shared_memory=True) as client:
        client.predict(photos[0])  # frees what the server still holds


def test_a_fork_leaves_the_parents_regions_alone(request_800: InferRequest) -> None:
    transport = SharedMemoryTransport(Watched())
    transport.infer(request_800, 5)
    before = files()
    child = os.fork()
    if child == 0:
        code = 1
        try:  # whatever happens, it does not go on as a second process that runs the tests
            OURS.add(os.getpid())
            transport.infer(request_800, 5)
            own = [name for name in files() if name not in before]
            transport.close()
            code = 0 if len(own) == 1 and files() == before else 1
        finally:
            os._exit(code)
    assert os.waitpid(child, 0)[1] == 0
    assert files() == before
    transport.close()


@pytest.mark.parametrize(
    ("failure", "kept"),
    [
        (InvalidRequestError("", server_message="not an image"), True),
        (ServerError("", server_message="Exceeds maximum queue size"), True),
        (ServerError("", server_message="shared memory size specified with the request is too small"), True),
        (ServerError("", server_message="broken"), False),
        (ConnectionLostError("lost"), False),
        (DeadlineExceededError("late"), False),
    ],
)
def test_a_region_is_kept_only_after_an_answer(
    request_800: InferRequest, failure: MidasClientError, kept: bool
) -> None:
    watched = Watched()
    transport = SharedMemoryTransport(watched)
    transport.infer(request_800, 5)
    before = files()
    watched.failures = [failure]
    with contextlib.suppress(type(failure)):
        transport.infer(request_800, 5)
    assert (files() == before) is kept
    transport.infer(request_800, 5)
    assert watched.unregistered == ([] if kept else before)
    transport.close()


def test_a_region_that_the_server_cannot_let_go_of_counts(
    request_800: InferRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_memory, "MOST_REGIONS", 2)
    watched = Watched()
    transport = SharedMemoryTransport(watched)
    transport.infer(request_800, 5)
    watched.in_use = True
    for _ in range(3):
        watched.failures = [DeadlineExceededError("late")]
        with contextlib.suppress(DeadlineExceededError):
            transport.infer(request_800, 5)
    assert watched.registrations == 2
    assert watched.placed == [True, True, True, False]
    watched.in_use = False
    transport.infer(request_800, 5)
    transport.infer(request_800, 5)
    assert watched.placed[-2:] == [False, True]
    transport.close()


def test_closing_waits_until_the_server_lets_go(request_800: InferRequest) -> None:
    """It does so a moment after it has answered."""

    class Slow(Watched):
        def unregister_region(self, name: str, timeout: float) -> None:
            self.in_use = not self.asked
            self.asked = True
            super().unregister_region(name, timeout)

        asked = False

    slow = Slow()
    transport = SharedMemoryTransport(slow)
    transport.infer(request_800, 5)
    before = files()
    transport.close()
    assert slow.unregistered == before


def test_closing_does_not_wait_for_a_server_that_is_gone(request_800: InferRequest) -> None:
    class Gone(Watched):
        def unregister_region(self, name: str, timeout: float) -> None:
            self.unregistered.append(name)
            raise ConnectError("gone")

    gone = Gone()
    transport = SharedMemoryTransport(gone)
    transport.infer(request_800, 5)
    transport.close()
    assert len(gone.unregistered) == 1
    assert files() == []


def test_regions_that_are_too_small_make_room(request_800: InferRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared_memory, "MOST_REGIONS", 1)
    watched = Watched()
    transport = SharedMemoryTransport(watched)
    transport.infer(request_800, 5)
    small = files()
    large = io.BytesIO()
    Image.new("RGB", (1920, 1080)).save(large, "PNG")
    transport.infer(InferRequest(DEFAULT, large.getvalue(), {}, "id"), 5)
    assert watched.unregistered == small
    assert len(files()) == 1
    transport.close()
    assert files() == []


def test_a_server_that_forgets_at_once_is_left_alone(request_800: InferRequest) -> None:
    """As behind a balancer: one server was told of the region, another is asked."""
    watched = Watched()
    transport = SharedMemoryTransport(watched)
    transport.infer(request_800, 5)
    lost = ServerError("lost", server_message=f"Unable to find shared memory region: '{files()[0]}'")
    watched.failures = [lost, lost]
    with pytest.warns(SharedMemoryWarning, match="lost"):
        assert transport.infer(request_800, 5).depth.shape == (600, 800)
    assert watched.placed == [True, True, True, False]
    transport.close()


def test_a_server_that_only_says_it_wrote_is_left_alone(request_800: InferRequest) -> None:
    watched = Watched()
    transport = SharedMemoryTransport(watched)
    watched.failures = [NotWrittenError("not written")]
    with pytest.warns(SharedMemoryWarning, match="not written"):
        transport.infer(request_800, 5)
    assert watched.placed == [True, False]
    transport.close()


@pytest.mark.parametrize(
    ("refusal", "final"),
    [
        (ServerError("no", server_message="Unable to open shared memory region"), True),
        (AnswerError("not found"), True),
        (DeadlineExceededError("late"), True),
        (ServerBusyError("no", server_message="client shared memory is not allowed"), True),
        (ServerBusyError("no", server_message="stopping"), False),
        (ConnectionLostError("lost"), False),
    ],
)
def test_a_refusal_is_final_unless_it_passes(request_800: InferRequest, refusal: MidasClientError, final: bool) -> None:
    watched = Watched()
    watched.refusal = refusal
    transport = SharedMemoryTransport(watched)
    with pytest.warns(SharedMemoryWarning) if final else contextlib.nullcontext():
        transport.infer(request_800, 5)
    assert files() == []
    watched.refusal = None
    transport.infer(request_800, 5)
    assert watched.placed == [False, not final]
    transport.close()


def test_an_unreachable_server_is_the_usual_error(dead_port: int, photos: list[bytes]) -> None:
    for url in (f"127.0.0.1:{dead_port}", f"http://127.0.0.1:{dead_port}"):
        with DepthClient(url, shared_memory=True, timeout=Timeout(total=2, connect=1)) as client:
            with pytest.raises(ConnectError):
                client.predict(photos[0])
            assert files() == []


def test_while_the_first_is_tried_the_others_go_the_plain_way(request_800: InferRequest) -> None:
    tried, go_on = threading.Event(), threading.Event()

    class Slow(Watched):
        def register_region(self, name: str, size: int, timeout: float) -> None:
            super().register_region(name, size, timeout)
            tried.set()
            assert go_on.wait(30)

    slow = Slow()
    transport = SharedMemoryTransport(slow)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(transport.infer, request_800, 30)
        assert tried.wait(30)
        transport.infer(request_800, 30)
        assert slow.placed == [False]
        go_on.set()
        first.result(30)
    assert slow.placed == [False, True]
    transport.close()


def test_what_was_not_written_is_not_read() -> None:
    memory = Region(1 << 20)
    try:
        memory.expect(400)
        with pytest.raises(NotWrittenError):
            memory.read([1, 10, 10])
        with pytest.raises(MidasClientError, match="does not fit"):
            memory.read([1, 1024, 1024])
        assert memory.read([1, 0, 0]).shape == (1, 0, 0)
        with pytest.raises(NotWrittenError):
            memory.read_bytes()
        assert (region.FOLDER / memory.name).stat().st_mode & 0o777 == 0o600
    finally:
        memory.unlink()


def test_only_regions_of_the_dead_are_abandoned() -> None:
    memory = Region(4096)
    try:
        assert not region.is_abandoned(memory.name)
        _, _, namespace, user, process, start, key = memory.name.split("_")
        assert region.is_abandoned(f"{PREFIX}{namespace}_{user}_{process}_{int(start) - 1}_{key}")
        assert not region.is_abandoned(f"{PREFIX}{int(namespace) + 1}_{user}_{process}_{int(start) - 1}_{key}")
        assert not region.is_abandoned(f"{PREFIX}{namespace}_{int(user) + 1}_{process}_{int(start) - 1}_{key}")
        assert not region.is_abandoned("another")
    finally:
        memory.unlink()
    assert region.is_abandoned(memory.name)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("orientation", [1, 6])
def test_the_answers_size_is_in_the_photos_header(kind: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    file = io.BytesIO()
    Image.new("RGB", (120, 50)).save(file, kind, exif=exif)
    photo = file.getvalue()

    def size(photo: bytes, **options: str) -> tuple[str, int]:
        return largest_output(InferRequest("m", photo, options, "id"))

    assert size(photo) == size(photo, format="float32", output_size="photo") == ("DEPTH", 120 * 50 * 4)
    assert size(photo, format="float16") == ("ENCODED", 120 * 50 * 2 + 4)
    assert size(photo, output_size="network")[1] == size(photo, format="color_png")[1] == 0
    assert size(photo[:20])[1] == 0


@pytest.mark.parametrize("shape", [(1, 30_000), (30_000, 1), (300, 400), (1080, 1920)])
def test_no_png_is_larger_than_was_reckoned(shape: tuple[int, int]) -> None:
    file = io.BytesIO()
    Image.new("RGB", shape).save(file, "PNG")
    noise = np.random.default_rng(0).integers(0, 1 << 16, shape, np.uint16)
    _, size = largest_output(InferRequest("m", file.getvalue(), {"format": "png16"}, "id"))
    assert len(encode_png(noise)) + 4 <= size


@pytest.mark.parametrize(
    "image", [b"", b"text", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n" + bytes(30), b"RIFF" + bytes(30)]
)
def test_a_header_that_cannot_be_read_has_no_size(image: bytes) -> None:
    assert largest_output(InferRequest("m", image, {}, "id")) == ("DEPTH", 0)
    assert largest_output(InferRequest("m", image, {"format": "png16"}, "id"))[1] < shared_memory.SMALLEST


def test_a_server_opens_it_to_its_own_machine_only(repository: Path) -> None:
    arguments = ["serve", "--repository", str(repository), "--models", DEFAULT, "--allow-client-shm"]
    command = [sys.executable, "-m", "midas_server", *arguments, "--host", "0.0.0.0"]  # noqa: S104
    refused = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert refused.returncode == 1
    assert refused.stderr.startswith("error: client shared memory is not opened to 0.0.0.0")


def test_a_server_keeps_it_shut_unless_told(triton: Triton) -> None:
    with pytest.raises(urllib.error.HTTPError, match="403"):
        registered(triton)
