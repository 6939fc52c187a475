"""Shared memory for the client that waits, around either of its transports."""

from __future__ import annotations

import time
import weakref
from collections.abc import Mapping, Sequence
from typing import Any, Protocol, TypeVar, cast

from midas_client._pause import Pause
from midas_client._transport import InferRequest, InferResponse, Transport
from midas_client._transports.shared_memory import Flow, RegionTransport, SharedMemory

_Answer = TypeVar("_Answer")


class _Beneath(RegionTransport, Transport, Protocol):
    """A transport that can tell a server of regions."""


class SharedMemoryTransport:
    """Another transport, with float maps through shared memory where the server is on this machine."""

    def __init__(self, beneath: _Beneath) -> None:
        self._beneath = beneath
        self._memory = SharedMemory()
        # When nobody closes it: at the latest when Python ends.
        weakref.finalize(self, self._memory.unlink)

    def infer(self, request: InferRequest, timeout: float) -> InferResponse:
        return self._drive(self._memory.response(request, timeout))

    def is_ready(self, model: str | None, timeout: float) -> bool:
        return self._beneath.is_ready(model, timeout)

    def statistics(self, timeout: float) -> Sequence[Mapping[str, Any]]:
        return self._beneath.statistics(timeout)

    def model_config(self, model: str, timeout: float) -> Any:
        return cast("Any", self._beneath).model_config(model, timeout)

    def server_version(self, timeout: float) -> str:
        return self._beneath.server_version(timeout)

    def close(self) -> None:
        try:
            self._drive(self._memory.close())
        finally:
            self._beneath.close()

    def _drive(self, flow: Flow[_Answer]) -> _Answer:
        try:
            call = next(flow)
            while True:
                if isinstance(call, Pause):
                    time.sleep(call.seconds)
                    call = flow.send(None)
                    continue
                try:
                    result = call(self._beneath)
                except BaseException as error:  # noqa: BLE001  (the flow decides, and raises it where it is final)
                    call = flow.throw(error)
                else:
                    call = flow.send(result)
        except StopIteration as end:
            answer: _Answer = end.value
            return answer
