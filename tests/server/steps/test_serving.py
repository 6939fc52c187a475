"""One photo in, a depth map out, through a real Triton."""

import io
import json
import subprocess
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnxruntime as ort
import pytest
import requests
import tritonclient.http as triton_http
from numpy.typing import NDArray
from PIL import Image

from midas_server.launch import Triton
from tests.networks import VARIANT
from tests.server.calls import infer, post


def reference(photo: bytes, repository: Path, size: tuple[int, int], model: str = VARIANT) -> NDArray[np.float32]:
    """The same steps in one process: OpenCV, ONNX Runtime, OpenCV."""
    pixels = cv2.imdecode(np.frombuffer(photo, np.uint8), cv2.IMREAD_COLOR)[:, :, ::-1]
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_CUBIC)
    session = ort.InferenceSession(repository / f"{model}_network" / "1" / "model.onnx")
    depth = session.run(["INVERSE_DEPTH"], {"PIXELS": small[np.newaxis]})[0][0]
    height, width = pixels.shape[:2]
    return np.asarray(cv2.resize(depth, (width, height), interpolation=cv2.INTER_CUBIC), np.float32)


def relative_error(result: Any, expected: Any) -> float:
    return float(np.linalg.norm(result - expected) / np.linalg.norm(expected))


def test_the_served_depth_is_that_of_the_steps_in_one_process(triton: Triton, repository: Path, photo: bytes) -> None:
    depth, encoded, info = infer(triton, photo)
    assert depth.shape == (1, 427, 640)
    assert depth.dtype == np.float32
    assert encoded == b""
    assert relative_error(depth[0], reference(photo, repository, (256, 160))) < 1e-5
    assert info["variant"] == VARIANT
    assert info["weights"] == "untrained"
    assert info["photo"] == info["output"] == {"width": 640, "height": 427}
    assert info["network"] == {"width": 256, "height": 160}
    assert info["options"] == {
        "resolution": 256,
        "aspect": "keep",
        "output_size": "photo",
        "format": "float32",
        "colormap": "inferno",
        "filter": "none",
        "equalize": "none",
    }
    assert info["range"] == [pytest.approx(depth.min()), pytest.approx(depth.max())]
    assert all(milliseconds > 0 for milliseconds in info["milliseconds"].values())


def test_options_change_sizes_and_format(triton: Triton, photo: bytes) -> None:
    depth, _, info = infer(triton, photo, resolution=384, aspect="square", output_size="network")
    assert depth.shape == (1, 384, 384)
    assert info["network"] == info["output"] == {"width": 384, "height": 384}

    depth, encoded, info = infer(triton, photo, format="png16")
    assert depth.shape == (1, 0, 0)
    levels = cv2.imdecode(np.frombuffer(encoded, np.uint8), cv2.IMREAD_UNCHANGED)
    low, high = info["range"]
    plain = infer(triton, photo)[0][0]
    np.testing.assert_allclose(low + levels / 65535 * (high - low), plain, atol=(high - low) / 131070 * 1.01)


@pytest.mark.parametrize("filter", ["guided", "crf", "median", "bilateral"])
def test_filters_change_the_depth_a_little(triton: Triton, photo: bytes, filter: str) -> None:
    plain = infer(triton, photo)[0]
    depth, _, info = infer(triton, photo, filter=filter)
    assert depth.shape == plain.shape
    assert info["options"]["filter"] == filter
    assert any(name.startswith(f"{filter}_") for name in info["options"])
    assert 1e-5 < relative_error(depth, plain) < 0.2
    small = infer(triton, photo, filter=filter, output_size="network")[0]
    assert small.shape == (1, 160, 256)


@pytest.mark.parametrize(
    ("format", "channels", "kind"),
    [("png8", 1, b"\x89PNG"), ("color_png", 3, b"\x89PNG"), ("color_jpeg", 3, b"\xff\xd8")],
)
def test_pictures(triton: Triton, photo: bytes, format: str, channels: int, kind: bytes) -> None:
    depth, encoded, info = infer(triton, photo, format=format, equalize="clahe")
    assert depth.shape == (1, 0, 0)
    assert encoded.startswith(kind)
    picture = cv2.imdecode(np.frombuffer(encoded, np.uint8), cv2.IMREAD_UNCHANGED)
    assert picture.shape == ((427, 640) if channels == 1 else (427, 640, 3))
    assert info["options"]["clahe_tiles"] == 8


