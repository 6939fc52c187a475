"""Every command ends with 1 where its input fails and with 2 where it is called wrongly, and with a sentence."""

import inspect
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

from tests.networks import ROOT

FAILING = {
    "midas-client predict": ("midas_client", "predict", "/nowhere.jpg"),
    "midas-client video": ("midas_client", "video", "/nowhere.mp4"),
    "midas-server": ("midas_server", "serve", "--models", "midas_tiny_256", "--repository", "/nowhere"),
    "deploy.scale": ("deploy.scale", "serve", "--models", "midas_tiny_256", "--envoy", "/nowhere"),
    "midas-gateway, folder": ("midas_gateway", "--port", "0", "--folder", "/dev/null/x"),
    "midas-gateway, address": ("midas_gateway", "--port", "0", "--folder", ".", "--host", "192.0.2.1", "--open"),
    "demo": ("demo", "--model", "midas_tiny_256", "/nowhere.jpg"),
    "demo.gallery": ("demo.gallery", "--repository", "/nowhere"),
    "demo.filters": ("demo.filters", "/nowhere.jpg"),
    "export": ("export", "midas_tiny_256", "--weights", "/nowhere.pt", "--repository", "/dev/null/x"),
    "export report": ("export", "report", "--repository", "/nowhere"),
    "accuracy": ("accuracy", "/nowhere"),
    "accuracy.scenes": ("accuracy.scenes", "/nowhere"),
    "accuracy.scores_checked": ("accuracy.scores_checked", "/nowhere"),
    "benchmarks": ("benchmarks", "report", "/nowhere.json"),
    "bulk": ("bulk", "/nowhere", "/dev/null/x"),
    "room_report": ("room_report", "/nowhere.jpg"),
    "training": ("training", "finetune", "midas_tiny_256", "--pairs", "/nowhere", "--out", "/dev/null/x"),
    "training.scenes": ("training.scenes", "--count", "1", "--out", "/dev/null/x"),
    "training.photos": ("training.photos", "collect", "--out", "/dev/null/x"),
}
"""Commands whose command line is right, and whose input or place of output is not there."""

WRONG = {
    "midas-client": ("midas_client", "predict", "a.jpg", "--filter", "sharp"),
    "midas-server": ("midas_server", "serve", "--models", "midas_tiny_256", "--network-threads", "0"),
    "midas-server's wait": ("midas_server", "serve", "--models", "midas_tiny_256", "--max-wait", "a second"),
    "midas-server without a network": ("midas_server", "serve", "--models", " "),
    "midas-server's port": ("midas_server", "serve", "--models", "midas_tiny_256", "--health-port", "70000"),
    "deploy.scale": ("deploy.scale", "config", "--triton", "host:8000"),
    "midas-server health": ("midas_server", "health", "--url", "127.0.0.1:8003"),
    "midas-gateway": ("midas_gateway", "--nothing"),
    "midas-gateway's port": ("midas_gateway", "--port", "70000"),
    "midas-gateway's limits": ("midas_gateway", "--max-photo", "0"),
    "midas-gateway's times": ("midas_gateway", "--keep", "-1"),
    "midas-gateway's keys": ("midas_gateway", "--keys", "/nowhere"),
    "midas-gateway's Triton": ("midas_gateway", "--triton", "ftp://host"),
    "midas-gateway with Triton": ("midas_gateway.with_triton", "--models", "midas_tiny_256"),
    "demo": ("demo", "--model"),
    "demo.gallery": ("demo.gallery", "--model"),
    "demo.filters": ("demo.filters", "--model"),
    "export": ("export", "dpt_huge"),
    "export of a network of one's own": ("export", "net", "--from-onnx", __file__, "--std", "0"),
    "export list": ("export", "list", "--nothing"),
    "export all": ("export", "all", "--precision", "fp8"),
    "export report": ("export", "report", "--seconds", "long"),
    "accuracy": ("accuracy", "data", "--option", "sharp=1"),
    "bulk": ("bulk", "photos", "results", "--option", "sharp=1"),
    "accuracy.scenes": ("accuracy.scenes", "data", "--option", "sharp=1"),
    "benchmarks": ("benchmarks", "--nothing"),
    "benchmarks check": ("benchmarks", "check", "--nothing"),
    "benchmarks gateway": ("benchmarks", "gateway", "--nothing"),
    "benchmarks headline": ("benchmarks", "headline", "--build", "onnx:fp9"),
    "benchmarks peers": ("benchmarks", "peers", "--builds", "onnx:fp9"),
    "room_report": ("room_report", "photo.jpg", "--door", "1,2"),
    "room_report's points": ("room_report", "a.jpg", "b.jpg", "--length", "c.jpg:1,2,3,4,1.5"),
    "room_report's photos": ("room_report", "a.jpg", "b.jpg", "--length", "1,2,3,4,1.5"),
    "training": ("training", "finetune", "dpt_huge", "--pairs", "data", "--out", "run"),
    "training.scenes": ("training.scenes", "--count", "0", "--out", "scenes"),
    "training.photos": ("training.photos", "collect", "--out", "photos", "--per-photo", "0"),
}


@pytest.fixture
def signals_as_before() -> Iterator[None]:
    """Some commands set handlers of their own, since their process is theirs."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def exit_code(module: str, *arguments: str) -> object:
    """What `python -m module arguments` would end with, without a process of its own."""
    sys.argv[1:] = arguments
    try:
        main = import_module(f"{module}.__main__").main
    except ModuleNotFoundError:
        main = import_module(module).main
    try:
        return main(list(arguments)) if inspect.signature(main).parameters else main()
    except SystemExit as leaving:
        return leaving.code


@pytest.mark.usefixtures("signals_as_before")
@pytest.mark.parametrize(
    ("command", "code"),
    [
        *(pytest.param(command, 1, id=f"{name}, failing") for name, command in FAILING.items()),
        *(pytest.param(command, 2, id=f"{name}, wrong") for name, command in WRONG.items()),
    ],
)
def test_exit_code(
    command: tuple[str, ...],
    code: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", [command[0]])
    assert exit_code(*command) == code
    out, err = capsys.readouterr()
    assert "error: " in out + err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("module", ["accuracy.choosing", "benchmarks.record", "midas_server.options_schema"])
def test_commands_without_options_know_none(module: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", module, "--nothing"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert "error: unrecognized arguments: --nothing" in done.stderr


def test_an_interrupted_command_ends_with_130_and_a_sentence(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "training.scenes", "--count", "100000", "--out", str(tmp_path / "scenes")]
    # A shell starts what runs in the background deaf to Ctrl-C.
    heard = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        running = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True)
    finally:
        signal.signal(signal.SIGINT, heard)
    deadline = time.monotonic() + 60
    while not (tmp_path / "scenes").exists():
        assert running.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)
    running.send_signal(signal.SIGINT)
    assert running.communicate(timeout=60)[1] == "interrupted; the same command goes on with what is there\n"
    assert running.returncode == 130
