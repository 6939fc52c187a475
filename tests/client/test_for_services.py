"""What a service that passes depth on needs of the client: late decoding, descriptions, ids, statuses, dead steps."""

from __future__ import annotations

import copy
import io
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image

import midas_client
from midas_client import (
    AnswerError,
    DepthClient,
    InferRequest,
    InferResponse,
    MidasClientError,
    ModelDescription,
    ServerBusyError,
    StepRestartingError,
)
from midas_client._address import parse_address
from midas_client._calls import REPEAT_HEADER
from midas_client._depth_map import depth_map_from
from midas_client._transports.answer import PLAIN
from midas_client._transports.grpc_messages import with_headers
from midas_client._transports.http_messages import HttpMessages
from midas_server.launch import Triton
from tests.networks import DEFAULT

REQUEST = InferRequest("some_model", b"photo", {}, "id7")
EMPTY = np.zeros((0, 0), np.float32)


def png16(levels: np.ndarray[Any, Any]) -> bytes:
    file = io.BytesIO()
    Image.fromarray(levels.astype(np.uint16)).save(file, "PNG")
    return file.getvalue()


def test_depth_is_decoded_when_it_is_first_read(
    make_response: Callable[..., InferResponse], make_info: Callable[..., bytes]
) -> None:
    levels = np.arange(12).reshape(3, 4) * 5957
    encoded = png16(levels)
    depth_map = depth_map_from(REQUEST, make_response(EMPTY, encoded, make_info(format="png16")))
    assert "depth" not in vars(depth_map)
    assert depth_map.encoded == encoded
    assert depth_map.info["range"] == [0.0, 11.0]
    for other in (depth_map, copy.copy(depth_map), pickle.loads(pickle.dumps(depth_map))):  # noqa: S301 - our own
        np.testing.assert_allclose(other.depth, levels * (11 / 65535), rtol=1e-6)
        assert other.depth is other.depth
        assert not other.depth.flags.writeable
    with pytest.raises(AttributeError, match="no attribute 'deph'"):
        depth_map.deph  # type: ignore[attr-defined]  # noqa: B018


def test_a_file_that_is_damaged_further_on_is_an_answer_error(
    make_response: Callable[..., InferResponse], make_info: Callable[..., bytes]
) -> None:
    noise = np.random.default_rng(0).integers(0, 65535, (60, 80))
    encoded = png16(noise)
    depth_map = depth_map_from(REQUEST, make_response(EMPTY, encoded[: len(encoded) // 2], make_info(format="png16")))
    with pytest.raises(AnswerError, match="some_model is not a depth map"):
        _ = depth_map.depth


def test_models_are_names_that_know_more(triton: Triton, models: list[str]) -> None:
    for url in (triton.grpc_url, f"http://{triton.http_url}"):
        with DepthClient(url) as client:
            found = client.models()
        assert set(models) <= set(found)
        model = next(each for each in found if each == DEFAULT)
        assert (model.resolution, model.multiple, model.max_area) == (256, 32, 1638400)
        assert (model.aspects, model.backend, model.variant) == (("square", "keep"), "onnxruntime", DEFAULT)
        assert pickle.loads(pickle.dumps(model)) == DEFAULT  # noqa: S301 - our own


def test_a_transport_without_configs_still_has_names(fake: type[Any]) -> None:
    with DepthClient(transport=fake()) as client:
        first, second = client.models()
    assert (first, second) == ("a", "b")
    assert isinstance(first, ModelDescription)
    assert (first.resolution, first.aspects, first.kind) == (None, (), None)


def test_a_request_has_the_callers_id_and_headers(fake: type[Any]) -> None:
    transport = fake()
    with DepthClient(transport=transport) as client:
        client.predict(b"photo", request_id="order-17", headers={"traceparent": "00-1-2-01"})
        client.predict(b"photo")
    first, second = transport.requests
    assert (first.id, dict(first.headers)) == ("order-17", {"traceparent": "00-1-2-01"})
    assert len(second.id) == 32
    assert not second.headers


def test_a_repeat_is_marked_and_a_first_attempt_is_not(
    fake: type[Any], make_response: Callable[..., InferResponse]
) -> None:
    transport = fake(ServerBusyError("busy"), ServerBusyError("busy"), make_response())
    with DepthClient(transport=transport) as client:
        client.predict(b"photo", headers={"traceparent": "00-1-2-01"})
    assert [dict(request.headers) for request in transport.requests] == [
        {"traceparent": "00-1-2-01"},
        {"traceparent": "00-1-2-01", REPEAT_HEADER: "1"},
        {"traceparent": "00-1-2-01", REPEAT_HEADER: "1"},
    ]


@pytest.mark.parametrize(
    ("identity", "headers", "sent"),
    [
        ("order-17", {}, {"x-request-id": "order-17"}),
        ("order-17", {"X-Request-ID": "mine"}, {"X-Request-ID": "mine"}),
        ("a\r\nx: b", {}, {}),
        ("größe", {}, {}),
        (" ", {}, {}),
    ],
)
def test_the_id_is_a_header_too_where_it_can_be_one(
    identity: str, headers: dict[str, str], sent: dict[str, str]
) -> None:
    request = InferRequest(DEFAULT, b"photo", {}, identity, headers=headers)
    assert with_headers({"headers": {}}, request)["headers"] == sent
    over_http = HttpMessages(parse_address("http://host:1")).depth(request, 1.0, PLAIN).headers
    assert {name: value for name, value in over_http.items() if name.lower() == "x-request-id"} == sent


def test_each_error_has_an_http_status() -> None:
    errors = [each for each in vars(midas_client).values() if isinstance(each, type) and issubclass(each, Exception)]
    statuses = {each.__name__: each.http_status for each in errors if issubclass(each, MidasClientError)}
    assert all(400 <= status < 600 for status in statuses.values())
    assert statuses["ModelNotFoundError"] == 404
    assert statuses["OptionError"] == 422
    assert (statuses["InvalidRequestError"], statuses["PhotoError"]) == (400, 400)
    assert {statuses[name] for name in ("ServerBusyError", "StepRestartingError", "ConnectError")} == {503}
    assert statuses["DeadlineExceededError"] == 504
    # Who may not ask is the service itself, and not its caller.
    assert statuses["AccessDeniedError"] == 502


def test_health_names_a_dead_step(fake: type[Any]) -> None:
    words = "in ensemble 'a', Stub process 'a_preprocess_0_1' is not healthy."
    with DepthClient(transport=fake(StepRestartingError("dead", server_message=words))) as client:
        health = client.health(steps=True)
        assert (health.live, health.ready, health.dead_steps) == (True, False, ("a_preprocess",))
        assert client.health().ready
    with DepthClient(transport=fake(ServerBusyError("full"))) as client:
        assert client.health(steps=True).ready
