"""A step that dies or hangs is replaced while the server goes on, readiness tells, and nothing of it is left."""

import json
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from io import StringIO
from pathlib import Path

import psutil
import pytest
import requests

from midas_client import DepthClient, MidasClientError
from midas_server.__main__ import main
from midas_server.launch import StartFailed, Triton
from midas_server.launch.health import ask_health
from midas_server.launch.leftovers import own_prefix
from midas_server.launch.shared_memory import FOLDER
from midas_server.launch.step_process import STOPPED_STATES
from tests.networks import DEFAULT, VARIANT
from tests.own_server import own_server
from tests.server.memory import private_bytes, region_bytes
from tests.server.serve_while import serve_while
from tests.server.step_processes import step_processes

# It takes a second or two; how long at most, under load, the chaos test tells.
PATIENCE = 30.0


def serving(repository: Path, model: str, step_timeout: float = 300, log: StringIO | None = None) -> Triton:
    return own_server(repository, [model], health_port=0, step_timeout=step_timeout, log=log)


@pytest.fixture(scope="module")
def server(cold: Path) -> Iterator[Triton]:
    """A server of this module's own: its steps are going to be killed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("midas_server.launch.watchdog.LEFT_OVER_AFTER", 1.0)
        with serving(cold, VARIANT) as triton:
            yield triton


@contextmanager
def clients(server: Triton, photo: bytes, model: str, count: int) -> Iterator[Counter[str]]:
    """Send photos all the time, half over gRPC and half over HTTP; yields what becomes of them."""
    outcomes: Counter[str] = Counter()
    stop = threading.Event()

    def ask(url: str) -> None:
        with DepthClient(url) as client:
            while not stop.is_set():
                try:
                    client.predict(photo, model=model, output_size="network")
                    outcomes["answered"] += 1
                except MidasClientError as error:
                    outcomes[f"{type(error).__name__}: {error}"] += 1

    urls = [server.grpc_url, f"http://{server.http_url}"] * (count // 2)
    threads = [threading.Thread(target=ask, args=(url,)) for url in urls]
    for thread in threads:
        thread.start()
    try:
        wait_until(lambda: outcomes.total() >= count, "requests are answered")
        yield outcomes
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def wait_until(condition: Callable[[], bool], what: str, patience: float = PATIENCE) -> None:
    deadline = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < deadline, f"not within {patience:g} s: {what}"
        time.sleep(0.05)


def readiness(server: Triton) -> tuple[int, dict[str, str]]:
    """The status of /readyz, and the state of each step in its body."""
    answer = requests.get(f"http://{server.health_url}/readyz", timeout=10)
    return answer.status_code, {step: told["state"] for step, told in answer.json()["steps"].items()}


def launcher_metrics(server: Triton) -> str:
    return requests.get(f"http://{server.health_url}/metrics", timeout=10).text


@pytest.mark.parametrize(
    ("model", "number", "count"),
    [
        (f"{VARIANT}_network", signal.SIGKILL, 1),
        ("postprocess", signal.SIGKILL, 1),
        (f"{VARIANT}_preprocess", signal.SIGSTOP, 2),
        (f"{VARIANT}_preprocess", signal.SIGSTOP, 1),
    ],
)
def test_a_step_that_dies_or_stops_is_replaced(
    server: Triton, photo: bytes, model: str, number: signal.Signals, count: int
) -> None:
    assert readiness(server)[0] == 200
    before = set(step_processes(server, model))
    with clients(server, photo, VARIANT, 2) as outcomes:
        for victim in list(before)[:count]:
            victim.send_signal(number)
        fault = "died" if number == signal.SIGKILL else "stopped"
        wait_until(lambda: readiness(server)[0] == 503, "readiness falls")
        assert readiness(server)[1][model] == fault
        assert f'midas_launcher_step_answers{{step="{model}"}} 0\n' in launcher_metrics(server)
        wait_until(lambda: readiness(server)[0] == 200, "the step is replaced")
        assert f'midas_launcher_step_answers{{step="{model}"}} 1\n' in launcher_metrics(server)
        now = set(step_processes(server, model)) - before
        assert len(now) == len(before)
    assert set(outcomes) == {"answered"}
    # Its neighbour is replaced with it, answers until then, and ends.
    wait_until(lambda: set(step_processes(server, model)) == now, "the old processes end")


def test_readiness_is_told_to_probes_and_on_the_command_line(
    server: Triton, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    status, steps = readiness(server)
    assert status == 200
    assert steps == {f"{VARIANT}_preprocess": "answers", f"{VARIANT}_network": "answers", "postprocess": "answers"}
    assert requests.get(f"http://{server.health_url}/healthz", timeout=10).status_code == 200
    assert requests.get(f"http://{server.health_url}/nothing", timeout=10).status_code == 404
    monkeypatch.setattr("sys.argv", ["midas-server", "health", "--url", f"http://{server.health_url}"])
    assert main() == 0
    assert json.loads(capsys.readouterr().out)["ready"] is True
    monkeypatch.setattr("sys.argv", ["midas-server", "health", "--url", f"http://{server.metrics_url}"])
    assert main() == 1  # somebody else answers there
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        monkeypatch.setattr("sys.argv", ["midas-server", "health", "--url", url])
        assert main() == 1
    assert f"no answer from {url}: " in capsys.readouterr().out


def test_a_server_that_stands_still_is_not_ready(server: Triton) -> None:
    before = set(step_processes(server))
    process = psutil.Process(server.pid)
    process.suspend()
    try:
        assert readiness(server)[0] == 503
    finally:
        process.resume()
    wait_until(lambda: readiness(server)[0] == 200, "it goes on")
    assert set(step_processes(server)) == before


@pytest.mark.long
def test_a_server_that_stands_still_is_told_once_and_left_alone(
    server: Triton, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("midas_server.launch.watchdog.ANSWER_INTERVAL", 0.1)
    before = server.pid, set(step_processes(server))
    process = psutil.Process(server.pid)
    process.suspend()
    try:
        wait_until(lambda: "is stopped or hangs" in caplog.text, "it is told")
    finally:
        process.resume()
    wait_until(lambda: "answers again" in caplog.text, "it goes on")
    assert caplog.text.count("is stopped or hangs") == 1
    assert (server.pid, set(step_processes(server))) == before


@pytest.mark.long
def test_a_paused_machine_loses_no_step(repository: Path) -> None:
    """The launcher, the server and its steps are stopped and continued, as in a virtual machine that is paused."""
    command = [sys.executable, "-m", "midas_server", "serve", "--repository", str(repository), "--models", DEFAULT]
    ports = [option for name in ("http", "grpc", "metrics", "health") for option in (f"--{name}-port", "0")]
    with subprocess.Popen([*command, *ports], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as launcher:
        try:
            assert launcher.stdout is not None
            told = next((line for line in launcher.stdout if "health" in line), "")
            assert told, launcher.stderr and launcher.stderr.read()
            url = told.split()[1].removesuffix("/readyz")
            tree = [psutil.Process(launcher.pid), *psutil.Process(launcher.pid).children(recursive=True)]
            for _ in range(3):
                for process in tree:
                    process.suspend()
                time.sleep(5)
                for process in tree:
                    process.resume()
                wait_until(lambda: ask_health(url)[0], "it is ready")
                time.sleep(3)  # what would be taken for a fault is so within this time
            assert psutil.Process(launcher.pid).children(recursive=True) == tree[1:]
        finally:
            launcher.terminate()
            _, log = launcher.communicate(timeout=60)
    assert "replaced" not in log


def test_a_health_port_in_use_is_named(repository: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        server = Triton(repository, [VARIANT], http_port=0, grpc_port=0, metrics_port=0, health_port=port)
        with (
            pytest.raises(StartFailed, match=f"{port} cannot be used for health_port .*--health-port"),
            server,
        ):
            pass


def in_use(server: Triton, model: str) -> list[psutil.Process]:
    """A step's processes without those that were replaced and have not ended yet: of each instance the newest."""
    newest: dict[str, psutil.Process] = {}
    for process in sorted(step_processes(server, model), key=psutil.Process.create_time):
        newest[process.cmdline()[8]] = process
    return list(newest.values())


