"""What the tests share: sample photos, and one real Triton over a real model repository."""

import fcntl
import gc
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Generator, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import skimage

from midas_server.launch import Triton
from tests.networks import DEFAULT, FOREIGN, FOREIGN_ONNX, ROOT, VARIANT
from tests.own_server import own_server

if "PYTEST_XDIST_WORKER" in os.environ:
    # Where processes share the cores, threads that wait for each other take several times as long as one alone. This is
    # read when torch is imported, here and in what the tests start.
    os.environ.setdefault("OMP_NUM_THREADS", "1")

# What a shell starts in the background ignores Ctrl-C, and so would all that the tests start and interrupt.
for number in (signal.SIGINT, signal.SIGQUIT):
    if signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, signal.default_int_handler if number is signal.SIGINT else signal.SIG_DFL)


# The files that take longest, the longest first. A process that came to one of them last would leave the others idle.
# The fourth compiles the renderer, which both processes would do if each came to one of its tests first.
LONGEST = (
    "server/launch/test_launch.py",
    "export/networks/test_networks.py",
    "export/graph/test_parity.py",
    "training/test_scenes_dataset.py",
    "benchmarks/commands/test_benchmark_run.py",
    "training/test_finetune.py",
    "export/commands/test_export_command.py",
    "training/test_train.py",
    "export/targets/test_builds.py",
    "accuracy/test_accuracy_command.py",
    "client/test_forks.py",
    "export/commands/test_export_report.py",
    "benchmarks/gpu/test_gpu_command.py",
    "client/test_wheel.py",
    "client/test_shared_memory.py",
    "gateway/test_operation.py",
    "client/test_network_failures.py",
    "server/test_overload.py",
    "client/test_smoothing.py",
    "demo/test_demo.py",
    "examples/test_programs.py",
)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """What is imported and collected stays until the end: Python need not look through all of it for garbage."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take longest; the others keep their order."""
    place = {Path(__file__).parent / file: number for number, file in enumerate(LONGEST)}
    assert all(file.is_file() for file in place), "LONGEST names a file that is not there"
    items.sort(key=lambda item: place.get(item.path, len(place)))


# A process imports torch once for all networks.
EXPORT = """
import json, sys
from export.__main__ import main
sys.exit(max(main(arguments) for arguments in json.loads(sys.argv[1])))
"""


def export(*commands: list[str]) -> None:
    """Run `python -m export` with each list of arguments, in one process."""
    subprocess.run([sys.executable, "-c", EXPORT, json.dumps(commands)], cwd=ROOT, check=True)


@pytest.fixture(scope="session")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model repository: the default network, the small variant untrained, and, if at hand, a trained foreign one."""
    folder = tmp_path_factory.mktemp("repository") / "model_repository"
    if "PYTEST_XDIST_WORKER" not in os.environ:
        _export_networks(folder)
        return folder
    # Each process of a run has its folder in the run's. The first that needs the networks exports them for all, and
    # each has a copy of its own.
    run = tmp_path_factory.getbasetemp().parent
    exported = run / "exported_networks"
    with (run / "exported_networks.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not exported.is_dir():
            with TemporaryDirectory(dir=run) as unfinished:
                _export_networks(Path(unfinished) / "model_repository")
                (Path(unfinished) / "model_repository").rename(exported)
    shutil.copytree(exported, folder)
    return folder


def _export_networks(folder: Path) -> None:
    given = [[DEFAULT], [VARIANT, "--untrained"]]
    if FOREIGN_ONNX.is_file():
        settings = ["--layout", "nchw", "--range", "255", "--size", "256", "--resize", "minimal"]
        given.append([FOREIGN, "--from-onnx", str(FOREIGN_ONNX), *settings])
    export(*([*arguments, "--repository", str(folder)] for arguments in given))


@pytest.fixture(scope="session")
def cold(repository: Path) -> Path:
    """The same repository without the warm-up of the networks: a server of it starts in half the time."""
    warm_up = re.compile(r"^model_warmup \[$.*?^\]$", re.DOTALL | re.MULTILINE)
    return _with_configs(repository, "cold_repository", "*_network", warm_up, "")


@pytest.fixture(scope="session")
def lean(cold: Path) -> Path:
    """The cold one with a single process of each step, for a server that starts, answers a little and ends.

    It starts in about half the processor time. What several processes do to each other takes `cold`.
    """
    return _with_configs(cold, "lean_repository", "*", re.compile(r"\bcount: \d+"), "count: 1")


def _with_configs(repository: Path, name: str, models: str, old: re.Pattern[str], new: str) -> Path:
    """A copy beside a repository, whose models have `new` in their configs in place of `old`; the rest is shared."""
    folder = Path(shutil.copytree(repository, repository.with_name(name), copy_function=os.link))
    for config in folder.glob(f"{models}/config.pbtxt"):
        text = config.read_text()
        config.unlink()  # the file is the other repository's too
        config.write_text(old.sub(new, text))
    return folder


@pytest.fixture(scope="session")
def models(repository: Path) -> list[str]:
    """The depth models in the repository."""
    return [name for name in (DEFAULT, VARIANT, FOREIGN) if (repository / name).is_dir()]


@pytest.fixture(scope="session")
def triton(cold: Path, models: list[str]) -> Iterator[Triton]:
    """A running server for every test that does it no harm."""
    with own_server(cold, models) as server:
        yield server


@pytest.fixture
def server(cold: Path) -> Iterator[Triton]:
    """A server of one test's own, which it may harm and in which nobody else counts."""
    with own_server(cold, [DEFAULT]) as server:
        yield server


@pytest.fixture(scope="session")
def photo() -> bytes:
    """A sample photo: a 640x427 JPEG of a rocket."""
    return (Path(skimage.__file__).parent / "data" / "rocket.jpg").read_bytes()
