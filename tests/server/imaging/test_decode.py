"""Photos come out upright, in RGB, and whole or not at all."""

import io
import struct
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from midas_server.errors import InvalidRequest
from midas_server.imaging.decode import MAX_SCANS, count_scans, decode
from midas_server.imaging.jpeg import read_scans
from midas_server.imaging.network_input import network_input
from midas_server.imaging.probe import probe


def scene(height: int = 60, width: int = 80) -> NDArray[np.uint8]:
    """A smooth picture without any symmetry: red grows to the right, green downwards, blue marks a corner."""
    rows, columns = np.mgrid[0:height, 0:width]
    picture = np.stack([columns * 255 // width, rows * 255 // height, 200 * (rows + columns < 30)], axis=-1)
    return np.asarray(picture, np.uint8)


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def decoded(data: bytes) -> NDArray[np.uint8]:
    pixels = decode(data, probe(data))
    assert pixels.dtype == np.uint8
    assert pixels.ndim == 3
    assert pixels.flags.c_contiguous
    return pixels


def test_jpeg_pixels_are_those_of_opencv() -> None:
    for options in ({}, {"progressive": True}, {"subsampling": 0}):
        data = encoded(Image.fromarray(scene()), "JPEG", quality=90, **options)
        expected = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)[:, :, ::-1]
        np.testing.assert_array_equal(decoded(data), expected)


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_lossless_formats_come_back_exactly(kind: str) -> None:
    np.testing.assert_array_equal(decoded(encoded(Image.fromarray(scene()), kind, lossless=True)), scene())


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_orientation_is_applied(kind: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = Image.fromarray(scene())
    # what a camera held in that way stores, so that the upright photo is the scene again
    undo = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}
    if orientation in undo:
        stored = stored.transpose(Image.Transpose(undo[orientation]))
    pixels = decoded(encoded(stored, kind, exif=exif, quality=95, lossless=True))
    assert pixels.shape == scene().shape
    assert np.abs(pixels.astype(int) - scene()).mean() < 4


@pytest.mark.parametrize(
    ("image", "kind"),
    [
        (Image.fromarray(scene()[:, :, 0]), "PNG"),
        (Image.fromarray(scene()[:, :, 0]), "JPEG"),
        (Image.fromarray(scene()[:, :, 0].astype(np.uint16) * 257), "PNG"),
    ],
    ids=["8-bit png", "jpeg", "16-bit png"],
)
def test_grey_becomes_three_equal_channels(image: Image.Image, kind: str) -> None:
    pixels = decoded(encoded(image, kind))
    np.testing.assert_array_equal(pixels[:, :, 0], pixels[:, :, 2])
    assert np.abs(pixels[:, :, 0].astype(int) - scene()[:, :, 0]).mean() < 2


def test_16_bit_colour_keeps_the_upper_8_bits() -> None:
    wide = scene().astype(np.uint16) * 256 + 77
    data = cv2.imencode(".png", wide[:, :, ::-1])[1].tobytes()
    np.testing.assert_array_equal(decoded(data), scene())


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_transparency_is_dropped(kind: str) -> None:
    transparent = np.dstack([scene(), np.full(scene().shape[:2], 128, np.uint8)])
    data = encoded(Image.fromarray(transparent), kind, lossless=True, exact=True)
    np.testing.assert_array_equal(decoded(data), scene())


def test_palette_and_cmyk_become_rgb() -> None:
    palette = decoded(encoded(Image.fromarray(scene()).quantize(256), "PNG"))
    assert np.abs(palette.astype(int) - scene()).mean() < 8
    cmyk = decoded(encoded(Image.fromarray(scene()).convert("CMYK"), "JPEG", quality=95))
    assert np.abs(cmyk.astype(int) - scene()).mean() < 8


def test_of_an_animation_the_first_frame_is_taken() -> None:
    frames = [Image.fromarray(scene()), Image.fromarray(255 - scene())]
    for kind in ("PNG", "WEBP"):
        data = encoded(frames[0], kind, save_all=True, append_images=frames[1:], lossless=True)
        np.testing.assert_array_equal(decoded(data), scene())


@pytest.mark.parametrize("progressive", [False, True])
def test_a_jpeg_without_its_end_marker_is_accepted(progressive: bool) -> None:
    data = encoded(Image.fromarray(scene()), "JPEG", progressive=progressive)
    np.testing.assert_array_equal(decoded(data[:-2]), decoded(data))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("share", [0.5, 0.9])
def test_a_truncated_photo_is_refused(kind: str, share: float) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (200, 300, 3), np.uint8)
    data = encoded(Image.fromarray(noise), kind)
    with pytest.raises(InvalidRequest, match="ends early"):
        decoded(data[: int(len(data) * share)])


