"""The JSON documents of the API, and how OpenAPI describes its routes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel, ConfigDict, Field

from midas_gateway import problems
from midas_gateway.answers import INFO_HEADER
from midas_gateway.options import PROPERTIES

_ID = "6f1d2c0b9a8e4d5f8a7b6c5d4e3f2a1b"


class ProblemDocument(BaseModel):
    """What went wrong: RFC 9457, with members of the gateway's own."""

    type: str = Field(examples=["about:blank"])
    title: str = Field(examples=["Not Found"])
    status: int = Field(examples=[404])
    detail: str = Field(examples=["There is no model 'huge'. The server has: midas_tiny_256"])
    instance: str = Field(description="The path that was asked.", examples=["/predict"])
    success: Literal[False]
    message: str = Field(description="The same as `detail`.")
    code: str = Field(description="A word for a program.", examples=["not_found"])
    request_id: str = Field(description="Under which the logs have the request.", examples=[_ID])
    allowed: list[Any] | None = Field(default=None, description="The values that would do.")


class DepthAnswer(BaseModel):
    """The depth of a photo, with a link to its file."""

    # A model's name may begin with what pydantic keeps for itself.
    model_config = ConfigDict(protected_namespaces=())

    success: Literal[True]
    depth_image_url: str = Field(examples=["http://127.0.0.1:8080/results/kC3vJm1Yx2yJbqv0o9Zl8w"])
    media_type: str = Field(description="Of that file.", examples=["image/png"])
    model: str = Field(description="The network's official name.", examples=["midas_tiny_256"])
    weights: str = Field(description="official, default, untrained, or a file's digest.", examples=["default"])
    width: int = Field(description="Of the depth map, in pixels.", examples=[640])
    height: int = Field(examples=[427])
    range: list[float] = Field(
        description="The smallest and the largest depth: what 0 and 65535 of a 16-bit PNG stand for.",
        examples=[[2.16, 6.12]],
    )
    kind: str = Field(description="relative_inverse_depth: larger is nearer; or metric_depth: larger is farther.")
    unit: str | None = Field(description="metres for metric depth, else relative.")
    options: dict[str, Any] = Field(description="As the server resolved them.")
    timings_ms: dict[str, float] = Field(description="The server's milliseconds by step.")
    request_id: str = Field(examples=[_ID])
    depth_image: str | None = Field(default=None, description="The file in base64, with include=base64.")


class Model(BaseModel):
    """A model that is loaded."""

    name: str = Field(description="What `model` takes.", examples=["midas_tiny_256"])
    variant: str = Field(description="The network's official name.", examples=["midas_tiny_256"])
    weights: str | None = Field(examples=["default"])
    licence: str | None = Field(description="Of the weights, where the server tells it.")
    kind: str | None = Field(examples=["relative_inverse_depth"])
    unit: str | None
    resolution: int | None = Field(description="Its default.", examples=[256])
    grid: int | None = Field(description="Resolutions are multiples of it.", examples=[32])
    aspects: list[str] = Field(description="Its default first.", examples=[["keep", "square"]])
    max_pixels: int | None = Field(description="Of the network's input.", examples=[1638400])
    format: str | None = Field(description="What computes it.", examples=["onnxruntime"])


class ModelList(BaseModel):
    """The models that are loaded."""

    success: Literal[True]
    models: list[Model]


class JobDocument(BaseModel):
    """How far a job is."""

    success: bool = Field(description="False when it has failed or was lost.")
    id: str = Field(examples=["kC3vJm1Yx2yJbqv0o9Zl8w"])
    kind: Literal["photos", "video"]
    state: Literal["queued", "running", "finished", "failed", "cancelled", "lost"]
    total: int = Field(description="Photos or frames; 0 as long as a video's length is not known.", examples=[12])
    done: int = Field(examples=[5])
    failed: int = Field(description="Photos for which there is no depth; report.json in the result says why.")
    message: str
    status_url: str
    events_url: str
    result_url: str | None


class Alive(BaseModel):
    """The gateway runs."""

    alive: Literal[True]


class Ready(BaseModel):
    """Whether a photo would be answered."""

    ready: bool
    detail: str = Field(examples=["midas_tiny_256_preprocess is dead"])
    dead_steps: list[str]


_MEANINGS: Mapping[int, str] = {
    400: "The request, or the photo in it, cannot be read.",
    401: "A key is needed.",
    403: "The key is not known.",
    404: "There is nothing of that name.",
    408: "The upload took too long.",
    409: "It does not go with how things stand.",
    413: "The upload is too large.",
    415: "This is no photo.",
    422: "An option, or its value, is refused.",
    429: "Too many requests of this caller.",
    500: "The gateway has failed.",
    502: "Triton answers with what the gateway does not understand.",
    503: "Too busy, or Triton is away: try again after Retry-After.",
    504: "Triton has not answered in time.",
}
_RETRIED = (429, 503)


