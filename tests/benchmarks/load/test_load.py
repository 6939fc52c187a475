"""The load generator against small real HTTP servers."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from benchmarks.load.http_clients import Request, answer_of, drive, percentile, send

BODY = b"a photo"


class Site:
    """A server whose answers `answer` chooses by the number of the request, from 1; it counts connections."""

    def __init__(self, answer: Callable[[int], tuple[int, bytes]]) -> None:
        site = self
        self.connections = 0
        self.requests = 0
        self.bodies: set[bytes] = set()
        lock = threading.Lock()

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self) -> None:
                with lock:
                    site.connections += 1
                super().setup()

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                with lock:
                    site.requests += 1
                    number = site.requests
                    site.bodies.add(body)
                status, answer_body = answer(number)
                if status == 0:
                    self.close_connection = True
                    return
                self.send_response(status)
                self.send_header("Content-Length", str(len(answer_body)))
                self.end_headers()
                self.wfile.write(answer_body)

            def log_message(self, format: str, *args: object) -> None:
                return

        class Server(ThreadingHTTPServer):
            daemon_threads = True

        self.server = Server(("127.0.0.1", 0), Handler)
        self.request = Request("127.0.0.1", self.server.server_port, "/", BODY, {"X-Any": "thing"}, answer_bytes=5)


@contextmanager
def served(answer: Callable[[int], tuple[int, bytes]]) -> Iterator[Site]:
    site = Site(answer)
    thread = threading.Thread(target=site.server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield site
    finally:
        site.server.shutdown()
        site.server.server_close()
        thread.join()


def test_clients_keep_their_connection_and_every_request_is_accounted_for() -> None:
    with served(lambda _: (200, b"depth")) as site:
        load = send(site.request, clients=3, seconds=0.3, warm_up=0)
        assert site.connections == 3
        assert site.bodies == {BODY}
        assert load.answered == site.requests
    assert (load.lost, load.refused, load.errors) == (0, 0, {})
    assert 0 < load.p50_ms <= load.p99_ms
    assert load.photos_per_second > 0


def test_a_refused_request_is_sent_again_and_its_latency_counts_from_the_first_attempt() -> None:
    with served(lambda number: (503, b"full") if number <= 3 else (200, b"depth")) as site:
        load = send(site.request, clients=1, seconds=0.05, warm_up=0)
        assert load.refused == 3
        assert load.lost == 0
        assert load.answered == site.requests - 3


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (400, b"not a photo", "status 400, 11 bytes: b'not a photo'"),
        (200, b"dep", "status 200, 3 bytes: b'dep'"),
        (0, b"", "RemoteDisconnected: Remote end closed connection without response"),
    ],
)
def test_what_is_no_answer_is_lost_and_the_client_goes_on(status: int, body: bytes, error: str) -> None:
    with served(lambda number: (status, body) if number % 2 else (200, b"depth")) as site:
        load = send(site.request, clients=1, seconds=0.2, warm_up=0)
    assert load.lost > 0
    assert load.answered > 0
    assert load.errors == {error: load.lost}


def test_warming_up_is_not_counted() -> None:
    with served(lambda number: (400, b"") if number == 1 else (200, b"depth")) as site:
        load = send(site.request, clients=1, seconds=0.1, warm_up=0.1)
        assert 0 < load.answered < site.requests
    assert load.lost == 0


def test_a_process_of_its_own_says_the_same_and_when_it_measures() -> None:
    told: list[int] = []
    with served(lambda number: (400, b"no") if number == 1 else (200, b"depth")) as site:
        load = drive(site.request, clients=2, seconds=0.3, warm_up=0, watch=lambda: told.append(site.requests))
        assert told[0] < told[1] <= site.requests
    assert site.bodies == {BODY}
    assert load.answered > 0
    assert load.lost == 1
    assert load.errors == {"status 400, 2 bytes: b'no'": 1}
    assert load.generator_seconds > 0


def test_one_request_alone() -> None:
    with served(lambda _: (404, b"nothing here")) as site:
        assert answer_of(site.request, timeout=10) == (404, b"nothing here")
    assert answer_of(site.request, timeout=10) == (0, b"")


@pytest.mark.parametrize(("share", "expected"), [(0.0, 1.0), (0.5, 2.0), (0.51, 3.0), (0.99, 4.0), (1.0, 4.0)])
def test_percentile_is_the_nearest_rank(share: float, expected: float) -> None:
    assert percentile([1.0, 2.0, 3.0, 4.0], share) == expected


def test_percentile_of_nothing_is_not_a_number() -> None:
    assert str(percentile([], 0.5)) == "nan"
