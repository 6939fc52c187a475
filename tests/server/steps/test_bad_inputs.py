"""Whatever is sent gets a clear refusal or the right answer, and the next photo is served."""

import base64
import io
import struct
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
import requests
import tritonclient.grpc as triton_grpc
from PIL import Image

from midas_server.launch import StartFailed, Triton
from tests.networks import DEFAULT, VARIANT
from tests.own_server import own_server
from tests.server.calls import infer, post, post_json

# What a refusal may take, in seconds and bytes, on an idle machine; the check allows for a busy one.
SECONDS, SECONDS_LARGE_BODY, MEMORY = 0.1, 0.5, 100_000_000
BUSY = 3


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def picture(size: tuple[int, int] = (96, 64), mode: str = "RGB") -> Image.Image:
    """Smooth, so that a conversion changes it little."""
    return Image.linear_gradient("L").resize(size).convert(mode)


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png(width: int, height: int) -> bytes:
    """A PNG bomb: black, valid, and a few thousand times smaller than its pixels."""
    rows = zlib.compressobj(9)
    row = bytes(1 + (width + 7) // 8)
    body = b"".join(rows.compress(row) for _ in range(height)) + rows.flush()
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)), (b"IDAT", body), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*each) for each in chunks)


def with_chunks(*chunks: bytes) -> bytes:
    data = saved(picture(), "PNG")
    return data[:33] + b"".join(chunks) + data[33:]


def text_bomb() -> bytes:
    """300 texts that would be 30 GB."""
    packer = zlib.compressobj(9)
    body = b"".join(packer.compress(bytes(1_000_000)) for _ in range(100)) + packer.flush()
    return with_chunks(*[chunk(b"zTXt", b"Comment\0\0" + body)] * 300)


def cut_between_scans() -> bytes:
    data = saved(picture(), "JPEG", progressive=True)
    return data[: data.rindex(b"\xff\xda")]


def many_segments() -> bytes:
    data = saved(picture(), "JPEG")
    return data[:2] + b"\xff\xe1\0\2" * 7_900_000 + data[2:]


def lossless() -> bytes:
    return saved(picture(), "JPEG").replace(b"\xff\xc0", b"\xff\xc3", 1)


def sixteen_bits() -> bytes:
    return saved(Image.fromarray(np.asarray(picture(mode="L")).astype(np.uint16) * 257), "PNG")


def broken_exif() -> bytes:
    return saved(picture(), "JPEG", exif=b"Exif\0\0II*\0\x08\0\0\0\xff\xff\x12\x01\x03\0\xff\xff\xff\xff")


def animation() -> bytes:
    return saved(picture(), "GIF", save_all=True, append_images=[picture().rotate(90, expand=True)])


REFUSED: dict[str, tuple[Callable[[], bytes], str]] = {
    "empty": (lambda: b"", ""),  # Triton itself refuses it
    "truncated JPEG": (lambda: saved(picture((640, 480)), "JPEG")[:-2000], "the JPEG ends early"),
    "truncated header": (lambda: saved(picture(), "JPEG")[:30], "ends early or its header is damaged"),
    "truncated PNG": (lambda: saved(picture((640, 480)), "PNG")[:-300], "ends early or is damaged"),
    "progressive JPEG cut between scans": (cut_between_scans, "the JPEG ends early"),
    "damaged JPEG": (
        lambda: saved(picture((640, 480)), "JPEG")[:-2000] + b"\xff\xd9",
        "the JPEG is damaged, about ",
    ),
    "lossless JPEG": (lossless, "this is a lossless JPEG"),
    "JPEG of 8 million segments": (many_segments, "it has more than 10,000 segments"),
    "PNG of 2 million chunks": (
        lambda: with_chunks(chunk(b"tEXt", b"") * 2_000_000),
        "it has more than 100,000 chunks",
    ),
    "base64": (lambda: base64.b64encode(saved(picture(), "JPEG")), "got base64; send the bytes that it stands for"),
    "text": (lambda: b"Hello, this is a text.", "got text that begins with 'Hello, this is a text.'"),
    "SVG": (lambda: b'<svg xmlns="http://www.w3.org/2000/svg"/>', "got an SVG or XML file"),
    "animated GIF": (animation, "got a GIF; convert it first"),
    "bomb of 20000 x 20000": (lambda: png(20_000, 20_000), "20000x20000 pixels, the longest side allowed is 16,384"),
    "bomb of 32768 x 32768": (lambda: png(32_768, 32_768), "32768x32768 pixels, the longest side allowed is 16,384"),
    "bomb of 16000 x 16000": (lambda: png(16_000, 16_000), "256,000,000 pixels, the limit is 64,000,000"),
    "header of size zero": (lambda: png(0, 10), ""),
    "40 MB": (lambda: saved(picture(), "JPEG") + bytes(40_000_000), "bytes, the limit is 32,000,000"),
    "extreme ratio": (lambda: png(2100, 100), "2100x100 pixels, the sides may differ at most 20 times"),
}

