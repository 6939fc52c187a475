"""A job's upload, written to disk as it comes: what it is, and a digest by which it is known again."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO, Any, Literal

import anyio
from fastapi import Request

from midas_gateway.form import Form, FormFile
from midas_gateway.jobs.archive import photos_in
from midas_gateway.problems import Problem
from midas_gateway.settings import Settings
from midas_gateway.uploads import content_type, read_body

INPUTS = "inputs"
NAMES = "names.json"
ZIP = "photos.zip"
VIDEO = "video"
_BESIDE = 64_000
_SPOILING = re.compile(r"[^\w.-]+")


@dataclass(frozen=True)
class Intake:
    """What a job's upload is.

    Attributes:
        kind: photos or a video.
        total: photos; 0 for a video.
        fields: what stood beside the files in the form.
        digest: SHA-256 of the files and their order.
    """

    kind: Literal["photos", "video"]
    total: int
    fields: dict[str, str]
    digest: str


class _File:
    """A file on disk that is hashed as it is written."""

    def __init__(self, path: Path, digest: Any) -> None:
        self.path = path
        self._file: IO[bytes] = path.open("xb")
        self._digest = digest
        digest.update(b"file")

    def write(self, data: bytes, /) -> None:
        self._file.write(data)
        self._digest.update(data)

    def close(self) -> None:
        self._file.close()


async def take_in(request: Request, folder: Path, settings: Settings) -> Intake:
    """Write what a request brings into a new folder.

    Args:
        request: a form with photos, one zip, or one video; or a zip or a video as the body itself.
        folder: made here; the caller removes it where the job is not taken.
        settings: for the limits.

    Raises:
        Problem: what the request brings cannot be used.
    """
    inputs = folder / INPUTS
    inputs.mkdir(mode=0o700, parents=True)
    digest = hashlib.sha256()
    files: list[_File] = []

    def next_file() -> _File:
        files.append(_File(inputs / f"{len(files):05}", digest))
        return files[-1]

    media_type, parameters = content_type(request)
    fields: dict[str, str] = {}
    names: list[str] = []
    # Ten times what a photo may take.
    read = partial(
        read_body, request, share=None, limit=settings.job_bytes + _BESIDE, seconds=10 * settings.upload_seconds
    )
    try:
        if media_type == "multipart/form-data":
            form = Form(
                parameters.get("boundary", ""),
                file_bytes=settings.job_bytes,
                most_parts=settings.job_photos + 64,
                open_sink=next_file,
            )
            await read(form.feed)
            fields, parts = form.finish()
            names = [_name(part) for part in parts]
        elif media_type in ("application/zip", "application/x-zip-compressed") or media_type.startswith("video/"):
            await read(next_file().write)
            names = [""]
        else:
            raise Problem(
                415,
                f"A job of type {media_type or '(none)'} cannot be read. Send a form with photos, a zip or a video",
                allowed=["multipart/form-data", "application/zip", "video/*"],
                headers={"Connection": "close"},
            )
    finally:
        for file in files:
            file.close()
    if not files:
        raise Problem(400, "The form has no file. Send photos as `image`, one zip, or one video")
    kind, total = await anyio.to_thread.run_sync(_sort, [file.path for file in files], names, settings)
    return Intake(kind, total, fields, digest.hexdigest())


def _sort(files: list[Path], names: list[str], settings: Settings) -> tuple[Literal["photos", "video"], int]:
    """Tell what the files are by their first bytes, and note how the photos are called."""
    folder = files[0].parent
    heads = [_head(file) for file in files]
    if len(files) == 1 and heads[0].startswith(b"PK"):
        archive = files[0].rename(folder / ZIP)
        entries = photos_in(
            archive, most=settings.job_photos, photo_bytes=settings.photo_bytes, total_bytes=2 * settings.job_bytes
        )
        names = [_plain(PurePosixPath(entry.filename).name) for entry in entries]
    elif len(files) == 1 and _is_video(heads[0]):
        files[0].rename(folder / VIDEO)
        return "video", 0
    else:
        for file, head in zip(files, heads, strict=True):
            if head.startswith(b"PK") or _is_video(head):
                raise Problem(400, "A job is photos, or one zip, or one video, and not a mixture of them")
            if file.stat().st_size > settings.photo_bytes:
                raise Problem(413, f"A photo is larger than {settings.photo_bytes:,} bytes")
    if len(names) > settings.job_photos:
        raise Problem(413, f"A job has at most {settings.job_photos} photos. Send several jobs")
    (folder / NAMES).write_text(json.dumps(names))
    return "photos", len(names)


def _head(file: Path) -> bytes:
    with file.open("rb") as opened:
        return opened.read(16)


def _is_video(head: bytes) -> bool:
    """MP4 and MOV, Matroska and WebM, AVI. A HEIC photo has the box of an MP4, and another brand."""
    if head[4:8] == b"ftyp":
        return head[8:12] not in (b"heic", b"heix", b"mif1", b"msf1", b"avif", b"avis", b"heim", b"heis", b"hevc")
    return head.startswith(b"\x1aE\xdf\xa3") or (head[:4] == b"RIFF" and head[8:12] == b"AVI ")


def _name(part: FormFile) -> str:
    return _plain(PurePosixPath(part.filename.replace("\\", "/")).name)


def _plain(name: str) -> str:
    """A name without what a file system or a shell could take for something else; may be empty."""
    return _SPOILING.sub("_", name).strip("._")[:80]
