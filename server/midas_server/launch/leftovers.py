"""What a killed launcher leaves behind, and whose it is: processes, and files in /dev/shm and the temporary folder.

The name of each says who made it, in the way of the client's regions: the namespace of process numbers (containers may
share /dev/shm and count their processes each from 1), the user, the process, and when it started. A process of the same
number that started later is another one.
"""

import contextlib
import os
import re
import shutil
import threading
from pathlib import Path

import psutil

PREFIX = "midas_server_"
_NAME = re.compile(rf"{PREFIX}(\d+)_(\d+)_(\d+)_(\d+)_")


def own_prefix() -> str:
    """How names of what this process makes begin."""
    return f"{PREFIX}{_namespace()}_{os.getuid()}_{os.getpid()}_{_start_of(os.getpid())}_"


def remove_leftovers(folder: Path) -> None:
    """Remove the files and folders of this user's launchers that are no more, and end what still runs from there."""
    for path in folder.glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError):
            if not _is_orphaned(path.name) or path.lstat().st_uid != os.getuid():
                continue
            if path.is_dir() and not path.is_symlink():
                _end_programs_of(path)
                shutil.rmtree(path)
            else:
                path.unlink()


def _end_programs_of(folder: Path) -> None:
    """End steps that have not noticed that their server is gone: on a kernel older than 5.3 some do not."""
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if Path(process.exe()).is_relative_to(folder):
                process.kill()


def is_orphaned_server(process: psutil.Process) -> bool:
    """Whether this is a tritonserver of this user whose launcher is no more.

    It was told to end, and has some seconds for that.
    """
    try:
        command, users = process.cmdline(), process.uids()
    except psutil.Error:
        return False
    return users.real == os.getuid() and any(_is_orphaned(argument.rpartition("=")[2]) for argument in command)


def end_orphaned_servers(patience: float) -> None:
    """Kill the servers whose launchers are no more, and that have not ended after so many seconds.

    Each was told to end when its launcher was killed; Triton 24.10 may wait for a lost step then, for ever. It returns
    at once.
    """
    for process in psutil.process_iter():
        if is_orphaned_server(process):
            killer = threading.Timer(patience, _kill, [process])
            killer.daemon = True
            killer.start()


def _kill(process: psutil.Process) -> None:
    with contextlib.suppress(psutil.Error):
        process.kill()


def is_ending(process: psutil.Process) -> bool:
    """Whether a process has lost its command line, as one that ends: it may hold its ports for another moment."""
    try:
        return not process.cmdline()
    except psutil.NoSuchProcess:
        return True
    except psutil.Error:
        return False


def _is_orphaned(name: str) -> bool:
    match = _NAME.match(name)
    if not match or (match[1], match[2]) != (str(_namespace()), str(os.getuid())):
        return False
    return _start_of(int(match[3])) != match[4]


def _start_of(pid: int) -> str | None:
    """When a process started, in clock ticks since the machine did; None if it is no more, or a zombie."""
    try:
        # The command's name, in brackets, may itself have spaces and brackets.
        fields = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in ("Z", "X") else fields[19]


def _namespace() -> int:
    return Path("/proc/self/ns/pid").stat().st_ino
