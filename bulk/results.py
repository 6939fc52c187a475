"""The folder of results, which says at any moment which photos are done.

    run.json            what the run must keep: input, network, options
    depth/              the results
    journal/*.jsonl     a line for each photo that is done, one file for each share of the photos
    manifest.jsonl      all those lines in the order of the photos; written when a run ends

A result gets its name when it is whole, and its line in the journal after that. So what a killed run leaves is a
photo with a line, which is done, or one without, which is computed again under the same name.
"""

import errno
import fcntl
import hashlib
import json
import os
import re
import shutil
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any

from bulk.errors import BulkError
from bulk.inputs import Photo

ENDINGS: Mapping[str, str] = {
    "float32": ".npy",
    "float16": ".npy",
    "png16": ".png",
    "png8": ".png",
    "color_png": ".png",
    "color_jpeg": ".jpg",
}
"""The ending of a result by its format."""

MOST_STARTS = 3
"""How often a photo may be under way when its worker, or the server, dies; after that it counts as failed."""

Outcome = dict[str, Any]
"""A line of the manifest: `photo`, `status` (ok, failed), `error`, `output`, `photo_size`, `network_size`,
`output_size` as [width, height], `range`, `milliseconds`, `finished` (seconds since 1970)."""

_WAIT_SECONDS = 60.0


def failure(photo: str, error: object) -> Outcome:
    """Return the outcome of a photo that has no result."""
    return {"photo": photo, "status": "failed", "error": str(error), "output": None, "finished": round(time.time(), 3)}


def output_name(photo: str, ending: str) -> str:
    """Return where the result of a photo lies in the folder of results.

    The photo's name with an ending more, so that a.jpg and a.png have two results. A name that is no plain path below
    a folder, such as an address, is made one, and marked so that it cannot be the result of another.
    """
    parts = [part for part in re.sub(r"[\x00-\x1f\\:]", "_", photo).split("/") if part not in ("", ".", "..")]
    path = "/".join(parts) or "photo"
    mark = "" if path == photo else f"~{hashlib.sha256(os.fsencode(photo)).hexdigest()[:12]}"
    return f"depth/{path}{mark}{ending}"


def share_name(photos: Sequence[Photo]) -> str:
    """Return the name of a share: the same for the same photos."""
    return hashlib.sha256(os.fsencode("\n".join(photo.name for photo in photos))).hexdigest()[:24]


