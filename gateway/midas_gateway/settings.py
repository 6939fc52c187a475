"""What an operator may choose."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import gettempdir

VARIABLE = "MIDAS_GATEWAY_SETTINGS"
"""How the settings reach the workers, which are processes of their own."""


@dataclass(frozen=True)
class Settings:
    """The settings of one gateway.

    Attributes:
        triton: the address of Triton, as the client SDK takes it. By gRPC, since Triton 24.10 works on for a caller who
            has closed an HTTP connection.
        shared_memory: whether Triton is on this machine, and takes regions of shared memory to write depth to.
        triton_health: the launcher's address (`--health-port`); empty where there is none: then photos
            are sent as probes.
        folder: where results and jobs are kept.
        public_url: how callers reach the gateway, for absolute links; empty to take it from each request.
        origins: of other web pages that may call from their visitors' browsers, such as https://shop.example.com.
        keys: names of the keys that callers must show, by the key's SHA-256 in hexadecimal; none for an open gateway.
        rate: requests that one caller may make, such as "120/minute"; empty for no limit.
        photo_bytes: the largest photo.
        upload_memory: bytes that all uploads under way may hold in a worker.
        upload_seconds: how long an upload may take.
        request_seconds: how long Triton may take for a photo.
        result_bytes, result_seconds: what the results may take on disk, and how long each is kept.
        job_count: jobs that may wait or run.
        job_bytes: the largest upload of a job.
        job_photos: the most photos in a job.
        video_seconds: the longest video of a job.
        job_seconds: how long a finished job is kept.
        otlp: where spans are sent by OTLP over HTTP; empty for nowhere.
        drain_seconds: how long the gateway goes on, with /readyz down, after it was asked to stop.
        stop_seconds: how long requests under way may take when the gateway is stopped.
    """

    triton: str = "127.0.0.1:8001"
    shared_memory: bool = False
    triton_health: str = ""
    folder: Path = field(default_factory=lambda: Path(gettempdir()) / f"midas-gateway-{os.getuid()}")
    public_url: str = ""
    origins: tuple[str, ...] = ()
    keys: Mapping[str, str] = field(default_factory=dict)
    rate: str = ""
    photo_bytes: int = 32_000_000
    upload_memory: int = 64_000_000
    upload_seconds: float = 30.0
    request_seconds: float = 30.0
    result_bytes: int = 1_000_000_000
    result_seconds: float = 3600.0
    job_count: int = 16
    job_bytes: int = 256_000_000
    job_photos: int = 500
    video_seconds: float = 60.0
    job_seconds: float = 3600.0
    otlp: str = ""
    drain_seconds: float = 2.0
    stop_seconds: int = 30

    def to_environment(self) -> None:
        """Leave the settings where the workers find them."""
        os.environ[VARIABLE] = json.dumps({**dataclasses.asdict(self), "folder": str(self.folder)})

    @classmethod
    def from_environment(cls) -> Settings:
        """The settings that `to_environment` left, or the defaults."""
        given = json.loads(os.environ.get(VARIABLE, "{}"))
        if given:
            given |= {"folder": Path(given["folder"]), "origins": tuple(given["origins"])}
        return cls(**given)
