"""What the client does around a transport: requests, retries, warnings, errors."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from midas_client import (
    AddressError,
    AnswerError,
    AsyncDepthClient,
    ClientClosedError,
    ConnectError,
    DeadlineExceededError,
    DepthClient,
    Health,
    InferResponse,
    InvalidRequestError,
    ModelNotFoundError,
    OptionError,
    PhotoError,
    ServerBusyError,
    Timeout,
    Transport,
    UntrainedWeightsWarning,
)
from tests.client.blocking import AsyncFromSync

if TYPE_CHECKING:
    from tests.client.conftest import Connect, FakeTransport

MakeResponse = Callable[..., InferResponse]
MakeInfo = Callable[..., bytes]


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The client's pauses, which it does not really make."""
    made: list[float] = []
    monkeypatch.setattr("midas_client._client.time.sleep", made.append)

    async def pause(seconds: float) -> None:
        made.append(seconds)

    monkeypatch.setattr("midas_client._async_client.asyncio.sleep", pause)
    return made


def test_predict_sends_one_request(connect: Connect, fake: type[FakeTransport]) -> None:
    transport = fake()
    as_transport: Transport = transport  # the fake has what the protocol asks for
    client = connect(transport=as_transport, timeout=Timeout(total=9))
    depth_map = client.predict(b"photo", model="a", resolution=384, output_size="network")
    assert depth_map.depth.shape == (3, 4)
    (request,) = transport.requests
    assert request.model == "a"
    assert request.image == b"photo"
    assert request.parameters == {"resolution": 384, "output_size": "network"}
    assert len(request.id) == 32
    assert 8.5 < transport.timeouts[0] <= 9


def test_a_call_may_have_its_own_timeout(connect: Connect, fake: type[FakeTransport]) -> None:
    transport = fake()
    connect(transport=transport).predict(b"photo", timeout=2)
    assert 1.5 < transport.timeouts[0] <= 2
    connect(transport=transport).predict(b"photo", timeout=Timeout(total=3, connect=1))
    assert 2.5 < transport.timeouts[1] <= 3
    with pytest.raises(OptionError, match="finite"):
        connect(transport=transport).predict(b"photo", timeout=float("inf"))


def test_an_answer_for_fakes(connect: Connect, fake: type[FakeTransport]) -> None:
    transport = fake(InferResponse.of([[0.0, 1.0, 2.0]], variant="a", weights="official"))
    depth_map = connect(transport=transport).predict(b"photo")
    np.testing.assert_array_equal(depth_map.depth, np.array([[0, 1, 2]], np.float32))
    assert (depth_map.photo_size, depth_map.variant, depth_map.weights) == ((3, 1), "a", "official")


def test_default_model(connect: Connect, fake: type[FakeTransport]) -> None:
    transport = fake()
    connect(transport=transport).predict(b"photo")
    assert transport.requests[0].model == "default"


def test_wrong_calls_send_nothing(connect: Connect, fake: type[FakeTransport]) -> None:
    transport = fake()
    client = connect(transport=transport)
    wrong: list[tuple[type[Exception], dict[str, Any]]] = [
        (OptionError, {"photo": b"photo", "format": "jpeg"}),
        (OptionError, {"photo": b"photo", "model": ""}),
        (PhotoError, {"photo": "https://example.org/a.jpg"}),
    ]
    for kind, arguments in wrong:
        with pytest.raises(kind):
            client.predict(**arguments)
    assert transport.requests == []


def test_constructor_checks_and_does_nothing_else(connect: Connect) -> None:
    with pytest.raises(AddressError):
        connect("ftp://host")
    with pytest.raises(OptionError, match="retries"):
        connect(retries=-1)
    # No such host: nothing has been looked up or connected.
    connect("no-such-host.invalid:8001").close()
    connect("http://no-such-host.invalid").close()


def test_busy_three_times_then_fine(
    connect: Connect, fake: type[FakeTransport], make_response: MakeResponse, pauses: list[float]
) -> None:
    busy = ServerBusyError("busy")
    transport = fake(busy, busy, busy, make_response())
    assert connect(transport=transport).predict(b"photo").depth.shape == (3, 4)
    assert len(transport.requests) == 4
    assert len({request.id for request in transport.requests}) == 1
    assert len(pauses) == 3
    assert sorted(transport.timeouts, reverse=True) == transport.timeouts


def test_busy_for_ever(connect: Connect, fake: type[FakeTransport], pauses: list[float]) -> None:
    transport = fake(ServerBusyError("busy"))
    with pytest.raises(ServerBusyError):
        connect(transport=transport, retries=2).predict(b"photo")
    assert len(transport.requests) == 3
    assert len(pauses) == 2


def test_refusals_are_not_repeated(connect: Connect, fake: type[FakeTransport]) -> None:
    transport = fake(InvalidRequestError("not an image"))
    with pytest.raises(InvalidRequestError):
        connect(transport=transport).predict(b"photo")
    assert len(transport.requests) == 1


