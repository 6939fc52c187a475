"""What an operator relies on: keys, rates, a refusal to serve everybody, an orderly stop, a caller who leaves."""

from __future__ import annotations

import re
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests

from midas_gateway.keys import KeysError, read_keys
from midas_gateway.settings import SHM_KEY_VARIABLE
from midas_server.launch import Triton
from midas_server.launch.server import SHM_KEY_HEADER
from tests.gateway import http
from tests.gateway.conftest import Gateway, StartGateway, until
from tests.gateway.test_predict import refused
from tests.networks import DEFAULT
from tests.own_server import own_server
from tests.server.step_processes import step_processes

KEY = "a-key-of-some-length"


def test_keys_and_rates(start_gateway: StartGateway, photo: bytes, tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    keys.write_text(f"# ours\nshop {KEY}\nother another-key-of-ours\n")
    with start_gateway("--keys", str(keys), "--rate", "2/minute") as guarded:
        url = f"{guarded.url}/predict"
        assert refused(http.post(url, files={"image": photo}), 401)
        assert refused(http.post(url, files={"image": photo}, headers={"X-API-Key": "wrong-key-wrong-key"}), 403)
        assert refused(http.get(f"{guarded.url}/metrics"), 401)
        shop = {"Authorization": f"Bearer {KEY}", "X-Request-ID": "of-the-shop"}
        first = http.post(url, files={"image": photo}, headers=shop)
        assert first.headers["ratelimit"].startswith('"default";r=1;')
        assert guarded.log_of("of-the-shop")["caller"] == "shop"
        assert KEY not in "".join(guarded.lines)
        # A link needs no key: nobody guesses it.
        assert http.get(first.json()["depth_image_url"]).ok
        assert http.post(url, files={"image": photo}, headers=shop).ok
        answer = http.post(url, files={"image": photo}, headers=shop)
        assert refused(answer, 429)
        assert 0 < int(answer.headers["retry-after"]) <= 60
        # Each key has a rate of its own.
        assert http.post(url, files={"image": photo}, headers={"X-API-Key": "another-key-of-ours"}).ok
        assert http.get(f"{guarded.url}/healthz").ok


@pytest.mark.parametrize("text", ["", "# nothing\n", "name\n", "name short\n", "a b c\n"])
def test_a_file_of_keys_that_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "keys").write_text(text)
    with pytest.raises(KeysError, match="key"):
        read_keys(tmp_path / "keys")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--host", "0.0.0.0"], "give --keys FILE, or say --open"),  # noqa: S104 - it is refused
        (["--rate", "often"], "write it like 120/minute"),
        (["--keys", "/nowhere"], "/nowhere cannot be read"),
    ],
)
def test_a_command_line_that_will_not_do(arguments: list[str], words: str) -> None:
    command = [sys.executable, "-m", "midas_gateway", "--port", "0", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_links_are_as_callers_reach_the_gateway(start_gateway: StartGateway, photo: bytes) -> None:
    with start_gateway("--public-url", "https://depth.example.com/v1/", "--workers", "2") as proxied:
        answer = http.post(f"{proxied.url}/predict", files={"image": photo})
        url = answer.json()["depth_image_url"]
        assert url.startswith("https://depth.example.com/v1/results/")
        # Any worker has it.
        identity = url.rsplit("/", 1)[1]
        assert all(http.get(f"{proxied.url}/results/{identity}").ok for _ in range(8))
        counted = http.get(f"{proxied.url}/metrics").text
        assert 'midas_gateway_requests_total{method="POST",route="/predict",status="200"} 1.0' in counted


def test_pages_of_named_origins_may_call(gateway: Gateway, start_gateway: StartGateway, photo: bytes) -> None:
    shop, other = {"Origin": "https://shop.example.com"}, {"Origin": "https://other.example.com"}
    asks = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
    assert "access-control-allow-origin" not in http.post(f"{gateway.url}/predict", data=photo, headers=shop).headers
    with start_gateway("--origins", shop["Origin"], "--rate", "1/day") as opened:
        url = f"{opened.url}/predict"
        # A browser asks first, without the key; that is no request of the rate.
        asked = requests.options(url, headers={**shop, **asks}, timeout=60)
        assert (asked.status_code, asked.headers["access-control-allow-origin"]) == (200, shop["Origin"])
        assert "authorization" in asked.headers["access-control-allow-headers"].lower()
        answer = http.post(url, files={"image": photo}, headers=shop)
        assert answer.headers["access-control-allow-origin"] == shop["Origin"]
        assert "X-Depth-Info" in answer.headers["access-control-expose-headers"]
        # The picture may be shown there.
        assert http.get(answer.json()["depth_image_url"]).headers["cross-origin-resource-policy"] == "cross-origin"
        # A refusal can be read too.
        assert http.post(url, data=photo, headers=shop).headers["access-control-allow-origin"] == shop["Origin"]
        assert requests.options(url, headers={**other, **asks}, timeout=60).status_code == 400


def test_forwarded_headers_of_a_stranger_are_not_believed(gateway: Gateway, photo: bytes) -> None:
    forged = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "https", "X-Request-ID": "forged"}
    answer = http.post(f"{gateway.url}/predict", files={"image": photo}, headers=forged)
    assert answer.json()["depth_image_url"].startswith(gateway.url)
    assert gateway.log_of("forged")["caller"] == "127.0.0.1"


