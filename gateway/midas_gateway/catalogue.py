"""What the server has, and what each model can do."""

from __future__ import annotations

import asyncio
import io
from typing import Any

import anyio
from PIL import Image

from midas_client import AsyncDepthClient, MidasClientError, ModelDescription

_SECONDS = 30.0


def _probe() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (64, 64), (90, 90, 90)).save(file, "JPEG")
    return file.getvalue()


class Models:
    """What a server has, asked again after a while; which weights they have, only an answer tells."""

    def __init__(self, client: AsyncDepthClient) -> None:
        self._client = client
        self._asking = asyncio.Lock()
        self._known: list[dict[str, Any]] = []
        self._until = 0.0

    async def all(self) -> list[dict[str, Any]]:
        """The models, sorted by name. Raises MidasClientError."""
        async with self._asking:
            if anyio.current_time() > self._until:
                models = await self._client.models()
                self._known = [_described(model, await self._info(model)) for model in models]
                self._until = anyio.current_time() + _SECONDS
        return self._known

    async def _info(self, model: str) -> dict[str, Any]:
        try:
            answer = await self._client.predict(_probe(), model=model, output_size="network", format="png8")
        except MidasClientError:
            return {}
        return dict(answer.info)


def _described(model: ModelDescription, info: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": str(model),
        "variant": info.get("variant") or model.variant or str(model),
        "weights": info.get("weights"),
        "licence": info.get("licence"),
        "kind": info.get("kind") or model.kind,
        "unit": info.get("unit") or model.unit,
        "resolution": model.resolution,
        "grid": model.multiple,
        "aspects": list(model.aspects),
        "max_pixels": model.max_area,
        "format": model.backend,
    }
