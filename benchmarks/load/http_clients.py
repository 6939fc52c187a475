"""A load generator over HTTP: some clients, each of which sends its next photo when it has its answer.

The same for every service that is compared, in a process of its own: a thread a client, each with one connection that
it keeps, on the standard library's HTTP client. Per request of 0.3 MB it took 0.6 to 0.8 ms of a core, where asyncio
with aiohttp took 1.6 to 1.7 ms: on a machine whose cores the service needs, what the generator takes comes off every
service's figure, and most off the fastest one's.
"""

import http.client
import json
import math
import random
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from benchmarks.errors import BenchmarkError

ROOT = Path(__file__).resolve().parent.parent.parent

ANSWER_WITHIN_S = 30.0
"""A request is lost when it has no answer by then, refusals and pauses included."""

FIRST_PAUSE_S = 0.2
LONGEST_PAUSE_S = 2.0
"""The pauses of this project's client after a refusal: random, below a bound that doubles up to the longest."""

SERVICE_UNAVAILABLE = 503


@dataclass(frozen=True)
class Request:
    """What is sent, always the same: a POST to `http://host:port/path` whose body is `body`.

    Attributes:
        headers: besides Host and Content-Length.
        answer_bytes: an answer of fewer bytes is none.
    """

    host: str
    port: int
    path: str
    body: bytes = field(repr=False)
    headers: Mapping[str, str]
    answer_bytes: int = 1


@dataclass(frozen=True)
class Load:
    """What the clients saw.

    Attributes:
        photos_per_second: answers that came within the measured seconds.
        mean_ms, p50_ms, p99_ms: latency of the requests that were sent within them and answered, in the end: from the
            first attempt to the last byte of the answer. NaN without an answer.
        answered, lost: how many of the requests that were sent within the measured seconds. Lost are those without
            an answer in 30 seconds, or with an error.
        refused: how many times a request was answered with 503, and sent again after a pause.
        errors: what the lost ones got, and how many each.
        generator_seconds: what the generator itself took of the processor, from its start to its end.
    """

    photos_per_second: float
    mean_ms: float
    p50_ms: float
    p99_ms: float
    answered: int
    lost: int
    refused: int
    errors: Mapping[str, int]
    generator_seconds: float


class _Lost(Exception):  # noqa: N818 - said of a request
    """A request that got no answer; the text says what it got."""


class _Client:
    """One client: a connection, and what it saw."""

    def __init__(self, request: Request) -> None:
        self._request = request
        self._connection: http.client.HTTPConnection | None = None
        self.answers: list[tuple[float, float]] = []
        """When a request was sent and when its answer was there, in seconds of time.monotonic()."""
        self.lost: list[tuple[float, str]] = []
        self.refused: list[float] = []

    def run(self, end: float) -> None:
        """Send until `end`, and wait for what is under way then."""
        while (sent := time.monotonic()) < end:
            try:
                self._exchange(sent)
            except _Lost as error:
                self.lost.append((sent, str(error)))
                self._close()
            else:
                self.answers.append((sent, time.monotonic()))
        self._close()

    def _exchange(self, sent: float) -> None:
        refusals = 0
        while True:
            status, answer, wished = self._attempt(sent)
            if status == 200 and len(answer) >= self._request.answer_bytes:
                return
            if status != SERVICE_UNAVAILABLE:
                raise _Lost(f"status {status}, {len(answer)} bytes: {answer[:100]!r}")
            self.refused.append(sent)
            pause = max(wished, random.uniform(0, min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2**refusals)))  # noqa: S311
            refusals += 1
            if time.monotonic() + pause >= sent + ANSWER_WITHIN_S:
                raise _Lost(f"refused {refusals} times")
            time.sleep(pause)

    def _attempt(self, sent: float) -> tuple[int, bytes, float]:
        """Return the answer's status and bytes, and for how many seconds the service wants to be left alone."""
        left = sent + ANSWER_WITHIN_S - time.monotonic()
        if left <= 0:
            raise _Lost("no answer in time")
        try:
            if self._connection is None:
                self._connection = http.client.HTTPConnection(self._request.host, self._request.port, timeout=left)
                self._connection.connect()
            self._connection.sock.settimeout(left)
            self._connection.request("POST", self._request.path, self._request.body, dict(self._request.headers))
            response = self._connection.getresponse()
            answer = response.read()
        except TimeoutError:
            raise _Lost("no answer in time") from None
        except (OSError, http.client.HTTPException) as error:
            raise _Lost(f"{type(error).__name__}: {error}") from None
        if response.will_close:
            self._close()
        wished = response.headers.get("Retry-After", "")
        return response.status, answer, float(wished) if wished.isdecimal() else 0.0

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def send(request: Request, *, clients: int, seconds: float, warm_up: float) -> Load:
    """Keep `clients` requests under way for `warm_up` and then `seconds`, and say what became of the latter.

    In this process; `drive` does it in another.
    """
    crew = [_Client(request) for _ in range(clients)]
    begin = time.monotonic() + warm_up
    end = begin + seconds
    threads = [threading.Thread(target=client.run, args=(end,), daemon=True) for client in crew]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    answers = [answer for client in crew for answer in client.answers]
    latencies = sorted(1000 * (done - sent) for sent, done in answers if sent >= begin)
    errors = Counter(what for client in crew for sent, what in client.lost if sent >= begin)
    return Load(
        photos_per_second=sum(begin <= done < end for _, done in answers) / seconds,
        mean_ms=sum(latencies) / len(latencies) if latencies else math.nan,
        p50_ms=percentile(latencies, 0.50),
        p99_ms=percentile(latencies, 0.99),
        answered=len(latencies),
        lost=errors.total(),
        refused=sum(sent >= begin for client in crew for sent in client.refused),
        errors=dict(errors),
        generator_seconds=time.process_time(),
    )


