"""The application: its routes and its layers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware

from midas_client import AsyncDepthClient
from midas_gateway import __version__, health, metrics, models, prediction, problems, results
from midas_gateway.access import Access
from midas_gateway.admission import Admission
from midas_gateway.answers import INFO_HEADER
from midas_gateway.catalogue import Models
from midas_gateway.draining import drain_first
from midas_gateway.health import Watch
from midas_gateway.jobs import routes
from midas_gateway.jobs.routes import Jobs
from midas_gateway.jobs.runner import JobRunner
from midas_gateway.jobs.store import JobStore
from midas_gateway.openapi import described
from midas_gateway.pages import SecurityHeaders, add_pages
from midas_gateway.rates import Rates, read_rate
from midas_gateway.result_store import ResultStore
from midas_gateway.settings import Settings
from midas_gateway.state import State
from midas_gateway.tracing import traced
from midas_gateway.uploads import UploadMemory


def create_app(settings: Settings) -> FastAPI:
    """The gateway of these settings."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        drain_first(settings.drain_seconds)
        async with AsyncDepthClient(
            settings.triton, timeout=settings.request_seconds, shared_memory=settings.shared_memory
        ) as client:
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
    for part in (prediction, results, models, routes, health, metrics):
        app.include_router(part.router)
    add_pages(app)
    rate = read_rate(settings.rate)
    rates = None if rate is None else Rates(settings.folder / "rates.sqlite", rate)
    app.add_middleware(Admission, keys=settings.keys, rates=rates)
    if settings.origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.origins,
            allow_methods=["GET", "POST", "PUT", "DELETE"],
            allow_headers=["*"],
            expose_headers=[INFO_HEADER, "Location", "RateLimit", "Retry-After", "X-Request-ID"],
        )
    app.add_middleware(SecurityHeaders, shared=bool(settings.origins))
    app.add_middleware(Access)
    if settings.otlp:
        app.add_middleware(traced, settings.otlp)
    return app


def from_environment() -> FastAPI:
    """The app of a worker."""
    return create_app(Settings.from_environment())
