"""The header is read, and what cannot be a photo within the limits is refused before decoding."""

import base64
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


def media(*brands: bytes) -> bytes:
    """The beginning of an ISO media file: its own brand, then those that it is compatible with."""
    return struct.pack(">I4s4sI", 16 + 4 * len(brands), b"ftyp", brands[0], 0) + b"".join(brands) + bytes(40)


def oriented(value: int, kind: int = 3) -> bytes:
    """EXIF with nothing but an orientation, of a TIFF type: SHORT by default."""
    number = struct.pack({1: "<Bxxx", 3: "<Hxx", 4: "<I"}[kind], value)
    return b"II*\0" + struct.pack("<IHHHI", 8, 1, 0x0112, kind, 1) + number + bytes(4)


def png_chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_reads_format_and_size(kind: str) -> None:
    header = probe(encoded(kind))
    assert (header.file_type, header.width, header.height, header.orientation) == (kind, 64, 48, 1)


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


@pytest.mark.parametrize("kind", [1, 3, 4])
def test_an_orientation_of_any_number_type_counts(kind: int) -> None:
    assert probe(encoded("JPEG", exif=b"Exif\0\0" + oriented(6, kind))).orientation == 6
    big = b"MM\0*" + struct.pack(">IHHHIHxx", 8, 1, 0x0112, 3, 1, 8)
    assert probe(encoded("JPEG", exif=b"Exif\0\0" + big)).orientation == 8


def test_the_orientation_of_a_png_may_stand_behind_its_pixels() -> None:
    data = encoded("PNG")
    for place in (data.index(b"IDAT") - 4, data.index(b"IEND") - 4):
        chunk = png_chunk(b"eXIf", oriented(6))
        assert probe(data[:place] + chunk + data[place:]).orientation == 6
        assert probe(data[:place] + chunk[:-1] + b"?" + data[place:]).orientation == 1  # a wrong checksum


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_orientation_in_xmp_is_ignored(kind: str) -> None:
    """As browsers do. Pillow's exif_transpose would turn it."""
    xmp = b'<x:xmpmeta xmlns:tiff="http://ns.adobe.com/tiff/1.0/"><rdf:RDF tiff:Orientation="6"/></x:xmpmeta>'
    data = encoded("PNG") if kind == "PNG" else encoded(kind, xmp=xmp)
    if kind == "PNG":
        place = data.index(b"IDAT") - 4
        raw = b"\nexif\n      34\n" + oriented(6).hex().encode()
        data = b"".join(
            [
                *(data[:place], png_chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp)),
                *(png_chunk(b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(raw)), data[place:]),
            ]
        )
    assert (probe(data).width, probe(data).orientation) == (64, 1)


def test_the_second_exif_of_a_jpeg_is_ignored() -> None:
    data = encoded("JPEG", exif=b"Exif\0\0" + oriented(6))
    other = b"Exif\0\0" + oriented(3)
    assert probe(data[:2] + b"\xff\xe1" + struct.pack(">H", len(other) + 2) + other + data[2:]).orientation == 3