def percentile(ascending: Sequence[float], share: float) -> float:
    """Return the smallest value that `share` of the values do not exceed; NaN of none."""
    return ascending[max(math.ceil(share * len(ascending)), 1) - 1] if ascending else math.nan


def answer_of(request: Request, timeout: float) -> tuple[int, bytes]:
    """Send one request on a connection of its own; return the answer's status and body, status 0 without an answer."""
    connection = http.client.HTTPConnection(request.host, request.port, timeout=timeout)
    try:
        connection.request("POST", request.path, request.body, dict(request.headers))
        response = connection.getresponse()
        return response.status, response.read()
    except (OSError, http.client.HTTPException):
        return 0, b""
    finally:
        connection.close()


def drive(
    request: Request,
    *,
    clients: int,
    seconds: float,
    warm_up: float,
    watch: Callable[[], object] = lambda: None,
) -> Load:
    """Do `send` in a process of its own, and return what it returns.

    Args:
        request: what every client sends.
        clients: how many requests are under way at any time.
        seconds: how long is measured.
        warm_up: how long the same is done before.
        watch: is called when the measured seconds are about to begin and again when they are over.

    Raises:
        BenchmarkError: the generator failed.
    """
    facts = {name: value for name, value in asdict(request).items() if name != "body"}
    order = {"request": facts, "clients": clients, "seconds": seconds, "warm_up": warm_up}
    with subprocess.Popen(
        [sys.executable, "-m", "benchmarks.load.http_clients"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        # Ctrl-C is for the program that drives it.
        start_new_session=True,
    ) as process:
        try:
            assert process.stdin is not None and process.stdout is not None and process.stderr is not None
            process.stdin.write(json.dumps(order).encode() + b"\n" + request.body)
            process.stdin.close()
            for _ in range(2):
                process.stdout.readline()
                watch()
            told = process.stdout.read()
            complaint = process.stderr.read().decode().strip().splitlines()
        except BaseException:
            process.kill()
            raise
    if process.returncode != 0:
        raise BenchmarkError(f"the load generator failed: {complaint[-1] if complaint else process.returncode}")
    return Load(**json.loads(told))


def main() -> int:
    """Read an order (a line of JSON, then the body) from the standard input, obey, and write what was seen."""
    order = json.loads(sys.stdin.buffer.readline())
    request = Request(**order["request"], body=sys.stdin.buffer.read())

    def tell(what: str) -> None:
        sys.stdout.write(f"{what}\n")
        sys.stdout.flush()

    moments = ((order["warm_up"], "begin"), (order["warm_up"] + order["seconds"], "end"))
    timers = [threading.Timer(after, tell, [what]) for after, what in moments]
    for timer in timers:
        timer.daemon = True
        timer.start()
    load = send(request, clients=order["clients"], seconds=order["seconds"], warm_up=order["warm_up"])
    for timer in timers:  # on a busy machine a timer may be later than the last answer
        timer.join()
    tell(json.dumps(asdict(load)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
