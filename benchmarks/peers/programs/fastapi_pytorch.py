"""MiDaS behind FastAPI with eager PyTorch, as tutorials write it.

The steps before the network are those of MiDaS' page on PyTorch Hub (`midas.transforms.small_transform`): the photo
is divided by 255 as a whole, then resized, normalised and turned. (With a photo of 1920x1080, the division and the
resize of what it gives take 26 ms of a core, about a quarter of everything with midas_tiny_256.) The depth stays at the
network's size. What is not in most tutorials is to the peer's advantage: `inference_mode`, a bare body instead of a
form, float32 bytes instead of JSON, and as many workers and threads as the machine does best with.
"""

# mypy: disable-error-code="import-not-found, untyped-decorator"

import os
from typing import Annotated

import cv2
import numpy as np
import torch
import uvicorn
from fastapi import Body, FastAPI, Response
from midas_input import decoded, network_size

from export.networks import build

MEAN = np.array([float(value) for value in os.environ["MEAN"].split()])
STD = np.array([float(value) for value in os.environ["STD"].split()])

torch.set_num_threads(int(os.environ["THREADS"]))
network = build(os.environ["VARIANT"])
network.load_state_dict(torch.load(os.environ["STATE_DICT"], weights_only=True))
app = FastAPI()


@app.post("/depth")
def depth(photo: Annotated[bytes, Body(media_type="image/jpeg")]) -> Response:
    """Answer a JPEG with depth at the network's size, float32 bytes in rows."""
    image = decoded(photo) / 255.0
    size = network_size(image.shape[1], image.shape[0])
    image = (cv2.resize(image, size, interpolation=cv2.INTER_CUBIC) - MEAN) / STD
    sample = torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1), dtype=np.float32))
    with torch.inference_mode():
        prediction = network(sample.unsqueeze(0)).squeeze(0)
    return Response(prediction.numpy().tobytes(), media_type="application/octet-stream")


if __name__ == "__main__":
    uvicorn.run(
        "fastapi_pytorch:app",
        host="127.0.0.1",
        port=int(os.environ["PORT"]),
        workers=int(os.environ["WORKERS"]),
        access_log=False,
        # A worker that is busy for longer than the default, 5 s, is not a dead one.
        timeout_worker_healthcheck=60,
    )