def test_broken_exif_does_not_cost_the_photo() -> None:
    assert probe(encoded("JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\xff")).orientation == 1


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "empty"),
        (b"hello, this is no photo", "text that begins with 'hello, this is no photo'"),
        (b"Zeile eins", "text that begins with 'Zeile eins'"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "an SVG or XML file"),
        (b"<!DOCTYPE html><html></html>", "an HTML page"),
        (encoded("GIF"), "a GIF; convert it first"),
        (encoded("BMP"), "a BMP; convert it first"),
        (encoded("TIFF"), "a TIFF; convert it first"),
        (b"II+\0\x08\0\0\0", "a BigTIFF; convert it first"),
        (b"II*\0\x10\0\0\0CR\x02\0", "a Canon CR2 raw file; send the JPEG that the camera"),
        (
            b"MM\0*\0\0\0\x08",
            "a TIFF; convert it first (of a camera's raw file, such as NEF, ARW or DNG, send the JPEG)",
        ),
        (b"\xff\x0a\xfa\x1f", "a JPEG XL; convert it first, for example: magick photo.jxl photo.jpg"),
        (b"\0\0\0\x0cJXL \r\n\x87\n", "a JPEG XL; convert it first"),
        (b"\0\0\0\x0cjP  \r\n\x87\n", "a JPEG 2000; convert it first"),
        (b"\xff\x4f\xff\x51\0\x2f", "a JPEG 2000; convert it first"),
        (b"8BPS\0\1", "a Photoshop file (PSD); export it as JPEG or PNG"),
        (b"\0\0\1\0\1\0\x10\x10", "an icon (ICO); convert it first"),
        (b"%PDF-1.7", "a PDF; export the page as JPEG or PNG"),
        (b"PK\x03\x04\x14\0", "a ZIP archive; send the photos in it one by one"),
        (b"\x1f\x8b\x08\0", "gzip-compressed data; send the photos in it"),
        (b"\x76\x2f\x31\x01\x02\0", "an OpenEXR picture; convert it first"),
        (b"#?RADIANCE\n", "a Radiance HDR picture; convert it first"),
        (
            b"RIFF\0\0\0\0AVI LIST",
            "a video (AVI); send one frame of it as a photo (midas-client video does so for all)",
        ),
        (b"\x1aE\xdf\xa3\x01\0", "a video (Matroska, WebM); send one frame"),
        (b"\0\0\0\x08wide\0\0\0\0mdat", "a video (MOV); send one frame"),
        (media(b"heic"), "a HEIC photo; convert it first, for example: magick photo.heic photo.jpg"),
        (media(b"heix"), "a HEIC photo"),
        (media(b"hevc"), "a HEIC animation"),
        (media(b"hevx"), "a HEIC animation"),
        (media(b"mif1", b"heic"), "a HEIC photo"),
        (media(b"mif1", b"miaf", b"avif"), "an AVIF photo"),
        (media(b"mif1"), "a HEIF photo"),
        (media(b"msf1", b"hevc"), "a HEIC animation"),
        (media(b"msf1"), "a HEIF photo"),
        (media(b"avif", b"mif1"), "an AVIF photo; convert it first, for example: magick photo.avif photo.jpg"),
        (media(b"avis", b"avif"), "an AVIF animation; convert it first"),
        (media(b"isom", b"iso2", b"avc1", b"mp41"), "a video (MP4); send one frame"),
        (media(b"qt  "), "a video (MOV); send one frame"),
        (media(b"crx ", b"isom"), "a Canon CR3 raw file; send the JPEG"),
        (base64.b64encode(encoded("JPEG")), "base64; send the bytes that it stands for"),
        (base64.b64encode(encoded("PNG")), "base64; send the bytes"),
        (base64.b64encode(encoded("WEBP")), "base64; send the bytes"),
        (base64.encodebytes(bytes(range(200))), "base64; send the bytes"),
        (b"data:image/jpeg;base64,/9j/4AAQ", "a data URI; send the bytes that its base64 stands for"),
        (
            b'--a1b2\r\nContent-Disposition: form-data; name="file"; filename="photo.jpg"\r\n\r\n\xff\xd8\xff',
            "a form (multipart/form-data); send the file alone, for example: curl --data-binary @photo.jpg",
        ),
        (b"image=%FF%D8&model=x", "a form (application/x-www-form-urlencoded); send the file alone"),
        (b'{"image": "/9j/4AAQ"}', "JSON; send the file alone"),
        (b'[ {"image": 1}]', "JSON; send the file alone"),
        (b"https://example.org/photo.jpg", "a URL; download the photo and send the file alone"),
        (encoded("PNG").replace(b"\r\n", b"\n"), "a PNG whose line ends were changed or lost; send it as bytes"),
        (encoded("JPEG").decode("latin-1").encode(), "a JPEG that was encoded as if it were text"),
        (encoded("PNG").decode("latin-1").encode(), "a PNG that was encoded as if it were text"),
        (encoded("JPEG").decode("utf-8", "replace").encode(), "a file whose bytes were replaced as if it were text"),
        (bytes(range(256)), "256 bytes of another kind"),
        (encoded("JPEG")[:30], "ends early or its header is damaged"),
    ],
)
def test_what_is_no_photo_is_named(data: bytes, message: str) -> None:
    with pytest.raises(InvalidRequest) as raised:
        probe(data)
    assert message in str(raised.value)


