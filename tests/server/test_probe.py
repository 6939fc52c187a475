"""The header is read, and what cannot be a photo within the limits is refused before decoding."""

import io
import struct
import zlib

import pytest
from PIL import Image, ImageFile

from midas_server.errors import InvalidRequest
from midas_server.imaging.probe import Limits, probe


def encoded(kind: str, size: tuple[int, int] = (64, 48), mode: str = "RGB", **options: object) -> bytes:
    file = io.BytesIO()
    Image.new(mode, size).save(file, kind, **options)
    return file.getvalue()


def png_header(width: int, height: int) -> bytes:
    """A PNG that claims a size and holds next to nothing."""
    ihdr = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", ihdr), (b"IDAT", zlib.compress(bytes(1000))), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body)) for name, body in chunks
    )


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_reads_format_and_size(kind: str) -> None:
    header = probe(encoded(kind))
    assert (header.format, header.width, header.height, header.orientation) == (kind, 64, 48, 1)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_size_is_that_of_the_upright_photo(kind: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    header = probe(encoded(kind, exif=exif))
    assert header.orientation == orientation
    assert (header.width, header.height) == ((48, 64) if orientation >= 5 else (64, 48))


@pytest.mark.parametrize("orientation", [0, 9, 60000])
def test_an_impossible_orientation_counts_as_upright(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    assert probe(encoded("JPEG", exif=exif)).orientation == 1


def test_broken_exif_does_not_cost_the_photo() -> None:
    assert probe(encoded("JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\xff")).orientation == 1


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "empty"),
        (b"hello, this is no photo", "text that begins with 'hello, this is no photo'"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "an SVG or XML file"),
        (b"<!DOCTYPE html><html></html>", "an HTML page"),
        (encoded("GIF"), "a GIF; convert it first"),
        (encoded("BMP"), "a BMP; convert it first"),
        (encoded("TIFF"), "a TIFF; convert it first"),
        (b"\0\0\0\x18ftypheic\0\0\0\0", "a HEIC photo; convert it first"),
        (bytes(range(256)), "256 bytes of another kind"),
        (encoded("JPEG")[:30], "ends early or its header is damaged"),
    ],
)
def test_what_is_no_photo_is_named(data: bytes, message: str) -> None:
    with pytest.raises(InvalidRequest) as raised:
        probe(data)
    assert message in str(raised.value)


@pytest.mark.parametrize(
    ("width", "height", "message"),
    [
        (20000, 20000, "longest side allowed is 16,384"),
        (32768, 32768, "longest side allowed is 16,384"),
        (16000, 16000, "256,000,000 pixels, the limit is 64,000,000"),
        (10000, 100, "may differ at most 20 times"),
        (100, 10000, "may differ at most 20 times"),
    ],
)
def test_limits_are_checked_from_the_header(width: int, height: int, message: str) -> None:
    with pytest.raises(InvalidRequest, match=message):
        probe(png_header(width, height))


def test_nothing_is_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    def load(image: Image.Image) -> None:
        raise AssertionError("the pixels were decoded")

    for kind in ("JPEG", "PNG", "WEBP"):
        data = encoded(kind)
        with monkeypatch.context() as patched:
            patched.setattr(ImageFile.ImageFile, "load", load)
            assert probe(data).format == kind


def test_a_size_of_zero_is_refused() -> None:
    with pytest.raises(InvalidRequest):
        probe(png_header(0, 10))


def test_too_many_bytes_are_refused() -> None:
    with pytest.raises(InvalidRequest, match="the limit is 1,000"):
        probe(bytes(1001), Limits(max_bytes=1000))


def test_the_operator_sets_limits() -> None:
    assert Limits.from_environment({}) == Limits()
    assert Limits.from_environment({"MIDAS_MAX_SIDE": "", "MIDAS_MAX_BYTES": " 64_000_000 "}) == Limits(64_000_000)
    every = {"MIDAS_MAX_BYTES": "1", "MIDAS_MAX_PIXELS": "2", "MIDAS_MAX_SIDE": "3", "MIDAS_MAX_RATIO": "4"}
    assert Limits.from_environment(every) == Limits(1, 2, 3, 4)


@pytest.mark.parametrize(
    ("variable", "value", "largest"),
    [
        ("MIDAS_MAX_BYTES", "32MB", "2,147,483,647"),
        ("MIDAS_MAX_PIXELS", "-1", "1,000,000,000"),
        ("MIDAS_MAX_SIDE", "65536", "65,535"),
        ("MIDAS_MAX_RATIO", "0", "65,535"),
        ("MIDAS_MAX_RATIO", "2.5", "65,535"),
    ],
)
def test_a_limit_that_makes_no_sense_is_told(variable: str, value: str, largest: str) -> None:
    with pytest.raises(ValueError, match=f"{variable} is '{value}': it must be a whole number from 1 to {largest}"):
        Limits.from_environment({variable: value})