class Results:
    """The folder of results, for the run and for its workers.

    Args:
        folder: local, or shared by all machines of a cluster.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._journals = folder / "journal"
        self._parts = folder / ".parts"
        self._locks = ExitStack()

    def begin(self, facts: Mapping[str, Any]) -> None:
        """Take the folder for a run, new or interrupted, and clear up what a killed run left half.

        Args:
            facts: what must be the same as in the runs before: input, network, options.

        Raises:
            BulkError: they are not, another run writes here, or the folder cannot be written.
        """
        try:
            for each in (self._journals, self.folder / "depth"):
                each.mkdir(parents=True, exist_ok=True)
            if not self._lock(".run.lock", fcntl.LOCK_EX):
                raise BulkError(f"another run writes into {self.folder}: wait for its end, or name another folder")
            self._same(facts)
            self.wait_for_workers()
            shutil.rmtree(self._parts, ignore_errors=True)
        except OSError as error:
            raise BulkError(f"{self.folder} cannot be written: {error.strerror}") from None

    def wait_for_workers(self) -> None:
        """Return when no worker writes any more: those of a run that has ended, or was killed, end within seconds.

        Raises:
            BulkError: one of them does not.
        """
        end = time.monotonic() + _WAIT_SECONDS
        while not self._lock(".workers.lock", fcntl.LOCK_EX, keep=False):
            if time.monotonic() > end:
                raise BulkError(f"workers of an earlier run still write into {self.folder}: end them first")
            time.sleep(0.1)

    def join(self) -> None:
        """Note that this process is a worker, until it ends."""
        self._lock(".workers.lock", fcntl.LOCK_SH)

    def end(self) -> None:
        """Give the folder back."""
        self._locks.close()

    def write(self, name: str, data: bytes) -> None:
        """Write a file that is there whole or not at all.

        Raises:
            OSError: it cannot be written.
        """
        target = self.folder / name
        part = self.part()
        try:
            part.write_bytes(data)
            self.take(part, target)
        except BaseException:
            part.unlink(missing_ok=True)
            raise

    def part(self) -> Path:
        """Return a new name for a file that is being written."""
        self._parts.mkdir(exist_ok=True)
        return self._parts / uuid.uuid4().hex

    @staticmethod
    def take(part: Path, target: Path) -> None:
        """Give a file that is whole its name."""
        try:
            part.replace(target)
        except FileNotFoundError:  # its folder is not there yet
            target.parent.mkdir(parents=True, exist_ok=True)
            part.replace(target)

    def journal(self, share: str) -> "Journal":
        """Open the journal of a share of the photos."""
        return Journal(self._journals / f"{share}.jsonl")

    def outcomes(self) -> dict[str, Outcome]:
        """Return the outcome of each photo that is done, by its name; a success counts more than a failure."""
        found: dict[str, Outcome] = {}
        for file in sorted(self._journals.glob("*.jsonl")):
            for outcome in _lines(file):
                known = found.get(outcome["photo"])
                if "status" in outcome and (known is None or known["status"] != "ok"):
                    found[outcome["photo"]] = outcome
        return found

    def forget_failures(self) -> None:
        """Take the photos that failed out of the journals, so that they are computed again."""
        for file in self._journals.glob("*.jsonl"):
            lines = list(_lines(file))
            if any(line.get("status") == "failed" for line in lines):
                self._rewrite(file, (line for line in lines if line.get("status") == "ok"))

    def forget_starts(self) -> None:
        """Take out what was under way when a run was ended by an error or Ctrl-C: no photo is to blame for that."""
        for file in self._journals.glob("*.jsonl"):
            lines = list(_lines(file))
            ended = {line["photo"] for line in lines if "status" in line}
            if any(line["photo"] not in ended for line in lines):
                self._rewrite(file, (line for line in lines if line["photo"] in ended))

    def drop_unused_tables(self) -> None:
        """Remove the Parquet files of depth that no photo of the journal is in."""
        used = {outcome["output"] for outcome in self.outcomes().values()}
        for file in (self.folder / "depth").glob("*.parquet"):
            if f"depth/{file.name}" not in used:
                file.unlink()

    def write_manifest(self, photos: Iterable[Photo]) -> Path:
        """Write one line for each of the photos that are done, in their order, with the facts of the run.

        Raises:
            OSError: it cannot be written.
        """
        facts = json.loads((self.folder / "run.json").read_text())
        facts = {name: facts[name] for name in ("variant", "weights", "options")}
        outcomes = self.outcomes()
        part = self.part()
        with part.open("w") as file:
            for photo in photos:
                if photo.name in outcomes:
                    file.write(json.dumps({**outcomes[photo.name], **facts}) + "\n")
        self.take(part, self.folder / "manifest.jsonl")
        return self.folder / "manifest.jsonl"

    def _rewrite(self, journal: Path, lines: Iterable[Mapping[str, Any]]) -> None:
        self.write(f"journal/{journal.name}", _text(lines))

    def _same(self, facts: Mapping[str, Any]) -> None:
        file = self.folder / "run.json"
        now = json.loads(json.dumps(facts))
        if not file.exists():
            if any((self.folder / "depth").iterdir()):
                raise BulkError(f"{self.folder} holds other files in depth/: name another folder")
            self.write("run.json", json.dumps(now, indent=2).encode() + b"\n")
            return
        try:
            before = json.loads(file.read_text())
        except ValueError:
            raise BulkError(f"{file} cannot be read: name another folder for the results") from None
        then, now = _flat(before), _flat(now)
        changed = [
            f"{name} was {then.get(name)!r} and is now {now.get(name)!r}"
            for name in sorted(then.keys() | now.keys())
            if then.get(name) != now.get(name)
        ]
        if changed:
            raise BulkError(
                f"{self.folder} holds the results of another run: {'; '.join(changed)}. Go on with what it was, or "
                "name another folder"
            )

    def _lock(self, name: str, kind: int, *, keep: bool = True) -> bool:
        file = (self.folder / name).open("ab")
        try:
            fcntl.flock(file, kind | (0 if kind == fcntl.LOCK_SH else fcntl.LOCK_NB))
        except BlockingIOError:
            file.close()
            return False
        if keep:
            self._locks.enter_context(file)
        else:
            file.close()
        return True


class Journal:
    """The journal of a share of the photos; one process writes it at a time.

    Attributes:
        done: the outcomes of an earlier start, by the photo's name.
        starts: how often each photo without an outcome was begun.
    """

    def __init__(self, path: Path) -> None:
        self.done: dict[str, Outcome] = {}
        self.starts: dict[str, int] = {}
        whole = 0
        if path.exists():
            for line in _lines(path):
                if "status" in line:
                    self.done[line["photo"]] = line
                else:
                    self.starts[line["photo"]] = self.starts.get(line["photo"], 0) + 1
            whole = path.read_bytes().rfind(b"\n") + 1
        self._file: IO[bytes] = path.open("ab", buffering=0)
        self._file.truncate(whole)  # of a line that a killed process left half

    def __enter__(self) -> "Journal":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def started(self, photo: str) -> None:
        """Note that the photo is under way."""
        self._write({"photo": photo})

    def finished(self, outcomes: Sequence[Outcome]) -> None:
        """Note what came of photos, all of them at once."""
        self._write(*outcomes)
        self.done.update({outcome["photo"]: outcome for outcome in outcomes})

    def _write(self, *lines: Mapping[str, Any]) -> None:
        data = _text(lines)
        end = self._file.seek(0, os.SEEK_END)
        if self._file.write(data) != len(data):
            self._file.truncate(end)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _text(lines: Iterable[Mapping[str, Any]]) -> bytes:
    return "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines).encode()


def _lines(file: Path) -> Iterator[dict[str, Any]]:
    """The whole lines of a journal; the last may be half."""
    with file.open("rb") as journal:
        for line in journal:
            if line.endswith(b"\n"):
                yield json.loads(line)


def _flat(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Options one by one, so that a message names those that differ."""
    return {**{k: v for k, v in facts.items() if k != "options"}, **facts.get("options", {})}
