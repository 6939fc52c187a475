"""The wheel, as another project gets it: it builds, installs with what it needs, runs, and its types are found."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

import midas_client
from midas_client import __version__
from midas_server.launch import Triton
from tests.networks import ROOT

CLIENT = ROOT / "client"
CONSUMER = Path(__file__).with_name("consumer.py")
THIS = f"{sys.version_info.major}.{sys.version_info.minor}"
VERSIONS = ("3.10", "3.11", "3.12", "3.13")


def interpreter(version: str) -> str | None:
    """A Python of this version that runs: ours, one on the PATH, or one of pyenv's."""
    if version == THIS:
        return sys.executable
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    candidates = [shutil.which(f"python{version}"), *map(str, pyenv.glob(f"{version}.*/bin/python"))]
    for candidate in filter(None, candidates):
        # A shim of pyenv's stands for a version that may be switched off.
        if subprocess.run([candidate, "-c", "import venv"], capture_output=True, check=False).returncode == 0:
            return candidate
    return None


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    subprocess.run([*pip, "wheel", "--no-deps", "--wheel-dir", str(folder), str(CLIENT)], check=True)
    (wheel,) = folder.glob("*.whl")
    return wheel


Install = Callable[..., Path]

VIDEO = """
import numpy
from midas_client._video_files import VideoReader, VideoWriter
with VideoWriter("video.mkv", fps=10) as video:
    for step in range(3):
        video.write(numpy.full((48, 64, 3), step * 80, numpy.uint8))
with VideoReader("video.mkv") as video:
    assert [frame.shape for frame in video] == [(48, 64, 3)] * 3
"""


@pytest.fixture(scope="module")
def install(wheel: Path) -> Install:
    """Makes a new environment with the wheel and what pip finds for it, and gives its Python."""

    def into(python: str, folder: Path, constraints: Sequence[str] = (), extras: str = "") -> Path:
        own = folder / "bin" / "python"
        ours = python == sys.executable
        subprocess.run([python, "-m", "venv", *(["--without-pip"] if ours else []), str(folder)], check=True)
        limits = folder / "constraints.txt"
        limits.write_text("\n".join(constraints))
        # Our pip can install for another environment of our Python; that saves one of its own, which takes as long.
        pip = [sys.executable, "-m", "pip", "--python", str(own)] if ours else [str(own), "-m", "pip"]
        pip += ["--disable-pip-version-check", "--quiet", "install", "--no-compile"]
        # Nothing is built here: a wheel for this Python is missing where this fails.
        subprocess.run([*pip, "--only-binary=:all:", "--constraint", str(limits), f"{wheel}{extras}"], check=True)
        return own

    return into


@pytest.fixture(scope="module")
def python(install: Install, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment with nothing but the wheel and what it needs."""
    return install(sys.executable, tmp_path_factory.mktemp("environment"))


@pytest.fixture
def consume(triton: Triton, photo: bytes, tmp_path: Path) -> Callable[[Path], None]:
    """Runs the consumer in an environment, over both protocols."""

    def run(python: Path) -> None:
        (tmp_path / "photo.jpg").write_bytes(photo)
        # -I: neither this folder nor PYTHONPATH lends the environment a module.
        subprocess.run(
            [str(python), "-I", str(CONSUMER), triton.grpc_url, f"http://{triton.http_url}", "photo.jpg"],
            cwd=tmp_path, check=True, timeout=300,
        )  # fmt: skip

    return run


def test_what_is_in_it(wheel: Path) -> None:
    assert wheel.name == f"midas_client-{__version__}-py3-none-any.whl"
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        metadata = archive.read(f"midas_client-{__version__}.dist-info/METADATA").decode()
    modules = {path.relative_to(CLIENT).as_posix() for path in (CLIENT / "midas_client").rglob("*.py")}
    assert {name for name in names if "dist-info" not in name} == modules | {"midas_client/py.typed"}
    assert f"midas_client-{__version__}.dist-info/licenses/LICENSE" in names
    for version in VERSIONS:
        assert f"Classifier: Programming Language :: Python :: {version}" in metadata
    assert "Requires-Python: >=3.10" in metadata
    # The page that a package index shows must not point to files that only a checkout has.
    assert re.findall(r"\]\((?!https?://|#)[^)]*\)", metadata) == []


def test_license_is_the_repositorys() -> None:
    assert (CLIENT / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()


def test_installed_package_runs(python: Path, consume: Callable[[Path], None], tmp_path: Path) -> None:
    code = "import midas_client; print(midas_client.__file__)"
    imported = subprocess.run(
        [str(python), "-c", code], cwd=tmp_path, check=True, capture_output=True, text=True
    ).stdout
    assert imported.startswith(str(python.parents[1]))
    command = str(python.with_name("midas-client"))
    done = subprocess.run([command, "--version"], check=True, capture_output=True, text=True)
    assert done.stdout == f"midas-client {__version__}\n"
    consume(python)


def test_mypy_accepts_the_consumer(python: Path, tmp_path: Path) -> None:
    """`--strict` complains of an ignore that ignores nothing, so wrong calls are proved to be found."""
    checked = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(tmp_path / "cache"), "--config-file", "",
         "--python-executable", str(python), str(CONSUMER)],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_consumer_uses_every_public_name() -> None:
    used = {
        node.id if isinstance(node, ast.Name) else node.attr
        for node in ast.walk(ast.parse(CONSUMER.read_text()))
        if isinstance(node, (ast.Name, ast.Attribute))
    }
    assert set(midas_client.__all__) - used == set()


@pytest.mark.long
@pytest.mark.parametrize("version", VERSIONS)
def test_every_python(version: str, install: Install, consume: Callable[[Path], None], tmp_path: Path) -> None:
    """With the newest versions of what it needs that there are for this Python."""
    found = interpreter(version)
    if found is None:
        pytest.skip(f"there is no Python {version} on this machine")
    consume(install(found, tmp_path / "environment"))


@pytest.mark.long
def test_lowest_versions(install: Install, consume: Callable[[Path], None], tmp_path: Path) -> None:
    """The lower bounds that the package declares, all at once, on the oldest Python."""
    found = interpreter(VERSIONS[0])
    if found is None:
        pytest.skip(f"there is no Python {VERSIONS[0]} on this machine")
    settings = (CLIENT / "pyproject.toml").read_text()
    lowest = re.findall(r'^(?:    |video = \[)"([\w-]+)(?:\[[\w,]+\])?>=([\d.]+)', settings, re.MULTILINE)
    assert len(lowest) == settings.count(">=") - len(["requires-python", "hatchling"])
    python = install(found, tmp_path / "environment", [f"{name}=={version}" for name, version in lowest], "[video]")
    consume(python)
    # What the extra brings, without a server.
    subprocess.run([str(python), "-I", "-c", VIDEO], cwd=tmp_path, check=True)


def test_readme_and_changelog_name_this_version() -> None:
    assert f"## {__version__}" in (CLIENT / "CHANGELOG.md").read_text()
    assert "DepthClient" in (CLIENT / "README.md").read_text()
