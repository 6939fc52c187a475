"""How OpenAPI describes the routes: what they take, what they answer, and every failure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel

from midas_gateway import problems
from midas_gateway.answers import INFO_HEADER
from midas_gateway.documents import DepthAnswer, JobDocument, ProblemDocument
from midas_gateway.options import PROPERTIES

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