def test_stray_bytes_in_a_jpeg_are_tolerated() -> None:
    data = encoded(Image.fromarray(scene()), "JPEG", quality=90)
    start_of_tables = data.index(b"\xff\xdb")
    np.testing.assert_array_equal(decoded(data[:start_of_tables] + b"\0\0" + data[start_of_tables:]), decoded(data))


@pytest.mark.parametrize(
    ("covering", "expected"),
    [
        ((80, 40), (160, 120)),
        ((40, 30), (80, 60)),
        ((41, 30), (160, 120)),
        ((40, 31), (160, 120)),
        ((80, 120), (320, 240)),
        ((161, 100), (640, 480)),
    ],
)
def test_a_jpeg_is_reduced_as_far_as_twice_the_network_allows(
    covering: tuple[int, int], expected: tuple[int, int]
) -> None:
    data = encoded(Image.fromarray(scene(480, 640)), "JPEG", quality=95)
    width, height = expected
    pixels = decode(data, probe(data), covering)
    assert pixels.shape == (height, width, 3)
    reference = cv2.resize(decoded(data), (width, height), interpolation=cv2.INTER_AREA)
    assert np.abs(pixels.astype(int) - reference).mean() < 2


def test_odd_sizes_are_rounded_up() -> None:
    data = encoded(Image.fromarray(scene(483, 645)), "JPEG")
    assert decode(data, probe(data), (80, 60)).shape == (121, 162, 3)
    assert decode(data, probe(data), (40, 30)).shape == (61, 81, 3)


