"""Depth Anything through the real Triton: relative and metric, every option, batches, strict configs. Minutes."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import onnxruntime as ort
import pytest
import torch

from midas_client import DepthClient, InvalidRequestError, Timeout, VideoReader, VideoWriter
from midas_server.launch import StartFailed, Triton
from midas_server.options import CHOICES
from tests.conftest import export
from tests.networks import ROOT
from tests.own_server import own_server

RELATIVE, METRIC = "depth_anything_v2_vits", "depth_anything_v2_metric_vkitti_vits"

pytestmark = [pytest.mark.long, pytest.mark.filterwarnings("ignore::midas_client.UntrainedWeightsWarning")]


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("depth_anything") / "model_repository"
    export([RELATIVE, METRIC, "--untrained", "--repository", str(folder)])
    return folder


@pytest.fixture(scope="module")
def server(exported: Path) -> Iterator[Triton]:
    """Its `default` is the metric network, the first of the two."""
    with own_server(exported, [METRIC, RELATIVE]) as server:
        yield server


@pytest.fixture(scope="module")
def client(server: Triton) -> Iterator[DepthClient]:
    with DepthClient(server.grpc_url, timeout=Timeout(total=300)) as client:
        yield client


@pytest.mark.parametrize("model", [RELATIVE, METRIC])
def test_the_answer_is_what_the_official_steps_give(
    model: str, client: DepthClient, exported: Path, photo: bytes
) -> None:
    answer = client.predict(photo, model=model)
    assert answer.network_size == (770, 518)  # 640x427 by lower_bound
    assert answer.depth.shape == (427, 640)
    assert answer.options["resolution"] == 518
    metric = model == METRIC
    assert (answer.kind, answer.unit) == (
        ("metric_depth", "metres") if metric else ("relative_inverse_depth", "relative")
    )
    assert (answer.max_depth, answer.licence) == ((80.0, "not stated") if metric else (None, "Apache-2.0"))
    pixels = cv2.imdecode(np.frombuffer(photo, np.uint8), cv2.IMREAD_COLOR)[:, :, ::-1]
    small = cv2.resize(pixels, (770, 518), interpolation=cv2.INTER_CUBIC)
    session = ort.InferenceSession(exported / f"{model}_network" / "1" / "model.onnx")
    depth = session.run(["INVERSE_DEPTH"], {"PIXELS": small[np.newaxis]})[0]
    grown = torch.nn.functional.interpolate(
        torch.from_numpy(depth)[None], (427, 640), mode="bilinear", align_corners=True
    )
    expected = grown[0, 0].numpy()
    assert np.linalg.norm(answer.depth - expected) / np.linalg.norm(expected) < 1e-5


@pytest.mark.parametrize("model", [RELATIVE, METRIC])
@pytest.mark.parametrize(
    ("option", "value"), [(option, value) for option, values in CHOICES.items() for value in values]
)
def test_every_option_is_served(model: str, option: str, value: str, client: DepthClient, photo: bytes) -> None:
    wishes = {"resolution": 140, option: value}
    if option in ("colormap", "equalize"):
        wishes["format"] = "color_png"
    answer = client.predict(photo, model=model, **wishes)  # type: ignore[arg-type]
    assert answer.options[option] == value
    if answer.depth.size:
        assert np.isfinite(answer.depth).all()


def test_pictures_of_both_kinds_have_the_near_bright(client: DepthClient, photo: bytes) -> None:
    for model in (RELATIVE, METRIC):
        depth = client.predict(photo, model=model, resolution=140).depth
        picture = client.predict(photo, model=model, resolution=140, format="png8").encoded
        grey = cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_UNCHANGED).astype(np.float64)
        assert np.corrcoef(grey.ravel(), depth.ravel())[0, 1] * (-1 if model == METRIC else 1) > 0.999


def test_the_examples_know_metres(
    server: Triton, client: DepthClient, photo: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("photo.jpg").write_bytes(photo)
    depth = client.predict("photo.jpg").depth
    x, y = map(int, re.findall(r"[xy] = (\d+)", example("one_photo", "photo.jpg", url=server.grpc_url)))
    assert depth[y, x] == depth.min()

    said = example("metres", "photo.jpg", url=server.grpc_url)
    assert re.fullmatch(r"\d+ points in metres\n", said)
    millimetres = cv2.imread("photo_millimetres.png", cv2.IMREAD_UNCHANGED).astype(np.float64)
    assert np.abs(millimetres - (1000 * depth).clip(1, 65535)).max() <= 0.51
    corrected = example("metres", "photo.jpg", "--known", "300,200,2.5", url=server.grpc_url)
    assert "(300, 200) is 2.5 m away, and 2.50 m by the fit" in corrected

    said = example("plain_http", "photo.jpg", url=f"http://{server.http_url}")
    assert "640 x 427, metres, low and high: [" in said


def test_the_fog_of_the_example_is_far_in_metres(
    server: Triton, client: DepthClient, photo: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    pixels = cv2.imdecode(np.frombuffer(photo, np.uint8), cv2.IMREAD_COLOR)[:, :, ::-1]
    with VideoWriter("video.mp4", fps=10) as film:
        for left in (0, 10):
            film.write(np.ascontiguousarray(pixels[:400, left : left + 600]))
    example("video", "video.mp4", "fog.mp4", url=server.grpc_url)
    with VideoReader("video.mp4") as video, VideoReader("fog.mp4") as foggy:
        frame, picture = next(iter(video)), next(iter(foggy)).astype(int)
    metres = next(iter(client.predict_video([frame]))).depth
    thickness = np.abs(picture - frame).sum(axis=-1) / np.abs(np.array([225, 228, 232]) - frame).sum(axis=-1).clip(60)
    near, far = metres < np.percentile(metres, 10), metres > np.percentile(metres, 90)
    assert thickness[near].mean() < 0.3
    assert thickness[far].mean() > 0.7


def example(name: str, *arguments: str, url: str) -> str:
    """What the example prints."""
    command = [sys.executable, str(ROOT / "examples" / f"{name}.py"), *arguments, "--url", url]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=300).stdout


def test_another_grid_is_told(client: DepthClient, photo: bytes) -> None:
    message = f"resolution=512: allowed are integers from 140 to 1274 in steps of 14; the default of {RELATIVE} is 518"
    with pytest.raises(InvalidRequestError, match=message):
        client.predict(photo, model=RELATIVE, resolution=512)


def test_photos_that_come_together_get_what_each_gets_alone(client: DepthClient, photo: bytes) -> None:
    mirrored = cv2.imencode(".png", cv2.imdecode(np.frombuffer(photo, np.uint8), cv2.IMREAD_COLOR)[:, ::-1])[
        1
    ].tobytes()
    alone = [client.predict(each, model=METRIC, resolution=252).depth for each in (photo, mirrored)]
    with ThreadPoolExecutor(6) as pool:
        together = list(
            pool.map(lambda each: client.predict(each, model=METRIC, resolution=252).depth, [photo, mirrored] * 3)
        )
    for number, depth in enumerate(together):
        np.testing.assert_allclose(depth, alone[number % 2], rtol=1e-4)
    counts = client.model_statistics(METRIC).steps[1]
    assert counts.executions <= counts.requests


def test_commercial_refuses_a_licence_that_does_not_allow_it(exported: Path) -> None:
    message = f"{METRIC} is refused by --commercial: the licence of its weights is not stated"
    with pytest.raises(StartFailed, match=message):
        own_server(exported, [RELATIVE, METRIC], commercial=True).__enter__()


def test_the_manifest_says_how_far_the_graph_is(exported: Path) -> None:
    for model in (RELATIVE, METRIC):
        manifest = json.loads((exported / f"{model}_network" / "1" / "manifest.json").read_text())
        assert manifest["parity"] < 1e-4
