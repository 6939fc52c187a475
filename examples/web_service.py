"""A small web service with asyncio: photos in, pictures of their depth out, and never more work than it can hold.

Run it against a server that was started with `make serve`, and send it a photo from a second terminal:

    python examples/web_service.py --port 8080
    curl --data-binary @photo.jpg localhost:8080/depth -o depth.jpg

POST /depth answers with a JPEG of the depth (bright is near), or with one line that says what was wrong: 400 (not a
photo), 503 (busy: try again), 504 (no answer in time), 502 (any other trouble with the depth server). It writes no
files. aiohttp comes with the client; with another framework, the body of depth() stays much the same.
"""

import argparse
import asyncio
import logging
import sys

from aiohttp import web

from midas_client import (
    AsyncDepthClient,
    DeadlineExceededError,
    InvalidRequestError,
    MidasClientError,
    PhotoError,
    ServerBusyError,
)


async def application(url: str, limit: int) -> web.Application:
    """The service. At most `limit` photos are in its memory, and on their way to the depth server, at a time."""
    client = AsyncDepthClient(url)  # one for all requests; made in here because it belongs to one event loop
    slots = asyncio.Semaphore(limit)

    async def depth(request: web.Request) -> web.Response:
        if slots.locked():  # a refusal now is better than a queue that grows
            return web.Response(status=503, text="Too many photos at once\n", headers={"Retry-After": "1"})
        async with slots:
            try:
                depth_map = await client.predict(await request.read(), format="color_jpeg", timeout=10)
            except (PhotoError, InvalidRequestError) as error:  # about this photo
                return web.Response(status=400, text=f"{error.message}\n")
            except MidasClientError as error:  # for the log only: it may name an internal address
                logging.error("%s", error)
                status = {ServerBusyError: 503, DeadlineExceededError: 504}.get(type(error), 502)
                return web.Response(status=status, text="The depth server gave no answer\n")
            return web.Response(body=depth_map.encoded, content_type="image/jpeg")

    async def close(_app: web.Application) -> None:
        await client.close()

    app = web.Application(client_max_size=32 * 2**20)  # bytes; the depth server takes no larger photo either
    app.add_routes([web.post("/depth", depth)])
    app.on_cleanup.append(close)
    return app


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="A web service: POST a photo to /depth, get a picture of its depth.")
    parser.add_argument("--url", default="localhost:8001", help="the depth server (default: %(default)s)")
    parser.add_argument("--port", type=int, default=8080, help="of this service, on 127.0.0.1 (default: %(default)s)")
    parser.add_argument("--limit", type=int, default=32, help="photos under way at a time (default: %(default)s)")
    arguments = parser.parse_args()
    try:
        # handler_cancellation: where the caller hangs up, the request to the depth server is cancelled.
        service = application(arguments.url, arguments.limit)
        web.run_app(service, host="127.0.0.1", port=arguments.port, handler_cancellation=True)
    except (MidasClientError, OSError) as problem:
        sys.exit(f"web_service: {problem}")
