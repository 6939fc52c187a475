"""GET /models: what there is, and what each can do."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request

from midas_gateway.documents import ModelList
from midas_gateway.openapi import failures, success
from midas_gateway.state import state_of

router = APIRouter()


@router.get(
    "/models",
    response_model=None,
    responses={200: success(ModelList, "What is loaded."), **failures(401, 403, 502, 503, 504)},
    tags=["depth"],
)
async def models(request: Request) -> dict[str, Any]:
    """The models that are loaded."""
    found = await state_of(request).models.all()
    return {"success": True, "models": found}
