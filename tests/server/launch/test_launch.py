"""Triton starts, says why when it does not, and leaves nothing behind."""

import io
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
import requests

from midas_server.launch import StartFailed, Triton
from midas_server.launch.distribution import Distribution, find_distribution
from midas_server.launch.leftovers import PREFIX
from midas_server.launch.ports import free_ports
from midas_server.launch.shared_memory import FOLDER
from tests.networks import DEFAULT
from tests.own_server import own_server
from tests.processes import still_there
from tests.server.step_processes import step_processes


def name_of(process: psutil.Process) -> str:
    """Empty for one that has just ended: Triton starts some that live for a moment."""
    with suppress(psutil.NoSuchProcess):
        return str(process.name())
    return ""


def is_listening(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def regions_of(pid: int) -> list[Path]:
    return list(FOLDER.glob(f"{PREFIX}*_{os.getuid()}_{pid}_*"))


def copy_of(repository: Path, folder: Path) -> Path:
    return Path(shutil.copytree(repository, folder / "model_repository"))


# A postprocess that soon keeps Python's lock for ever.
STANDS_STILL = """
import ctypes
import threading
from pathlib import Path

from midas_server.steps.postprocess import TritonPythonModel

def stand_still():
    Path({stands!r}).touch()
    ctypes.PyDLL(None).pause()

threading.Timer(10, stand_still).start()
"""


@contextmanager
def serving(
    repository: Path, ports: Sequence[int] = (), temporary: Path | None = None
) -> Iterator[tuple[subprocess.Popen[str], psutil.Process, list[int]]]:
    """`midas-server serve` as an operator starts it: its process, tritonserver, and the ports.

    Args:
        repository: what it serves.
        ports: free ones if none are given.
        temporary: the folder for its temporary files.
    """
    ports = list(ports) or free_ports(3)
    environment = {**os.environ, "TMPDIR": str(temporary)} if temporary else None
    command = [sys.executable, "-m", "midas_server", "serve", "--repository", str(repository), "--models", DEFAULT]
    command += ["--http-port", str(ports[0]), "--grpc-port", str(ports[1]), "--metrics-port", str(ports[2])]
    command += ["--exit-timeout", "2", "--max-wait", "0"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, start_new_session=True, env=environment
    ) as launcher:
        try:
            assert launcher.stdout is not None
            first = launcher.stdout.readline()
            match = re.match(r"Triton is ready, process (\d+)", first)
            assert match, first
            yield launcher, psutil.Process(int(match[1])), ports
        finally:
            if launcher.poll() is None:
                launcher.kill()


def assert_nothing_is_left(launcher_pid: int, processes: list[psutil.Process], ports: list[int]) -> None:
    assert not still_there(processes, 10)
    assert not regions_of(launcher_pid)
    assert not any(is_listening(port) for port in ports)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_everything(cold: Path, tmp_path: Path, number: signal.Signals) -> None:
    with serving(cold, temporary=tmp_path) as (launcher, server, ports):
        processes = [server, *server.children()]
        assert len(processes) == 7  # tritonserver and its three steps, two processes each
        assert regions_of(launcher.pid)
        assert len(list(tmp_path.glob("*/_______python_*"))) == 2  # of the two Python-based backends
        os.killpg(launcher.pid, number)  # as Ctrl-C does: to the whole foreground group
        assert launcher.wait(20) == 0
        assert_nothing_is_left(launcher.pid, processes, ports)
        assert not list(tmp_path.iterdir())


def test_a_stop_right_after_a_step_died_leaves_nothing(cold: Path) -> None:
    with serving(cold) as (launcher, server, ports):
        processes = [server, *server.children()]
        processes[1].kill()
        launcher.terminate()
        assert launcher.wait(30) == 0
        assert_nothing_is_left(launcher.pid, processes, ports)


def test_a_start_right_after_the_launcher_was_killed_waits_for_its_server_and_cleans_up(
    lean: Path, tmp_path: Path
) -> None:
    with (
        serving(lean, temporary=tmp_path) as (killed, first, ports),
        # A connection that is open keeps tritonserver, and its ports, for the whole of its exit timeout.
        socket.create_connection(("127.0.0.1", ports[0])),
    ):
        processes = [first, *first.children()]
        left = set(tmp_path.iterdir())
        first.suspend()  # until we have looked
        killed.kill()
        killed.wait()
        assert is_listening(ports[0])
        first.resume()
        with serving(lean, ports, tmp_path) as (launcher, server, _):
            assert_nothing_is_left(killed.pid, processes, [])
            assert not left & set(tmp_path.iterdir())
            processes = [server, *server.children()]
            launcher.terminate()
            assert launcher.wait(20) == 0
            assert_nothing_is_left(launcher.pid, processes, ports)
    assert not list(tmp_path.iterdir())


def test_the_end_of_the_server_ends_the_launcher(lean: Path, tmp_path: Path) -> None:
    with serving(lean, temporary=tmp_path) as (launcher, server, ports):
        processes = [server, *server.children()]
        server.kill()
        assert launcher.wait(30) == 1
        assert_nothing_is_left(launcher.pid, processes, ports)
        assert not list(tmp_path.iterdir())


def test_steps_end_with_a_killed_server_that_nobody_waits_for(cold: Path) -> None:
    """It keeps its number then, and to Triton's own check of the steps it is alive."""
    with serving(cold) as (launcher, server, _):
        steps = server.children()
        launcher.send_signal(signal.SIGSTOP)
        while psutil.Process(launcher.pid).status() != psutil.STATUS_STOPPED:
            time.sleep(0.01)
        server.kill()
        assert len(steps) == 6
        assert not still_there(steps, 10)
        assert server.status() == psutil.STATUS_ZOMBIE


@pytest.mark.long
def test_a_step_ends_with_a_killed_server_even_where_its_python_stands_still(repository: Path, tmp_path: Path) -> None:
    """As one does that waits for an answer of Triton's, with Python's lock in its hands."""
    copy, stands = copy_of(repository, tmp_path), tmp_path / "stands"
    (copy / "postprocess" / "1" / "model.py").write_text(STANDS_STILL.format(stands=str(stands)))
    with serving(copy) as (launcher, server, _):
        steps = server.children()
        while not stands.exists():
            assert launcher.poll() is None
            time.sleep(0.1)
        launcher.kill()
        server.kill()
        assert not still_there(steps, 10)


def test_steps_end_that_were_just_starting_when_launcher_and_server_were_killed(repository: Path) -> None:
    command = [sys.executable, "-m", "midas_server", "serve", "--repository", str(repository), "--models", DEFAULT]
    command += [argument for name in ("http", "grpc", "metrics") for argument in (f"--{name}-port", "0")]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as launcher:
        try:
            steps: list[psutil.Process] = []
            while not steps:
                assert launcher.poll() is None
                time.sleep(0.01)
                family = psutil.Process(launcher.pid).children(recursive=True)
                steps = [each for each in family if "stub" in name_of(each)]
            servers = psutil.Process(launcher.pid).children()
        finally:
            launcher.kill()
        for server in servers:
            server.kill()
    assert not still_there(steps, 20)


def test_preprocess_yields_to_the_steps_behind_it(triton: Triton) -> None:
    first = [step.nice() for step in step_processes(triton, f"{DEFAULT}_preprocess")]
    others = [step.nice() for name in (f"{DEFAULT}_network", "postprocess") for step in step_processes(triton, name)]
    assert (len(first), len(others)) == (2, 4)
    assert min(first) > max(others)


@pytest.mark.parametrize(
    ("victim", "crashes", "comes_up"),
    [("server", 1, True), ("server", 3, False), ("step", 1, True), ("stopped step", 1, True)],
)
def test_a_server_that_crashes_while_it_starts_is_started_again(
    lean: Path, victim: str, crashes: int, comes_up: bool
) -> None:
    log = io.StringIO()
    server = own_server(lean, [DEFAULT], log=log)
    regions = regions_of(os.getpid())  # of the servers that other tests share
    with crashing(victim, crashes) as crashed:
        if comes_up:
            with server:
                assert is_listening(server.http_port)
                assert len(psutil.Process(server.pid).children()) == 3
        else:
            with pytest.raises(StartFailed, match="ended with status -6"):
                server.__enter__()
    assert len(crashed) == crashes
    assert log.getvalue().count("is started again") == (1 if comes_up else 2)
    assert regions_of(os.getpid()) == regions


def test_a_server_that_crashes_is_started_again_on_its_ports(lean: Path) -> None:
    with serving(lean) as (launcher, server, ports):
        before = [server, *server.children()]
        server.send_signal(signal.SIGABRT)
        assert not still_there(before, 20)
        assert wait_for(lambda: is_ready(ports[0]), 60)
        assert launcher.poll() is None
        (after,) = psutil.Process(launcher.pid).children()
        assert after.pid != server.pid
        processes = [after, *after.children()]
        launcher.terminate()
        assert launcher.wait(30) == 0
        assert_nothing_is_left(launcher.pid, [*before, *processes], ports)


def test_a_server_that_crashes_again_and_again_is_given_up(lean: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("midas_server.launch.server.MOST_CRASHES", 2)
    log = io.StringIO()
    with own_server(lean, [DEFAULT], log=log) as server:

        def abort_twice() -> None:
            first = server.pid
            os.kill(first, signal.SIGABRT)
            assert wait_for(lambda: "ready again" in log.getvalue(), 60)
            assert server.pid != first
            os.kill(server.pid, signal.SIGABRT)

        thread = threading.Thread(target=abort_twice)
        thread.start()
        assert server.wait() == -signal.SIGABRT
        thread.join()
    assert log.getvalue().count("crashed (SIGABRT), and is started again") == 1


def wait_for(condition: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.1)
    return False


def is_ready(port: int) -> bool:
    with suppress(requests.ConnectionError):
        return requests.get(f"http://127.0.0.1:{port}/v2/models/{DEFAULT}/ready", timeout=5).ok
    return False


@contextmanager
def crashing(victim: str, times: int) -> Iterator[set[int]]:
    """Abort the next tritonservers that this process starts, or a step of each, or stop it, as soon as there is one.

    Yields the process ids of those servers.
    """
    aborted: set[int] = set()
    done = threading.Event()
    others = {process.pid for process in psutil.Process().children()}

    def abort() -> None:
        while len(aborted) < times and not done.wait(0.02):
            for process in psutil.Process().children():
                with suppress(psutil.NoSuchProcess):
                    if process.pid in aborted | others or process.name() != "tritonserver":
                        continue
                    steps = [child for child in process.children() if child.name().startswith("triton_python")]
                    if steps:
                        lost = process if victim == "server" else steps[0]
                        lost.send_signal(signal.SIGSTOP if victim == "stopped step" else signal.SIGABRT)
                        aborted.add(process.pid)

    thread = threading.Thread(target=abort)
    thread.start()
    try:
        yield aborted
    finally:
        done.set()
        thread.join()


def test_the_container_shares_out_its_cores(cold: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Triton's own backend would give each instance of a network a thread for every core."""

    @contextmanager
    def as_in_the_container() -> Iterator[Distribution]:
        with find_distribution() as found:
            yield replace(found, kind="container")

    monkeypatch.setattr("midas_server.launch.server.find_distribution", as_in_the_container)
    monkeypatch.setattr("midas_server.launch.server.GPU_DEVICE", Path("/nonexistent"))
    monkeypatch.setattr("os.sched_getaffinity", lambda _: range(6))
    with own_server(cold, [DEFAULT]) as server:
        config = requests.get(f"http://{server.http_url}/v2/models/{DEFAULT}_network/config", timeout=10).json()
        assert config["parameters"]["intra_op_thread_count"] == {"string_value": "3"}


def test_a_read_only_repository_with_a_space_in_its_path_is_served(lean: Path, tmp_path: Path, photo: bytes) -> None:
    (tmp_path / "my models").mkdir()
    copy = copy_of(lean, tmp_path / "my models")
    before = sorted(path for path in copy.rglob("*") if "__pycache__" not in path.parts)
    for path in [*before, copy]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    with own_server(copy, [DEFAULT]) as server:
        url = f"http://{server.http_url}/v2/models/{DEFAULT}/infer"
        answer = requests.post(url, photo, headers={"Inference-Header-Content-Length": "0"}, timeout=60)
        assert answer.status_code == 200
    # Python's own caches aside, which it leaves out by itself where it may not write
    assert sorted(path for path in copy.rglob("*") if "__pycache__" not in path.parts) == before


def test_a_missing_model_is_named_with_those_there_are(cold: Path) -> None:
    with (
        pytest.raises(StartFailed, match=f"there is no model 'dpt_large_384' in .*{DEFAULT}") as raised,
        own_server(cold, ["dpt_large_384"]),
    ):
        pass
    assert "_preprocess" not in str(raised.value)  # a step is no answer to give


def test_a_network_that_is_not_exported_yet_is_named(cold: Path, tmp_path: Path) -> None:
    """As in a fresh clone, which has the configs of the default network and not its graph."""
    copy = copy_of(cold, tmp_path)
    shutil.rmtree(copy / f"{DEFAULT}_network" / "1")
    words = f"'{DEFAULT}' is not in {copy} yet. Export it first: python -m export {DEFAULT} --repository {copy}"
    with pytest.raises(StartFailed, match=re.escape(words)), own_server(copy, [DEFAULT]):
        pass


def test_a_missing_repository_is_named(tmp_path: Path) -> None:
    with pytest.raises(StartFailed, match="there is no model repository"), own_server(tmp_path / "nothing", [DEFAULT]):
        pass


def test_a_port_in_use_is_named(cold: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        server = own_server(cold, [DEFAULT], grpc_port=port)
        with pytest.raises(StartFailed, match=f"127.0.0.1:{port} cannot be used for grpc_port .*GRPC_PORT="), server:
            pass


def test_one_port_for_two_protocols_is_refused(cold: Path) -> None:
    port = free_ports(1)[0]
    server = own_server(cold, [DEFAULT], http_port=port, grpc_port=port)
    with pytest.raises(StartFailed, match="need three different ports"), server:
        pass


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        ("_network/config.pbtxt", "TYPE_UINT8", "TYPE_FP32", "the config says TYPE_FP32, the model file TYPE_UINT8"),
        ("_network/config.pbtxt", "PIXELS", "IMAGES", "no such input, it has 'PIXELS'"),
        ("_preprocess/config.pbtxt", "upper_bound", "largest", "parameter 'resize' is 'largest'"),
        ("_preprocess/config.pbtxt", "max_batch_size", "max_bach_size", "max_bach_size"),
    ],
)
def test_a_model_that_does_not_load_shows_its_own_error(
    lean: Path, tmp_path: Path, file: str, old: str, new: str, message: str
) -> None:
    copy = copy_of(lean, tmp_path)
    config = copy / f"{DEFAULT}{file}"
    assert old in config.read_text()
    config.write_text(config.read_text().replace(old, new))
    with pytest.raises(StartFailed) as raised, own_server(copy, [DEFAULT]):
        pass
    assert message in str(raised.value)
    assert "At:" not in str(raised.value)


def test_a_damaged_network_shows_its_own_error(lean: Path, tmp_path: Path) -> None:
    copy = copy_of(lean, tmp_path)
    (copy / f"{DEFAULT}_network" / "1" / "model.onnx").write_bytes(b"this is no network")
    with pytest.raises(StartFailed, match=f"{DEFAULT}_network"), own_server(copy, [DEFAULT]):
        pass
    (copy / f"{DEFAULT}_network" / "1" / "model.onnx").unlink()
    with pytest.raises(StartFailed, match=r"model\.onnx: export the variant again"), own_server(copy, [DEFAULT]):
        pass
