"""POST /predict: a photo in, its depth out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import anyio
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from midas_client import DepthMap, InvalidRequestError, Options
from midas_gateway.answers import ENDINGS, INFO_HEADER, MEDIA_TYPES, Wish, file_of, info_header, summary, wish
from midas_gateway.disconnect import unless_disconnected
from midas_gateway.openapi import PREDICTION, PREDICTION_ANSWERS
from midas_gateway.options import fields_of, read_model, read_options
from midas_gateway.problems import Problem
from midas_gateway.state import State, link, request_id, state_of
from midas_gateway.tracing import trace_headers
from midas_gateway.uploads import PHOTO_TYPES, upload

router = APIRouter()

_PHOTOS = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF")
# As much of a file as the server needs to say what it is.
_HEAD = 4096


@router.post("/predict", response_model=None, responses=PREDICTION_ANSWERS, openapi_extra=PREDICTION, tags=["depth"])
async def predict(request: Request) -> Response:
    """The depth of one photo."""
    state = state_of(request)
    settings = state.settings
    async with upload(
        request, state.memory, photo_bytes=settings.photo_bytes, seconds=settings.upload_seconds
    ) as received:
        fields = fields_of(request.query_params, received.fields)
        inline = _inline(fields.pop("include", None))
        model = read_model(fields.pop("model", None))
        options = read_options(fields)
        wanted = wish(request.headers.get("accept", ""), options.get("format"))
        options["format"] = wanted.format
        work = depth_of(state, received.photo, model, options, request_id(request), trace_headers(request))
        depth_map = await unless_disconnected(request, work)
    return await _answer(request, wanted, depth_map, inline=inline)


async def depth_of(
    state: State, photo: bytes, model: str | None, options: Options, identity: str, trace: Mapping[str, str]
) -> DepthMap:
    """What Triton makes of a photo.

    Raises:
        Problem: 415, it is no photo; 422, the model does not take the value of an option.
        MidasClientError: Triton refuses it, or is away.
    """
    asked: dict[str, Any] = {**options, **({"model": model} if model else {})}
    known = photo.startswith(_PHOTOS)
    try:
        # The server has the words for what else people send, and needs the beginning only.
        sent = photo if known else photo[:_HEAD]
        return await state.client.predict(sent, request_id=identity, headers=trace, **asked)
    except InvalidRequestError as error:
        if error.option is not None:
            # Only the server knows its model's grid, what goes with what, and what is too much for this photo.
            allowed = await state.models.allowed(model, error.option)
            if asked.get(error.option) in allowed:
                allowed = []
            raise Problem(422, error.message, allowed=allowed) from error
        if not known:
            raise Problem(415, error.message, allowed=PHOTO_TYPES) from error
        raise


async def _answer(request: Request, wanted: Wish, depth_map: DepthMap, *, inline: bool) -> Response:
    content = file_of(depth_map, wanted.format)
    media_type = MEDIA_TYPES[wanted.format]
    if wanted.direct:
        return Response(
            content, media_type=media_type, headers={INFO_HEADER: info_header(depth_map), "Cache-Control": "no-store"}
        )
    state = state_of(request)
    identity = await anyio.to_thread.run_sync(state.results.put, content, ENDINGS[media_type])
    return JSONResponse(
        summary(
            depth_map,
            url=link(request, f"/results/{identity}"),
            request_id=request_id(request),
            content=content,
            inline=inline,
        ),
        headers={"Cache-Control": "no-store"},
    )


def _inline(value: object) -> bool:
    if value not in (None, "", "base64"):
        raise Problem(422, f"include is {value!r}. It may be base64 only", allowed=["base64"])
    return value == "base64"
