"""What the tests share: sample photos, and one real Triton over a real model repository."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

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
    export(DEFAULT, "--repository", str(folder))
    export(VARIANT, "--untrained", "--repository", str(folder))
    if FOREIGN_ONNX.is_file():
        export(
            *(FOREIGN, "--from-onnx", str(FOREIGN_ONNX), "--layout", "nchw", "--range", "255"),
            *("--size", "256", "--resize", "minimal", "--repository", str(folder)),
        )
    return folder


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
