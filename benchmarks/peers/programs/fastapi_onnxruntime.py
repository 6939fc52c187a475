"""MiDaS behind FastAPI with ONNX Runtime.

`AT_ONCE` bounds the photos that a worker works on at a time; 0 leaves FastAPI's own bound, 40.
"""

# mypy: disable-error-code="import-not-found, untyped-decorator"

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

import anyio.to_thread
import uvicorn
from fastapi import Body, FastAPI, Response
from midas_input import network_pixels
from onnx_network import OnnxNetwork

AT_ONCE = int(os.environ["AT_ONCE"])

network = OnnxNetwork()


@asynccontextmanager
async def bounded(_: FastAPI) -> AsyncIterator[None]:
    """Let no more threads run than keep the cores busy."""
    if AT_ONCE:
        anyio.to_thread.current_default_thread_limiter().total_tokens = AT_ONCE
    yield


app = FastAPI(lifespan=bounded)


@app.post("/depth")
def depth(photo: Annotated[bytes, Body(media_type="image/jpeg")]) -> Response:
    """Answer a JPEG with depth at the network's size, float32 bytes in rows."""
    prediction = network(network_pixels(photo)[None])
    return Response(prediction[0].tobytes(), media_type="application/octet-stream")


if __name__ == "__main__":
    uvicorn.run(
        "fastapi_onnxruntime:app",
        host="127.0.0.1",
        port=int(os.environ["PORT"]),
        workers=int(os.environ["WORKERS"]),
        access_log=False,
        # A worker that is busy for longer than the default, 5 s, is not a dead one.
        timeout_worker_healthcheck=60,
    )
