"""What the click tool's page asks for: its own files, the upright photo, and the marks to read and to write."""

from __future__ import annotations

import hashlib
import io
import json
import os
import tempfile
from importlib import resources
from pathlib import Path

from PIL import Image
from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from midas_client import upright_rgb
from room_report.errors import BadReferenceError
from room_report.marks import Marks, beside, read_marks

FILES = {
    "": ("mark/mark.html", "text/html"),
    "mark.css": ("mark/mark.css", "text/css"),
    "mark.js": ("mark/mark.js", "text/javascript"),
    "texts.json": ("mark/texts.json", "application/json"),
    "font.woff2": ("instrument-sans-latin-wght-normal.woff2", "font/woff2"),
}
"""All files that the page can ask for. No path is ever made from what it asks."""
LARGEST = 1_000_000
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


class _ThisMachineOnly:
    """Refuse requests that name another host: another site's page could lead its name here and read the photo."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] += [(name.lower().encode(), value.encode()) for name, value in _HEADERS.items()]
            await send(message)

        host = Request(scope).headers.get("host", "").rpartition(":")
        app = self.app
        if (host[0] or host[2]) not in {"127.0.0.1", "localhost"}:
            app = _refusal(403, "This page is for this machine alone. Open it at http://127.0.0.1 with its port.")
        await app(scope, receive, with_headers)


def mark_app(photo: Path) -> ASGIApp:
    """The application that marks one photo.

    Raises:
        PhotoError: the file is no photo.
        OSError: it cannot be read.
    """
    pixels = upright_rgb(photo)
    size = (pixels.shape[1], pixels.shape[0])
    shown = io.BytesIO()
    Image.fromarray(pixels).save(shown, "JPEG", quality=93)
    file = beside(photo)

    async def page_file(request: Request) -> Response:
        name = request.path_params["name"]
        if name not in FILES:
            raise HTTPException(404, "There is no such file here.")
        path, kind = FILES[name]
        return Response(resources.files("room_report").joinpath(path).read_bytes(), media_type=kind)

    async def picture(_: Request) -> Response:
        return Response(shown.getvalue(), media_type="image/jpeg")

    async def read(_: Request) -> Response:
        version = _version(file)
        marks, problem = Marks(), ""
        if version:
            try:
                marks = read_marks(file)
                marks.check_size(size)
            except (BadReferenceError, OSError) as error:
                marks, problem = Marks(), str(error)
        told = {"photo": photo.name, "size": size, "file": file.name, "version": version, "problem": problem}
        return JSONResponse({**told, "marks": marks.model_dump(mode="json")})

    async def write(request: Request) -> Response:
        body = b""
        async for part in request.stream():
            body += part
            if len(body) > LARGEST:
                raise HTTPException(413, f"The marks have more than {LARGEST} bytes.")
        try:
            marks = Marks.model_validate_json(body)
            marks.check_size(size)
            marks.references()
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"])) or "the marks"
            raise HTTPException(422, f"{where}: {first['msg']}") from None
        except BadReferenceError as error:
            raise HTTPException(422, str(error)) from None
        if request.headers.get("if-match", "") != _version(file):
            raise HTTPException(412, f"{file.name} was changed by something else since this page read it.")
        marks = marks.model_copy(update={"photo": photo.name, "size": size})
        try:
            _replace(file, json.dumps(marks.model_dump(mode="json", exclude_defaults=True), indent=1) + "\n")
        except OSError as error:
            raise HTTPException(500, f"{file} cannot be written: {error.strerror}.") from None
        return JSONResponse({"version": _version(file)})

    routes = [
        Route("/photo", picture),
        Route("/marks", read),
        Route("/marks", write, methods=["PUT"]),
        Route("/{name:path}", page_file),
    ]
    return _ThisMachineOnly(Starlette(routes=routes, exception_handlers={HTTPException: _in_words}))


def _version(file: Path) -> str:
    """A name for what the file holds now; empty if there is none."""
    try:
        return hashlib.sha256(file.read_bytes()).hexdigest()[:16]
    except FileNotFoundError:
        return ""


def _replace(file: Path, text: str) -> None:
    """Write all of it or nothing."""
    number, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    try:
        with os.fdopen(number, "w", encoding="utf-8") as out:
            out.write(text)
        Path(name).chmod(0o644)
        Path(name).replace(file)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise


def _refusal(status: int, text: str) -> Response:
    return JSONResponse({"error": text}, status_code=status)


async def _in_words(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return _refusal(error.status_code, error.detail)
