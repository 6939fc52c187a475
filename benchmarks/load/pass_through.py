"""The least that stands between a caller and Triton's HTTP port: what any gateway costs on this machine.

`python -m benchmarks.load.pass_through relay|route PORT` prints a free port of loopback and serves there until SIGTERM.
`relay` copies bytes between two connections. `route` is the smallest route of Starlette, on uvicorn as the gateway is:
it sends the body on as it comes, and the answer back as it comes.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sys
from collections.abc import AsyncIterator

import aiohttp
import uvicorn
import uvloop
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import StreamingResponse
from starlette.routing import Route

_CHUNK = 1 << 18


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(_CHUNK):
            writer.write(data)
            await writer.drain()
    finally:
        writer.close()


async def _relay(listener: socket.socket, triton: int) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", triton, limit=_CHUNK)
        with contextlib.suppress(ConnectionError):
            await asyncio.gather(_copy(reader, back), _copy(there, writer))

    server = await asyncio.start_server(serve, sock=listener, limit=_CHUNK)
    await server.serve_forever()


def _route(triton: int) -> Starlette:
    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        # With Accept-Encoding, which aiohttp sends by itself, Triton would compress the answer.
        async with aiohttp.ClientSession(
            f"http://127.0.0.1:{triton}", skip_auto_headers=["Accept-Encoding"]
        ) as session:
            app.state.session = session
            yield

    async def serve(request: Request) -> StreamingResponse:
        names = ("content-type", "content-length", "inference-header-content-length")
        headers = {name: request.headers[name] for name in names if name in request.headers}
        session: aiohttp.ClientSession = request.app.state.session
        answer = await session.post(request.url.path, data=request.stream(), headers=headers)
        return StreamingResponse(answer.content.iter_any(), answer.status, {"Content-Type": answer.content_type})

    return Starlette(routes=[Route("/{path:path}", serve, methods=["POST"])], lifespan=lifespan)


def main() -> None:
    """Serve until SIGTERM."""
    kind, triton = sys.argv[1], int(sys.argv[2])
    listener = socket.create_server(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)
    if kind == "relay":
        uvloop.run(_relay(listener, triton))
    else:
        config = uvicorn.Config(_route(triton), access_log=False, log_level="warning")
        uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main()