@pytest.mark.parametrize("mode", ["L", "CMYK"])
def test_grey_and_cmyk_are_reduced_too(mode: str) -> None:
    data = encoded(Image.fromarray(scene(480, 640)).convert(mode), "JPEG", quality=95)
    assert decode(data, probe(data), (80, 60)).shape == (120, 160, 3)


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_other_formats_are_not_reduced(kind: str) -> None:
    data = encoded(Image.fromarray(scene()), kind, lossless=True)
    np.testing.assert_array_equal(decode(data, probe(data), (8, 8)), scene())


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_reduced_photo_is_upright_and_covers(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encoded(Image.fromarray(scene(240, 640)), "JPEG", exif=exif, quality=95)
    header = probe(data)
    full = decode(data, header)
    # A network's input as long as the photo, which must not be mistaken for one across it.
    network = (80, 30) if header.width > header.height else (30, 80)
    reduced = decode(data, header, network)
    assert reduced.shape[:2] == (full.shape[0] // 4, full.shape[1] // 4)
    reference = cv2.resize(full, reduced.shape[1::-1], interpolation=cv2.INTER_AREA)
    assert np.abs(reduced.astype(int) - reference).mean() < 3


def test_a_truncated_photo_is_refused_at_any_size() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (400, 600, 3), np.uint8)
    data = encoded(Image.fromarray(noise), "JPEG")
    with pytest.raises(InvalidRequest, match="ends early"):
        decode(data[: len(data) // 2], probe(data), (32, 32))
    whole = decode(data, probe(data), (32, 32))
    np.testing.assert_array_equal(decode(data[:-2], probe(data), (32, 32)), whole)


def test_a_jpeg_with_too_many_scans_is_refused() -> None:
    data = encoded(Image.fromarray(scene()), "JPEG", progressive=True)
    scan = data[data.rindex(b"\xff\xda") : -2]
    assert decoded(data[:-2] + scan + data[-2:]).shape == scene().shape
    with pytest.raises(InvalidRequest, match=f"scans, the limit at its size is {MAX_SCANS}: save"):
        decoded(data[:-2] + MAX_SCANS * scan + data[-2:])
    large = replace(probe(data), stored_width=8000, stored_height=8000)
    with pytest.raises(InvalidRequest, match="scans, the limit at its size is 16: save it again"):
        decode(data[:-2] + 10 * scan + data[-2:], large)


@pytest.mark.parametrize("piece", [1, 2, 3, 5, 64])
def test_scans_are_counted_across_the_pieces(piece: int) -> None:
    data = b"\xff\xda\xff\xff\xda\xda\xff\x00\xda\xff\xda\xff"
    assert count_scans(data, piece) == data.count(b"\xff\xda") == 3
    assert count_scans(b"", piece) == count_scans(b"\xff", piece) == 0


def test_the_photo_is_decoded_for_who_needs_it() -> None:
    data = encoded(Image.fromarray(scene(480, 640)), "JPEG", quality=95)
    header = probe(data)
    pixels, guide = network_input(data, header, (64, 32))
    assert (pixels.shape, guide) == ((32, 64, 3), None)
    pixels, guide = network_input(data, header, (64, 32), (640, 480))
    assert pixels.shape == (32, 64, 3)
    assert guide is not None
    np.testing.assert_array_equal(guide, decoded(data))
    pixels, guide = network_input(data, header, (64, 32), (64, 32))
    assert guide is pixels


END = b"\xff\xd9"
SCAN = b"\xff\xda"


def noise(mode: str = "RGB") -> Image.Image:
    """So that no part of a scan can be done without."""
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (96, 128, 3), np.uint8)).convert(mode)


def one_scan_a_channel() -> bytes:
    """A baseline JPEG of three scans: those of three grey ones, which share their tables."""
    channels = [encoded(channel, "JPEG", quality=75) for channel in noise("YCbCr").split()]
    parts, ids = [], (1, 2, 3)
    for data, number in zip(channels, ids, strict=True):
        start = data.index(SCAN) + 10
        parts.append(SCAN + struct.pack(">HBBBBBB", 8, 1, number, 0, 0, 63, 0) + data[start:-2])
    grey = channels[0]
    frame = grey.index(b"\xff\xc0")
    after = frame + 2 + int.from_bytes(grey[frame + 2 : frame + 4], "big")
    three = b"\xff\xc0" + struct.pack(">HBHHB", 17, 8, 96, 128, 3) + bytes(b for i in ids for b in (i, 0x11, 0))
    return grey[:frame] + three + grey[after : grey.index(SCAN)] + b"".join(parts) + END


SEVERAL_SCANS: dict[str, Callable[[], bytes]] = {
    "progressive": lambda: encoded(noise(), "JPEG", progressive=True),
    "progressive, quality 30": lambda: encoded(noise(), "JPEG", progressive=True, quality=30),
    "progressive, quality 95": lambda: encoded(noise(), "JPEG", progressive=True, quality=95),
    "progressive, grey": lambda: encoded(noise("L"), "JPEG", progressive=True),
    "progressive, CMYK": lambda: encoded(noise("CMYK"), "JPEG", progressive=True),
    "progressive, restart markers": lambda: encoded(noise(), "JPEG", progressive=True, restart_marker_blocks=3),
    "baseline, one scan a channel": one_scan_a_channel,
}
ONE_SCAN: dict[str, Callable[[], bytes]] = {
    "baseline": lambda: encoded(noise(), "JPEG"),
    "baseline, grey": lambda: encoded(noise("L"), "JPEG"),
    "baseline, CMYK": lambda: encoded(noise("CMYK"), "JPEG"),
    "baseline, restart markers": lambda: encoded(noise(), "JPEG", restart_marker_blocks=3),
}


def scans(data: bytes) -> list[int]:
    """Where each scan begins."""
    return [place for place in range(len(data)) if data[place : place + 2] == SCAN]


@pytest.mark.parametrize("kind", [*SEVERAL_SCANS, *ONE_SCAN])
def test_a_cut_jpeg_is_refused_wherever_it_is_cut(kind: str) -> None:
    data = {**SEVERAL_SCANS, **ONE_SCAN}[kind]()
    whole = decoded(data)
    np.testing.assert_array_equal(decoded(data[:-2]), whole)
    cuts = {len(data) * percent // 100 for percent in range(5, 100, 5)} | set(scans(data)[1:])
    # also where a restart marker has just begun a new interval, or is about to
    cuts |= {place for place in range(len(data)) if data[place] == 0xFF and 0xD0 <= data[place + 1] <= 0xD7}
    begun = scans(data)[0] + 20
    for cut in cuts:
        with pytest.raises(InvalidRequest, match="the JPEG ends early, part" if cut > begun else "ends early"):
            decoded(data[:cut])


@pytest.mark.parametrize("kind", [*SEVERAL_SCANS, *ONE_SCAN])
def test_an_end_marker_does_not_hide_a_cut_within_a_scan(kind: str) -> None:
    data = {**SEVERAL_SCANS, **ONE_SCAN}[kind]()
    starts = scans(data)
    assert len(starts) == 1 if kind in ONE_SCAN else len(starts) > 1
    tried = 0
    for start, end in zip(starts, [*starts[1:], len(data) - 2], strict=True):
        begun = start + 2 + int.from_bytes(data[start + 2 : start + 4], "big")
        tables = data.find(b"\xff\xc4", begun, end)  # those of the next scan
        last = (end if tables < 0 else tables) - 3
        for cut in range(begun + 3, last, max((last - begun) // 5, 1)):
            with pytest.raises(InvalidRequest, match=r"the JPEG is damaged|the JPEG ends early"):
                decoded(data[:cut] + END)
            tried += 1
    assert tried >= 5


@pytest.mark.parametrize("kind", SEVERAL_SCANS)
def test_scans_that_an_encoder_left_out_are_its_choice(kind: str) -> None:
    """With the end marker behind them the scans are what was meant, and what people see; without it they are cut."""
    data = SEVERAL_SCANS[kind]()
    assert read_scans(data).complete
    for start in scans(data)[1:]:
        # A scan's Huffman tables stand before it; without the scan they do no harm.
        left = data[:start] + END
        assert read_scans(left).ended
        assert not read_scans(left).complete
        assert decoded(left).shape == (96, 128, 3)


def test_only_the_photos_own_scans_count() -> None:
    data = encoded(noise(), "JPEG", progressive=True)
    thumbnail = b"\xff\xe1" + struct.pack(">H", len(data) + 2) + data
    both = data[:2] + thumbnail + data[2:] + data
    assert read_scans(both) == read_scans(data)
    assert decoded(both).shape == (96, 128, 3)
    cut = scans(data)[3]
    with pytest.raises(InvalidRequest, match="the JPEG ends early"):
        decoded(data[:2] + thumbnail + data[2:cut])
    large = replace(probe(data), stored_width=8000, stored_height=8000)
    assert read_scans(data).count == 10
    assert count_scans(data + data) == 20
    decode(data + data, large)


def test_an_arithmetic_coded_jpeg_needs_its_end_marker() -> None:
    """Its data may stop anywhere, so nothing else tells whether they are whole."""
    data = (Path(__file__).parent / "arithmetic.jpg").read_bytes()
    assert np.abs(decoded(data).astype(int) - scene()).mean() < 4
    for cut in (len(data) // 2, len(data) - 2):
        with pytest.raises(InvalidRequest, match="the JPEG ends early"):
            decoded(data[:cut])


def test_cmyk_is_that_of_pillow() -> None:
    data = encoded(noise("CMYK"), "JPEG")
    with Image.open(io.BytesIO(data)) as image:
        np.testing.assert_array_equal(decoded(data), np.asarray(image.convert("RGB")))


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_what_is_lost_of_a_damaged_jpeg_is_told(mode: str) -> None:
    data = encoded(Image.fromarray(scene(480, 640)).convert(mode), "JPEG", quality=95)
    start = data.index(SCAN) + 20
    cut = start + (len(data) - start) * 3 // 4
    with pytest.raises(InvalidRequest, match=r"the JPEG is damaged, about \d+% of the picture cannot be decoded: send"):
        decoded(data[:cut] + END)


def test_damage_in_the_middle_is_told() -> None:
    """Also the kinds of it that Pillow and browsers pass over."""
    data = encoded(noise(), "JPEG", restart_marker_blocks=8)
    first, second = (data.index(bytes([0xFF, marker])) for marker in (0xD0, 0xD1))
    inside = first + 40
    for damaged in (
        data[:inside] + data[second:],  # data are missing
        data[:inside] + b"\xff\x00" * 40 + data[inside + 80 :],  # no code begins with so many ones
        data[:second] + bytes(40) + data[second:],  # data are left over
        data[:second] + data[second + 2 :],  # a restart marker is missing
    ):
        with pytest.raises(InvalidRequest, match="the JPEG is damaged, part of the picture cannot be decoded: send"):
            decoded(damaged)


def test_stray_bytes_do_not_hide_damage() -> None:
    data = encoded(noise(), "JPEG")
    tables = data.index(b"\xff\xdb")
    stray = data[:tables] + b"\0\0" + data[tables:]
    np.testing.assert_array_equal(decoded(stray), decoded(data))
    with pytest.raises(InvalidRequest, match="the JPEG is damaged"):
        decoded(stray[: len(stray) // 2] + END)
    with pytest.raises(InvalidRequest, match="the JPEG ends early"):
        decoded(stray[: len(stray) // 2])


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def test_texts_and_profiles_of_a_png_are_not_looked_at() -> None:
    data = encoded(Image.fromarray(scene()), "PNG")
    text = zlib.compress(bytes(1_500_000))
    chunks = [
        chunk(b"zTXt", b"Comment\0\0" + text),
        chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + text),
        chunk(b"iCCP", b"profile\0\0" + zlib.compress(bytes(2_000_000))),
        chunk(b"tEXt", b"Comment\0" + bytes(3_000_000)),
        chunk(b"zTXt", b"Comment\0\0not compressed"),
        chunk(b"tEXt", b"Comment\0text")[:-1] + b"?",  # a wrong checksum
        chunk(b"tRNS", bytes(6)),
    ]
    first, last = data.index(b"IDAT") - 4, data.index(b"IEND") - 4
    for extra in chunks:
        for place in (first, last):
            np.testing.assert_array_equal(decoded(data[:place] + extra + data[place:]), scene())


def test_a_png_whose_end_alone_is_missing_is_accepted() -> None:
    data = encoded(Image.fromarray(scene()), "PNG")
    np.testing.assert_array_equal(decoded(data[:-12]), scene())
    with pytest.raises(InvalidRequest, match="the PNG ends early or is damaged, part of the photo is missing"):
        decoded(data[:-40])


@pytest.mark.parametrize("name", ["PLTE", "IDAT"])
def test_a_png_with_damaged_pixels_is_refused(name: str) -> None:
    data = bytearray(encoded(Image.fromarray(scene()).quantize(64), "PNG", compress_level=0))
    data[data.index(name.encode()) + 40] ^= 1
    with pytest.raises(InvalidRequest, match=f"the PNG is damaged .wrong checksum of {name} at byte"):
        decoded(bytes(data))


@pytest.mark.filterwarnings("error")
def test_pillow_has_nothing_to_remark() -> None:
    """Its warnings would reach the server's log for every such photo."""
    palette = Image.fromarray(scene()).quantize(64)
    palette.info["transparency"] = bytes(64)
    assert decoded(encoded(palette, "PNG", transparency=bytes(range(64)))).shape == scene().shape
