"""What people send instead of a JPEG, PNG or WebP, told from the first bytes, so that the answer can say what to do."""

import re

CONVERT = "convert it first"
TO_JPEG = f"{CONVERT}, for example: magick photo.{{0}} photo.jpg"
RAW = "send the JPEG that the camera or its program makes of it"
VIDEO = "send one frame of it as a photo (midas-client video does so for all)"
UNPACK = "send the photos in it one by one"
ALONE = "send the file alone, for example: curl --data-binary @photo.jpg"

# Where, what, its name, and what to do.
SIGNATURES: tuple[tuple[int, bytes, str, str], ...] = (
    (0, b"GIF8", "a GIF", CONVERT),
    (0, b"BM", "a BMP", CONVERT),
    (8, b"CR\x02\0", "a Canon CR2 raw file", RAW),
    (0, b"II*\0", "a TIFF", f"{CONVERT} (of a camera's raw file, such as NEF, ARW or DNG, send the JPEG)"),
    (0, b"MM\0*", "a TIFF", f"{CONVERT} (of a camera's raw file, such as NEF, ARW or DNG, send the JPEG)"),
    (0, b"II+\0", "a BigTIFF", CONVERT),
    (0, b"MM\0+", "a BigTIFF", CONVERT),
    (0, b"IIU\0", "a Panasonic RW2 raw file", RAW),
    (0, b"IIRO", "an Olympus ORF raw file", RAW),
    (0, b"IIRS", "an Olympus ORF raw file", RAW),
    (0, b"MMOR", "an Olympus ORF raw file", RAW),
    (0, b"FUJIFILMCCD-RAW", "a Fujifilm RAF raw file", RAW),
    (0, b"FOVb", "a Sigma X3F raw file", RAW),
    (6, b"HEAPCCDR", "a Canon CRW raw file", RAW),
    (0, b"II\xbc", "a JPEG XR", CONVERT),
    (0, b"\xff\x0a", "a JPEG XL", TO_JPEG.format("jxl")),
    (0, b"\0\0\0\x0cJXL ", "a JPEG XL", TO_JPEG.format("jxl")),
    (0, b"\0\0\0\x0cjP  ", "a JPEG 2000", TO_JPEG.format("jp2")),
    (0, b"\xff\x4f\xff\x51", "a JPEG 2000", TO_JPEG.format("j2k")),
    (0, b"8BPS", "a Photoshop file (PSD)", "export it as JPEG or PNG"),
    (0, b"gimp xcf", "a GIMP file (XCF)", "export it as JPEG or PNG"),
    (0, b"\0\0\1\0", "an icon (ICO)", CONVERT),
    (0, b"icns", "an icon (ICNS)", CONVERT),
    (0, b"\x76\x2f\x31\x01", "an OpenEXR picture", f"{CONVERT}, with its brightness brought to 8 or 16 bits"),
    (0, b"#?RADIANCE", "a Radiance HDR picture", f"{CONVERT}, with its brightness brought to 8 or 16 bits"),
    (0, b"#?RGBE", "a Radiance HDR picture", f"{CONVERT}, with its brightness brought to 8 or 16 bits"),
    (0, b"qoif", "a QOI picture", CONVERT),
    (0, b"DDS ", "a DDS texture", CONVERT),
    (0, b"\x8aMNG", "an MNG animation", CONVERT),
    (0, b"\x93NUMPY", "a NumPy array", "save it as PNG first"),
    (0, b"\x89HDF", "an HDF5 file", "save the photo in it as PNG first"),
    (128, b"DICM", "a DICOM file", "export it as PNG"),
    (0, b"%PDF", "a PDF", "export the page as JPEG or PNG"),
    (0, b"PK\x03\x04", "a ZIP archive", UNPACK),
    (0, b"\x1f\x8b", "gzip-compressed data", UNPACK),
    (0, b"Rar!", "a RAR archive", UNPACK),
    (0, b"7z\xbc\xaf", "a 7z archive", UNPACK),
    (257, b"ustar", "a tar archive", UNPACK),
    (0, b"\x1aE\xdf\xa3", "a video (Matroska, WebM)", VIDEO),
    (8, b"AVI ", "a video (AVI)", VIDEO),
    (0, b"\0\0\1\xba", "a video (MPEG)", VIDEO),
    (0, b"FLV\x01", "a video (FLV)", VIDEO),
    *((4, box, "a video (MOV)", VIDEO) for box in (b"moov", b"mdat", b"wide", b"skip", b"pnot")),
)