def test_half_floats(triton: Triton, photo: bytes) -> None:
    depth, encoded, _ = infer(triton, photo, format="float16")
    assert depth.shape == (1, 0, 0)
    halves = np.frombuffer(encoded, "<f2").reshape(427, 640).astype(np.float32)
    assert relative_error(halves, infer(triton, photo)[0][0]) < 1e-3


def test_a_large_jpeg_gives_nearly_the_depth_of_full_decoding(triton: Triton, repository: Path, photo: bytes) -> None:
    large = io.BytesIO()
    Image.open(io.BytesIO(photo)).resize((2560, 1708), Image.Resampling.LANCZOS).save(large, "JPEG", quality=92)
    depth, _, info = infer(triton, large.getvalue())
    assert info["photo"] == {"width": 2560, "height": 1708}
    assert relative_error(depth[0], reference(large.getvalue(), repository, (256, 160))) < 0.05


def test_exif_orientation_is_applied(triton: Triton, photo: bytes) -> None:
    turned = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.open(io.BytesIO(photo)).transpose(Image.Transpose.ROTATE_90).save(turned, "PNG", exif=exif)
    depth, _, info = infer(triton, turned.getvalue())
    assert info["photo"] == {"width": 640, "height": 427}
    assert relative_error(depth, infer(triton, photo)[0]) < 1e-5


def test_a_bare_post_with_curl_is_answered(triton: Triton, photo: bytes, tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").write_bytes(photo)
    command = ["curl", "-s", "-w", "%{http_code}", "-o", str(tmp_path / "answer")]
    command += ["-H", "Inference-Header-Content-Length: 0", "--data-binary", f"@{tmp_path / 'photo.jpg'}"]
    command += [f"http://{triton.http_url}/v2/models/{VARIANT}/infer"]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "200"
    answer = (tmp_path / "answer").read_bytes()
    header = json.JSONDecoder().raw_decode(
        answer[: answer.index(b"]}]}") + 4 if b"]}]}" in answer else 2000].decode("latin-1")
    )[0]
    shapes = {output["name"]: output["shape"] for output in header["outputs"]}
    assert shapes["DEPTH"] == [1, 427, 640]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (
            b"This is a text file.\n",
            "expected a JPEG, PNG or WebP file, got text that begins with 'This is a text file.",
        ),
        (b"", ""),
    ],
)
def test_what_is_no_photo_gets_400_and_the_next_is_served(
    triton: Triton, photo: bytes, body: bytes, message: str
) -> None:
    answer = post(triton, body)
    assert answer.status_code == 400
    assert message in answer.json()["error"]
    assert infer(triton, photo)[0].shape == (1, 427, 640)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"resolution": 100}, "allowed are integers from 128 to 1280 in steps of 32"),
        ({"colour": "red"}, "unknown option 'colour': the options are"),
        ({"format": "gif"}, "allowed are float32, float16, png16"),
        ({"filter": True}, "option filter=True: allowed are none, guided"),
        ({"filter": "crf", "crf_contrast": 65.5}, "option crf_contrast=65.5: allowed are numbers from 0.5 to 64"),
    ],
)
def test_wrong_options_get_400(triton: Triton, photo: bytes, options: dict[str, Any], message: str) -> None:
    with pytest.raises(triton_http.InferenceServerException) as raised:
        infer(triton, photo, **options)
    assert raised.value.status() == "400"
    assert message in raised.value.message()


def test_an_unknown_model_gets_404(triton: Triton, photo: bytes) -> None:
    assert post(triton, photo, "no_such_model").status_code == 404


def test_administration_is_closed_to_callers(triton: Triton) -> None:
    base = f"http://{triton.http_url}/v2"
    for path in (
        "repository/index",
        f"repository/models/{VARIANT}/unload",
        "systemsharedmemory/region/x/register",
        "trace/setting",
        "logging",
    ):
        answer = requests.post(f"{base}/{path}", json={}, timeout=60)
        assert answer.status_code == 403, path
    assert requests.get(f"{base}/models/{VARIANT}/ready", timeout=60).status_code == 200


def test_metrics_are_served(triton: Triton, photo: bytes) -> None:
    infer(triton, photo)
    text = requests.get(f"http://{triton.metrics_url}/metrics", timeout=60).text
    assert f'nv_inference_request_success{{model="{VARIANT}",version="1"}}' in text
