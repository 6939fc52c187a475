"""MiDaS behind BentoML, with ONNX Runtime.

With `BATCH` 1 a worker decodes and runs the network for one photo after another. With more, the network is a service
of its own with adaptive batching, which the decoding workers call, as BentoML's documentation has it.
"""

# mypy: disable-error-code="import-not-found, no-any-return, untyped-decorator"

import asyncio
import os
from typing import Annotated, Any

import bentoml
import numpy as np
from bentoml.validators import ContentType
from midas_input import network_pixels
from numpy.typing import NDArray
from onnx_network import OnnxNetwork

BATCH = int(os.environ["BATCH"])
AT_ONCE = int(os.environ["AT_ONCE"]) or 1
SETTINGS: dict[str, Any] = {
    "traffic": {"timeout": 60},
    "logging": {"access": {"enabled": False}},
    "metrics": {"enabled": False},
}
# BentoML closes a service's connections to another one after 100 requests, or 300 seconds, also those that wait for an
# answer: their callers get status 500.
KEEPS_CONNECTIONS: dict[str, Any] = {"max_requests": 10**9, "max_age": 1e9}

Photo = Annotated[bytes, ContentType("image/jpeg")]
Bytes = Annotated[bytes, ContentType("application/octet-stream")]


@bentoml.service(**SETTINGS, workers=1, threads=1, runner_connection=KEEPS_CONNECTIONS)
class Network:
    """The network, for several photos at a time."""

    def __init__(self) -> None:
        self.network = OnnxNetwork()

    @bentoml.api(batchable=True, max_batch_size=max(BATCH, 2), max_latency_ms=60_000)
    def depth(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the depth of `[B, h, w, 3]`."""
        return self.network(pixels)


@bentoml.service(**SETTINGS, workers=int(os.environ["WORKERS"]), threads=AT_ONCE)
class Whole:
    """Decodes and runs the network in one process."""

    def __init__(self) -> None:
        self.network = OnnxNetwork()

    @bentoml.api(route="/depth")
    def depth(self, photo: Photo, /) -> Bytes:
        """Answer a JPEG with depth at the network's size, float32 bytes in rows."""
        return self.network(network_pixels(photo)[None])[0].tobytes()


@bentoml.service(**SETTINGS, workers=int(os.environ["WORKERS"]))
class Batching:
    """Decodes, and leaves the network to the service for it."""

    network = bentoml.depends(Network)

    @bentoml.api(route="/depth")
    async def depth(self, photo: Photo, /) -> Bytes:
        """Answer a JPEG with depth at the network's size, float32 bytes in rows."""
        pixels = await asyncio.to_thread(network_pixels, photo)
        depth: NDArray[np.float32] = await self.network.to_async.depth(pixels[None])
        return depth[0].tobytes()