def failures(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The answers of a route that tell of a failure."""
    return {status: _failure(status) for status in statuses}


def _failure(status: int) -> dict[str, Any]:
    described: dict[str, Any] = {
        "description": _MEANINGS[status],
        "content": {problems.MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemDocument"}}},
    }
    if status in _RETRIED:
        described["headers"] = {"Retry-After": {"description": "Seconds.", "schema": {"type": "string"}}}
    return described


def success(model: type[BaseModel], description: str) -> dict[str, Any]:
    """The answer of a route that went well."""
    return {"model": model, "description": description}


_BYTES = {"schema": {"type": "string", "format": "binary"}}
_MODEL = {"type": "string", "description": "A name from GET /models; by default the server's own choice."}
_INCLUDE = {"enum": ["base64"], "description": "Put the file into the JSON too, as `depth_image`."}

PREDICTION_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {
        "model": DepthAnswer,
        "description": "The depth: JSON with a link, or the file itself (Accept, or `format`).",
        "content": {"image/png": _BYTES, "image/jpeg": _BYTES, "application/x-npy": _BYTES},
        "headers": {
            INFO_HEADER: {
                "description": "With a file: what the server says of it, as JSON in one line.",
                "schema": {"type": "string"},
            }
        },
    },
    **failures(400, 401, 403, 404, 408, 413, 415, 422, 429, 502, 503, 504),
}


def _fields(image: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "required": ["image"],
        "properties": {"image": image, "model": _MODEL, "include": _INCLUDE, **PROPERTIES},
        "additionalProperties": False,
    }


PREDICTION: dict[str, Any] = {
    "parameters": [
        {"name": name, "in": "query", "required": False, "schema": schema}
        for name, schema in {"model": _MODEL, "include": _INCLUDE, **PROPERTIES}.items()
    ],
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": _fields({"type": "string", "format": "binary", "description": "JPEG, PNG or WebP."})
            },
            "application/json": {
                "schema": _fields({"type": "string", "description": "The photo in base64, or a data URL of it."}),
                "example": {"image": "/9j/4AAQSkZJRg...", "filter": "guided"},
            },
            **dict.fromkeys(("image/jpeg", "image/png", "image/webp"), _BYTES),
        },
    },
}

_JOB_FIELDS = {
    "type": "object",
    "properties": {
        "image": {"type": "array", "items": {"type": "string", "format": "binary"}, "description": "Many photos."},
        "file": {"type": "string", "format": "binary", "description": "One zip of photos, or one video."},
        "model": _MODEL,
        **PROPERTIES,
    },
}
JOB: dict[str, Any] = {
    "parameters": PREDICTION["parameters"][:1],
    "requestBody": {
        "required": True,
        "content": {"multipart/form-data": {"schema": _JOB_FIELDS}, "application/zip": _BYTES, "video/mp4": _BYTES},
    },
}
JOB_ANSWERS: dict[int | str, dict[str, Any]] = {
    202: {
        **success(JobDocument, "The job waits; Location is where to look."),
        "headers": {"Location": {"schema": {"type": "string"}}},
    },
    **failures(400, 401, 403, 408, 409, 413, 415, 422, 429, 503),
}
EVENTS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Server-sent events `progress`; each has a number for Last-Event-ID and JSON.",
        "content": {"text/event-stream": {"schema": {"type": "string"}}},
    },
    **failures(401, 403, 404),
}
RESULT: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "A zip of depth maps with report.json, or a video.",
        "content": {"application/zip": _BYTES, "video/mp4": _BYTES, "video/x-matroska": _BYTES},
    },
    206: {"description": "A part of the video.", "content": {"video/mp4": _BYTES, "video/x-matroska": _BYTES}},
    **failures(401, 403, 404, 409),
}
FILE: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The depth map.",
        "content": {"image/png": _BYTES, "image/jpeg": _BYTES, "application/x-npy": _BYTES},
    },
    304: {"description": "The caller has it already."},
    **failures(404),
}


def described(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document of the app, made once."""
    if app.openapi_schema is None:
        document = get_openapi(
            title=app.title,
            version=app.version,
            description=app.description,
            routes=app.routes,
            openapi_version="3.1.0",
        )
        schemas = document["components"]["schemas"]
        schemas["ProblemDocument"] = ProblemDocument.model_json_schema()
        # FastAPI's own words for what it refuses, which it does not say here.
        for name in ("HTTPValidationError", "ValidationError"):
            schemas.pop(name, None)
        for path in document["paths"].values():
            for operation in path.values():
                answers = operation["responses"]
                if "HTTPValidationError" in str(answers.get("422", "")):
                    answers["422"] = _failure(422)
        document["components"]["securitySchemes"] = {
            "key": {"type": "http", "scheme": "bearer"},
            "header": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
        }
        document["security"] = [{}, {"key": []}, {"header": []}]
        app.openapi_schema = document
    return app.openapi_schema
