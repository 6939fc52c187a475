"""POST /predict and GET /results: what goes in, what comes out, and what is refused."""

from __future__ import annotations

import base64
import io
import json
import socket
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import cv2
import numpy as np
import pytest
import requests
from PIL import Image

from midas_client import DepthClient
from midas_server.launch import Triton
from tests.gateway import http
from tests.gateway.conftest import Gateway
from tests.networks import DEFAULT

PROBLEM = "application/problem+json"


def refused(response: requests.Response, status: int) -> dict[str, Any]:
    """The problem that an answer is."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == PROBLEM
    document: dict[str, Any] = response.json()
    assert document["status"] == status
    assert document["success"] is False
    assert document["message"] == document["detail"]
    assert document["request_id"] == response.headers["x-request-id"]
    return document


def npy(response: requests.Response) -> np.ndarray[Any, Any]:
    assert response.headers["content-type"] == "application/x-npy"
    array: np.ndarray[Any, Any] = np.load(io.BytesIO(response.content))
    return array


def test_as_a_web_developer_writes_it(gateway: Gateway, triton: Triton, photo: bytes) -> None:
    answer = http.post(f"{gateway.url}/predict", files={"image": photo}).json()
    assert answer["success"] is True
    assert (answer["width"], answer["height"], answer["model"]) == (640, 427, DEFAULT)
    assert set(answer["timings_ms"]) == {"preprocess", "network", "postprocess"}
    file = http.get(answer["depth_image_url"])
    assert file.headers["content-type"] == "image/png"
    levels = cv2.imdecode(np.frombuffer(file.content, np.uint8), cv2.IMREAD_UNCHANGED)
    assert levels.dtype == np.uint16
    low, high = answer["range"]
    with DepthClient(triton.grpc_url) as client:
        depth = client.predict(photo, model=DEFAULT).depth
    # 16 bits end to end: nothing is lost but the rounding to 1 / 65535 of the range.
    np.testing.assert_allclose(low + levels * ((high - low) / 65535), depth, atol=(high - low) / 65535)


def test_a_result_may_be_kept_by_its_caller_alone(gateway: Gateway, photo: bytes) -> None:
    url = http.post(f"{gateway.url}/predict", files={"file": photo}).json()["depth_image_url"]
    first = http.get(url)
    assert "private" in first.headers["cache-control"]
    assert "immutable" in first.headers["cache-control"]
    again = http.get(url, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    refused(http.get(f"{url[:-1]}{'A' if url[-1] != 'A' else 'B'}"), 404)


@pytest.mark.parametrize(
    "path", ["../../jobs.sqlite", "..%2f..%2fjobs.sqlite", "%2e%2e/%2e%2e/etc/passwd", "*", "." * 22]
)
def test_no_id_leads_out_of_the_results(gateway: Gateway, path: str) -> None:
    # A library would tidy the path up before it sends it.
    head, _ = spoken(gateway, f"GET /results/{path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    assert head.startswith(b"HTTP/1.1 404"), head


def test_a_file_directly_with_its_info(gateway: Gateway, triton: Triton, photo: bytes) -> None:
    raw = {"Content-Type": "image/jpeg"}
    whole = http.post(f"{gateway.url}/predict", data=photo, headers={**raw, "Accept": "application/x-npy"})
    with DepthClient(triton.grpc_url) as client:
        depth = client.predict(photo, model=DEFAULT).depth
    np.testing.assert_array_equal(npy(whole), depth)
    info = json.loads(whole.headers["x-depth-info"])
    assert info["options"]["format"] == "float32"
    assert (info["photo"], info["variant"]) == ({"width": 640, "height": 427}, DEFAULT)
    halves = npy(http.post(f"{gateway.url}/predict?format=float16", files={"image": photo}))
    assert halves.dtype == np.float16
    np.testing.assert_allclose(halves, depth, rtol=1e-3)
    for accept, ending in (("image/png", b"\x89PNG"), ("image/jpeg", b"\xff\xd8")):
        answer = http.post(f"{gateway.url}/predict", data=photo, headers={**raw, "Accept": accept})
        assert answer.headers["content-type"] == accept
        assert answer.content.startswith(ending)
    both = http.post(f"{gateway.url}/predict?format=float32", data=photo, headers={**raw, "Accept": "image/png"})
    assert refused(both, 400)["allowed"] == ["png16", "png8", "color_png"]


@pytest.mark.parametrize("prefix", ["", "data:image/jpeg;base64,"])
def test_json_with_base64(gateway: Gateway, photo: bytes, prefix: str) -> None:
    document = {"image": prefix + base64.b64encode(photo).decode(), "filter": "guided", "guided_radius": "4"}
    answer = http.post(
        f"{gateway.url}/predict", json={**document, "include": "base64", "resolution": 320}, headers={"Accept": "*/*"}
    ).json()
    assert answer["options"]["resolution"] == 320
    assert answer["options"]["guided_radius"] == 4
    assert base64.b64decode(answer["depth_image"]) == http.get(answer["depth_image_url"]).content


def test_options_in_query_and_form(gateway: Gateway, photo: bytes) -> None:
    answer = http.post(
        f"{gateway.url}/predict?output_size=network&resolution=320",
        files={"image": photo},
        data={"resolution": "128", "filter": ""},
        headers={"Accept": "application/json"},
    ).json()
    assert answer["options"]["resolution"] == 128
    assert answer["options"]["output_size"] == "network"
    assert answer["options"]["filter"] == "none"


@pytest.mark.parametrize(
    ("fields", "allowed"),
    [
        ({"filter": "guide"}, ["none", "guided", "crf", "median", "bilateral"]),
        ({"resolution": "1e3.5"}, [128, 1280]),
        ({"resolution": "5000"}, [128, 1280]),
        ({"median_size": "4"}, [3, 5]),
        ({"include": "url"}, ["base64"]),
    ],
)
def test_an_option_that_there_is_not(
    gateway: Gateway, photo: bytes, fields: dict[str, str], allowed: list[Any]
) -> None:
    problem = refused(http.post(f"{gateway.url}/predict", files={"image": photo}, data=fields), 422)
    assert problem["allowed"] == allowed
    assert all(str(value) in problem["message"] for value in allowed)


def test_an_unknown_option_names_those_there_are(gateway: Gateway, photo: bytes) -> None:
    problem = refused(http.post(f"{gateway.url}/predict", files={"image": photo}, data={"fitler": "crf"}), 422)
    assert "filter" in problem["allowed"]
    assert problem["message"] == "There is no option 'fitler'. Did you mean 'filter'?"


@pytest.mark.parametrize("query", ["resolution=128&resolution=256", "model=small&filter=crf&model=large"])
def test_an_option_that_the_address_has_twice(gateway: Gateway, photo: bytes, query: str) -> None:
    problem = refused(http.post(f"{gateway.url}/predict?{query}", files={"image": photo}), 422)
    assert problem["message"] == f"The address has {query.partition('=')[0]!r} twice. Give it once"


def test_an_option_that_json_has_twice(gateway: Gateway) -> None:
    body = b'{"image": "aGVsbG8=", "filter": "crf", "filter": "none"}'
    answer = http.post(f"{gateway.url}/predict", data=body, headers={"Content-Type": "application/json"})
    assert "a name twice" in refused(answer, 400)["message"]


@pytest.mark.parametrize("model", ["", DEFAULT, "small"])
def test_what_only_the_server_knows_of_an_option_is_passed_on(gateway: Gateway, photo: bytes, model: str) -> None:
    fields = {"resolution": "300", "model": model}
    problem = refused(http.post(f"{gateway.url}/predict", files={"image": photo}, data=fields), 422)
    assert "in steps of 32" in problem["message"]
    assert problem["allowed"] == list(range(128, 1281, 32))


def test_options_that_do_not_go_together(gateway: Gateway, photo: bytes) -> None:
    fields = {"guided_radius": "4"}
    problem = refused(http.post(f"{gateway.url}/predict", files={"image": photo}, data=fields), 422)
    assert "leave it out" in problem["message"]
    assert "allowed" not in problem


def test_two_photos_at_once_are_told_where_to_go(gateway: Gateway, photo: bytes) -> None:
    files = [("image", ("one.jpg", photo)), ("image", ("two.jpg", photo))]
    assert "send all of them to /jobs" in refused(http.post(f"{gateway.url}/predict", files=files), 400)["message"]


def test_an_option_that_is_too_much_for_this_photo(gateway: Gateway) -> None:
    file = io.BytesIO()
    Image.new("L", (5000, 4000)).save(file, "PNG")
    problem = refused(http.post(f"{gateway.url}/predict?format=float32", files={"image": file.getvalue()}), 422)
    assert "at most 16,000,000 pixels" in problem["message"]
    assert "allowed" not in problem


def test_a_model_that_is_not_loaded_names_those_that_are(gateway: Gateway, photo: bytes, models: list[str]) -> None:
    problem = refused(http.post(f"{gateway.url}/predict", files={"image": photo}, data={"model": "large"}), 404)
    assert set(models) <= set(problem["allowed"])


@pytest.mark.parametrize("declared", ["image/jpeg", "image/png", "application/octet-stream"])
@pytest.mark.parametrize(
    ("content", "words"),
    [(b"a letter", "text"), (b"\0\0\0\x18ftypheic\0\0\0\0heicmif1", "HEIC"), (b"GIF89a" + bytes(90), "a GIF")],
)
def test_what_is_no_photo_whatever_it_is_called(gateway: Gateway, declared: str, content: bytes, words: str) -> None:
    answer = http.post(f"{gateway.url}/predict", data=content, headers={"Content-Type": declared})
    assert words in refused(answer, 415)["message"]


def test_a_broken_photo(gateway: Gateway, photo: bytes) -> None:
    refused(http.post(f"{gateway.url}/predict", files={"image": photo[:2000]}), 400)


@pytest.mark.parametrize(
    ("body", "media_type", "status"),
    [
        (b"", "multipart/form-data", 400),
        (b"--x\r\n", "multipart/form-data; boundary=x", 400),
        (b"no form", "multipart/form-data; boundary=x", 400),
        (
            b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--x--\r\n',
            "multipart/form-data; boundary=x",
            400,
        ),
        (b"{", "application/json", 400),
        (b"[1]", "application/json", 400),
        (b'{"image": 5}', "application/json", 400),
        (b'{"image": "%%%"}', "application/json", 400),
        (b'{"image": "http://169.254.169.254/latest"}', "application/json", 400),
        (b'{"image": "data:image/png,abc"}', "application/json", 400),
        (b"[" * 100_000, "application/json", 400),
        (b"", "image/jpeg", 400),
        (b"image=abc", "application/x-www-form-urlencoded", 415),
        (b"abc", "", 415),
    ],
)
def test_a_body_that_cannot_be_read(gateway: Gateway, body: bytes, media_type: str, status: int) -> None:
    headers = {"Content-Type": media_type} if media_type else {}
    refused(http.post(f"{gateway.url}/predict", data=body, headers=headers), status)


def spoken(gateway: Gateway, request: bytes) -> tuple[bytes, bytes]:
    """Head and body of the answer to what a library would not send, after which the connection is closed."""
    target = urlsplit(gateway.url)
    with socket.create_connection((target.hostname or "", target.port or 0), timeout=30) as connection:
        connection.sendall(request)
        head, _, body = connection.makefile("rb").read().partition(b"\r\n\r\n")
    return head, body


@pytest.mark.parametrize(
    "request_",
    [
        b"\x16\x03\x01\x02\0",
        b"no HTTP\r\n\r\n",
        b"GET / HTTP/1.1\r\nno header\r\n\r\n",
        b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: many\r\n\r\n",
    ],
    ids=["TLS", "first line", "header", "length"],
)
def test_what_is_no_http_is_told_so_as_all_else_is(gateway: Gateway, request_: bytes) -> None:
    head, body = spoken(gateway, request_)
    assert head.startswith(b"HTTP/1.1 400 ")
    assert f"Content-Type: {PROBLEM}".encode() in head
    problem = json.loads(body)
    assert (problem["success"], problem["code"]) == (False, "bad_request")
    assert gateway.log_of(problem["request_id"])["status"] == 400


def test_a_caller_that_would_rather_speak_http_2(gateway: Gateway, photo: bytes) -> None:
    # As curl --http2 asks; a server that cannot goes on in HTTP/1.1, on the same connection.
    upgrade = {"Connection": "Upgrade, HTTP2-Settings", "Upgrade": "h2c", "HTTP2-Settings": "AAMAAABkAAQCAAAAAAIAAAAA"}
    target = urlsplit(gateway.url)
    connection = HTTPConnection(target.hostname or "", target.port, timeout=60)
    for asked in (upgrade, {}):
        connection.request("POST", "/predict?format=png8", photo, {"Content-Type": "image/jpeg", **asked})
        answer = connection.getresponse()
        assert (answer.status, answer.read()[:4]) == (200, b"\x89PNG")
    connection.close()


def test_a_url_is_not_fetched(gateway: Gateway) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.2)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/photo.jpg"
        problem = refused(http.post(f"{gateway.url}/predict", json={"image": url}), 400)
        assert "fetches nothing" in problem["message"]
        with pytest.raises(TimeoutError):
            listener.accept()


def test_a_path_without_a_route_and_a_method_without_one(gateway: Gateway) -> None:
    refused(http.get(f"{gateway.url}/nothing"), 404)
    assert refused(http.get(f"{gateway.url}/predict"), 405)


def test_one_id_in_answer_and_log(gateway: Gateway, photo: bytes) -> None:
    answer = http.post(f"{gateway.url}/predict", files={"image": photo}, headers={"X-Request-ID": "order-17.a"})
    assert answer.headers["x-request-id"] == "order-17.a"
    line = gateway.log_of("order-17.a")
    assert (line["path"], line["status"], line["method"]) == ("/predict", 200, "POST")
    assert line["bytes"] == len(answer.content)
    # What could forge a line of a log is no id.
    other = http.get(f"{gateway.url}/healthz", headers={"X-Request-ID": 'a" "b'})
    assert len(other.headers["x-request-id"]) == 32


def test_models_say_what_the_page_needs(gateway: Gateway, models: list[str]) -> None:
    found = {model["name"]: model for model in http.get(f"{gateway.url}/models").json()["models"]}
    assert set(models) <= set(found)
    model = found[DEFAULT]
    assert (model["resolution"], model["grid"], model["aspects"]) == (256, 32, ["square", "keep"])
    assert (model["resolutions"][0], model["resolutions"][-1]) == (128, 1280)
    assert (model["weights"], model["kind"], model["format"]) == ("default", "relative_inverse_depth", "onnxruntime")


def test_the_page_is_kept_to_itself(gateway: Gateway) -> None:
    page = http.get(f"{gateway.url}/")
    policy = page.headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    assert page.headers["x-content-type-options"] == "nosniff"
