"""/jobs: hand a job in, watch it, fetch what it gave, or cancel it."""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
import secrets
import shutil
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any, cast

import anyio
from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, JSONResponse, Response, StreamingResponse
from sse_starlette import EventSourceResponse, ServerSentEvent
from zipstream import ZipStream

from midas_gateway.documents import JobDocument
from midas_gateway.draining import is_draining
from midas_gateway.jobs.intake import Intake, take_in
from midas_gateway.jobs.runner import OUTPUTS, REPORT, JobRunner
from midas_gateway.jobs.store import Job, JobStore
from midas_gateway.openapi import EVENTS, JOB, JOB_ANSWERS, RESULT, failures, success
from midas_gateway.options import fields_of, read_model, read_options
from midas_gateway.problems import Problem
from midas_gateway.state import link, state_of

router = APIRouter()

_ID = re.compile(r"[A-Za-z0-9_-]{8,64}")
_EVENT_SECONDS = 0.2
# Uploads of jobs under way in a worker: each is written to disk as it comes.
_UPLOADS = 4
_VIDEO_FORMATS = ("color_jpeg", "png16")


class Jobs:
    """What the routes of a worker need.

    Args:
        store: of all workers.
        runner: of this one.
    """

    def __init__(self, store: JobStore, runner: JobRunner) -> None:
        self.store, self.runner = store, runner
        self.uploads = 0


@router.post("/jobs", status_code=202, response_model=None, responses=JOB_ANSWERS, openapi_extra=JOB, tags=["jobs"])
async def submit(request: Request) -> Response:
    """A new job, under an id of the gateway's."""
    return await _submit(request, secrets.token_urlsafe(16))


@router.put(
    "/jobs/{identity}", status_code=202, response_model=None, responses=JOB_ANSWERS, openapi_extra=JOB, tags=["jobs"]
)
async def put(identity: str, request: Request) -> Response:
    """A job under an id of the caller's: sent twice it is still one job."""
    if not _ID.fullmatch(identity):
        raise Problem(422, "A job's id has 8 to 64 letters, digits, - and _")
    return await _submit(request, identity)


@router.get(
    "/jobs/{identity}",
    response_model=None,
    responses={200: success(JobDocument, "Its state."), **failures(401, 403, 404)},
    tags=["jobs"],
)
async def state(identity: str, request: Request) -> dict[str, Any]:
    """How far a job is."""
    return _document(request, await _job(request, identity))


@router.get(
    "/jobs/{identity}/events", response_model=None, responses=EVENTS, response_class=EventSourceResponse, tags=["jobs"]
)
async def events(identity: str, request: Request) -> EventSourceResponse:
    """A job's progress as server-sent events, from the one after Last-Event-ID on."""
    job = await _job(request, identity)
    given = request.headers.get("last-event-id", "0")
    after = int(given) if re.fullmatch(r"\d{1,15}", given) else 0
    return EventSourceResponse(_events(_jobs(request).store, job.id, after), ping=15)


@router.get(
    "/jobs/{identity}/result", response_model=None, responses=RESULT, response_class=StreamingResponse, tags=["jobs"]
)
async def result(identity: str, request: Request) -> Response:
    """What a finished job gave: a zip of depth maps with report.json, or a video."""
    job = await _job(request, identity)
    if job.state != "finished":
        if job.ended:
            raise Problem(404, f"The job has no result: it is {job.state}. {job.message}".strip())
        raise Problem(409, f"The job is {job.state}: {job.done} of {job.total}", headers={"Retry-After": "2"})
    outputs = _jobs(request).runner.folder_of(job.id) / OUTPUTS
    if not outputs.is_dir():
        raise Problem(404, "The job's files are gone")
    if job.kind == "video":
        for name, media_type in (("depth.mp4", "video/mp4"), ("depth.mkv", "video/x-matroska")):
            if (outputs / name).exists():
                return FileResponse(outputs / name, media_type=media_type, filename=name)
        raise Problem(404, "The job's files are gone")
    return StreamingResponse(
        _zip(outputs),
        media_type="application/zip",
        headers={"Content-Disposition": f'attachment; filename="{job.id}.zip"'},
    )


@router.delete(
    "/jobs/{identity}",
    response_model=None,
    responses={200: success(JobDocument, "Its last state."), **failures(401, 403, 404)},
    tags=["jobs"],
)
async def cancel(identity: str, request: Request) -> dict[str, Any]:
    """Cancel a job that waits or runs; forget one that has ended, with what it gave."""
    jobs = _jobs(request)
    job = await _job(request, identity)
    ended = not await anyio.to_thread.run_sync(jobs.store.end, job.id, "cancelled", "Its caller has cancelled it")
    await anyio.to_thread.run_sync(lambda: shutil.rmtree(jobs.runner.folder_of(job.id), ignore_errors=True))
    last = await _job(request, identity)
    if ended:
        await anyio.to_thread.run_sync(jobs.store.remove, job.id)
    return {**_document(request, last), "result_url": None}


