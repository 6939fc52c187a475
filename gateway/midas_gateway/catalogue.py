"""What the server has, and what each model can do."""

from __future__ import annotations

import asyncio
from typing import Any

import anyio

from midas_client import AsyncDepthClient, MidasClientError, ModelDescription, probe_photo
from midas_gateway.options import PROPERTIES

_SECONDS = 30.0


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
                self._known = [_described(model, await self._info(str(model))) for model in models]
                self._until = anyio.current_time() + _SECONDS
        return self._known

    async def allowed(self, model: str | None, option: str) -> list[Any]:
        """The values of an option that a model takes, where it takes fewer than the schema has; else nothing.

        Args:
            model: its name, or another that Triton has for it, such as `small`; None for Triton's own choice.
            option: its name.
        """
        key = {"resolution": "resolutions", "aspect": "aspects"}.get(option)
        if key is None:
            return []
        try:
            models = await self.all()
        except MidasClientError:
            return []  # the refusal itself is what the caller must hear
        found = [each for each in models if each["name"] == model]
        if not found:
            variant = (await self._info(model)).get("variant")
            found = [each for each in models if each["variant"] == variant]
        return list(found[0][key]) if found else []

    async def _info(self, model: str | None) -> dict[str, Any]:
        named: dict[str, Any] = {"model": model} if model else {}
        try:
            answer = await self._client.predict(probe_photo(), output_size="network", format="png8", **named)
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
        "resolutions": _resolutions(model),
        "grid": model.multiple,
        "aspects": list(model.aspects),
        "max_pixels": model.max_area,
        "format": model.backend,
    }


def _resolutions(model: ModelDescription) -> list[int]:
    """What `resolution` may be: the grid within the schema's bounds, or the one square that a network takes."""
    if model.resolution is None or model.multiple is None:
        return []
    if model.aspects == ("square",) and model.max_area == model.resolution**2:
        return [model.resolution]
    rule = PROPERTIES["resolution"]
    first = -(-rule["minimum"] // model.multiple) * model.multiple
    return list(range(first, rule["maximum"] + 1, model.multiple))
