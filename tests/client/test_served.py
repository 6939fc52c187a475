"""Against a real Triton, over both protocols."""

from __future__ import annotations

import http.client
import time
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from midas_client import (
    AnswerError,
    DeadlineExceededError,
    DepthClient,
    DepthMap,
    InferRequest,
    InvalidRequestError,
    ModelNotFoundError,
    Timeout,
    UntrainedWeightsWarning,
)
from midas_client._address import parse_address
from midas_client._transports.answer import PLAIN
from midas_client._transports.http_messages import HttpMessages
from midas_server.launch import Triton
from tests.networks import DEFAULT

if TYPE_CHECKING:
    from tests.client.conftest import Connect

MODEL = "midas_v21_small_256"
SIZE = (640, 427)


@pytest.fixture(scope="module")
def urls(triton: Triton) -> dict[str, str]:
    return {"grpc": triton.grpc_url, "http": f"http://{triton.http_url}"}


@pytest.fixture(params=["grpc", "http"])
def client(request: pytest.FixtureRequest, connect: Connect, urls: dict[str, str]) -> Iterator[DepthClient]:
    """Both protocols, and of each the client that waits and the one that is awaited."""
    with connect(urls[request.param]) as client, warnings.catch_warnings():
        warnings.simplefilter("ignore", UntrainedWeightsWarning)
        yield client


@pytest.fixture(scope="module")
def reference(urls: dict[str, str], photo: bytes) -> DepthMap:
    """The depth of the photo's bytes over gRPC, without options."""
    with DepthClient(urls["grpc"]) as client, pytest.warns(UntrainedWeightsWarning, match=MODEL):
        return client.predict(photo, model=MODEL)


def test_nothing_is_asked_for_compressed_over_http(photo: bytes) -> None:
    # aiohttp would ask for gzip by itself, and Triton takes its time for it: tests/server/test_http_recipes.py.
    messages = HttpMessages(parse_address("http://127.0.0.1:8000"))
    assert messages.depth(InferRequest(MODEL, photo, {}, "id"), 30, PLAIN).headers["Accept-Encoding"] == "identity"


def test_the_default_model_is_the_default_network(urls: dict[str, str], photo: bytes) -> None:
    with DepthClient(urls["grpc"]) as client, warnings.catch_warnings():
        warnings.simplefilter("ignore", UntrainedWeightsWarning)
        assert client.predict(photo).variant == DEFAULT


def test_depth_map(reference: DepthMap) -> None:
    assert reference.depth.shape == SIZE[::-1]
    assert reference.depth.dtype == np.float32
    assert np.isfinite(reference.depth).all()
    assert np.ptp(reference.depth) > 0
    assert reference.model == reference.variant == MODEL
    assert reference.weights == "untrained"
    assert reference.photo_size == SIZE
    assert max(reference.network_size) == 256
    assert reference.options == {
        "resolution": 256,
        "aspect": "keep",
        "output_size": "photo",
        "format": "float32",
        "colormap": "inferno",
        "filter": "none",
        "equalize": "none",
    }
    assert set(reference.timings) == {"preprocess", "network", "postprocess"}
    assert reference.encoded == b""


def test_path_bytes_and_array_give_the_same_on_both_protocols(
    client: DepthClient, reference: DepthMap, photo: bytes, tmp_path: Path
) -> None:
    path = tmp_path / "rocket.jpg"
    path.write_bytes(photo)
    for same in (photo, path, str(path)):
        assert np.array_equal(client.predict(same, model=MODEL).depth, reference.depth)


def test_array_is_the_same_as_its_png_on_both_protocols(urls: dict[str, str], photo: bytes) -> None:
    array = np.asarray(Image.open(BytesIO(photo)).convert("RGB"))
    file = BytesIO()
    Image.fromarray(array).save(file, "PNG")
    depths = []
    for url in urls.values():
        with DepthClient(url) as client, pytest.warns(UntrainedWeightsWarning):
            depths += [client.predict(array, model=MODEL).depth, client.predict(file.getvalue(), model=MODEL).depth]
    assert all(np.array_equal(depth, depths[0]) for depth in depths)


