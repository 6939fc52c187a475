"""The JSON documents that the API answers with."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

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
    resolutions: list[int] = Field(description="What `resolution` may be.", examples=[[128, 160, 192, 224, 256]])
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