ANSWERED: dict[str, Callable[[], bytes]] = {
    "CMYK": lambda: saved(picture(mode="CMYK"), "JPEG", quality=95),
    "16 bits": sixteen_bits,
    "grey": lambda: saved(picture(mode="L"), "JPEG", quality=95),
    "transparent": lambda: saved(picture(mode="RGBA"), "PNG"),
    "broken EXIF": broken_exif,
    "PNG with a large profile": lambda: with_chunks(chunk(b"iCCP", b"p\0\0" + zlib.compress(bytes(2_000_000)))),
    "PNG with a text bomb": text_bomb,
    "PNG with a damaged text": lambda: with_chunks(chunk(b"tEXt", b"Comment\0text")[:-1] + b"?"),
    "no end marker": lambda: saved(picture(), "JPEG", quality=95)[:-2],
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_with_400_and_the_next_is_served(triton: Triton, name: str) -> None:
    make, message = REFUSED[name]
    answer = post(triton, make())
    assert answer.status_code == 400
    assert message in answer.json()["error"]
    assert "Traceback" not in answer.json()["error"]
    assert infer(triton, saved(picture(), "JPEG"), output_size="network")[0].shape == (1, 160, 256)


@pytest.mark.parametrize("name", ANSWERED)
def test_answered_like_the_plain_photo(triton: Triton, name: str) -> None:
    expected = infer(triton, saved(picture(), "PNG"))[0]
    depth = infer(triton, ANSWERED[name]())[0]
    assert depth.shape == expected.shape == (1, 64, 96)
    assert np.linalg.norm(depth - expected) < 0.1 * np.linalg.norm(expected)


def tensor(**changes: Any) -> dict[str, Any]:
    return {"inputs": [{"name": "IMAGE", "shape": [1, 1], "datatype": "BYTES", "data": ["x"], **changes}]}


@pytest.mark.parametrize(
    "request_",
    [
        {"inputs": []},
        tensor(name="PHOTO"),
        tensor(shape=[1]),
        tensor(shape=[2, 1], data=["x", "x"]),
        tensor(shape=[1, 2], data=["x", "x"]),
        tensor(shape=[1, 1, 1]),
        tensor(shape=[0, 1], data=[]),
        tensor(shape=[1, 1], data=[]),
        tensor(datatype="FP32", data=[1.5]),
        tensor(datatype="UINT8", data=[1]),
        tensor(datatype="NOTHING"),
        {**tensor(), "outputs": [{"name": "COLOUR"}]},
    ],
    ids=str,
)
def test_wrong_tensors_get_400(triton: Triton, request_: dict[str, Any]) -> None:
    answer = post_json(triton, request_)
    assert answer.status_code == 400
    assert answer.json()["error"]


@pytest.mark.parametrize("body", [b"{}", b"[]", b"{", b"null", b'{"inputs": 1}', b"\x00" * 100], ids=repr)
def test_what_is_no_request_is_refused_by_triton(triton: Triton, body: bytes) -> None:
    """Some of it with 500, which is Triton's own choice; it stays up."""
    url = f"http://{triton.http_url}/v2/models/{VARIANT}/infer"
    answer = requests.post(url, body, timeout=60)
    assert answer.status_code in (400, 500)
    assert answer.json()["error"]
    assert infer(triton, saved(picture(), "JPEG"), output_size="network")[0].shape == (1, 160, 256)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("resolution", [100, 1312, "256", 256.0, True]),
        ("aspect", ["wide", 1, True]),
        ("output_size", ["huge", 1.5]),
        ("format", ["gif", 16, ""]),
        ("colormap", ["jet", 3, "inferno"]),
        ("filter", ["blur", 0, False]),
        ("equalize", ["local", 1, "clahe"]),
        ("crf_radius", [8, "8"]),
        ("colour", ["red"]),
        ("", ["red"]),
        ('Ünïcode "\\\n', ["'\"\\\n"]),
    ],
)
def test_wrong_options_get_400_over_json(triton: Triton, name: str, values: list[object]) -> None:
    """For a photo that would be refused too, so that the options must have been looked at first."""
    for value in values:
        answer = post_json(triton, {**tensor(), "parameters": {name: value}})
        assert answer.status_code == 400, value
        assert "option" in answer.json()["error"]


