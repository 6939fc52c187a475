"""The folder of a run: what was asked for, where it stands, what it lost at each step. All of it survives a kill.

settings.json      what the run was started with; a run goes on only with the same
checkpoint.pt      everything that the next step depends on
log.jsonl          one line a step, and one an evaluation
curve.png          the loss over the steps
evaluation.jpg     held-out photos: photo | truth | depth
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from export.errors import ExportError
from export.weights.checkpoints import read_state_dict
from training.errors import TrainingError

SETTINGS, CHECKPOINT, LOG = "settings.json", "checkpoint.pt", "log.jsonl"
CURVE, EVALUATION = "curve.png", "evaluation.jpg"


class Run:
    """The folder of a run, opened for going on."""

    def __init__(self, folder: Path, settings: Mapping[str, object]) -> None:
        """Create the folder, or open it if it was started with the same settings.

        Raises:
            TrainingError: it was started with others, or cannot be written.
        """
        self.folder = folder
        given = json.loads(json.dumps(settings))
        try:
            folder.mkdir(parents=True, exist_ok=True)
            file = folder / SETTINGS
            if file.is_file():
                self._refuse_others(json.loads(file.read_text()), given)
            else:
                write_whole(file, (json.dumps(given, indent=2) + "\n").encode())
        except (OSError, ValueError) as error:
            raise TrainingError(f"{folder} cannot be used for a run: {error}; name another --out") from error

    def _refuse_others(self, before: Mapping[str, object], given: Mapping[str, object]) -> None:
        other = [name for name in given.keys() | before.keys() if before.get(name) != given.get(name)]
        if other:
            name = sorted(other)[0]
            raise TrainingError(
                f"{self.folder} holds a run with {name} {before.get(name)}, not {given.get(name)}: "
                "give the same options to go on with it, or another --out"
            )

    def state(self) -> tuple[int, Mapping[str, Any]] | None:
        """How many steps are done and what `save` was given after them; None at the start.

        Lines that were logged after that are dropped: those steps are taken again.

        Raises:
            TrainingError: the file cannot be read.
        """
        file = self.folder / CHECKPOINT
        if not file.is_file():
            (self.folder / LOG).unlink(missing_ok=True)
            return None
        try:
            state: Mapping[str, Any] = dict(read_state_dict(file))
        except ExportError as error:
            raise TrainingError(f"{file}: {error}; delete it to start the run again") from error
        step = int(state["step"])
        kept = [line for line in self.lines() if int(line["step"]) <= step]
        write_whole(self.folder / LOG, "".join(json.dumps(line) + "\n" for line in kept).encode())
        return step, state

    def save(self, step: int, state: Mapping[str, object]) -> None:
        """Keep `state` as that after `step` steps; a kill leaves either the old or the new file, whole."""
        part = self.folder / f"{CHECKPOINT}.part"
        with part.open("wb") as file:
            torch.save({"step": step, **state}, file)
            file.flush()
            os.fsync(file.fileno())
        part.replace(self.folder / CHECKPOINT)

    def log(self, line: Mapping[str, object]) -> None:
        """Append a line to the log; it has a `step`."""
        with (self.folder / LOG).open("a") as file:
            file.write(json.dumps(line) + "\n")

    def lines(self) -> list[dict[str, Any]]:
        """The log so far."""
        return self.lines_of(self.folder / LOG)

    @staticmethod
    def lines_of(file: Path) -> list[dict[str, Any]]:
        """The lines of a log; one that a kill cut off is left out."""
        lines = []
        for text in file.read_text().splitlines() if file.is_file() else []:
            try:
                lines.append(json.loads(text))
            except ValueError:
                continue
        return lines


def write_whole(path: Path, content: bytes) -> None:
    """Replace a file by one that is complete, or leave it as it is."""
    part = path.with_name(f"{path.name}.part")
    part.write_bytes(content)
    part.replace(path)
