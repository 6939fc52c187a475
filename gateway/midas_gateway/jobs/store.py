"""The jobs' states, in an SQLite file that all workers share."""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

JobState = Literal["queued", "running", "finished", "failed", "cancelled", "lost"]
ENDED: tuple[JobState, ...] = ("finished", "failed", "cancelled", "lost")

_SCHEMA = """
CREATE TABLE IF NOT EXISTS jobs (
    id TEXT PRIMARY KEY, owner TEXT NOT NULL, digest TEXT NOT NULL, kind TEXT NOT NULL, wish TEXT NOT NULL,
    state TEXT NOT NULL, total INTEGER NOT NULL, done INTEGER NOT NULL DEFAULT 0, failed INTEGER NOT NULL DEFAULT 0,
    message TEXT NOT NULL DEFAULT '', worker TEXT NOT NULL DEFAULT '', attempts INTEGER NOT NULL DEFAULT 0,
    created REAL NOT NULL, changed REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS events (
    job TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE, number INTEGER NOT NULL, document TEXT NOT NULL,
    PRIMARY KEY (job, number)
);
"""


@dataclass(frozen=True)
class Job:
    """A job as it stands.

    Attributes:
        id: its name in links.
        owner: whose key, or whose address, has sent it.
        digest: SHA-256 of what was sent: the same id with the same digest is the same job.
        kind: photos or video.
        wish: model, format and options.
        state: queued, running, and how it ended.
        total: photos; of a video 0, until its length is known.
        done, failed: photos, or frames, so far.
        message: why it failed.
        worker: who runs it.
        attempts: how often it was begun.
        created, changed: seconds since 1970.
    """

    id: str
    owner: str
    digest: str
    kind: Literal["photos", "video"]
    wish: Mapping[str, Any]
    state: JobState
    total: int
    done: int
    failed: int
    message: str
    worker: str
    attempts: int
    created: float
    changed: float

    @property
    def ended(self) -> bool:
        """Whether nothing more will come of it."""
        return self.state in ENDED


class JobStore:
    """All jobs. Its methods may be called in any thread; each is one transaction.

    Args:
        file: made where it is not there.
    """

    def __init__(self, file: Path) -> None:
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(file, timeout=10, isolation_level=None, check_same_thread=False)
        self._connection.row_factory = sqlite3.Row
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=NORMAL")
        self._connection.execute("PRAGMA foreign_keys=ON")
        self._connection.executescript(_SCHEMA)

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._connection.close()

    def add(
        self,
        identity: str,
        *,
        owner: str,
        digest: str,
        kind: str,
        wish: Mapping[str, Any],
        total: int,
        most: int,
        settle: Callable[[], object],
    ) -> Job | None:
        """A new job, queued; or the one of this id that there is. None where `most` wait or run already.

        settle() puts a new job's files into their place, where no other worker is at the same.
        """
        now = time.time()
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                known = self._get(identity)
                if known is None:
                    open_jobs = "SELECT count(*) FROM jobs WHERE state IN ('queued', 'running')"
                    if self._connection.execute(open_jobs).fetchone()[0] >= most:
                        self._connection.execute("ROLLBACK")
                        return None
                    self._connection.execute(
                        "INSERT INTO jobs (id, owner, digest, kind, wish, state, total, created, changed) "
                        "VALUES (?, ?, ?, ?, ?, 'queued', ?, ?, ?)",
                        (identity, owner, digest, kind, json.dumps(wish), total, now, now),
                    )
                    settle()
                    known = self._get(identity)
                    assert known is not None
                    self._tell(known)
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")
            return known

    def get(self, identity: str) -> Job | None:
        """A job, by its id."""
        with self._lock:
            return self._get(identity)

    def claim(self, worker: str) -> Job | None:
        """Take the oldest job that waits, for this worker."""
        with self._lock:
            row = self._connection.execute(
                "UPDATE jobs SET state = 'running', worker = ?, attempts = attempts + 1, changed = ? WHERE id = "
                "(SELECT id FROM jobs WHERE state = 'queued' ORDER BY created LIMIT 1) RETURNING id",
                (worker, time.time()),
            ).fetchone()
            if row is None:
                return None
            job = self._get(row["id"])
            assert job is not None
            self._tell(job)
            return job

    def progress(self, identity: str, *, done: int, failed: int, total: int) -> bool:
        """Note how far a running job is. False where it runs no longer: it was cancelled, or is gone."""
        return self._change(identity, ("running",), done=done, failed=failed, total=total)

    def end(self, identity: str, state: JobState, message: str = "") -> bool:
        """Note how a job has ended. False where it had ended before."""
        return self._change(identity, ("queued", "running"), state=state, message=message)

    def requeue(self, identity: str) -> bool:
        """Let a job wait again, whose worker has died."""
        return self._change(identity, ("running",), state="queued", worker="")

    def running(self) -> list[Job]:
        """The jobs that some worker runs, or ran when it died."""
        with self._lock:
            return [_job(row) for row in self._connection.execute("SELECT * FROM jobs WHERE state = 'running'")]

    def ended(self) -> list[Job]:
        """The jobs that have ended, the latest first."""
        with self._lock:
            rows = self._connection.execute(
                "SELECT * FROM jobs WHERE state NOT IN ('queued', 'running') ORDER BY changed DESC"
            )
            return [_job(row) for row in rows]

    def identities(self) -> set[str]:
        """The ids of all jobs."""
        with self._lock:
            return {row["id"] for row in self._connection.execute("SELECT id FROM jobs")}

    def remove(self, identity: str) -> None:
        """Forget a job and its events."""
        with self._lock:
            self._connection.execute("DELETE FROM jobs WHERE id = ?", (identity,))

    def events(self, identity: str, after: int) -> list[tuple[int, str]]:
        """Number and JSON of each event of a job after the one of this number."""
        with self._lock:
            rows = self._connection.execute(
                "SELECT number, document FROM events WHERE job = ? AND number > ? ORDER BY number", (identity, after)
            )
            return [(row["number"], row["document"]) for row in rows]

    def _get(self, identity: str) -> Job | None:
        row = self._connection.execute("SELECT * FROM jobs WHERE id = ?", (identity,)).fetchone()
        return None if row is None else _job(row)

    def _change(self, identity: str, states: tuple[JobState, ...], **values: object) -> bool:
        marks = ", ".join(f"{name} = ?" for name in values)
        where = ", ".join("?" for _ in states)
        with self._lock:
            row = self._connection.execute(
                f"UPDATE jobs SET {marks}, changed = ? WHERE id = ? AND state IN ({where}) RETURNING id",  # noqa: S608
                (*values.values(), time.time(), identity, *states),
            ).fetchone()
            if row is not None:
                job = self._get(identity)
                assert job is not None
                self._tell(job)
            return row is not None

    def _tell(self, job: Job) -> None:
        document = {
            "state": job.state,
            "total": job.total,
            "done": job.done,
            "failed": job.failed,
            "message": job.message,
        }
        self._connection.execute(
            "INSERT INTO events SELECT ?1, coalesce(max(number), 0) + 1, ?2 FROM events WHERE job = ?1",
            (job.id, json.dumps(document)),
        )


def _job(row: sqlite3.Row) -> Job:
    return Job(**{**dict(row), "wish": json.loads(row["wish"])})
