"""The commands that the image runs do on this machine what the container files count on.

The image's own words are run, with this machine's folder and free ports in the place of the container's.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import psutil
import pytest
import yaml

from tests.networks import ROOT

BIN = Path(sys.prefix) / "bin"
HEALTH, SERVE = (
    json.loads(words)
    for words in re.findall(r"^\s*CMD (\[.*\])$", (ROOT / "server" / "Dockerfile").read_text(), re.MULTILINE)
)
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
TRITON_SERVICES = [name for name in COMPOSE["services"] if name.startswith("triton")]


class Running(NamedTuple):
    launcher: subprocess.Popen[str]
    health_url: str
    temporary: Path


def here(words: list[str], **values: str) -> list[str]:
    """A command of the image with other values for some of its options; each must be there."""
    changed = [str(BIN / words[0]), *words[1:]]
    for option, value in values.items():
        changed[changed.index(f"--{option.replace('_', '-')}") + 1] = value
    return changed


@pytest.fixture(scope="module")
def running(lean: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The image's server, with its temporary files in a folder of their own, as the container's tmpfs is."""
    temporary = tmp_path_factory.mktemp("tmp")
    command = here(SERVE, repository=str(lean), host="127.0.0.1", health_port="0")
    command += [word for name in ("http", "grpc", "metrics") for word in (f"--{name}-port", "0")]
    environment = {**os.environ, "TMPDIR": str(temporary)}
    environment.pop("ORT_DISABLE_TELEMETRY", None)  # the container does not set it, the tests' process does
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as launcher:
        try:
            assert launcher.stdout is not None
            for line in launcher.stdout:
                if found := re.match(r"  health +(http://\S+)/readyz", line):
                    yield Running(launcher, found[1], temporary)
                    break
            else:
                raise AssertionError(f"it did not start: {launcher.communicate()[1]}")
        finally:
            launcher.kill()


def check(url: str) -> subprocess.CompletedProcess[str]:
    """Run the image's health check against a server."""
    return subprocess.run([*here(HEALTH), "--url", url], capture_output=True, text=True, check=False)


def test_the_health_check_passes_where_the_command_serves(running: Running) -> None:
    done = check(running.health_url)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["ready"] is True


def test_it_writes_to_shared_memory_and_temporary_files_alone(running: Running) -> None:
    """So that the container's other folders may be read-only."""
    assert all(COMPOSE["services"][name]["read_only"] for name in TRITON_SERVICES)
    launcher = psutil.Process(running.launcher.pid)
    processes = [launcher, *launcher.children(recursive=True)]
    assert len(processes) > 3
    written = {Path(file.path) for process in processes for file in process.open_files() if file.mode != "r"}
    assert written
    allowed = (Path("/dev/shm"), running.temporary)  # noqa: S108
    assert not [path for path in written if not any(path.is_relative_to(folder) for folder in allowed)]


def test_the_signal_of_docker_stop_ends_it_in_order_and_the_health_check_fails_then(running: Running) -> None:
    running.launcher.terminate()
    graces = [float(COMPOSE["services"][name]["stop_grace_period"].removesuffix("s")) for name in TRITON_SERVICES]
    assert running.launcher.wait(min(graces)) == 0
    assert not list(running.temporary.iterdir())
    done = check(running.health_url)
    assert (done.returncode, done.stderr) == (1, "")
    assert "no answer from" in done.stdout


def test_a_network_that_is_not_in_the_repository_is_named(repository: Path) -> None:
    command = here(SERVE, repository=str(repository), host="127.0.0.1", health_port="0", models="no_such_network")
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "no_such_network" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_image_installs_what_has_these_commands() -> None:
    assert shutil.which(SERVE[0], path=str(BIN))
    assert HEALTH[0] == SERVE[0]
