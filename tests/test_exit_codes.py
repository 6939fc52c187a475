"""Every command ends with 1 where its input fails and with 2 where it is called wrongly, and with a sentence."""

import inspect
import signal
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

FAILING = {
    "midas-client predict": ("midas_client", "predict", "/nowhere.jpg"),
    "midas-client video": ("midas_client", "video", "/nowhere.mp4"),
    "midas-server": ("midas_server", "serve", "--models", "midas_tiny_256", "--repository", "/nowhere"),
    "demo": ("demo", "--model", "midas_tiny_256", "/nowhere.jpg"),
    "demo.gallery": ("demo.gallery", "--repository", "/nowhere"),
    "demo.filters": ("demo.filters", "/nowhere.jpg"),
    "export": ("export", "midas_tiny_256", "--weights", "/nowhere.pt", "--repository", "/dev/null/x"),
    "export report": ("export", "report", "--repository", "/nowhere"),
    "accuracy": ("accuracy", "/nowhere"),
    "benchmarks": ("benchmarks", "report", "/nowhere.json"),
    "training": ("training", "finetune", "midas_tiny_256", "--pairs", "/nowhere", "--out", "/dev/null/x"),
    "training.scenes": ("training.scenes", "--count", "1", "--out", "/dev/null/x"),
    "training.photos": ("training.photos", "collect", "--out", "/dev/null/x"),
}
"""Commands whose command line is right, and whose input or place of output is not there."""

WRONG = {
    "midas-client": ("midas_client", "predict", "a.jpg", "--filter", "sharp"),
    "midas-server": ("midas_server", "serve", "--models", "midas_tiny_256", "--network-threads", "0"),
    "demo": ("demo", "--model"),
    "demo.gallery": ("demo.gallery", "--model"),
    "demo.filters": ("demo.filters", "--model"),
    "export": ("export", "dpt_huge"),
    "export of a network of one's own": ("export", "net", "--from-onnx", __file__, "--std", "0"),
    "export list": ("export", "list", "--nothing"),
    "export all": ("export", "all", "--precision", "fp8"),
    "export report": ("export", "report", "--seconds", "long"),
    "accuracy": ("accuracy", "data", "--option", "sharp=1"),
    "benchmarks": ("benchmarks", "--nothing"),
    "benchmarks check": ("benchmarks", "check", "--nothing"),
    "benchmarks headline": ("benchmarks", "headline", "--build", "onnx:fp9"),
    "benchmarks peers": ("benchmarks", "peers", "--builds", "onnx:fp9"),
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