def test_unknown_model_names_those_there_are(connect: Connect, fake: type[FakeTransport]) -> None:
    transport = fake(ModelNotFoundError("unknown model 'x'"))
    with pytest.raises(ModelNotFoundError, match=r"unknown model 'x'. The server has: a, b") as caught:
        connect(transport=transport).predict(b"photo", model="x")
    assert caught.value.models == ("a", "b")


def test_unknown_model_on_a_server_that_does_not_tell(
    connect: Connect, fake: type[FakeTransport], monkeypatch: pytest.MonkeyPatch
) -> None:
    transport = fake(ModelNotFoundError("unknown model 'x'"))

    def restricted(timeout: float) -> list[str]:
        raise ConnectError("no")

    monkeypatch.setattr(transport, "statistics", restricted)
    with pytest.raises(ModelNotFoundError) as caught:
        connect(transport=transport).predict(b"photo", model="x")
    assert caught.value.models == ()


def test_models_are_those_with_a_preprocess_step(connect: Connect, fake: type[FakeTransport]) -> None:
    assert connect(transport=fake()).models() == ["a", "b"]


def test_untrained_weights_warn_once_a_model_and_client(
    connect: Connect, fake: type[FakeTransport], make_response: MakeResponse, make_info: MakeInfo
) -> None:
    client = connect(transport=fake(make_response(info_json=make_info("untrained"))))
    with pytest.warns(UntrainedWeightsWarning, match="midas_v21_small_256 has untrained weights"):
        client.predict(b"photo", model="a")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        client.predict(b"photo", model="a")
    with pytest.warns(UntrainedWeightsWarning):
        client.predict(b"photo", model="b")
    other = connect(transport=fake(make_response(info_json=make_info("untrained"))))
    with pytest.warns(UntrainedWeightsWarning):
        other.predict(b"photo", model="a")


def test_the_warning_names_the_callers_line(
    fake: type[FakeTransport], make_response: MakeResponse, make_info: MakeInfo
) -> None:
    untrained = make_response(info_json=make_info("untrained"))

    async def awaited() -> None:
        client = AsyncDepthClient(transport=AsyncFromSync(fake(untrained)))
        await client.predict(b"photo", model="a")
        async for _ in client.predict_many([b"photo"], model="b"):
            pass
        async for _ in client.predict_video([b"photo"], model="c", smoothing=0):
            pass

    client = DepthClient(transport=fake(untrained))
    with pytest.warns(UntrainedWeightsWarning) as caught:
        client.predict(b"photo", model="a")
        list(client.predict_many([b"photo"], model="b"))
        list(client.predict_video([b"photo"], model="c", smoothing=0))
        asyncio.run(awaited())
    assert [warning.filename for warning in caught] == [__file__] * 6


def test_trained_weights_do_not_warn(connect: Connect, fake: type[FakeTransport]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        connect(transport=fake()).predict(b"photo")


def test_context_manager_closes(connect: Connect, fake: type[FakeTransport]) -> None:
    transport = fake()
    with connect(transport=transport) as client:
        client.predict(b"photo")
    assert transport.closed


@pytest.mark.parametrize("url", ["localhost:1", "http://localhost:1"])
def test_use_after_close(connect: Connect, url: str) -> None:
    client = connect(url)
    client.close()
    client.close()
    for call in (lambda: client.predict(b"photo"), client.models, client.health):
        with pytest.raises(ClientClosedError, match="is closed"):
            call()


def test_health(connect: Connect, fake: type[FakeTransport]) -> None:
    transport = fake()
    client = connect(transport=transport)
    assert client.health() == Health(live=True, ready=True)
    transport.ready = [False]
    assert client.health().live
    assert not client.health().ready
    transport.ready = [ConnectError("nobody there")]
    assert client.health() == Health(live=False, ready=False, detail="nobody there")
    transport.ready = [ServerBusyError("stopping")]
    assert client.health() == Health(live=True, ready=False, detail="stopping")
    transport.ready = [AnswerError("a web page")]
    with pytest.raises(AnswerError):
        client.health()


def test_wait_ready(connect: Connect, fake: type[FakeTransport]) -> None:
    transport = fake()
    transport.ready = [ConnectError("nobody there"), False, True]
    connect(transport=transport).wait_ready(5)


def test_wait_ready_says_what_was_missing(connect: Connect, fake: type[FakeTransport]) -> None:
    transport = fake()
    client = connect(transport=transport)
    transport.ready = [ConnectError("nobody there")]
    with pytest.raises(DeadlineExceededError, match=r"The server was not ready within 0.3 s: nobody there"):
        client.wait_ready(0.3)
    transport.ready = [False]
    with pytest.raises(DeadlineExceededError, match=r"a was not ready within 0.3 s: it answers that it is not"):
        client.wait_ready(0.3, model="a")
    with pytest.raises(OptionError):
        client.wait_ready(0)


def test_threads_share_a_client(connect: Connect, fake: type[FakeTransport]) -> None:
    transport = fake()
    client = connect(transport=transport)
    with ThreadPoolExecutor(8) as pool:
        maps = list(pool.map(lambda number: client.predict(np.full((2, 2, 3), number, np.uint8)), range(50)))
    assert len(maps) == 50
    assert len({request.id for request in transport.requests}) == 50
