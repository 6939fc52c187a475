"""gRPC, on tritonclient.grpc."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
import tritonclient.grpc as triton

from midas_client._address import Address
from midas_client._errors import ClientClosedError, InvalidRequestError, MidasClientError, error_from_grpc
from midas_client._transport import INPUT, OUTPUTS, InferRequest, InferResponse, queue_timeout, response_from

_Answer = TypeVar("_Answer")


def _channel_options(connect: float) -> list[tuple[str, int]]:
    milliseconds = max(1, round(connect * 1000))
    return [
        # A float depth map of 16 megapixels has 64 MB; gRPC's own limit for an answer is 4 MB.
        ("grpc.max_send_message_length", -1),
        ("grpc.max_receive_message_length", -1),
        # By its name a pause, in effect the time that one attempt to connect may take (20 s by default).
        ("grpc.min_reconnect_backoff_ms", milliseconds),
        # While a channel pauses it fails every call at once; by default it pauses for up to two minutes, long after
        # the server has come back.
        ("grpc.initial_reconnect_backoff_ms", 100),
        ("grpc.max_reconnect_backoff_ms", 1000),
        # Otherwise clients of one process share a connection, with the pauses that others of them have earned.
        ("grpc.use_local_subchannel_pool", 1),
        # As over HTTP: the address is the server's, and a proxy for web pages is not asked.
        ("grpc.enable_http_proxy", 0),
    ]


class GrpcTransport:
    """One channel to one server, connected when first used."""

    def __init__(self, address: Address, connect: float) -> None:
        self._address = address
        self._closed = False
        self._client = triton.InferenceServerClient(
            address.target, ssl=address.tls, channel_args=_channel_options(connect)
        )

    def infer(self, request: InferRequest, timeout: float) -> InferResponse:
        image = triton.InferInput(INPUT, [1, 1], "BYTES")
        image.set_data_from_numpy(np.array([[request.image]], dtype=np.object_))
        result = self._ask(
            lambda: self._client.infer(
                request.model,
                [image],
                outputs=[triton.InferRequestedOutput(name) for name in OUTPUTS],
                request_id=request.id,
                parameters=dict(request.parameters),
                timeout=queue_timeout(timeout),
                client_timeout=timeout,
            ),
            request.id,
        )
        return response_from(result.as_numpy, request)

    def is_ready(self, model: str | None, timeout: float) -> bool:
        if model is None:
            return bool(self._ask(lambda: self._client.is_server_ready(client_timeout=timeout)))
        try:
            return bool(self._ask(lambda: self._client.is_model_ready(model, client_timeout=timeout)))
        except InvalidRequestError:
            return False

    def model_names(self, timeout: float) -> list[str]:
        statistics: Any = self._ask(lambda: self._client.get_inference_statistics(client_timeout=timeout))
        return [str(entry.name) for entry in statistics.model_stats]

    def close(self) -> None:
        self._closed = True
        self._client.close()

    def _is_closed(self) -> bool:
        return self._closed

    def _ask(self, call: Callable[[], _Answer], request_id: str | None = None) -> _Answer:
        if self._is_closed():
            raise _closed()
        error: MidasClientError
        try:
            return call()
        except triton.InferenceServerException as failure:
            code = str(failure.status() or "").removeprefix("StatusCode.")
            error = error_from_grpc(code, failure.message() or "", str(self._address), request_id)
        except ValueError:
            # gRPC's way to say that another thread has closed the channel.
            if not self._is_closed():
                raise
            error = _closed()
        # Outside of the handler: the caller sees this error alone, not the library's beneath it.
        raise error


def _closed() -> ClientClosedError:
    return ClientClosedError("The client is closed", hint="Make another DepthClient")
