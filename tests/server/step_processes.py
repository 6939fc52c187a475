"""The processes of a server's steps, for tests that count or kill them."""

from contextlib import suppress

import psutil

from midas_server.launch import Triton


def step_processes(server: Triton, model: str | None = None) -> list[psutil.Process]:
    """Those that run now, of one model or of all."""
    found = []
    for process in psutil.Process(server.pid).children():
        with suppress(psutil.NoSuchProcess):
            name = process.cmdline()[8:9]  # <model>_<group>_<instance>; a process that has ended has no command line
            if name and (model is None or name[0].rsplit("_", 2)[0] == model):
                found.append(process)
    return found
