"""A machine that cannot run the project is told what to do instead.

The other machines are stood in for by small programs that answer as theirs would: none of them is here.
"""

import os
import subprocess
from pathlib import Path

import pytest

from tests.networks import ROOT


def program(folder: Path, name: str, script: str) -> Path:
    file = folder / name
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)
    return file


def bootstrap(path: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a copy of bootstrap.sh in an empty folder, with the programs in `path` before all others."""
    folder = path / "checkout"
    folder.mkdir()
    (folder / "bootstrap.sh").write_bytes((ROOT / "bootstrap.sh").read_bytes())
    variables = {**os.environ, "PATH": f"{path}:{os.environ['PATH']}", **environment}
    return subprocess.run(
        ["/bin/sh", "bootstrap.sh"], cwd=folder, env=variables, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("machine", ["Darwin arm64", "Linux aarch64"])
def test_another_machine_is_pointed_to_the_container(tmp_path: Path, machine: str) -> None:
    system, processor = machine.split()
    program(tmp_path, "uname", f'[ "$1" = -s ] && echo {system} || echo {processor}')
    done = bootstrap(tmp_path)
    assert done.returncode == 1
    assert f"Triton's pip wheel runs on Linux x86_64, this is {machine}" in done.stderr
    assert "docker compose --profile cpu up" in done.stderr


def test_python_3_13_alone_is_told_which_to_install(tmp_path: Path) -> None:
    python = program(tmp_path, "python3.13", '[ "$1" = --version ] && echo "Python 3.13.0" || exit 1')
    done = bootstrap(tmp_path, PYTHON=str(python))
    assert done.returncode == 1
    assert "needs Python 3.10, 3.11 or 3.12" in done.stderr
    assert "is Python 3.13.0" in done.stderr
    assert "PYTHON=python3.12 make setup" in done.stderr
    assert not (tmp_path / "checkout" / ".venv").exists()


def test_no_python_at_all_is_told_the_same(tmp_path: Path) -> None:
    done = bootstrap(tmp_path, PYTHON=str(tmp_path / "missing"))
    assert done.returncode == 1
    assert "is missing. Install one of them" in done.stderr