def test_a_stop_lets_readiness_fall_and_finishes_what_was_begun(start_gateway: StartGateway, photo: bytes) -> None:
    with start_gateway("--drain-seconds", "2") as stopping, socket.socket() as connection:
        target = urlsplit(stopping.url)
        connection.connect((target.hostname, target.port))
        head = f"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: image/jpeg\r\nContent-Length: {len(photo)}\r\n\r\n"
        connection.sendall(head.encode() + photo[:1000])
        until(lambda: http.get(f"{stopping.url}/readyz").ok)
        stopping.process.send_signal(signal.SIGTERM)
        until(lambda: http.get(f"{stopping.url}/readyz").status_code == 503)
        connection.sendall(photo[1000:])
        assert connection.makefile("rb").readline().startswith(b"HTTP/1.1 200")
        connection.close()
        assert stopping.process.wait(30) == 0


def cancelled(triton: Triton) -> float:
    """How many requests Triton has cancelled, in any step."""
    text = requests.get(f"http://{triton.metrics_url}/metrics", timeout=30).text
    return sum(float(count) for count in re.findall(r'request_failure\{.*reason="CANCELED".*\} (\S+)', text))


def finished(triton: Triton) -> int:
    url = f"http://{triton.http_url}/v2/models/postprocess/stats"
    stats = requests.get(url, timeout=30).json()["model_stats"][0]
    return int(stats["inference_stats"]["success"]["count"])


def test_a_closed_tab_stops_the_work(gateway: Gateway, triton: Triton, photo: bytes) -> None:
    assert http.post(f"{gateway.url}/predict", files={"image": photo}).ok
    before, done = cancelled(triton), finished(triton)
    target = urlsplit(gateway.url)
    together = 24
    connections = []
    for number in range(together):
        connection = socket.create_connection((target.hostname or "", target.port or 0))
        head = (
            f"POST /predict?model={DEFAULT}&resolution=384&format=png8 HTTP/1.1\r\nHost: x\r\n"
            f"Content-Type: image/jpeg\r\nX-Request-ID: tab-{number}\r\nContent-Length: {len(photo)}\r\n\r\n"
        )
        connection.sendall(head.encode() + photo)
        connections.append(connection)
    # One is answered, whichever is first: the others are on their way, and most of them wait.
    assert select.select(connections, [], [], 60)[0]
    for connection in connections:
        connection.close()
    until(lambda: cancelled(triton) > before)
    statuses = [gateway.log_of(f"tab-{number}")["status"] for number in range(together)]
    assert statuses.count(499) > together // 2
    # What follows is answered, and the cancelled ones have not gone on to the last step.
    assert http.post(f"{gateway.url}/predict", files={"image": photo}).ok
    assert finished(triton) - done < together


