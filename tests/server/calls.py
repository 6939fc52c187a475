"""Requests to a running server, by Triton's own client and by bare HTTP."""

import json
from typing import Any

import numpy as np
import requests
import tritonclient.http as triton_http

from midas_server.launch import Triton
from tests.networks import VARIANT


def infer(triton: Triton, photo: bytes, model: str = VARIANT, **options: object) -> tuple[Any, bytes, dict[str, Any]]:
    """DEPTH, ENCODED and INFO by Triton's own client."""
    tensor = triton_http.InferInput("IMAGE", [1, 1], "BYTES")
    tensor.set_data_from_numpy(np.array([[photo]], dtype=np.object_))
    with triton_http.InferenceServerClient(triton.http_url, network_timeout=60) as client:
        result = client.infer(model, [tensor], parameters=options or None)
    return result.as_numpy("DEPTH"), result.as_numpy("ENCODED")[0, 0], json.loads(result.as_numpy("INFO")[0, 0])


def post(triton: Triton, body: bytes, model: str = VARIANT) -> requests.Response:
    """A bare photo as the whole body of a request."""
    url = f"http://{triton.http_url}/v2/models/{model}/infer"
    return requests.post(url, body, headers={"Inference-Header-Content-Length": "0"}, timeout=120)


def post_json(triton: Triton, request: dict[str, Any], model: str = VARIANT) -> requests.Response:
    """A request as JSON alone."""
    return requests.post(f"http://{triton.http_url}/v2/models/{model}/infer", json=request, timeout=120)