@pytest.mark.parametrize(
    ("marker", "precision", "message"),
    [
        (0xC3, 8, "this is a lossless JPEG, which cannot be read: save it as an ordinary JPEG or a PNG"),
        (0xC5, 8, "this is a hierarchical JPEG"),
        (0xCB, 8, "this is an arithmetic-coded lossless JPEG"),
        (0xF7, 8, "this is a JPEG-LS"),
        (0xC1, 12, "the JPEG has 12 bits a channel, which cannot be read: save it with 8, or as a PNG"),
    ],
)
def test_jpegs_that_no_decoder_takes_are_named(marker: int, precision: int, message: str) -> None:
    """A lossless one above all: libjpeg-turbo writes beyond its buffer when it is to decode one at a reduced size."""
    data = bytearray(encoded("JPEG"))
    frame = data.index(b"\xff\xc0")
    data[frame + 1], data[frame + 4] = marker, precision
    with pytest.raises(InvalidRequest, match=message):
        probe(bytes(data))


def test_what_takes_long_to_step_over_is_refused() -> None:
    """The most that 31 MB can hold; Pillow takes half a minute for each, and up to 600 MB."""
    jpeg, png, webp = (encoded(kind) for kind in ("JPEG", "PNG", "WEBP"))
    for data, message in (
        (jpeg[:2] + b"\xff\xe1\0\2" * 7_900_000 + jpeg[2:], "more than 10,000 segments"),
        (png[:33] + png_chunk(b"tEXt", b"") * 2_600_000 + png[33:], "more than 100,000 chunks"),
        (webp + b"ABCD\0\0\0\0" * 3_900_000, "more than 100,000 chunks"),
        (jpeg[:2] + b"\xff" * 31_000_000 + jpeg[2:], "the data end within it"),
    ):
        with pytest.raises(InvalidRequest, match=f"header is damaged .*{message}"):
            probe(data)


def test_large_profiles_and_metadata_do_not_cost_the_photo() -> None:
    large = bytes(9_000_000)
    assert probe(encoded("WEBP", icc_profile=large, exif=b"Exif\0\0" + oriented(6) + large, xmp=large)).orientation == 6
    jpeg = encoded("JPEG", icc_profile=large, exif=b"Exif\0\0" + oriented(6))
    assert probe(jpeg[:2] + (b"\xff\xe1\xff\xff" + bytes(65533)) * 300 + jpeg[2:]).orientation == 6


def test_a_jpeg_that_curl_took_bytes_out_of_is_named() -> None:
    data = encoded("JPEG").translate(None, b"\0\r\n")
    with pytest.raises(
        InvalidRequest, match=r"a JPEG without a zero byte, as curl -d makes them: send the file as bytes"
    ):
        probe(data)


def test_a_png_for_iphone_apps_is_named() -> None:
    data = encoded("PNG")
    with pytest.raises(InvalidRequest, match=r"a PNG of an iPhone app \(CgBI\)"):
        probe(data[:8] + png_chunk(b"CgBI", bytes(4)) + data[8:])


@pytest.mark.parametrize(
    ("width", "height", "message"),
    [
        (20000, 20000, "longest side allowed is 16,384 .the server's MIDAS_MAX_SIDE.: send a smaller one"),
        (32768, 32768, "longest side allowed is 16,384 .the server's MIDAS_MAX_SIDE.: send a smaller one"),
        (16000, 16000, "256,000,000 pixels, the limit is 64,000,000 .the server's MIDAS_MAX_PIXELS.: send a"),
        (10000, 100, "may differ at most 20 times .the server's MIDAS_MAX_RATIO.: crop it"),
        (100, 10000, "may differ at most 20 times .the server's MIDAS_MAX_RATIO.: crop it"),
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
            assert probe(data).file_type == kind


def test_a_size_of_zero_is_refused() -> None:
    with pytest.raises(InvalidRequest):
        probe(png_header(0, 10))


def test_too_many_bytes_are_refused() -> None:
    with pytest.raises(InvalidRequest, match=r"the limit is 1,000 \(the server's MIDAS_MAX_BYTES\): send"):
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
