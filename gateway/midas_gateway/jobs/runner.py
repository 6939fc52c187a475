"""Runs the jobs, one at a time in each worker, and takes over what a dead worker has left."""

from __future__ import annotations

import asyncio
import fcntl
import json
import logging
import secrets
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

import anyio

from midas_client import AsyncDepthClient, Format, MidasClientError
from midas_gateway.answers import ENDINGS, MEDIA_TYPES, file_of
from midas_gateway.jobs.archive import photos_in, read_photos
from midas_gateway.jobs.intake import INPUTS, NAMES, VIDEO, ZIP
from midas_gateway.jobs.store import Job, JobState, JobStore
from midas_gateway.metrics import JOBS
from midas_gateway.problems import Problem
from midas_gateway.settings import Settings

_log = logging.getLogger(__name__)

OUTPUTS = "outputs"
REPORT = "report.json"
# People at the page wait for one photo; a job's photos leave room for theirs.
_TOGETHER = 2
_IDLE_SECONDS = 0.25
_TIDY_SECONDS = 5.0
# What has brought down its worker twice is not begun a third time.
_MOST_ATTEMPTS = 2
_VIDEO_SECONDS = 1800.0


class JobRunner:
    """One for each worker.

    Args:
        settings: the operator's.
        store: of all workers.
        client: the way to Triton.
    """

    def __init__(self, settings: Settings, store: JobStore, client: AsyncDepthClient) -> None:
        self._settings = settings
        self._store = store
        self._client = client
        self._folder = settings.folder / "jobs"
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._name = secrets.token_hex(8)
        self._mark = _held(self._folder / f"{self._name}.lock")
        self._tidied = 0.0

    def folder_of(self, identity: str) -> Path:
        """Where a job's files are."""
        return self._folder / identity

    async def run(self) -> None:
        """Run jobs until cancelled. What was under way then waits for the next worker."""
        while True:
            try:
                if time.monotonic() - self._tidied > _TIDY_SECONDS:
                    self._tidied = time.monotonic()
                    await anyio.to_thread.run_sync(self._tidy)
                job = await anyio.to_thread.run_sync(self._store.claim, self._name)
                if job is None:
                    await asyncio.sleep(_IDLE_SECONDS)
                    continue
                await self._run_one(job)
            except Exception:  # noqa: BLE001 - the next job may do better
                _log.exception("the jobs stand still for a moment")
                await asyncio.sleep(_TIDY_SECONDS)

    def close(self) -> None:
        """Give up what this worker runs, so that the next takes it over."""
        self._mark.close()
        (self._folder / f"{self._name}.lock").unlink(missing_ok=True)

    async def _run_one(self, job: Job) -> None:
        try:
            (self.folder_of(job.id) / OUTPUTS).mkdir(exist_ok=True)
            if job.kind == "photos":
                await self._photos(job)
            else:
                await self._video(job)
        except _Stopped:
            return
        except Problem as problem:
            self._end(job, "failed", problem.message)
        except FileNotFoundError:
            self._end(job, "lost", "Its files are gone")
        except Exception:  # noqa: BLE001 - the caller is told, and the next job runs
            _log.exception("job %s failed", job.id)
            self._end(job, "failed", "The gateway has failed. Its log says why, under this job's id")
        else:
            self._end(job, "finished")

    async def _photos(self, job: Job) -> None:
        folder = self.folder_of(job.id)
        names: list[str] = json.loads((folder / INPUTS / NAMES).read_text())
        outputs = folder / OUTPUTS
        wish = dict(job.wish)
        options: dict[str, Any] = {"format": "png16", **wish["options"]}
        format: Format = options["format"]
        ending = ENDINGS[MEDIA_TYPES[format]]
        report: dict[int, dict[str, Any]] = {}
        done = 0
        waiting = asyncio.Semaphore(_TOGETHER)

        async def one(number: int, photo: bytes | Problem) -> None:
            nonlocal done
            async with waiting:
                name = f"{number:05}_{Path(names[number]).stem}.{ending}" if names[number] else f"{number:05}.{ending}"
                entry: dict[str, Any] = {"photo": names[number], "depth": name}
                # A job that was taken over goes on where it was left.
                known = outputs / f"{number:05}.json"
                if known.exists():
                    entry = json.loads(known.read_text())
                else:
                    try:
                        if isinstance(photo, Problem):
                            raise photo
                        asked = {**options, **({"model": wish["model"]} if wish.get("model") else {})}
                        depth_map = await self._client.predict(photo, request_id=f"{job.id}.{number}", **asked)
                    except (MidasClientError, Problem) as error:
                        entry |= {"depth": None, "error": error.message}
                    else:
                        await anyio.to_thread.run_sync((outputs / name).write_bytes, file_of(depth_map, format))
                        entry["info"] = dict(depth_map.info)
                    known.write_text(json.dumps(entry))
                report[number] = entry
                done += 1
                failed = sum("error" in each for each in report.values())
                if not await anyio.to_thread.run_sync(
                    lambda: self._store.progress(job.id, done=done, failed=failed, total=len(names))
                ):
                    raise _Stopped

        await _each(self._read(folder / INPUTS, len(names)), one, _TOGETHER)
        ordered = [report[number] for number in sorted(report)]
        (outputs / REPORT).write_text(json.dumps(ordered, indent=1))

    def _read(self, inputs: Path, count: int) -> Iterator[tuple[int, bytes | Problem]]:
        """The photos of a job, one after the other."""
        settings = self._settings
        archive = inputs / ZIP
        if archive.exists():
            entries = photos_in(
                archive, most=settings.job_photos, photo_bytes=settings.photo_bytes, total_bytes=2 * settings.job_bytes
            )
            yield from enumerate(read_photos(archive, entries))
        else:
            for number in range(count):
                yield number, (inputs / f"{number:05}").read_bytes()

    async def _video(self, job: Job) -> None:
        """A process of its own reads the video: what a stranger's file does to a decoder, it does there."""
        folder = self.folder_of(job.id)
        wish = {**job.wish, "triton": self._settings.triton, "seconds": self._settings.video_seconds}
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "midas_gateway.jobs.video"),
            *(str(folder / INPUTS / VIDEO), str(folder / OUTPUTS), json.dumps(wish)),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        message = "The video could not be read"
        try:
            assert process.stdout is not None
            with anyio.fail_after(_VIDEO_SECONDS):
                async for line in process.stdout:
                    told: dict[str, Any] = json.loads(line)
                    if "error" in told:
                        message = str(told["error"])
                    elif not await anyio.to_thread.run_sync(
                        lambda told=told: self._store.progress(  # type: ignore[misc]
                            job.id, done=told["done"], failed=0, total=max(told["total"] or 0, told["done"])
                        )
                    ):
                        raise _Stopped
                status = await process.wait()
        except TimeoutError:
            raise Problem(504, f"The video took longer than {_VIDEO_SECONDS:g} s") from None
        finally:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
        if status != 0:
            raise Problem(400, message)

    def _end(self, job: Job, state: JobState, message: str = "") -> None:
        if self._store.end(job.id, state, message):
            JOBS.labels(state).inc()
        shutil.rmtree(self.folder_of(job.id) / INPUTS, ignore_errors=True)

    def _tidy(self) -> None:
        """Let the jobs of dead workers wait again, or be lost; drop what is too old, or too many."""
        for job in self._store.running():
            if job.worker == self._name or _is_held(self._folder / f"{job.worker}.lock"):
                continue
            if job.attempts < _MOST_ATTEMPTS and (self.folder_of(job.id) / INPUTS).is_dir():
                self._store.requeue(job.id)
            else:
                self._end(job, "lost", "The gateway was stopped while it ran. Send it again")
        kept = 4 * self._settings.job_count
        for number, job in enumerate(self._store.ended()):
            if number >= kept or time.time() - job.changed > self._settings.job_seconds:
                self._store.remove(job.id)
                shutil.rmtree(self.folder_of(job.id), ignore_errors=True)
        known = self._store.identities()
        for path in self._folder.iterdir():
            # A folder that is being filled has no row yet.
            with suppress(FileNotFoundError):
                if path.is_dir() and path.name not in known and time.time() - path.stat().st_mtime > 3600:
                    shutil.rmtree(path, ignore_errors=True)
                elif path.suffix == ".lock" and not _is_held(path):
                    path.unlink(missing_ok=True)


class _Stopped(Exception):  # noqa: N818 - nothing went wrong
    """The job runs no longer: it was cancelled."""


async def _each(items: Iterator[tuple[int, Any]], work: Any, together: int) -> None:
    """work(number, item) for each, so many at a time; the first error ends all."""
    running: set[asyncio.Task[None]] = set()
    try:
        while (item := await anyio.to_thread.run_sync(next, items, None)) is not None:
            running.add(asyncio.create_task(work(*item)))
            if len(running) >= together:
                done, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()
        await asyncio.gather(*running)
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


def _held(path: Path) -> IO[str]:
    """A file that is locked until it is closed, or its process ends."""
    file = path.open("w")
    fcntl.flock(file, fcntl.LOCK_EX)
    return file


def _is_held(path: Path) -> bool:
    try:
        with path.open("r+") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False