def is_lost(process: psutil.Process) -> bool:
    try:
        return process.status() in (psutil.STATUS_ZOMBIE, *STOPPED_STATES)
    except psutil.NoSuchProcess:
        return True


def infer(server: Triton, photo: bytes, model: str) -> int:
    """The status of a plain request, which nothing tries again; 0 where the server is gone."""
    url = f"http://{server.http_url}/v2/models/{model}/infer"
    try:
        return requests.post(url, photo, headers={"Inference-Header-Content-Length": "0"}, timeout=30).status_code
    except requests.ConnectionError:
        return 0


@pytest.mark.long
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
def test_ten_lost_steps_under_load_leave_no_process(repository: Path, photo: bytes, number: signal.Signals) -> None:
    """One of two processes and both in turn.

    Triton 24.10 itself aborts, ten seconds later, where a step is lost while it tells Triton a metric: with a lock in
    its hands. Then the server is started again.
    """
    steps = [f"{DEFAULT}_preprocess", f"{DEFAULT}_network", "postprocess"]
    log = StringIO()
    outcomes: Counter[str] = Counter()

    def crashes() -> int:
        return log.getvalue().count("tritonserver crashed (SIGABRT)")

    def figures(server: Triton) -> dict[str, int]:
        return {
            "processes": len(step_processes(server)),
            "private megabytes": private_bytes(server) // 1_000_000,
            "shared megabytes": region_bytes() // 1_000_000,
            "regions": len(list(FOLDER.glob(f"{own_prefix()}*-*"))),
        }

    def lose(server: Triton, turn: int) -> None:
        model, before = steps[turn % 3], crashes()
        wait_until(lambda: readiness(server)[0] == 200, "all is well")
        victims = in_use(server, model)[: 1 + turn % 2]
        for victim in victims:
            victim.send_signal(number)
        for victim in victims:
            wait_until(partial(is_lost, victim), "it is lost")
        assert readiness(server)[0] == 503
        wait_until(lambda: readiness(server)[0] == 200, "the step is replaced")
        now = in_use(server, model)
        assert len(now) == 2
        assert not {*now} & {*victims}
        told = [infer(server, photo, DEFAULT)]
        for _ in range(20):
            told.append(readiness(server)[0])
            time.sleep(0.05)
        if {*told} != {200}:
            wait_until(lambda: readiness(server)[0] == 200, "another server serves")
            assert crashes() > before, told

    def soak(server: Triton) -> None:
        with clients(server, photo, DEFAULT, 6) as told:
            before = figures(server)
            for turn in range(10):
                lose(server, turn)
            at_worst = figures(server)
            time.sleep(11)  # a crash comes ten seconds after its cause
            wait_until(lambda: readiness(server)[0] == 200, "all is well")
            wait_until(lambda: len(step_processes(server)) == before["processes"], "old processes end", 180)
            after = figures(server)
        outcomes.update(told)
        print(f"\n{number.name}: before {before}, after the last {at_worst}, later {after}; {dict(outcomes)}")
        print(f"tritonserver crashed {crashes()} times")
        assert after["private megabytes"] <= 1.05 * before["private megabytes"]
        # Triton keeps a region for each process that was lost with a request in hand, and for its neighbour.
        assert after["shared megabytes"] <= before["shared megabytes"] + 20 * 8

    with serving(repository, DEFAULT, log=log) as server:
        serve_while(server, partial(soak, server))
    assert crashes() <= 2
    lost = {outcome for outcome in outcomes if outcome != "answered"}
    assert not lost or crashes(), outcomes
    assert all("No connection" in outcome or "time" in outcome for outcome in lost), outcomes  # while it starts again


