"""Mutated photos and option sets against a real server: it answers or refuses, and neither dies, hangs nor grows."""

import io
import random
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import psutil
import pytest
import tritonclient.grpc as triton_grpc
from PIL import Image

from midas_server.imaging.network_size import MIN_RESOLUTION, MULTIPLE
from midas_server.launch import Triton
from midas_server.options import CHOICES, NAMES, SETTINGS
from tests.networks import DEFAULT

CLIENTS = 4
# A request may wait for others; what takes longer than this hangs.
HANGS_AFTER = 60.0
# Larger ones would test nothing else, and take long.
LARGEST_RESOLUTION = 480
Values = dict[str, Any]


def seeds(photo: bytes) -> list[bytes]:
    """Small good photos of every kind."""
    image = Image.open(io.BytesIO(photo)).resize((160, 107))
    sixteen = Image.fromarray(np.asarray(image.convert("L")).astype(np.uint16) * 257)
    exif = Image.Exif()
    exif[0x0112] = 6
    variations: list[tuple[Image.Image, str, Values]] = [
        (image, "JPEG", {"quality": 90}),
        (image, "JPEG", {"progressive": True, "exif": exif}),
        (image.convert("L"), "JPEG", {}),
        (image.convert("CMYK"), "JPEG", {}),
        (image, "PNG", {}),
        (image.convert("RGBA"), "PNG", {}),
        (image.quantize(16), "PNG", {}),
        (sixteen, "PNG", {}),
        (image, "WEBP", {}),
        (image, "WEBP", {"lossless": True, "exif": exif}),
    ]
    saved = []
    for picture, kind, options in variations:
        file = io.BytesIO()
        picture.save(file, kind, **options)
        saved.append(file.getvalue())
    return saved


def flip_bits(dice: random.Random, data: bytearray) -> None:
    for _ in range(dice.choice((1, 1, 4, 64))):
        data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)


def change_header(dice: random.Random, data: bytearray) -> None:
    for _ in range(dice.randrange(1, 5)):
        data[dice.randrange(min(len(data), 700))] = dice.choice((0, 1, 0x7F, 0x80, 0xFF, dice.randrange(256)))


def cut(dice: random.Random, data: bytearray) -> None:
    del data[dice.randrange(len(data)) :]


def remove(dice: random.Random, data: bytearray) -> None:
    start = dice.randrange(len(data))
    del data[start : start + dice.randrange(1, 200)]


def repeat(dice: random.Random, data: bytearray) -> None:
    start = dice.randrange(len(data))
    data[start:start] = data[start : start + dice.randrange(1, 2000)] * dice.choice((1, 1, 20))


def append(dice: random.Random, data: bytearray) -> None:
    data += dice.randbytes(dice.randrange(1, 5000))


MUTATIONS: tuple[Callable[[random.Random, bytearray], None], ...] = (
    flip_bits,
    change_header,
    cut,
    remove,
    repeat,
    append,
)


def mutated(dice: random.Random, photos: list[bytes]) -> bytes:
    data = bytearray(dice.choice(photos))
    for _ in range(dice.choice((0, 1, 1, 1, 2, 3))):
        if data:
            dice.choice(MUTATIONS)(dice, data)
    return bytes(data)


def some_options(dice: random.Random) -> Values:
    """Up to four options, mostly with values that exist."""
    chosen: Values = {}
    for _ in range(dice.choice((0, 1, 1, 2, 3, 4))):
        name = dice.choice(NAMES)
        if name in CHOICES:
            chosen[name] = dice.choice(CHOICES[name])
        elif name in SETTINGS:
            setting = SETTINGS[name]
            chosen[setting.option] = setting.value
            chosen[name] = dice.choice((setting.default, setting.low, setting.high))
        else:
            chosen[name] = dice.randrange(MIN_RESOLUTION, LARGEST_RESOLUTION + 1, MULTIPLE)
        if dice.random() < 0.05:
            chosen[name] = dice.choice((0, -1, 10**18, 0.5, float("nan"), True, "", "inferno", '\u00fc\n"', "x" * 3000))
        if dice.random() < 0.03:
            chosen[dice.choice(("", "colour", "Format", "\u00fc"))] = 1
    if dice.random() < 0.8 and ("colormap" in chosen or chosen.get("equalize", "none") != "none"):
        chosen["format"] = "color_jpeg"
    return chosen


def send(client: triton_grpc.InferenceServerClient, photo: bytes, options: Values) -> str:
    """What became of a request: "answered", "refused", or what should not be."""
    tensor = triton_grpc.InferInput("IMAGE", [1, 1], "BYTES")
    tensor.set_data_from_numpy(np.array([[photo]], dtype=np.object_))
    try:
        client.infer(DEFAULT, [tensor], parameters=options or None, client_timeout=HANGS_AFTER)
    except triton_grpc.InferenceServerException as error:
        if error.status() == "StatusCode.INVALID_ARGUMENT" and "Traceback" not in error.message():
            return "refused"
        return f"{error.status()}: {error.message()[:200]} for {options} and {photo[:60]!r}"
    return "answered"


def children(server: Triton) -> set[int]:
    return {child.pid for child in psutil.Process(server.pid).children(recursive=True)}


def private_bytes(server: Triton) -> int:
    process = psutil.Process(server.pid)
    return sum(int(each.memory_full_info().uss) for each in [process, *process.children(recursive=True)])


def fuzz(server: Triton, photo: bytes, dice: random.Random, requests: int) -> Counter[str]:
    """Send so many requests, at most four at a time, and say what became of them."""
    photos = seeds(photo)
    work = [(mutated(dice, photos), some_options(dice)) for _ in range(requests)]
    with triton_grpc.InferenceServerClient(server.grpc_url) as client, ThreadPoolExecutor(CLIENTS) as pool:
        return Counter(pool.map(lambda item: send(client, *item), work))


def fill(server: Triton, photo: bytes) -> None:
    """ONNX Runtime keeps what its largest batch needed: let that be over before memory is looked at."""
    largest = {"resolution": LARGEST_RESOLUTION, "aspect": "square", "output_size": "network"}
    with triton_grpc.InferenceServerClient(server.grpc_url) as client, ThreadPoolExecutor(CLIENTS) as pool:
        assert set(pool.map(lambda _: send(client, photo, largest), range(16 * CLIENTS))) == {"answered"}


def test_a_hundred_mutations(server: Triton, photo: bytes) -> None:
    processes = children(server)
    outcomes = fuzz(server, photo, random.Random(1), 100)  # noqa: S311  (a choice of mutations, not of secrets)
    assert set(outcomes) == {"answered", "refused"}
    assert children(server) == processes


@pytest.mark.long
def test_five_thousand_mutations(server: Triton, photo: bytes) -> None:
    dice = random.Random(2)  # noqa: S311
    processes = children(server)
    fill(server, photo)
    outcomes = fuzz(server, photo, dice, 1500)
    before = private_bytes(server)
    outcomes += fuzz(server, photo, dice, 4000)
    after = private_bytes(server)
    print(f"{dict(outcomes)}; {before / 1e6:.0f} MB, then {after / 1e6:.0f} MB")
    assert set(outcomes) == {"answered", "refused"}
    assert children(server) == processes
    assert after < 1.1 * before