def test_options(client: DepthClient, photo: bytes) -> None:
    depth_map = client.predict(photo, resolution=128, aspect="square", output_size="network", model=MODEL)
    assert depth_map.network_size == (128, 128)
    assert depth_map.depth.shape == (128, 128)
    assert depth_map.photo_size == SIZE
    assert depth_map.options["resolution"] == 128


def test_filters_and_pictures(client: DepthClient, reference: DepthMap, photo: bytes) -> None:
    filtered = client.predict(photo, model=MODEL, filter="crf", settings={"crf_contrast": 2.5, "crf_radius": 4})
    assert filtered.depth.shape == reference.depth.shape
    assert not np.array_equal(filtered.depth, reference.depth)
    assert (filtered.options["crf_radius"], filtered.options["crf_contrast"]) == (4, 2.5)
    picture = client.predict(photo, model=MODEL, format="color_png", colormap="turbo", equalize="global")
    assert picture.depth.size == 0
    with Image.open(BytesIO(picture.encoded)) as opened:
        assert (opened.size, opened.mode) == (SIZE, "RGB")


def test_float16(client: DepthClient, reference: DepthMap, photo: bytes) -> None:
    depth_map = client.predict(photo, format="float16", model=MODEL)
    np.testing.assert_array_equal(depth_map.depth, reference.depth.astype(np.float16))


def test_png16(client: DepthClient, reference: DepthMap, photo: bytes, tmp_path: Path) -> None:
    depth_map = client.predict(photo, format="png16", model=MODEL)
    step = float(np.ptp(reference.depth)) / 65535
    assert np.abs(depth_map.depth - reference.depth).max() <= step
    # Saved here from floats, or there from the same floats: the same picture, but for ties of rounding.
    depth_map.save(tmp_path / "server.png")
    reference.save(tmp_path / "client.png")
    pictures = [np.asarray(Image.open(tmp_path / name)).astype(int) for name in ("server.png", "client.png")]
    assert pictures[0].shape == SIZE[::-1]
    assert np.abs(pictures[0] - pictures[1]).max() <= 1


def test_text_is_refused(client: DepthClient) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        client.predict(b"once upon a time", model=MODEL)
    error = caught.value
    assert "JPEG" in str(error)
    assert "ensemble" not in error.message
    assert error.status_code in (400, "INVALID_ARGUMENT")
    assert error.option is None
    assert error.request_id
    assert error.__cause__ is None
    assert error.__context__ is None


def test_a_refused_option_is_named(client: DepthClient, photo: bytes) -> None:
    with pytest.raises(InvalidRequestError, match="in steps of 32") as caught:
        client.predict(photo, model=MODEL, resolution=300)
    assert caught.value.option == "resolution"
    large = BytesIO()
    Image.new("L", (5000, 4000)).save(large, "PNG")
    with pytest.raises(InvalidRequestError, match="not 5000x4000: use format=png16") as caught:
        client.predict(large.getvalue(), model=MODEL)
    assert caught.value.option == "format"


