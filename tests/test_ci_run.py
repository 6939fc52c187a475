"""`.ci/run` passes on what `make` says, and leaves no process and no temporary file behind."""

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from tests.networks import ROOT
from tests.processes import still_there

# What it starts tells of itself and goes on, in a session of its own.
MAKEFILE = """
check:
\t@echo checked; echo > $$TMPDIR/file
test:
\t@setsid sh -c '{trap} echo $$$$; echo > $$TMPDIR/started; exec sleep 600' & \\
\tuntil test -e $$TMPDIR/started; do sleep 0.1; done; {test}
"""


@contextmanager
def run(folder: Path, test: str, trap: str = "") -> Iterator[tuple["subprocess.Popen[str]", psutil.Process]]:
    """`.ci/run` in a checkout with another Makefile, and the process that its tests start."""
    (folder / ".ci").mkdir()
    (folder / "tmp").mkdir()
    shutil.copy(ROOT / ".ci" / "run", folder / ".ci" / "run")
    (folder / "Makefile").write_text(MAKEFILE.format(test=test, trap=trap))
    # `make test` would have the inner make tell of its folder.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    environment["TMPDIR"] = str(folder / "tmp")
    with subprocess.Popen([folder / ".ci" / "run"], stdout=subprocess.PIPE, text=True, env=environment) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == "checked\n"
        yield running, psutil.Process(int(running.stdout.readline()))


def assert_nothing_is_left(started: psutil.Process, folder: Path) -> None:
    assert not still_there([started], 10)
    assert not [*(folder / "tmp").iterdir()]


@pytest.mark.parametrize(("test", "trap", "status"), [("true", "", 0), ("false", "", 2), ("true", 'trap "" TERM;', 0)])
def test_it_ends_what_the_tests_left(tmp_path: Path, test: str, trap: str, status: int) -> None:
    with run(tmp_path, test, trap) as (running, started):
        assert running.wait(60) == status
        assert_nothing_is_left(started, tmp_path)


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_all_of_it(tmp_path: Path, number: signal.Signals, status: int) -> None:
    with run(tmp_path, "sleep 600") as (running, started):
        running.send_signal(number)
        assert running.wait(60) == status
        assert_nothing_is_left(started, tmp_path)