@pytest.mark.long
def test_a_server_with_much_left_over_memory_is_replaced_when_idle(
    repository: Path, photo: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("LEFT_OVER_AFTER", 1.0), ("IDLE_FOR", 1.0), ("MOST_LEFT_OVER", 1_000_000)):
        monkeypatch.setattr(f"midas_server.launch.watchdog.{name}", value)

    def use(server: Triton) -> None:
        first = server.pid
        with clients(server, photo, DEFAULT, 6):
            for _ in range(3):
                for step in in_use(server, f"{DEFAULT}_network"):
                    step.kill()
                wait_until(lambda: readiness(server)[0] == 503, "readiness falls")
                wait_until(lambda: readiness(server)[0] == 200, "the step is replaced")
            assert server.pid == first  # it has much to do
        wait_until(lambda: server.health().ready and server.pid != first, "another serves", 60)
        assert infer(server, photo, DEFAULT) == 200

    with serving(repository, DEFAULT) as server:
        serve_while(server, partial(use, server))


# A postprocess that does what a file tells it to, once.
OBEDIENT = """
import time
from pathlib import Path
from midas_server.steps.postprocess import TritonPythonModel as Right

ORDER = Path({order!r})

def obey(possible):
    order = ORDER.read_text() if ORDER.exists() else ""
    if order not in possible:
        return
    ORDER.unlink()
    end = time.monotonic() + (4 if order == "work" else 1e6)
    while time.monotonic() < end:
        if order not in ("loop", "work"):
            time.sleep(1)

class TritonPythonModel(Right):
    def initialize(self, args):
        super().initialize(args)
        obey({{"never start"}})

    def _answer(self, request):
        obey({{"loop", "work", "sleep"}})
        return super()._answer(request)
"""


