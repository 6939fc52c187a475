"""``python -m benchmarks gateway``: what the gateway adds to HTTP to Triton itself, in turn and with the same photo.

Beside it stands the least that any gateway would add: bytes handed on by a process that does nothing else. And how
fast the gateway refuses what it must refuse.
"""

import argparse
import contextlib
import http.client
import json
import os
import secrets
import select
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from types import MappingProxyType

from rich.console import Console
from rich.table import Table

from benchmarks.commands.arguments import photo_size, seconds
from benchmarks.errors import BenchmarkError
from benchmarks.load.photo import jpeg
from benchmarks.load.refused import Refused, refused_requests
from midas_server.end_with_parent import end_with_parent
from midas_server.launch import Triton
from midas_server.launch.server import SHM_KEY_VARIABLE

_BOUNDARY = "a-boundary-of-a-form"
_TOGETHER = 8
_REFUSALS = 20


@dataclass(frozen=True)
class Way:
    """One way to ask for the depth of the photo.

    Attributes:
        port: of loopback.
        path: with the options.
        headers, body: of the POST.
    """

    port: int
    path: str
    headers: Mapping[str, str]
    body: bytes

    def ask(self, connection: http.client.HTTPConnection) -> float:
        """Send the photo and read all of the answer. Returns milliseconds; raises BenchmarkError for a failure."""
        if connection.sock is not None and select.select([connection.sock], [], [], 0)[0]:
            connection.close()  # the server has closed it meanwhile; it is opened again below
        started = time.perf_counter()
        connection.request("POST", self.path, self.body, dict(self.headers))
        answer = connection.getresponse()
        content = answer.read()
        if answer.status != 200:
            raise BenchmarkError(f"port {self.port} answered {answer.status}: {content[:200]!r}")
        return (time.perf_counter() - started) * 1000

    def connect(self) -> http.client.HTTPConnection:
        """A connection that is kept from photo to photo."""
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``gateway`` to ``parser``."""
    parser.add_argument("--repository", type=Path, default=Path("model_repository"), help="what Triton loads")
    parser.add_argument("--model", default="midas_tiny_256", help="the network (%(default)s)")
    parser.add_argument("--photo-size", type=photo_size, default=(1920, 1080), metavar="WxH", help="(1920x1080)")
    parser.add_argument("--format", default="png16", help="of the result (%(default)s)")
    parser.add_argument("--photos", type=int, default=200, help="one at a time, each way (%(default)s)")
    parser.add_argument("--seconds", type=seconds, default=6.0, help=f"{_TOGETHER} at a time, a round (%(default)g)")
    parser.add_argument("--rounds", type=int, default=4, help="of those, in turn (%(default)s)")


def run(options: argparse.Namespace, console: Console) -> int:
    """Measure, print a table, and return the exit status.

    Raises:
        BenchmarkError, CannotRunHere, StartFailed: it could not be measured.
    """
    photo = jpeg(*options.photo_size)
    triton = Triton(
        options.repository,
        [options.model],
        http_port=0,
        grpc_port=0,
        metrics_port=0,
        client_shm_key=secrets.token_hex(16),
    )
    with (
        triton,
        _pass_through("relay", triton) as relay,
        _pass_through("route", triton) as route,
        _gateway(triton) as port,
        _gateway(triton, "--shared-memory") as sharing,
    ):
        direct, raw, form = _ways(options.model, options.format, photo)
        ways = {
            "direct": Way(triton.http_port, *direct),
            "bytes copied by asyncio": Way(relay, *direct),
            "smallest Starlette route": Way(route, *direct),
            "gateway, raw body": Way(port, *raw),
            "gateway, form": Way(port, *form),
            "shared memory, raw body": Way(sharing, *raw),
            "shared memory, form": Way(sharing, *form),
        }
        alone = _in_turn(ways, options.photos)
        together = _together(ways, options.seconds, options.rounds)
        refusals = _refusals(port)
    table = Table("way", "p50, ms", "more than direct, ms", f"photos/s at {_TOGETHER}", "of direct")
    most = median(together["direct"])
    for name in ways:
        # The difference of each photo to the direct one beside it: what else the machine does then falls out.
        more = median(there - here for there, here in zip(alone[name], alone["direct"], strict=True))
        rate = median(together[name])
        table.add_row(name, f"{median(alone[name]):.1f}", f"{more:+.2f}", f"{rate:.1f}", f"{rate / most:.0%}")
    console.print(table)
    console.print(f"{options.photo_size[0]}x{options.photo_size[1]}, format={options.format}")
    refused = Table("refused", "status", "p50, ms", "slowest, ms")
    for request, took in refusals:
        refused.add_row(request.name, str(request.status), f"{median(took):.1f}", f"{max(took):.1f}")
    console.print(refused)
    console.print(f"repeat with: {options.command}", markup=False, highlight=False, soft_wrap=True)
    return 0


def _ways(model: str, format: str, photo: bytes) -> tuple[tuple[str, Mapping[str, str], bytes], ...]:
    """Path, headers and body of the same question: for Triton, and for the gateway as a raw body and as a form."""
    # Triton's own way to give an option is JSON before the photo.
    image = {
        "name": "IMAGE",
        "shape": [1, 1],
        "datatype": "BYTES",
        "parameters": {"binary_data_size": len(photo) + 4},
    }
    head = json.dumps({"inputs": [image], "parameters": {"format": format, "binary_data_output": True}}).encode()
    form = f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="image"; filename="photo.jpg"\r\n\r\n'.encode()
    path = f"/predict?model={model}&format={format}"
    return (
        (
            f"/v2/models/{model}/infer",
            {"Inference-Header-Content-Length": str(len(head)), "Content-Type": "application/octet-stream"},
            head + len(photo).to_bytes(4, "little") + photo,
        ),
        (path, {"Content-Type": "image/jpeg"}, photo),
        (
            path,
            {"Content-Type": f"multipart/form-data; boundary={_BOUNDARY}"},
            form + photo + f"\r\n--{_BOUNDARY}--\r\n".encode(),
        ),
    )


def _in_turn(ways: Mapping[str, Way], photos: int) -> dict[str, list[float]]:
    """Milliseconds of each photo, one at a time, all ways by turns."""
    connections = {name: way.connect() for name, way in ways.items()}
    times: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(photos + 5):
        for name, way in ways.items():
            took = way.ask(connections[name])
            if number >= 5:
                times[name].append(took)
    return times


def _together(ways: Mapping[str, Way], length: float, rounds: int) -> dict[str, list[float]]:
    """Photos a second with several under way, for each round, all ways by turns."""
    rates: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            rates[name].append(_rate(way, length))
    return rates


def _refusals(port: int) -> list[tuple[Refused, list[float]]]:
    """Milliseconds of each refusal, a connection each since some are closed."""
    taken = []
    for request in refused_requests():
        times = []
        for _ in range(_REFUSALS + 1):
            with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
                connection.connect()
                times.append(request.ask(connection))
        taken.append((request, times[1:]))
    return taken


def _rate(way: Way, length: float) -> float:
    counts = [0] * _TOGETHER
    errors: list[Exception] = []
    end = time.perf_counter() + length

    def work(number: int) -> None:
        try:
            connection = way.connect()
            while time.perf_counter() < end:
                way.ask(connection)
                counts[number] += 1
        except (BenchmarkError, OSError) as error:
            errors.append(error)

    started = time.perf_counter()
    threads = [threading.Thread(target=work, args=(number,)) for number in range(_TOGETHER)]
    _each(threads, threading.Thread.start)
    _each(threads, threading.Thread.join)
    if errors:
        raise BenchmarkError(f"the load failed: {errors[0]}")
    return sum(counts) / (time.perf_counter() - started)


def _each(threads: list[threading.Thread], do: Callable[[threading.Thread], None]) -> None:
    for thread in threads:
        do(thread)


@contextlib.contextmanager
def _gateway(triton: Triton, *arguments: str) -> Iterator[int]:
    """A gateway in front of a Triton; yields its port."""
    with (
        TemporaryDirectory(prefix="midas-benchmark-") as folder,
        _serving(
            *("midas_gateway", "--triton", triton.grpc_url, "--port", "0", "--folder", folder, *arguments),
            environment={SHM_KEY_VARIABLE: triton.client_shm_key},
        ) as first,
    ):
        port = int(first.rsplit(":", 1)[1])
        _wait(port)
        yield port


@contextlib.contextmanager
def _pass_through(kind: str, triton: Triton) -> Iterator[int]:
    """The least that stands before a Triton; yields its port."""
    with _serving("benchmarks.load.pass_through", kind, str(triton.http_port)) as first:
        yield int(first)


@contextlib.contextmanager
def _serving(module: str, *arguments: str, environment: Mapping[str, str] = MappingProxyType({})) -> Iterator[str]:
    """A module that runs until the context is left; yields the first line that it prints."""
    process = subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=end_with_parent,  # noqa: PLW1509  (it makes one system call and takes no lock)
    )
    try:
        assert process.stdout is not None
        first = process.stdout.readline()
        if not first:
            raise BenchmarkError(f"{module} did not start")
        # The gateway's access log has to be read, or it waits for a reader.
        threading.Thread(target=process.stdout.read, daemon=True).start()
        yield first
    finally:
        process.terminate()
        process.wait(60)


def _wait(port: int) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", "/healthz")
            if connection.getresponse().status == 200:
                return
        except OSError:
            if time.monotonic() > deadline:
                raise BenchmarkError("the gateway does not answer") from None
            time.sleep(0.1)
