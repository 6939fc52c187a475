"""Two thousand mixed requests: each gets its answer or its error, and memory stays where it was."""

import io
import random
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from midas_client import DepthClient, InvalidRequestError
from midas_server.launch import Triton
from tests.networks import VARIANT
from tests.own_server import own_server
from tests.server.memory import private_bytes, region_bytes

CLIENTS = 4
WARM_UP = 500
REQUESTS = 1500


@pytest.fixture
def server(repository: Path) -> Iterator[Triton]:
    """A server of this test's own: its memory is measured."""
    with own_server(repository, [VARIANT]) as triton:
        yield triton


def photos(photo: bytes) -> list[bytes]:
    """The same photo of several file types, sizes and states."""
    image = Image.open(io.BytesIO(photo))
    variations = [photo, photo[: len(photo) // 2], b"no photo", b"\xff\xd8\xff"]
    for size, kind in (((320, 240), "PNG"), ((1280, 853), "JPEG"), ((200, 600), "WEBP"), ((64, 64), "PNG")):
        file = io.BytesIO()
        image.resize(size).save(file, kind)
        variations.append(file.getvalue())
    return variations


OPTIONS: list[dict[str, Any]] = [
    {},
    {"format": "png16"},
    {"output_size": "network"},
    {"aspect": "square"},
    {"filter": "guided"},
    {"filter": "crf", "format": "color_jpeg", "equalize": "clahe"},
    {"filter": "median", "format": "float16"},
    {"format": "png8", "equalize": "global"},
    {"resolution": 384, "output_size": "network"},
]


def send(client: DepthClient, photo: bytes, options: dict[str, Any]) -> str:
    try:
        client.predict(photo, model=VARIANT, **options)
    except InvalidRequestError:  # what the server refuses
        return "refused"
    return "answered"


@pytest.mark.long
@pytest.mark.filterwarnings("ignore::midas_client.UntrainedWeightsWarning")
def test_memory_stays_flat_and_every_request_is_answered(server: Triton, photo: bytes) -> None:
    dice = random.Random(0)  # noqa: S311  (a choice of photos, not of secrets)
    variations = photos(photo)
    work = [(dice.choice(variations), dice.choice(OPTIONS)) for _ in range(WARM_UP + REQUESTS)]
    good = {id(data) for data in variations[:1] + variations[4:]}
    with DepthClient(server.grpc_url) as client, ThreadPoolExecutor(CLIENTS) as pool:
        # ONNX Runtime keeps what its largest batch needed: let that be over before memory is looked at.
        with ThreadPoolExecutor(4 * CLIENTS) as crowd:
            list(crowd.map(lambda _: send(client, photo, OPTIONS[-1]), range(16 * CLIENTS)))
        list(pool.map(lambda item: send(client, *item), work[:WARM_UP]))
        before, regions_before = private_bytes(server), region_bytes()
        outcomes = Counter(pool.map(lambda item: send(client, *item), work[WARM_UP:]))
        after, regions_after = private_bytes(server), region_bytes()
    answered = sum(id(data) in good for data, _ in work[WARM_UP:])
    assert outcomes == {"answered": answered, "refused": REQUESTS - answered}
    print(
        f"{before / 1e6:.0f} MB after {WARM_UP} requests, {after / 1e6:.0f} after {WARM_UP + REQUESTS}; "
        f"shared {regions_before / 1e6:.0f} and {regions_after / 1e6:.0f}"
    )
    assert after < 1.05 * before
    assert regions_after < 1.05 * regions_before
