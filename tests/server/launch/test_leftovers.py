"""What a killed launcher left behind is known by its name: never that of a living one, another user or a container."""

import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

import psutil
import pytest

from midas_client._transports.region import Region
from midas_server.launch.leftovers import (
    PREFIX,
    end_orphaned_servers,
    is_orphaned_server,
    own_prefix,
    remove_leftovers,
)
from midas_server.launch.ports import PortTaken, reserve


def prefix_of(namespace: int = 0, user: int = 0, process: int | None = None, start: int = 0) -> str:
    """This process's prefix with each number changed by so much; another process where one is named."""
    numbers = [int(number) for number in own_prefix().removeprefix(PREFIX).rstrip("_").split("_")]
    changed = [number + change for number, change in zip(numbers, (namespace, user, 0, start), strict=True)]
    changed[2] = process or changed[2]
    return PREFIX + "_".join(map(str, changed)) + "_"


def pid_of_the_dead() -> int:
    with subprocess.Popen(["/bin/true"]) as ended:
        ended.wait()
    return ended.pid


def test_the_server_and_the_client_name_their_owner_alike() -> None:
    region = Region(4096)
    try:
        assert region.name.startswith(own_prefix().replace(PREFIX, "midas_client_"))
    finally:
        region.unlink()


@pytest.mark.parametrize("kind", ["file", "folder"])
@pytest.mark.parametrize(
    ("prefix", "goes"),
    [
        (prefix_of(), False),
        (prefix_of(start=-1), True),  # the same number, given out again: a container started anew
        (prefix_of(process=pid_of_the_dead()), True),
        (prefix_of(namespace=1, start=-1), False),
        (prefix_of(user=1, start=-1), False),
        (PREFIX + "1_2_3_", False),
        ("midas_client_" + prefix_of(start=-1).removeprefix(PREFIX), False),
    ],
    ids=["own", "started later", "dead", "other namespace", "other user", "other name", "client's"],
)
def test_only_files_of_the_dead_are_removed(tmp_path: Path, prefix: str, goes: bool, kind: str) -> None:
    path = tmp_path / f"{prefix}x"
    if kind == "folder":
        (path / "inner").mkdir(parents=True)
        (path / "inner" / "file").touch()
    else:
        path.touch()
    remove_leftovers(tmp_path)
    assert path.exists() != goes


def test_a_link_is_removed_and_what_it_names_stays(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    link = tmp_path / f"{prefix_of(start=-1)}x"
    link.symlink_to(tmp_path / "mine")
    remove_leftovers(tmp_path)
    assert (tmp_path / "mine").is_dir()
    assert not link.is_symlink()


@pytest.mark.parametrize(("start", "ended"), [(0, False), (-1, True)])
def test_a_step_that_runs_on_from_the_folder_of_the_dead_is_ended(tmp_path: Path, start: int, ended: bool) -> None:
    program = tmp_path / f"{prefix_of(start=start)}x" / "python" / "step"
    program.parent.mkdir(parents=True)
    shutil.copy("/bin/sh", program)
    # It says when it runs: until then the process is still this one's copy.
    command = [str(program), "-c", "echo ready; read line"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        remove_leftovers(tmp_path)
        process.communicate(b"\n")
        assert process.returncode == (-signal.SIGKILL if ended else 0)


@pytest.mark.parametrize(("start", "orphaned"), [(0, False), (-1, True)])
def test_a_server_is_an_orphan_when_its_launcher_is_gone(start: int, orphaned: bool) -> None:
    argument = f"--backend-config=python,shm-region-prefix-name={prefix_of(start=start)}abc_"
    # It says when it runs: a moment after its start a process has no command line yet.
    command = ["/bin/sh", "-c", "echo ready; read line", argument]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert is_orphaned_server(psutil.Process(process.pid)) == orphaned


@pytest.mark.parametrize(("start", "ended"), [(0, False), (-1, True)])
def test_an_orphan_that_does_not_end_is_killed_after_a_while(start: int, ended: bool) -> None:
    argument = f"--backend-config=python,shm-region-prefix-name={prefix_of(start=start)}abc_"
    command = ["/bin/sh", "-c", "trap '' TERM; echo ready; read line", argument]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        end_orphaned_servers(0.1)
        for timer in [each for each in threading.enumerate() if isinstance(each, threading.Timer)]:
            timer.join()
        process.communicate(b"\n")
        assert process.returncode == (-signal.SIGKILL if ended else 0)


# Listens on a free port, prints it, and ends only when it is killed.
STUBBORN = """
import signal, socket
signal.signal(signal.SIGTERM, signal.SIG_IGN)
listening = socket.create_server(("127.0.0.1", 0))
print(listening.getsockname()[1], flush=True)
signal.pause()
"""


@pytest.mark.parametrize(("start", "orphaned"), [(0, False), (-1, True)])
def test_the_port_of_an_orphan_that_does_not_end_is_taken_from_it(start: int, orphaned: bool) -> None:
    command = [sys.executable, "-c", STUBBORN, f"--prefix={prefix_of(start=start)}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        log: list[str] = []
        try:
            if orphaned:
                with reserve("127.0.0.1", port, 1, log.append) as held:
                    assert held.getsockname() == ("127.0.0.1", port)
                assert process.wait(10) == -9
                assert f"waiting for port {port}" in log[0]
            else:
                with pytest.raises(PortTaken, match=rf"in use by python.*, process {process.pid}$"):
                    reserve("127.0.0.1", port, 1, log.append)
                assert process.poll() is None
        finally:
            process.kill()
