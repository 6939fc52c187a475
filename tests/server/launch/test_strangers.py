"""Stopping a server, or taking its port, never ends a process of somebody else."""

import os
import socket
import subprocess
import sys

import psutil
import pytest

from midas_server.launch.ports import PortTaken, reserve
from midas_server.launch.process_group import end_group
from tests.processes import still_there

# Listens on a free port, prints it, and ends when its input does.
LISTENS = """
import socket, sys
listening = socket.create_server(("127.0.0.1", 0))
print(listening.getsockname()[1], flush=True)
sys.stdin.read()
"""


def test_a_process_that_has_got_the_number_of_a_server_that_ended_is_left_alone() -> None:
    with subprocess.Popen(
        ["/bin/cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True, text=True
    ) as stranger:
        assert os.getpgid(stranger.pid) == stranger.pid
        end_group(stranger.pid)
        answer, _ = stranger.communicate("still here")
        assert answer == "still here"
        assert stranger.returncode == 0


def test_steps_that_do_not_end_with_their_server_are_killed() -> None:
    leader = subprocess.Popen(
        ["/bin/sh", "-c", "(trap '' TERM; echo ready; exec sleep 600) & wait $!"],
        stdout=subprocess.PIPE,
        start_new_session=True,
        text=True,
    )
    assert leader.stdout is not None
    assert leader.stdout.readline() == "ready\n"
    (step,) = psutil.Process(leader.pid).children()
    leader.kill()
    leader.wait()
    end_group(leader.pid)
    assert not still_there([step], 0)
    leader.stdout.close()


def test_a_process_that_shows_no_command_line_keeps_its_port_and_its_life(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(psutil.Process, "cmdline", lambda _: [])  # a process may take its own away
    with subprocess.Popen(
        [sys.executable, "-c", LISTENS], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as stranger:
        assert stranger.stdout is not None
        port = int(stranger.stdout.readline())
        with pytest.raises(PortTaken):
            reserve("127.0.0.1", port, 0.2, lambda _: None)
        stranger.communicate()
        assert stranger.returncode == 0


def test_a_port_that_is_given_up_while_its_holder_is_looked_for_is_had(monkeypatch: pytest.MonkeyPatch) -> None:
    listening = socket.create_server(("127.0.0.1", 0))
    port = listening.getsockname()[1]
    monkeypatch.setattr("midas_server.launch.ports._listening_on", lambda _: listening.close())
    with reserve("127.0.0.1", port, 0.2, lambda _: None) as held:
        assert held.getsockname()[1] == port
