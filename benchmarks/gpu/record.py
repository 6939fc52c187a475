"""The record of `benchmarks.record`, written without what that needs: the rows of this command, added to a file."""

import json
import os
import platform
from collections.abc import Mapping
from datetime import datetime, timezone
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from benchmarks.errors import BenchmarkError

_VERSIONS = ("torch", "onnxruntime", "onnxruntime-gpu", "nvidia-pytriton", "numpy")
_KEY = ("model", "runtime", "precision", "device", "batch")


class RecordFile:
    """A record that a run adds to.

    Args:
        file: begun where it is not there.
        command: what repeats the run.
        machine: see `benchmarks.gpu.device.machine`.
        note: what a reader has to know of the figures.

    Raises:
        BenchmarkError: the file is no record, or of another machine.
    """

    def __init__(self, file: Path, command: str, machine: Mapping[str, Any], note: str) -> None:
        self._file, self._machine, self._command, self._note = file, machine, command, note
        self._read()

    def _read(self) -> dict[str, Any]:
        if not self._file.exists():
            return {"schema": 2, "command": "", "versions": {}, "note": ""}
        try:
            facts: dict[str, Any] = json.loads(self._file.read_text())
            there = _name(facts["machine"])
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise BenchmarkError(f"{self._file} is not a record of the benchmarks: name another --output") from error
        if there != _name(self._machine):
            raise BenchmarkError(
                f"{self._file} is of another machine ({there}), this one is {_name(self._machine)}: name another "
                "--output; a report takes several"
            )
        return facts

    def add(self, row: Mapping[str, Any]) -> None:
        """Add a row of `networks`, in place of an earlier one of the same; what else is in the file stays."""
        facts = self._read()
        rows = {tuple(each[name] for name in _KEY): each for each in (*facts.get("networks", ()), row)}
        commands = dict.fromkeys([*facts["command"].splitlines(), self._command])
        notes = dict.fromkeys(filter(None, [*facts.get("note", "").splitlines(), self._note]))
        facts |= {
            "measured_at": datetime.now(timezone.utc).isoformat(timespec="seconds"),
            "command": "\n".join(commands),
            "machine": dict(self._machine),
            "versions": {**facts["versions"], **_versions()},
            "note": "\n".join(notes),
            "networks": list(rows.values()),
        }
        self._file.parent.mkdir(parents=True, exist_ok=True)
        unfinished = self._file.with_name(f".{self._file.name}.{os.getpid()}")
        unfinished.write_text(json.dumps(facts, indent=1) + "\n")
        unfinished.replace(self._file)


def _name(machine: Mapping[str, Any]) -> str:
    gpu = machine.get("gpu")
    return f"{machine['processor']}, {machine['cores']} cores" + (f", {gpu['name']}" if gpu else "")


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for package in _VERSIONS:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
