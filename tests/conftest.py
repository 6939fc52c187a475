"""What the tests share: sample photos, and one real Triton over a real model repository."""

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import skimage

from midas_server.launch import Triton
from tests.networks import DEFAULT, FOREIGN, FOREIGN_ONNX, ROOT, VARIANT

if "PYTEST_XDIST_WORKER" in os.environ:
    # Where processes share the cores, threads that wait for each other take several times as long as one alone. This is
    # read when torch is imported, here and in what the tests start.
    os.environ.setdefault("OMP_NUM_THREADS", "1")


def export(*arguments: str) -> None:
    """Run `python -m export` as a user does."""
    subprocess.run([sys.executable, "-m", "export", *arguments], cwd=ROOT, check=True)


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
    export(DEFAULT, "--repository", str(folder))
    export(VARIANT, "--untrained", "--repository", str(folder))
    if FOREIGN_ONNX.is_file():
        export(
            *(FOREIGN, "--from-onnx", str(FOREIGN_ONNX), "--layout", "nchw", "--range", "255"),
            *("--size", "256", "--resize", "minimal", "--repository", str(folder)),
        )


@pytest.fixture(scope="session")
def models(repository: Path) -> list[str]:
    """The depth models in the repository."""
    return [name for name in (DEFAULT, VARIANT, FOREIGN) if (repository / name).is_dir()]


@pytest.fixture(scope="session")
def triton(repository: Path, models: list[str]) -> Iterator[Triton]:
    """A running server for every test that does it no harm."""
    with Triton(repository, models, http_port=0, grpc_port=0, metrics_port=0, exit_timeout=2) as server:
        yield server


@pytest.fixture(scope="session")
def photo() -> bytes:
    """A sample photo: a 640x427 JPEG of a rocket."""
    return (Path(skimage.__file__).parent / "data" / "rocket.jpg").read_bytes()
