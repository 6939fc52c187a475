"""A program of somebody else that uses every public name of the client, and that mypy --strict must accept.

`python consumer.py GRPC_URL HTTP_URL PHOTO` runs it against a server, in an environment that has the client and nothing
else of this repository. Its last function is not run: mypy must find each call in it wrong.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import sys
import tempfile
import warnings
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

import midas_client
from midas_client import (
    SETTINGS,
    AccessDeniedError,
    AddressError,
    AnswerError,
    Aspect,
    AsyncDepthClient,
    AsyncTransport,
    ClientClosedError,
    Colormap,
    ConnectError,
    ConnectionLostError,
    DeadlineExceededError,
    DepthClient,
    DepthMap,
    Equalize,
    Filter,
    Format,
    Health,
    InferRequest,
    InferResponse,
    Intrinsics,
    InvalidRequestError,
    KnownPoints,
    MetricDepth,
    MetricFitError,
    MidasClientError,
    ModelDescription,
    ModelNotFoundError,
    ModelStatistics,
    OptionError,
    Options,
    OutputSize,
    Photo,
    PhotoError,
    PointCloud,
    Prediction,
    Progress,
    ServerBusyError,
    ServerError,
    SharedMemoryWarning,
    StepRestartingError,
    StepStatistics,
    Timeout,
    Tls,
    Transport,
    TransportError,
    UntrainedWeightsWarning,
    UsageError,
    VideoReader,
    VideoWriter,
    probe_photo,
    upright_rgb,
)

TIMEOUT = Timeout(total=60, connect=5)


def one_photo(client: DepthClient, photo: Path) -> DepthMap:
    depth_map = client.predict(photo, timeout=30)
    height, width = depth_map.depth.shape
    assert (width, height) == depth_map.photo_size
    nearest: np.float32 = depth_map.depth.max()
    sizes: tuple[int, int] = depth_map.network_size
    timings: Mapping[str, float] = depth_map.timings
    resolved: Mapping[str, int | float | str] = depth_map.options
    names: tuple[str, str, str] = (depth_map.model, depth_map.variant, depth_map.weights)
    assert np.isfinite(nearest)
    assert all((sizes, timings, resolved, *names))
    return depth_map


def every_kind_of_photo(client: DepthClient, path: Path) -> None:
    with Image.open(path) as picture, path.open("rb") as file:
        array: npt.NDArray[np.uint8] = np.asarray(picture.convert("RGB"))
        photos: list[Photo] = [str(path), path, path.read_bytes(), io.BytesIO(path.read_bytes()), file, array, picture]
        for photo in photos:
            assert client.predict(photo, output_size="network").depth.size
    assert client.predict(probe_photo(), output_size="network").depth.size
    upright: npt.NDArray[np.uint8] = upright_rgb(path)
    assert upright.size == array.size


def every_option(client: DepthClient, photo: Path) -> None:
    aspect: Aspect = "keep"
    size: OutputSize = "network"
    pictures: Format = "color_png"
    colours: Colormap = "viridis"
    edges: Filter = "crf"
    contrast: Equalize = "clahe"
    options: Options = {"resolution": 128, "aspect": aspect, "output_size": size, "format": pictures}
    options["colormap"] = colours
    options["filter"] = edges
    options["equalize"] = contrast
    settings = {"crf_radius": 4, "clahe_clip": 2.0}
    assert settings.keys() <= SETTINGS.keys()
    options["settings"] = settings
    encoded: bytes = client.predict(photo, model="midas_tiny_256", **options).encoded
    assert encoded.startswith(b"\x89PNG")


def the_map(depth_map: DepthMap, folder: Path) -> None:
    for ending in ("png", "npy", "tif", "pfm"):
        depth_map.save(folder / f"depth.{ending}")
    colours: npt.NDArray[np.uint8] = depth_map.colorize("magma")
    assert colours.shape == (*depth_map.depth.shape, 3)
    small: DepthMap = depth_map.resize((64, 48))
    assert small.depth.shape == (48, 64)
    cloud: PointCloud = depth_map.point_cloud(fov=60, colors=colours, max_points=100)
    points: npt.NDArray[np.float32] = cloud.points
    assert cloud.colors is not None
    assert len(cloud) == len(points) == len(cloud.colors)
    cloud.save(folder / "cloud.ply")


def metres(depth_map: DepthMap, folder: Path) -> None:
    near, far = (np.unravel_index(index, depth_map.depth.shape) for index in
                 (depth_map.depth.argmax(), depth_map.depth.argmin()))  # fmt: skip
    known: KnownPoints = [(float(near[1]), float(near[0]), 1.5), (float(far[1]), float(far[0]), 6.0)]
    metric: MetricDepth = depth_map.to_metric(known, max_metres=80)
    error: float = metric.residual
    assert error < 1e-3
    camera = Intrinsics.from_fov(60, metric.photo_size)
    assert (
        metric.point_cloud(intrinsics=Intrinsics(camera.fx, camera.fy, camera.cx, camera.cy), stride=8).unit == "metres"
    )
    metric.save(folder / "millimetres.png")
    try:
        depth_map.to_metric([(0, 0, 1.0)])
    except MetricFitError as problem:
        assert problem.hint


def many_photos(client: DepthClient, photo: Path) -> None:
    seen: list[Progress] = []
    predictions: list[Prediction[Path]] = list(
        client.predict_many([photo, Path("missing.jpg"), photo], progress=seen.append, output_size="network")
    )
    assert [prediction.index for prediction in predictions] == [0, 1, 2]
    assert isinstance(predictions[1].error, PhotoError)
    path: Path = predictions[1].photo
    assert path.name == "missing.jpg"
    assert predictions[0].result().depth.size
    assert (seen[-1].done, seen[-1].failed, seen[-1].total) == (3, 1, 3)


def frames() -> Iterator[npt.NDArray[np.uint8]]:
    for grey in (90, 91, 92):
        yield np.full((96, 128, 3), grey, np.uint8)


def video(client: DepthClient) -> None:
    maps: list[DepthMap] = list(client.predict_video(frames(), smoothing=0.5))
    assert len(maps) == 3


def video_files(folder: Path, depth_map: DepthMap) -> None:
    file = folder / "depth.mp4"
    try:
        with VideoWriter(file, 25) as writer:
            for _ in range(3):
                writer.write(depth_map.colorize())
        with VideoReader(file) as reader:
            assert len(list(reader)) == 3
    except UsageError as error:
        assert "midas-client[video]" in str(error)  # an environment without PyAV


def the_server(client: DepthClient) -> None:
    client.wait_ready(30, model="midas_tiny_256")
    health: Health = client.health()
    assert health.live
    assert health.ready
    assert health.detail == ""
    models: list[ModelDescription] = client.models()
    name: str = models[0]
    assert name in models
    assert models[0].resolution == 256
    statistics: ModelStatistics = client.model_statistics(models[0])
    steps: tuple[StepStatistics, ...] = statistics.steps
    assert [step.name for step in steps if step.executions]
    version: str = client.server_version()
    assert version and midas_client.__version__


async def awaited(url: str, photo: Path) -> None:
    async def stream() -> AsyncIterator[npt.NDArray[np.uint8]]:
        for frame in frames():
            yield frame

    async with AsyncDepthClient(url, timeout=TIMEOUT) as client:
        await client.wait_ready(30)
        both: list[DepthMap] = list(await asyncio.gather(client.predict(photo), client.predict(photo, filter="median")))
        assert both[0].depth.shape == both[1].depth.shape
        assert len([prediction async for prediction in client.predict_many([photo] * 3)]) == 3
        assert len([depth_map async for depth_map in client.predict_video(stream(), smoothing=0)]) == 3
        assert (await client.health()).ready
        assert await client.models()
        assert (await client.model_statistics()).model
        assert await client.server_version()


def what_went_wrong(error: MidasClientError) -> str:
    """Every kind of error, the special ones first."""
    match error:
        case AddressError() | OptionError() | PhotoError() | MetricFitError() | UsageError():
            advice = "call it differently"
        case ServerBusyError() | StepRestartingError() | ConnectError() | ConnectionLostError():
            advice = "try again later"
        case ModelNotFoundError(models=models):
            advice = f"choose among {models}"
        case InvalidRequestError() | AccessDeniedError():
            advice = f"{error.status_code}: {error.server_message} [{error.request_id}]"
        case DeadlineExceededError() | AnswerError():
            advice = f"look at the server: {error.message} {error.hint}"
        case ClientClosedError():
            advice = "too late"
        case TransportError() | ServerError():
            advice = str(error)
        case _:
            advice = ""
    return advice


def errors(client: DepthClient, photo: Path) -> None:
    wrong: list[tuple[Photo, Options]] = [("missing.jpg", {}), (b"hello", {}), (photo, {"resolution": 1})]
    for what, options in wrong:
        try:
            client.predict(what, **options)
        except MidasClientError as error:
            assert what_went_wrong(error)
        else:
            raise AssertionError
    try:
        client.predict(photo, model="no_such_model")
    except ModelNotFoundError as error:
        names: tuple[str, ...] = error.models
        assert "midas_tiny_256" in names


class Recorded:
    """A server for tests: every photo gets the same depth."""

    def infer(self, request: InferRequest, timeout: float) -> InferResponse:
        size = {"width": 4, "height": 3}
        info = {"variant": request.model, "weights": "default", "photo": size, "network": size, "milliseconds": {},
                "options": {**request.parameters}}  # fmt: skip
        return InferResponse(np.arange(12, dtype=np.float32).reshape(3, 4), b"", json.dumps(info).encode())

    def is_ready(self, model: str | None, timeout: float) -> bool:
        return True

    def statistics(self, timeout: float) -> Sequence[Mapping[str, Any]]:
        return [{"name": "fake"}, {"name": "fake_preprocess"}]

    def server_version(self, timeout: float) -> str:
        return "0"

    def close(self) -> None:
        """Nothing is open."""


class RecordedAsync:
    """The same, awaited."""

    async def infer(self, request: InferRequest, timeout: float) -> InferResponse:
        return Recorded().infer(request, timeout)

    async def is_ready(self, model: str | None, timeout: float) -> bool:
        return True

    async def statistics(self, timeout: float) -> Sequence[Mapping[str, Any]]:
        return Recorded().statistics(timeout)

    async def server_version(self, timeout: float) -> str:
        return "0"

    async def close(self) -> None:
        """Nothing is open."""


def without_a_server() -> None:
    transport: Transport = Recorded()
    with DepthClient(transport=transport) as client:
        assert client.predict(b"a photo").depth.shape == (3, 4)
        assert client.models() == ["fake"]
    awaited_transport: AsyncTransport = RecordedAsync()

    async def ask() -> DepthMap:
        async with AsyncDepthClient(transport=awaited_transport) as client:
            return await client.predict(b"a photo")

    assert asyncio.run(ask()).photo_size == (4, 3)


def secure() -> DepthClient:
    return DepthClient("https://localhost:1", tls=Tls(), token=lambda: "secret", headers={"X-API-Key": "secret"})


def never_called(client: DepthClient, depth_map: DepthMap) -> None:
    """Each line is wrong. --strict complains of an ignore that ignores nothing."""
    client.predict("photo.jpg", format="jpeg")  # type: ignore[arg-type]
    client.predict("photo.jpg", resolution="256")  # type: ignore[arg-type]
    client.predict("photo.jpg", colour="inferno")  # type: ignore[call-arg]
    client.predict(3)  # type: ignore[arg-type]
    client.predict_many("photo.jpg", progress="yes")  # type: ignore[arg-type]
    client.predict_video([1])  # type: ignore[list-item]
    client.models()[0].save("depth.png")  # type: ignore[attr-defined]
    DepthClient(timeout="long")  # type: ignore[arg-type]
    DepthClient(transport=RecordedAsync())  # type: ignore[arg-type]
    AsyncDepthClient(transport=Recorded())  # type: ignore[arg-type]
    AsyncDepthClient().predict("photo.jpg").save("depth.png")  # type: ignore[attr-defined]
    depth_map.depth = depth_map.depth  # type: ignore[misc]
    depth_map.colorize("jet")  # type: ignore[arg-type]
    depth_map.to_metric(known=[(1, 2)])  # type: ignore[list-item]
    Timeout(seconds=3)  # type: ignore[call-arg]


def main(grpc_url: str, http_url: str, photo: Path) -> None:
    warnings.simplefilter("error")
    warnings.simplefilter("ignore", UntrainedWeightsWarning)
    warnings.simplefilter("ignore", SharedMemoryWarning)
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as clients:
        folder = Path(name)
        for url in (grpc_url, http_url):
            client = clients.enter_context(DepthClient(url, timeout=TIMEOUT, retries=3))
            the_server(client)
            depth_map = one_photo(client, photo)
            every_kind_of_photo(client, photo)
            every_option(client, photo)
            the_map(depth_map, folder)
            metres(depth_map, folder)
            video_files(folder, depth_map)
            many_photos(client, photo)
            video(client)
            errors(client, photo)
            asyncio.run(awaited(url, photo))
        secure().close()
    without_a_server()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
