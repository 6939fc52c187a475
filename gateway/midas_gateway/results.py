"""GET /results/{id}: the file behind a link."""

from __future__ import annotations

import anyio
from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, Response

from midas_gateway.answers import ENDINGS
from midas_gateway.openapi import FILE
from midas_gateway.problems import Problem
from midas_gateway.state import state_of

router = APIRouter()

_TYPES = {ending: media_type for media_type, ending in ENDINGS.items()}


@router.get("/results/{identity}", response_model=None, responses=FILE, response_class=FileResponse, tags=["depth"])
async def result(identity: str, request: Request) -> Response:
    """The depth map that an answer of POST /predict has linked."""
    store = state_of(request).results
    path = await anyio.to_thread.run_sync(store.find, identity)
    if path is None:
        raise Problem(
            404, f"There is no result of this id, or it is older than {store.seconds:g} s. Send the photo again"
        )
    # A result never changes, so its id is all that tells it from another.
    etag = f'"{identity}"'
    headers = {"ETag": etag, "Cache-Control": f"private, max-age={int(store.seconds)}, immutable"}
    if etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return FileResponse(
        path,
        media_type=_TYPES[path.suffix[1:]],
        headers=headers,
        filename=f"depth{path.suffix}",
        content_disposition_type="inline",
    )
