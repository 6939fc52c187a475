"""The wheel, as another project gets it: it builds, installs, runs, and its types are found."""

import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

from midas_client import __version__

CLIENT = Path(__file__).parents[2] / "client"

CONSUMER = """
import numpy as np
from midas_client import DepthClient, DepthMap, MidasClientError, Timeout

with DepthClient("localhost:8001", timeout=Timeout(total=10, connect=2)) as client:
    depth_map: DepthMap = client.predict("photo.jpg", resolution=256, format="png16")
    nearest: np.float32 = depth_map.depth.max()
    width, height = depth_map.photo_size
    names: list[str] = client.models()
    try:
        client.predict(np.zeros((4, 4, 3), np.uint8), output_size="network")
    except MidasClientError as error:
        reason: str = error.message
    client.predict("photo.jpg", format="jpeg")  # type: ignore[arg-type]
    client.predict(3)  # type: ignore[arg-type]
"""


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment with the wheel; what it depends on is borrowed from the running one."""
    folder = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    subprocess.run([*pip, "wheel", "--no-deps", "--wheel-dir", str(folder), str(CLIENT)], check=True)
    (wheel,) = folder.glob("*.whl")
    assert wheel.name == f"midas_client-{__version__}-py3-none-any.whl"
    environment = folder / "environment"
    venv.create(environment, with_pip=False)
    python = str(environment / "bin" / "python")
    subprocess.run([*pip, "--python", python, "install", "--no-deps", str(wheel)], check=True)
    (packages,) = environment.glob("lib/python3*/site-packages")
    # Names of paths that a .pth adds are not searched for further .pth files: the editable install stays out.
    (packages / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return environment


def test_installed_package_runs(environment: Path) -> None:
    code = "import midas_client; print(midas_client.__file__)"
    python = str(environment / "bin" / "python")
    imported = subprocess.run([python, "-c", code], check=True, capture_output=True, text=True).stdout
    assert imported.startswith(str(environment))
    command = str(environment / "bin" / "midas-client")
    done = subprocess.run([command, "--version"], check=True, capture_output=True, text=True)
    assert done.stdout == f"midas-client {__version__}\n"


def test_mypy_finds_the_types(environment: Path, tmp_path: Path) -> None:
    """`--strict` complains of an ignore that ignores nothing, so wrong calls are proved to be found."""
    consumer = tmp_path / "consumer.py"
    consumer.write_text(CONSUMER)
    python = str(environment / "bin" / "python")
    checked = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(tmp_path / "cache"), "--config-file", "",
         "--python-executable", python, str(consumer)],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_readme_and_changelog_name_this_version() -> None:
    assert f"## {__version__}" in (CLIENT / "CHANGELOG.md").read_text()
    assert "DepthClient" in (CLIENT / "README.md").read_text()
