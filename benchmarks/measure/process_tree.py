"""A command and all processes that it started: stopped and continued together, and what they take."""

import subprocess
from contextlib import suppress

import psutil

_END_SECONDS = 30.0


class ProcessTree:
    """The processes of a command that was started with `subprocess`.

    Args:
        command: its process.
    """

    def __init__(self, command: "subprocess.Popen[str]") -> None:
        self._command = command
        self._known: dict[int, psutil.Process] = {}

    def stop(self) -> None:
        """Stop all of them until `go_on`, those too that start meanwhile."""
        stopped: set[int] = set()
        while new := [process for process in self._alive() if process.pid not in stopped]:
            for process in new:
                with suppress(psutil.Error):  # it has ended
                    process.suspend()
            stopped.update(process.pid for process in new)

    def go_on(self) -> None:
        """Continue all of them."""
        for process in self._alive():
            with suppress(psutil.Error):
                process.resume()

    def end(self) -> None:
        """Continue all of them and end the command; what it leaves behind is killed."""
        self.go_on()
        alive = self._alive()
        self._command.terminate()
        with suppress(subprocess.TimeoutExpired):
            self._command.wait(_END_SECONDS)
        for process in psutil.wait_procs(alive, timeout=1)[1]:
            with suppress(psutil.Error):
                process.kill()
        self._command.wait()

    def processor_seconds(self) -> dict[str, float]:
        """Return the processor time until now, in seconds, by the title of a process; that of the command is ""."""
        seconds: dict[str, float] = {}
        for process in self._alive():
            with suppress(psutil.Error):
                title = "" if process.pid == self._command.pid else " ".join(process.cmdline())
                seconds[title] = seconds.get(title, 0.0) + sum(process.cpu_times()[:2])
        return seconds

    def megabytes(self) -> float:
        """Return the memory of all of them in MiB; what processes share counts once."""
        megabytes = 0.0
        for process in self._alive():
            with suppress(psutil.Error):
                megabytes += process.memory_full_info().pss / 2**20
        return megabytes

    def _alive(self) -> list[psutil.Process]:
        """The command, and below it what lives; a process stays known when the one that started it has ended."""
        with suppress(psutil.Error):
            command = psutil.Process(self._command.pid)
            for process in (command, *command.children(recursive=True)):
                self._known.setdefault(process.pid, process)
        self._known = {pid: process for pid, process in self._known.items() if process.is_running()}
        return list(self._known.values())
