"""The application: its routes and its layers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from fastapi import FastAPI

from midas_client import AsyncDepthClient
from midas_gateway import __version__, fetching, health, metrics, models, prediction, problems
from midas_gateway.access import Access
from midas_gateway.admission import Admission
from midas_gateway.catalogue import Models
from midas_gateway.documents import described
from midas_gateway.draining import drain_first
from midas_gateway.health import Watch
from midas_gateway.jobs import routes
from midas_gateway.jobs.routes import Jobs
from midas_gateway.jobs.runner import JobRunner
from midas_gateway.jobs.store import JobStore
from midas_gateway.pages import SecurityHeaders, add_pages
from midas_gateway.results import ResultStore
from midas_gateway.settings import Settings
from midas_gateway.state import State
from midas_gateway.tracing import traced
from midas_gateway.uploads import UploadMemory


def create_app(settings: Settings) -> FastAPI:
    """The gateway of these settings."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        drain_first(settings.drain_seconds)
        async with AsyncDepthClient(settings.triton, timeout=settings.request_seconds) as client:
            app.state.gateway = State(
                settings,
                client,
                UploadMemory(settings.upload_memory),
                ResultStore(settings.folder / "results", limit=settings.result_bytes, seconds=settings.result_seconds),
                Models(client),
                Watch(client, settings.triton_health),
            )
            store = JobStore(settings.folder / "jobs.sqlite")
            runner = JobRunner(settings, store, client)
            app.state.jobs = Jobs(store, runner)
            running = asyncio.create_task(runner.run())
            yield
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            runner.close()
            store.close()

    # Its own documentation pages would load their scripts from elsewhere.
    app = FastAPI(
        title="Depth from a photo",
        description="Depth maps from photos, by Triton. Every failure is application/problem+json.",
        version=__version__,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
    )
    app.openapi = partial(described, app)  # type: ignore[method-assign]
    problems.add_handlers(app)
    for part in (prediction, fetching, models, routes, health, metrics):
        app.include_router(part.router)
    add_pages(app)
    app.add_middleware(Admission, keys=settings.keys, rate=settings.rate)
    app.add_middleware(SecurityHeaders)
    app.add_middleware(Access)
    if settings.otlp:
        app.add_middleware(traced, settings.otlp)
    return app


def from_environment() -> FastAPI:
    """The app of a worker."""
    return create_app(Settings.from_environment())
