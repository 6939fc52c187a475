"""gRPC for the client that waits, on tritonclient.grpc."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import tritonclient.grpc as triton

from midas_client._address import Address
from midas_client._errors import InvalidRequestError, MidasClientError
from midas_client._security import Security
from midas_client._transport import InferRequest, InferResponse
from midas_client._transports.answer import PLAIN, PlainOutputs, closed, response_from
from midas_client._transports.grpc_forks import GATE, keep_grpc
from midas_client._transports.grpc_messages import (
    channel_arguments,
    error_from,
    infer_arguments,
    read_config,
    read_statistics,
    with_headers,
)

_Answer = TypeVar("_Answer")


class GrpcTransport:
    """One channel to one server, connected when first used."""

    def __init__(self, address: Address, connect: float, security: Security) -> None:
        GATE.check()
        self._address = address
        self._security = security
        self._closed = False
        with GATE.inside():
            keep_grpc()
            self._client = triton.InferenceServerClient(**channel_arguments(address, connect, security))

    def infer(self, request: InferRequest, timeout: float, outputs: PlainOutputs = PLAIN) -> InferResponse:
        arguments = infer_arguments(request, timeout, outputs)
        result = self._ask(
            lambda **how: self._client.infer(**arguments, **with_headers(how, request)), timeout, request.id
        )
        return response_from(result, request, outputs)

    def is_ready(self, model: str | None, timeout: float) -> bool:
        if model is None:
            return bool(self._ask(self._client.is_server_ready, timeout))
        try:
            return bool(self._ask(lambda **how: self._client.is_model_ready(model, **how), timeout))
        except InvalidRequestError:
            return False

    def statistics(self, timeout: float) -> list[dict[str, Any]]:
        return read_statistics(
            self._ask(lambda **how: self._client.get_inference_statistics(as_json=True, **how), timeout)
        )

    def model_config(self, model: str, timeout: float) -> dict[str, Any]:
        return read_config(self._ask(lambda **how: self._client.get_model_config(model, as_json=True, **how), timeout))

    def server_version(self, timeout: float) -> str:
        metadata: Any = self._ask(self._client.get_server_metadata, timeout)
        return str(metadata.version)

    def register_region(self, name: str, size: int, timeout: float) -> None:
        key = f"/{name}"
        self._ask(lambda **how: self._client.register_system_shared_memory(name, key, size, **how), timeout)

    def unregister_region(self, name: str, timeout: float) -> None:
        self._ask(lambda **how: self._client.unregister_system_shared_memory(name, **how), timeout)

    def region_names(self, timeout: float) -> list[str]:
        status: Any = self._ask(self._client.get_system_shared_memory_status, timeout)
        return list(status.regions)

    def close(self) -> None:
        self._closed = True
        with GATE.inside():
            self._client.close()

    def _is_closed(self) -> bool:
        return self._closed

    def _ask(self, call: Callable[..., _Answer], timeout: float, request_id: str | None = None) -> _Answer:
        if self._is_closed():
            raise closed()
        headers = self._security.headers()
        error: MidasClientError
        try:
            with GATE.inside():
                return call(client_timeout=timeout, headers=headers)
        except triton.InferenceServerException as failure:
            error = error_from(failure, self._address, request_id)
        except ValueError:
            # gRPC's way to say that another thread has closed the channel.
            if not self._is_closed():
                raise
            error = closed()
        # Outside of the handler: the caller sees this error alone, not the library's beneath it.
        raise error