# ISO media files name their kind and those that they are compatible with. The first that is known counts.
BRANDS: tuple[tuple[tuple[bytes, ...], str, str], ...] = (
    ((b"avif",), "an AVIF photo", TO_JPEG.format("avif")),
    ((b"avis",), "an AVIF animation", TO_JPEG.format("avif")),
    ((b"heic", b"heix", b"heim", b"heis"), "a HEIC photo", TO_JPEG.format("heic")),
    ((b"hevc", b"hevx", b"hevm", b"hevs"), "a HEIC animation", TO_JPEG.format("heic")),
    ((b"crx ",), "a Canon CR3 raw file", RAW),
    ((b"jxl ",), "a JPEG XL", TO_JPEG.format("jxl")),
    ((b"jp2 ", b"jpx ", b"jpm "), "a JPEG 2000", TO_JPEG.format("jp2")),
    ((b"qt  ",), "a video (MOV)", VIDEO),
    ((b"M4A ", b"M4B "), "a sound (M4A)", "send a photo"),
)
# Any coding can be in these, so what they are compatible with says more.
GENERAL_BRANDS: tuple[tuple[tuple[bytes, ...], str, str], ...] = (
    ((b"mif1", b"msf1", b"mif2"), "a HEIF photo", TO_JPEG.format("heif")),
)

# What a file becomes that is treated as text on its way.
CHANGED = (
    (b"\xef\xbf\xbd", "a file whose bytes were replaced as if it were text", "read and send it as bytes"),
    (b"\xc3\xbf\xc3\x98", "a JPEG that was encoded as if it were text", "read and send it as bytes"),
    (b"\xc2\x89PNG", "a PNG that was encoded as if it were text", "read and send it as bytes"),
    (
        b"\x89PNG",
        "a PNG whose line ends were changed or lost",
        "send it as bytes (curl -d changes them, --data-binary does not)",
    ),
)

# Of text, how it begins, its name, and what to do. The second half of base64: letters without a word's end.
TEXTS = tuple(
    (re.compile(pattern, re.IGNORECASE | re.DOTALL), kind)
    for pattern, kind in (
        (r"<svg|<\?xml", "an SVG or XML file"),
        (r"<!doctype html|<html", "an HTML page"),
        (r"--.*content-disposition", f"a form (multipart/form-data); {ALONE}"),
        (r"data:", "a data URI; send the bytes that its base64 stands for"),
        (r"(?-i:/9j/|iVBORw0KGgo|UklGR|R0lGOD)|[a-z0-9+/_-]{60}", "base64; send the bytes that it stands for"),
        (r'[{\[]\s*["{}\[\]\d]', f"JSON; {ALONE}"),
        (r"(https?|ftp|s3|gs|file)://", f"a URL; download the photo and {ALONE}"),
        (r"\w+=", f"a form (application/x-www-form-urlencoded); {ALONE}"),
    )
)


def describe(data: bytes) -> str:
    """Say what the data are and what to do, as the end of a sentence: "a GIF; convert it first"."""
    known = _known(data)
    return f"{known[0]}; {known[1]}" if known else _other(data)


def _known(data: bytes) -> tuple[str, str] | None:
    if data[4:8] == b"ftyp":
        return _media(data)
    for offset, signature, name, advice in SIGNATURES:
        if data.startswith(signature, offset):
            return name, advice
    for signature, name, advice in CHANGED:
        if data.startswith(signature):
            return name, advice
    return None


def _media(data: bytes) -> tuple[str, str]:
    end = min(int.from_bytes(data[:4], "big"), 256)
    brands = [data[8:12], *(data[place : place + 4] for place in range(16, end, 4))]
    # The first brand is the file's own; one that is general, or a stranger to us, leaves it to the others.
    for known in (BRANDS, GENERAL_BRANDS):
        for brand in brands:
            for names, name, advice in known:
                if brand in names:
                    return name, advice
    return "a video (MP4)", VIDEO


def _other(data: bytes) -> str:
    head = data[:256].removeprefix(b"\xef\xbb\xbf")
    if not all(byte >= 0x20 or byte in b"\t\r\n" for byte in head[:64]):
        return f"{len(data):,} bytes of another kind"
    text = head.decode("utf-8", "replace").lstrip()
    for pattern, kind in TEXTS:
        if pattern.match(text):
            return kind
    return f"text that begins with {data[:24].decode('utf-8', 'replace')!r}"
