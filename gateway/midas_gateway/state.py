"""What all requests of a worker share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from fastapi import Request

from midas_client import AsyncDepthClient
from midas_gateway.catalogue import Models
from midas_gateway.health import Watch
from midas_gateway.result_store import ResultStore
from midas_gateway.settings import Settings
from midas_gateway.uploads import UploadMemory


@dataclass
class State:
    """One for each worker.

    Attributes:
        settings: the operator's.
        client: the way to Triton.
        memory: of all uploads.
        results: what links will fetch.
        models: what Triton has.
        watch: how Triton is.
    """

    settings: Settings
    client: AsyncDepthClient
    memory: UploadMemory
    results: ResultStore
    models: Models
    watch: Watch


def state_of(request: Request) -> State:
    """The state of the worker that has the request."""
    return cast("State", request.app.state.gateway)


def request_id(request: Request) -> str:
    """The id under which the request is in all logs."""
    return str(request.scope["state"]["request_id"])


def link(request: Request, path: str) -> str:
    """An absolute link to one of the gateway's own paths, as the caller can use it."""
    base = state_of(request).settings.public_url or str(request.base_url)
    return base.rstrip("/") + path
