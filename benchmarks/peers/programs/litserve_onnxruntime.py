"""MiDaS behind LitServe, with ONNX Runtime.

`BATCH` above 1 turns LitServe's batching on. The photo comes as a bare body, which spares LitServe the form that its
documentation sends files in. `FAST_QUEUE` is its ZeroMQ transport between the HTTP server and the workers.
"""

# mypy: disable-error-code="import-not-found, misc, no-any-return"

import os
from typing import Annotated, Any

import litserve
import numpy as np
from fastapi import Body, Response
from midas_input import network_pixels
from numpy.typing import NDArray
from onnx_network import OnnxNetwork

BATCH = int(os.environ["BATCH"])
BATCH_TIMEOUT_S = 0.01
TIMEOUT_S = 60

Pixels = NDArray[np.uint8]
Depth = NDArray[np.float32]


class MidasApi(litserve.LitAPI):
    """One worker: decodes and runs the network, in turn."""

    def setup(self, device: str) -> None:
        """Open the network in the worker's process; `device` is always the processor."""
        del device
        self.network = OnnxNetwork()

    def decode_request(self, request: Annotated[bytes, Body(media_type="image/jpeg")]) -> Pixels:
        """Return the photo at the network's size."""
        return network_pixels(request)

    def batch(self, inputs: list[Pixels]) -> Pixels:
        """Return the photos as one array; they have one size, as all photos of a run do."""
        return np.stack(inputs)

    def predict(self, x: Pixels) -> Any:
        """Return depth, of one photo or of a batch."""
        return self.network(x) if BATCH > 1 else self.network(x[None])[0]

    def unbatch(self, output: Depth) -> list[Depth]:
        """Return each photo's depth."""
        return list(output)

    def encode_response(self, output: Depth) -> Response:
        """Return float32 bytes in rows."""
        return Response(output.tobytes(), media_type="application/octet-stream")


if __name__ == "__main__":
    api = MidasApi(max_batch_size=BATCH, batch_timeout=BATCH_TIMEOUT_S if BATCH > 1 else 0.0, api_path="/depth")
    server = litserve.LitServer(
        api,
        accelerator="cpu",
        workers_per_device=int(os.environ["WORKERS"]),
        timeout=TIMEOUT_S,
        fast_queue=os.environ["FAST_QUEUE"] == "1",
    )
    server.run(
        host="127.0.0.1",
        port=int(os.environ["PORT"]),
        num_api_servers=1,
        generate_client_file=False,
        access_log=False,
        log_level="warning",
    )