def test_readiness_falls_with_triton(start_gateway: StartGateway) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with start_gateway(triton_url=f"127.0.0.1:{port}") as alone:
        answer = http.get(f"{alone.url}/readyz")
        assert (answer.status_code, answer.json()["ready"]) == (503, False)
        told = refused(http.post(f"{alone.url}/predict", files={"image": b"\xff\xd8\xff"}), 503)
        # Where Triton listens is not the caller's concern.
        assert told["message"] == "The depth server cannot be reached just now: try again in a few seconds"
        assert http.get(f"{alone.url}/healthz").ok


@pytest.fixture(scope="module")
def own_triton(cold: Path) -> Iterator[Triton]:
    """A Triton that may be harmed, and that takes regions of shared memory from who has the key."""
    with own_server(cold, [DEFAULT], health_port=0, client_shm_key=KEY) as started:
        yield started


def test_depth_through_shared_memory_is_the_same(
    gateway: Gateway,
    start_gateway: StartGateway,
    own_triton: Triton,
    photo: bytes,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    status = f"http://{own_triton.http_url}/v2/systemsharedmemory/status"

    def regions() -> object:
        return http.get(status, headers={SHM_KEY_HEADER: KEY}).json()

    assert http.get(status).status_code == 403
    assert regions() == []
    monkeypatch.setenv(SHM_KEY_VARIABLE, KEY)
    path = "/predict?format=png16"
    plain = http.post(f"{gateway.url}{path}", files={"image": photo})
    with start_gateway("--shared-memory", triton_url=own_triton.grpc_url) as sharing:
        shared = http.post(f"{sharing.url}{path}", files={"image": photo})
        assert regions()
        assert shared.content == plain.content
        assert sharing.stop() == 0
    assert regions() == []


def test_readiness_falls_with_a_dead_step_and_comes_back(
    start_gateway: StartGateway, own_triton: Triton, photo: bytes
) -> None:
    told: list[list[str]] = []
    arguments = ("--triton-health", f"http://{own_triton.health_url}")
    with start_gateway(*arguments, triton_url=own_triton.grpc_url) as watched:
        until(lambda: http.get(f"{watched.url}/readyz").ok)
        stopped = threading.Event()

        def watch() -> None:
            while not stopped.is_set():
                answer = http.get(f"{watched.url}/readyz").json()
                if not answer["ready"]:
                    told.append(answer["dead_steps"])

        watcher = threading.Thread(target=watch)
        watcher.start()
        try:
            victim = step_processes(own_triton, f"{DEFAULT}_preprocess")[0]
            victim.kill()
            until(lambda: told)
            until(lambda: http.get(f"{watched.url}/readyz").ok)
        finally:
            stopped.set()
            watcher.join()
        assert [f"{DEFAULT}_preprocess"] in told
        assert http.post(f"{watched.url}/predict", files={"image": photo}).ok


def test_a_slash_too_many(gateway: Gateway, photo: bytes) -> None:
    assert "/predict/" in refused(http.post(f"{gateway.url}/predict/", files={"image": photo}), 405)["message"]
    assert http.get(f"{gateway.url}/docs/").text == http.get(f"{gateway.url}/docs").text


def test_head_is_answered_as_get_without_a_body(gateway: Gateway, photo: bytes) -> None:
    link = http.post(f"{gateway.url}/predict", files={"image": photo}).json()["depth_image_url"]
    for url in (link, *(f"{gateway.url}{path}" for path in ("/", "/healthz", "/readyz", "/models"))):
        got, head = http.get(url), requests.head(url, timeout=60)
        assert (head.status_code, head.content) == (got.status_code, b"") == (200, b"")
        assert head.headers["content-length"] == got.headers["content-length"]
    assert requests.head(f"{gateway.url}/predict", timeout=60).status_code == 405
