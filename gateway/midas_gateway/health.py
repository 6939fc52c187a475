"""GET /healthz and /readyz: whether the gateway runs, and whether a photo would be answered."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import aiohttp
import anyio
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from midas_client import AsyncDepthClient, MidasClientError
from midas_gateway.documents import Alive, Ready
from midas_gateway.draining import is_draining
from midas_gateway.openapi import success

router = APIRouter()

# Probes of many balancers, and of strangers, are one question to Triton.
_SECONDS = 0.5
_TIMEOUT = 3.0


@dataclass(frozen=True)
class Readiness:
    """Whether photos would be answered.

    Attributes:
        ready: yes or no.
        detail: why not.
        steps: the steps that are dead or hang.
    """

    ready: bool
    detail: str = ""
    steps: tuple[str, ...] = ()


class Watch:
    """Asks how Triton and its steps are, at most twice a second.

    Args:
        client: the way to Triton, by which each step is asked where there is no launcher to ask.
        launcher: the address of the launcher's health, or empty.
    """

    def __init__(self, client: AsyncDepthClient, launcher: str) -> None:
        self._client = client
        self._launcher = launcher
        self._asking = asyncio.Lock()
        self._known = Readiness(ready=False)
        self._until = 0.0

    async def readiness(self) -> Readiness:
        """What is known, or asked now where that is old."""
        async with self._asking:
            if anyio.current_time() >= self._until:
                self._known = await (self._ask_launcher() if self._launcher else self._ask_steps())
                self._until = anyio.current_time() + _SECONDS
        return self._known

    async def _ask_launcher(self) -> Readiness:
        try:
            timeout = aiohttp.ClientTimeout(total=_TIMEOUT)
            async with (
                aiohttp.ClientSession(timeout=timeout) as session,
                session.get(f"{self._launcher.rstrip('/')}/readyz") as response,
            ):
                told: dict[str, Any] = await response.json(content_type=None)
                steps = {name: str(step["state"]) for name, step in told["steps"].items()}
                dead = {name: state for name, state in steps.items() if state != "answers"}
                words = [f"the server is {told['server']}"] if told["server"] != "ready" else []
                words += [f"{name} {state}" for name, state in dead.items()]
                return Readiness(told["ready"] is True, "; ".join(words), tuple(dead))
        except (aiohttp.ClientError, OSError, asyncio.TimeoutError, ValueError, KeyError, TypeError) as error:
            return Readiness(ready=False, detail=f"the launcher does not answer: {error or type(error).__name__}")

    async def _ask_steps(self) -> Readiness:
        try:
            health = await self._client.health(timeout=_TIMEOUT, steps=True)
        except MidasClientError as error:
            return Readiness(ready=False, detail=error.message)
        return Readiness(health.ready, health.detail, health.dead_steps)


@router.get("/healthz", response_model=None, responses={200: success(Alive, "It does.")}, tags=["operation"])
async def healthz() -> dict[str, bool]:
    """The gateway runs."""
    return {"alive": True}


@router.get(
    "/readyz",
    response_model=None,
    responses={200: success(Ready, "It would."), 503: success(Ready, "It would not.")},
    tags=["operation"],
)
async def readyz(request: Request) -> JSONResponse:
    """Whether a photo would be answered now: 200, or 503 with why not."""
    watch: Watch = request.app.state.gateway.watch
    known = Readiness(ready=False, detail="the gateway is stopping") if is_draining() else await watch.readiness()
    return JSONResponse(
        {"ready": known.ready, "detail": known.detail, "dead_steps": list(known.steps)},
        200 if known.ready else 503,
        headers={"Cache-Control": "no-store"},
    )
