"""What goes over gRPC, in tritonclient's terms: the channel, the tensors, and what its exceptions mean."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import grpc
import tritonclient.grpc as triton

from midas_client._address import Address
from midas_client._errors import MidasClientError, error_from_grpc
from midas_client._security import Security
from midas_client._transport import InferRequest
from midas_client._transports.answer import PlainOutputs, image_tensor, queue_timeout


def channel_arguments(address: Address, connect: float, security: Security) -> dict[str, Any]:
    """The arguments of either InferenceServerClient. Nothing is sent.

    Args:
        address: host, port, and whether there is TLS.
        connect: seconds for one attempt to connect.
        security: the files of TLS.
    """
    milliseconds = max(1, round(connect * 1000))
    arguments: dict[str, Any] = {
        "url": address.target,
        "channel_args": [
            # A float depth map of 16 megapixels has 64 MB; gRPC's own limit for an answer is 4 MB.
            ("grpc.max_send_message_length", -1),
            ("grpc.max_receive_message_length", -1),
            # By its name a pause, in effect the time that one attempt to connect may take (20 s by default).
            ("grpc.min_reconnect_backoff_ms", milliseconds),
            # While a channel pauses it fails every call at once; by default it pauses for up to two minutes, long
            # after the server has come back.
            ("grpc.initial_reconnect_backoff_ms", 100),
            ("grpc.max_reconnect_backoff_ms", 1000),
            # Otherwise clients of one process share a connection, with the pauses that others of them have earned.
            ("grpc.use_local_subchannel_pool", 1),
            # As over HTTP: the address is the server's, and a proxy for web pages is not asked.
            ("grpc.enable_http_proxy", 0),
        ],
    }
    if address.tls:
        arguments["creds"] = grpc.ssl_channel_credentials(
            *(None if path is None else Path(path).read_bytes() for path in (security.ca, security.key)),
            None if security.certificate is None else Path(security.certificate).read_bytes(),
        )
    return arguments


def infer_arguments(request: InferRequest, timeout: float, outputs: PlainOutputs) -> dict[str, Any]:
    """A request as the arguments of tritonclient's infer(), to wait for at most timeout seconds in a queue."""
    return {
        "model_name": request.model,
        "inputs": [image_tensor(request.image, triton.InferInput)],
        "outputs": outputs.requested(triton.InferRequestedOutput),
        "request_id": request.id,
        "parameters": dict(request.parameters),
        "timeout": queue_timeout(timeout),
    }


def with_headers(how: dict[str, Any], request: InferRequest) -> dict[str, Any]:
    """How a call is made, with the request's own headers beside the client's."""
    return {**how, "headers": {**request.all_headers(), **how["headers"]}}


def read_statistics(document: Any) -> list[dict[str, Any]]:
    """ModelStatisticsResponse as JSON: as over HTTP, but that zeros are left out and numbers are texts."""
    return list(document.get("model_stats", []))


def read_config(document: Any) -> dict[str, Any]:
    """ModelConfigResponse as JSON: as over HTTP."""
    return dict(document.get("config", {}))


def error_from(failure: triton.InferenceServerException, address: Address, request_id: str | None) -> MidasClientError:
    """The package's error for tritonclient's."""
    code = str(failure.status() or "").removeprefix("StatusCode.")
    return error_from_grpc(code, failure.message() or "", str(address), request_id)
