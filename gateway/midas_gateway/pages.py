"""The web page, and the headers that keep it to itself."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from fastapi import FastAPI
from starlette.datastructures import MutableHeaders
from starlette.responses import FileResponse
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

STATIC = Path(str(files("midas_gateway") / "static"))

HEADERS = {
    # Blobs and data are what the page makes itself, of the visitor's own photo.
    "Content-Security-Policy": "default-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; "
    "worker-src 'self' blob:; connect-src 'self' blob:; object-src 'none'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "accelerometer=(self), camera=(self), clipboard-read=(self), gyroscope=(self), "
    "geolocation=(), microphone=(), payment=()",
}


class SecurityHeaders:
    """The headers on every answer.

    Args:
        app: what answers.
        shared: whether pages of other origins may show what is answered.
    """

    def __init__(self, app: ASGIApp, *, shared: bool) -> None:
        self._app = app
        self._headers = {**HEADERS, "Cross-Origin-Resource-Policy": "cross-origin" if shared else "same-origin"}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_on(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, send_on)


def add_pages(app: FastAPI) -> None:
    """Serve the API's documentation, and the page's files for every path that is no route's.

    (A mount of the page would take a route's other methods, too.)
    """
    folder = Path(str(files("midas_gateway") / "swagger"))
    app.add_route("/docs", lambda request: FileResponse(folder / "index.html"), include_in_schema=False)
    app.mount("/docs", StaticFiles(directory=folder), name="docs")
    app.router.default = StaticFiles(directory=STATIC, html=True, check_dir=False)
