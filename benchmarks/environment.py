"""Environments of their own for the tools that the benchmarks run, beside the project's `.venv`."""

import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.errors import BenchmarkError

ROOT = Path(__file__).resolve().parent.parent / ".venv-bench"


def environment(name: str, requirements: Sequence[str], *, dependencies: bool = True, root: Path = ROOT) -> Path:
    """Return the folder of a virtual environment that holds exactly `requirements`, made on the first call.

    An environment that an interrupted installation left behind, or one of other requirements or of another Python,
    is made anew: the note of what it holds is written last.

    Args:
        name: the environment's folder below `root`.
        requirements: what pip installs, as pip spells it. Wheels only, so nothing is compiled.
        dependencies: whether pip installs what the requirements require as well.
        root: the folder of all such environments.

    Raises:
        BenchmarkError: the environment could not be made; with pip's last line.
    """
    folder = root / name
    note = folder / "holds.txt"
    wanted = "\n".join([sys.version, *requirements, f"dependencies: {dependencies}"])
    if note.is_file() and note.read_text() == wanted:
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    # Our own pip installs into it: one of its own would take seconds to put there.
    _run([sys.executable, "-m", "venv", "--without-pip", str(folder)], f"could not make the environment {folder}")
    pip = [sys.executable, "-m", "pip", "--python", str(folder / "bin" / "python"), "--disable-pip-version-check"]
    pip += ["install", "--quiet"]
    if not dependencies:
        pip.append("--no-deps")
    _run([*pip, "--only-binary", ":all:", *requirements], f"pip could not install {', '.join(requirements)}")
    note.write_text(wanted)
    return folder


def _run(command: list[str], failure: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        lines = (done.stderr.strip() or done.stdout.strip()).splitlines()
        raise BenchmarkError(f"{failure}: {lines[-1] if lines else f'exit status {done.returncode}'}")