def obedient(repository: Path, folder: Path) -> tuple[Path, Path]:
    """A copy of the repository whose postprocess obeys, and the file that it looks for."""
    copy = Path(shutil.copytree(repository, folder / "model_repository"))
    order = folder / "order"
    (copy / "postprocess" / "1" / "model.py").write_text(OBEDIENT.format(order=str(order)))
    return copy, order


@pytest.mark.long
def test_a_step_that_hangs_is_replaced_and_one_that_works_long_is_not(
    repository: Path,
    tmp_path: Path,
    photo: bytes,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    copy, order = obedient(repository, tmp_path)
    monkeypatch.setattr("midas_server.launch.step_process.ASLEEP_FOR", 2.0)
    with serving(copy, DEFAULT, step_timeout=8) as server, clients(server, photo, DEFAULT, 4) as outcomes:
        before = in_use(server, "postprocess")
        order.write_text("work")  # for four seconds
        wait_until(lambda: not order.exists(), "it works")
        for _ in range(50):
            assert readiness(server)[0] == 200
            time.sleep(0.1)
        assert in_use(server, "postprocess") == before
        for command in ("sleep", "loop"):
            caplog.clear()
            order.write_text(command)
            wait_until(lambda: "'postprocess' hung and was replaced" in caplog.text, "it is replaced")
            wait_until(lambda: readiness(server)[0] == 200, "it serves again")
            assert not {*in_use(server, "postprocess")} & {*before}
    assert set(outcomes) == {"answered"}


@pytest.mark.long
def test_a_server_that_cannot_replace_a_step_is_started_again(
    repository: Path, tmp_path: Path, photo: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy, order = obedient(repository, tmp_path)
    for module in ("repository_api", "watchdog"):
        monkeypatch.setattr(f"midas_server.launch.{module}.LOADED_WITHIN", 5.0)

    def use(server: Triton) -> None:
        first = server.pid
        order.write_text("never start")
        for step in in_use(server, "postprocess"):
            step.kill()
        wait_until(lambda: server.health().server != "ready", "the server is ended")
        wait_until(lambda: server.health().ready, "another serves")
        assert server.pid != first
        assert infer(server, photo, DEFAULT) == 200

    with serving(copy, DEFAULT) as server:
        serve_while(server, partial(use, server))
