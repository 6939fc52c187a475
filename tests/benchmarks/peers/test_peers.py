"""The peers: what they are given, how they are started and stopped, and how their figures are put together."""

import os
import runpy
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from benchmarks.errors import BenchmarkError
from benchmarks.load.http_clients import Load, Request, answer_of
from benchmarks.load.photo import jpeg
from benchmarks.peers.catalogue import PROGRAMS, Peer, PeerSettings, peers
from benchmarks.peers.comparison import Measured, compare, ratio, summary
from benchmarks.peers.running import Running
from benchmarks.peers.service import (
    OURS,
    Service,
    Started,
    depth_shape,
    difference,
    environment_of,
    network_of,
    ours,
    served_by,
)
from benchmarks.peers.table import comparison_table
from export.repository.served_config import read_rules
from midas_server.imaging.network_input import network_input
from midas_server.imaging.network_size import ResizeRule, network_size
from midas_server.imaging.probe import probe
from midas_server.launch.ports import free_ports
from midas_server.options import resolve, sizes
from tests.networks import DEFAULT

SERVER = """
import http.server, subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)

class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        answer = str(child.pid).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


def _midas_input(monkeypatch: pytest.MonkeyPatch, side: int, rule: str) -> dict[str, Any]:
    monkeypatch.setenv("NETWORK_SIDE", str(side))
    monkeypatch.setenv("RESIZE_RULE", rule)
    return runpy.run_path(str(PROGRAMS / "midas_input.py"))


@pytest.mark.parametrize("rule", ["minimal", "upper_bound", "square"])
def test_the_peers_resize_rule_is_the_servers(monkeypatch: pytest.MonkeyPatch, rule: ResizeRule) -> None:
    theirs = _midas_input(monkeypatch, 256, rule)["network_size"]
    for width, height in [(1920, 1080), (1080, 1920), (640, 480), (100, 80), (256, 256), (3000, 40), (333, 1000)]:
        assert theirs(width, height) == network_size(width, height, 256, rule)


def test_the_peers_pixels_are_the_servers_of_a_photo_decoded_in_full(monkeypatch: pytest.MonkeyPatch) -> None:
    photo = jpeg(640, 360)
    theirs = _midas_input(monkeypatch, 256, "upper_bound")["network_pixels"](photo)
    mine, _ = network_input(photo, probe(photo), (256, 128), guide=(640, 360))
    assert theirs.shape == mine.shape == (128, 256, 3)
    assert np.abs(theirs.astype(int) - mine.astype(int)).mean() < 0.5  # two builds of libjpeg


@pytest.mark.parametrize("peer", peers(2), ids=lambda peer: peer.program)
def test_a_peers_best_settings_are_in_its_grid_and_its_requirements_are_pinned(peer: Peer) -> None:
    assert peer.best in peer.grid
    assert (PROGRAMS / f"{peer.program}.py").is_file()
    requirements = peer.requirements()
    assert all("==" in requirement for requirement in requirements)
    assert any(requirement.startswith("onnxruntime==") for requirement in requirements) == (peer.runtime == "onnx")


def test_settings_in_words_and_as_variables() -> None:
    settings = PeerSettings(workers=2, at_once=1, batch=8, fast_queue=True)
    assert str(settings) == "2 workers x 1 thread, 1 at once, batches up to 8, fast queue"
    assert str(PeerSettings(workers=1, threads=2)) == "1 worker x 2 threads"
    assert settings.variables == {"WORKERS": "2", "THREADS": "1", "AT_ONCE": "1", "BATCH": "8", "FAST_QUEUE": "1"}


def test_a_program_is_stopped_with_what_it_started(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(SERVER)
    (port,) = free_ports(1)
    request = Request("127.0.0.1", port, "/", b"x", {})
    command = [sys.executable, str(program), str(port)]
    with Running("a program", command, {}, request, str(tmp_path)) as running:
        child = psutil.Process(int(running.answer))
        assert child.is_running()
        assert running.cpu_seconds() > 0
    assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE
    assert answer_of(request, timeout=5) == (0, b"")


def test_a_program_that_ends_is_told_with_its_last_words(tmp_path: Path) -> None:
    request = Request("127.0.0.1", free_ports(1)[0], "/", b"x", {})
    command = [sys.executable, "-c", "raise SystemExit('no such network')"]
    with (
        pytest.raises(BenchmarkError, match=r"a program does not serve \(no answer\): no such network"),
        Running("a program", command, {}, request, str(tmp_path)),
    ):
        pass


def test_difference_is_a_share_of_the_range() -> None:
    reference = np.array([[0.0, 10.0]], np.float32)
    assert difference(reference, reference) == 0
    assert difference(reference + 1, reference) == pytest.approx(0.1)
    assert difference(reference.T, reference) == float("inf")


def _service(name: str, build: str, run: Callable[[], Started]) -> Service:
    @contextmanager
    def start() -> Iterator[Started]:
        yield run()

    return Service(name, build, start)


def test_a_service_with_another_depth_is_not_measured() -> None:
    request = Request("127.0.0.1", 1, "/", b"", {})
    ramp = np.linspace(0, 1, 64, dtype=np.float32).reshape(8, 8)
    services = [
        _service(name, "onnx fp32", lambda depth=depth: Started(request, depth, lambda: 0.0))  # type: ignore[misc]
        for name, depth in (("one", ramp), ("other", 1 - ramp))
    ]
    with pytest.raises(BenchmarkError, match="other, onnx fp32 gives another depth than one, onnx fp32: 5"):
        list(compare(services, clients=[], rounds=1, seconds=1, announce=lambda _: None))


def _measured(service: Service, number: int, speed: float, lost: int = 0) -> Measured:
    load = Load(speed, 10.0, 10.0, 20.0 * number, 100, lost, 0, {}, 0.1)
    return Measured(service, number, 8, load, 2.0, 0.003)


def test_rounds_become_medians_sums_and_the_median_of_their_ratios() -> None:
    request = Request("127.0.0.1", 1, "/", b"", {})
    never = Started(request, np.zeros((1, 1), np.float32), lambda: 0.0)
    mine, peer = (_service(name, "onnx fp32", lambda: never) for name in (OURS, "fastapi"))
    measured = [
        *(_measured(mine, number, speed) for number, speed in ((1, 60.0), (2, 30.0), (3, 90.0))),
        *(_measured(peer, number, speed, lost=1) for number, speed in ((1, 20.0), (2, 20.0), (3, 20.0))),
    ]
    assert ratio(measured, mine, peer, 8) == 3.0
    both = summary(measured, peer, 8)
    assert (both.photos_per_second, both.p99_ms, both.answered, both.lost) == (20.0, 40.0, 300, 3)
    with pytest.raises(ValueError, match="was not measured with 32 clients"):
        summary(measured, peer, 32)
    table = comparison_table("all", measured, [mine, peer])
    assert table.row_count == 2
    assert list(table.columns[-1].cells) == ["", "3.00"]


@pytest.mark.parametrize("photo_size", [(640, 480), (1920, 1080)])
def test_the_peers_give_the_network_what_the_server_gives_it(repository: Path, photo_size: tuple[int, int]) -> None:
    rules = read_rules(repository, DEFAULT)
    (width, height), _ = sizes(*photo_size, resolve({}, rules), rules)
    assert depth_shape(DEFAULT, photo_size) == (height, width)


@pytest.mark.long
@pytest.mark.parametrize("peer", peers(), ids=lambda peer: peer.program)
def test_every_peer_answers_as_our_service_does(peer: Peer, repository: Path) -> None:
    photo = jpeg(640, 480)
    shape = depth_shape(DEFAULT, (640, 480))
    environment_of(peer)
    batching = [settings for settings in peer.grid if settings.batch > 1][:1]
    with network_of(DEFAULT, repository) as network:
        services = [
            ours(DEFAULT, "onnx fp32", repository, photo, shape),
            *(served_by(peer, settings, network, photo, shape) for settings in (peer.best, *batching)),
        ]
        measured = list(compare(services, clients=[2], rounds=1, seconds=2, announce=lambda _: None))
    assert len(measured) == len(services)
    for each in measured:
        assert each.load.answered > 0
        assert each.load.errors == {}
    assert not [process for process in psutil.process_iter(["cmdline"]) if _is_a_peer(process)]


def _is_a_peer(process: psutil.Process) -> bool:
    """Whether a process that this test started runs a peer's program."""
    command = process.info["cmdline"] or []
    ours_here = process.pid != os.getpid() and psutil.Process().pid in [parent.pid for parent in process.parents()]
    return ours_here and any(".venv-bench" in part for part in command)