@pytest.mark.parametrize(
    "parameters",
    [{f"p{number}": "x" for number in range(1000)}, {"p" * 1_000_000: 1}, {"format": "x" * 1_000_000}],
    ids=["many", "long name", "long value"],
)
def test_parameters_beyond_any_use_get_a_short_answer(triton: Triton, parameters: dict[str, object]) -> None:
    answer = post_json(triton, {**tensor(), "parameters": parameters})
    assert answer.status_code == 400
    assert "characters as JSON, the limit is 4,096: the options are resolution, aspect" in answer.json()["error"]
    assert len(answer.content) < 1000


@pytest.mark.long
def test_what_triton_itself_takes_for_many_parameters(triton: Triton) -> None:
    """Prints the figures of docs/proxy.md: over HTTP the time grows with the square, before our code is asked."""
    image = triton_grpc.InferInput("IMAGE", [1, 1], "BYTES")
    image.set_data_from_numpy(np.array([[b"no photo"]], dtype=np.object_))
    with triton_grpc.InferenceServerClient(triton.grpc_url) as client:
        for count in (1_000, 10_000, 30_000):
            parameters = {f"p{number:06}": "x" for number in range(count)}
            started = time.monotonic()
            assert post_json(triton, {**tensor(), "parameters": parameters}).status_code == 400
            between = time.monotonic()
            with pytest.raises(triton_grpc.InferenceServerException, match="the limit is 4,096"):
                client.infer(VARIANT, [image], parameters=parameters)
            print(f"{count:,}: HTTP {between - started:.2f} s, gRPC {time.monotonic() - between:.2f} s")


def test_the_operators_limits_hold(lean: Path, photo: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    def server() -> Triton:
        return own_server(lean, [DEFAULT])

    monkeypatch.setenv("MIDAS_MAX_SIDE", "639")
    with server() as triton:
        answer = post(triton, photo, DEFAULT)
        assert answer.status_code == 400
        assert "640x427 pixels, the longest side allowed is 639" in answer.json()["error"]
        assert infer(triton, saved(picture(), "JPEG"), DEFAULT)[0].shape == (1, 64, 96)
    monkeypatch.setenv("MIDAS_MAX_SIDE", "large")
    with (
        pytest.raises(StartFailed, match="MIDAS_MAX_SIDE is 'large': it must be a whole number from 1 to 65,535"),
        server(),
    ):
        pass


def used(process: psutil.Process) -> int:
    """Memory of the server and its steps, shared memory counted once for each."""
    return sum(each.memory_info().rss for each in [process, *process.children(recursive=True)])


@pytest.mark.long
@pytest.mark.parametrize("name", REFUSED)
def test_refusals_are_quick_and_small(triton: Triton, name: str) -> None:
    body = REFUSED[name][0]()
    process = psutil.Process(triton.pid)
    post(triton, saved(picture(), "JPEG"))
    before, seconds = used(process), []
    for _ in range(5):
        started = time.perf_counter()
        assert post(triton, body).status_code == 400
        seconds.append(time.perf_counter() - started)
    limit = SECONDS_LARGE_BODY if len(body) > 8_000_000 else SECONDS
    print(f"{name}: {min(seconds) * 1000:.0f} ms, {(used(process) - before) / 1e6:+.1f} MB")
    assert min(seconds) < BUSY * limit
    # A body itself passes through the memory of the server and of the first step.
    assert used(process) - before < MEMORY + 3 * len(body)