def test_refused_by_the_server_only(client: DepthClient, photo: bytes) -> None:
    """A truncated photo passes every check here and fails there."""
    with pytest.raises(InvalidRequestError):
        client.predict(photo[: len(photo) // 2], model=MODEL)
    assert client.predict(photo, model=MODEL).depth.size


def test_unknown_model(client: DepthClient, photo: bytes, models: list[str]) -> None:
    with pytest.raises(ModelNotFoundError, match=MODEL) as caught:
        client.predict(photo, model="midas_v99")
    assert "midas_v99" in str(caught.value)
    assert caught.value.models == tuple(sorted(models))
    assert caught.value.status_code in (404, "NOT_FOUND")


def test_a_model_name_is_never_a_path(client: DepthClient, photo: bytes) -> None:
    with pytest.raises(ModelNotFoundError):
        client.predict(photo, model=f"../models/{MODEL}?x=1#y")


def test_step_of_a_model(client: DepthClient, photo: bytes) -> None:
    with pytest.raises(InvalidRequestError, match="postprocess"):
        client.predict(photo, model="postprocess")


def test_questions(client: DepthClient, models: list[str]) -> None:
    assert client.models() == sorted(models)
    health = client.health()
    assert health.live
    assert health.ready
    client.wait_ready(5)
    client.wait_ready(5, model=MODEL)
    with pytest.raises(DeadlineExceededError, match="midas_v99 was not ready"):
        client.wait_ready(0.3, model="midas_v99")


def test_deadline(client: DepthClient, photo: bytes) -> None:
    with pytest.raises(DeadlineExceededError):
        # so much work that a caller who is held up himself is not answered before
        client.predict(photo, timeout=0.002, model=MODEL, filter="crf", resolution=640, aspect="square")
    assert client.predict(photo, model=MODEL).depth.size


def test_threads_share_a_client(client: DepthClient, reference: DepthMap, photo: bytes) -> None:
    with ThreadPoolExecutor(8) as pool:
        maps = list(pool.map(lambda _: client.predict(photo, model=MODEL), range(24)))
    assert all(np.array_equal(depth_map.depth, reference.depth) for depth_map in maps)


def test_many_and_video_equal_one_by_one(client: DepthClient, reference: DepthMap, photo: bytes) -> None:
    predictions = list(client.predict_many([photo] * 12, model=MODEL, concurrency=4))
    assert all(np.array_equal(prediction.result().depth, reference.depth) for prediction in predictions)
    maps = list(client.predict_video([photo] * 6, model=MODEL, smoothing=0))
    assert all(np.array_equal(depth_map.depth, reference.depth) for depth_map in maps)


def test_a_photo_in_every_form(client: DepthClient, photo: bytes, tmp_path: Path) -> None:
    """Path, bytes, file object, array and PIL image of one PNG."""
    path = tmp_path / "photo.png"
    with Image.open(BytesIO(photo)) as picture:
        picture.save(path, compress_level=1)
    with path.open("rb") as file, Image.open(path) as picture:
        photos = [path, str(path), path.read_bytes(), file, np.asarray(picture), picture]
        depths = [client.predict(form, model=MODEL, output_size="network").depth for form in photos]
    assert all(np.array_equal(depth, depths[0]) for depth in depths)


def test_statistics(client: DepthClient, photo: bytes) -> None:
    before = client.model_statistics(MODEL)
    client.predict(photo, model=MODEL)
    # Triton counts a request a moment after it has answered it.
    deadline = time.monotonic() + 10
    while (after := client.model_statistics(MODEL)).requests != before.requests + 1:
        assert time.monotonic() < deadline, after
        time.sleep(0.05)
    assert after.milliseconds > 0
    assert [step.name for step in after.steps] == [f"{MODEL}_preprocess", f"{MODEL}_network", "postprocess"]
    for step in after.steps:
        assert step.requests >= step.executions > 0
        assert step.compute_milliseconds > 0
    with pytest.raises(ModelNotFoundError, match=MODEL):
        client.model_statistics("midas_v99")


def test_server_version(client: DepthClient) -> None:
    assert client.server_version() == "2.51.0"


def test_wrong_port(triton: Triton, photo: bytes) -> None:
    """The two ports mixed up: an error that says so, at once."""
    for url in (triton.http_url, f"http://{triton.grpc_url}"):
        with (
            DepthClient(url, timeout=Timeout(total=5, connect=1), retries=0) as client,
            pytest.raises(Exception, match=r"8001.*8000|8000.*8001"),
        ):
            client.predict(photo, model=MODEL)


def test_bare_post_equals_the_client(triton: Triton, reference: DepthMap, photo: bytes) -> None:
    """What curl sends gives what the client gives."""
    connection = http.client.HTTPConnection(triton.http_url, timeout=30)
    headers = {"Inference-Header-Content-Length": "0"}
    connection.request("POST", f"/v2/models/{MODEL}/infer", body=photo, headers=headers)
    response = connection.getresponse()
    assert response.status == 200
    body = response.read()
    connection.close()
    assert reference.depth.tobytes() in body


@pytest.mark.parametrize("port", ["metrics", "grpc"])
def test_another_port_than_that_of_http_is_told(triton: Triton, port: str, photo: bytes) -> None:
    number = triton.metrics_port if port == "metrics" else triton.grpc_port
    with DepthClient(f"http://127.0.0.1:{number}", timeout=10) as client:
        calls: list[Callable[[], object]] = [
            lambda: client.predict(photo, model=MODEL),
            client.models,
            client.server_version,
        ]
        for call in calls:
            with pytest.raises(AnswerError, match="usually 8000"):
                call()