async def _submit(request: Request, identity: str) -> Response:
    jobs = _jobs(request)
    settings = state_of(request).settings
    if is_draining():
        raise Problem(503, "The gateway is stopping. Send the job again in a few seconds")
    if jobs.uploads >= _UPLOADS:
        raise Problem(503, "Too many jobs are being uploaded. Send this one again in a few seconds", headers=_CLOSE)
    # Not under its name yet: two callers may send the same one at once.
    folder = jobs.runner.folder_of(f".{secrets.token_hex(8)}")
    jobs.uploads += 1
    try:
        intake = await take_in(request, folder, settings)
        wish = _wish(fields_of(request.query_params, intake.fields), intake)
        digest = hashlib.sha256(f"{intake.digest}{json.dumps(wish, sort_keys=True)}".encode()).hexdigest()
        return await _enter(request, identity, folder, intake, wish, digest)
    finally:
        jobs.uploads -= 1
        await anyio.to_thread.run_sync(lambda: shutil.rmtree(folder, ignore_errors=True))


async def _enter(
    request: Request, identity: str, folder: Path, intake: Intake, wish: Mapping[str, Any], digest: str
) -> Response:
    """Give the job its row and its folder its name, or find that it is there already."""
    jobs = _jobs(request)
    owner = str(request.scope["state"]["caller"])
    most = state_of(request).settings.job_count

    def settle() -> None:
        target = jobs.runner.folder_of(identity)
        shutil.rmtree(target, ignore_errors=True)
        folder.rename(target)

    job = await anyio.to_thread.run_sync(
        lambda: jobs.store.add(
            identity,
            owner=owner,
            digest=digest,
            kind=intake.kind,
            wish=wish,
            total=intake.total,
            most=most,
            settle=settle,
        )
    )
    if job is None:
        raise Problem(503, f"{most} jobs wait or run already. Send this one again later", headers={"Retry-After": "30"})
    if job.owner != owner or job.digest != digest:
        raise Problem(409, "There is another job of this id, with other content. Choose another id")
    return JSONResponse(_document(request, job), 202, headers={"Location": link(request, f"/jobs/{job.id}")})


def _wish(fields: dict[str, Any], intake: Intake) -> dict[str, Any]:
    model = read_model(fields.pop("model", None))
    options = cast("dict[str, Any]", read_options(fields))
    if intake.kind == "video":
        if "equalize" in options:
            raise Problem(422, "equalize is for pictures, and not for a video")
        if options.get("format", "color_jpeg") not in _VIDEO_FORMATS:
            raise Problem(422, f"format is {options['format']!r}, and this is a video", allowed=_VIDEO_FORMATS)
    return {"model": model, "options": options}


async def _job(request: Request, identity: str) -> Job:
    """A job of this caller's. Raises Problem (404): others' jobs are not there."""
    job = await anyio.to_thread.run_sync(_jobs(request).store.get, identity)
    if job is None or job.owner != request.scope["state"]["caller"]:
        raise Problem(404, "There is no job of this id, or it was too old to keep")
    return job


def _document(request: Request, job: Job) -> dict[str, Any]:
    base = f"/jobs/{job.id}"
    return {
        "success": job.state not in ("failed", "lost"),
        "id": job.id,
        "kind": job.kind,
        "state": job.state,
        "total": job.total,
        "done": job.done,
        "failed": job.failed,
        "message": job.message,
        "status_url": link(request, base),
        "events_url": link(request, f"{base}/events"),
        "result_url": link(request, f"{base}/result") if job.state == "finished" else None,
    }


async def _events(store: JobStore, identity: str, after: int) -> AsyncIterator[ServerSentEvent]:
    while True:
        # Asked before the events: those of its end are then among them.
        job = await anyio.to_thread.run_sync(store.get, identity)
        for number, document in await anyio.to_thread.run_sync(store.events, identity, after):
            after = number
            yield ServerSentEvent(document, event="progress", id=str(number))
        if job is None or job.ended or is_draining():
            return
        await asyncio.sleep(_EVENT_SECONDS)


def _zip(outputs: Path) -> ZipStream:
    """The depth maps and the report, stored: they are compressed already."""
    stream = ZipStream(sized=True)
    for file in sorted(outputs.iterdir()):
        if file.suffix != ".json" or file.name == REPORT:
            stream.add_path(file, file.name)
    return stream


def _jobs(request: Request) -> Jobs:
    return cast("Jobs", request.app.state.jobs)


_CLOSE = {"Connection": "close"}
