"""`python -m benchmarks decoders`: what reading a JPEG costs with the libraries that do it.

Preprocess lets the JPEG library leave out detail that the network would not see: it decodes at a half, a quarter or an
eighth (`midas_server.imaging.decode`). Each library here is asked for that size, in turn, on one core. What is not
installed is left out and named; `pip install av pyvips pyvips-binary imagecodecs` brings all of them.
"""

import argparse
import io
import time
from collections.abc import Callable, Mapping
from functools import partial
from importlib import import_module
from statistics import median
from typing import Any

import cv2
import numpy as np
import simplejpeg
from numpy.typing import NDArray
from PIL import Image
from rich.console import Console
from rich.table import Table

from benchmarks.commands.arguments import photo_size
from benchmarks.load.photo import jpeg
from midas_server.imaging.decode import decode
from midas_server.imaging.probe import probe
from reports.machine import this_machine

Pixels = NDArray[np.uint8]
Size = tuple[int, int]

DEFAULT_SIZES = ((1920, 1080), (4032, 3024))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `decoders` to `parser`."""
    parser.add_argument("--photo-size", nargs="+", type=photo_size, default=DEFAULT_SIZES, metavar="WxH")
    parser.add_argument("--network-size", type=photo_size, default=(256, 256), metavar="WxH", help="(256x256)")
    parser.add_argument("--rounds", type=int, default=20, help="decodes of each way, in turn (%(default)s)")


def run(options: argparse.Namespace, console: Console) -> int:
    """Measure and print a table for each size of photo; return 0."""
    cv2.setNumThreads(1)
    console.print(f"{this_machine().processor}; milliseconds of one core, the median of {options.rounds}")
    for width, height in options.photo_size:
        photo = jpeg(width, height)
        served = decode(photo, probe(photo), covering=options.network_size)
        console.print(_table(photo, served, width // served.shape[1], options.rounds))
    return 0


def _table(photo: bytes, served: Pixels, reduction: int, rounds: int) -> Table:
    size = served.shape[1], served.shape[0]
    ways = {name: partial(way, photo, size, reduction) for name, way in WAYS.items()}
    found: dict[str, list[float]] = {name: [] for name in ways}
    answers: dict[str, Pixels] = {}
    missing: dict[str, str] = {}
    for _ in range(rounds):
        for name, way in ways.items():
            if name in missing:
                continue
            start = time.process_time()
            try:
                answers[name] = way()
            except ImportError as error:
                missing[name] = f"{error.name} is not installed"
                continue
            found[name].append(1000 * (time.process_time() - start))
    table = Table("library", "ms", "pixels", title=f"{len(photo):,} bytes at 1/{reduction}: {size[0]} x {size[1]}")
    for name in ways:
        if name in missing:
            table.add_row(name, "-", missing[name])
        else:
            table.add_row(name, f"{median(found[name]):.1f}", _difference(answers[name], served))
    return table


def _difference(pixels: Pixels, served: Pixels) -> str:
    if pixels.shape != served.shape:
        return "other size: " + " x ".join(map(str, pixels.shape[1::-1]))
    off = np.abs(pixels.astype(np.int16) - served)
    return f"off by {off.mean():.2f}, at most {off.max()}" if off.any() else "the same"


def _served(photo: bytes, size: Size, reduction: int) -> Pixels:
    return np.asarray(simplejpeg.decode_jpeg(photo, "RGB", min_width=size[0], min_height=size[1], strict=True))


def _hasty(photo: bytes, size: Size, reduction: int) -> Pixels:
    fast = {"fastdct": True, "fastupsample": True}
    return np.asarray(simplejpeg.decode_jpeg(photo, "RGB", min_width=size[0], min_height=size[1], **fast))


def _grey(photo: bytes, size: Size, reduction: int) -> Pixels:
    grey = simplejpeg.decode_jpeg(photo, "GRAY", min_width=size[0], min_height=size[1])
    return np.asarray(grey)[:, :, 0]


def _opencv(photo: bytes, size: Size, reduction: int) -> Pixels:
    reduced = {1: "COLOR", 2: "REDUCED_COLOR_2", 4: "REDUCED_COLOR_4", 8: "REDUCED_COLOR_8"}[reduction]
    flag: int = getattr(cv2, f"IMREAD_{reduced}") | cv2.IMREAD_IGNORE_ORIENTATION
    bgr = cv2.imdecode(np.frombuffer(photo, np.uint8), flag)
    return np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8)


def _pillow(photo: bytes, size: Size, reduction: int) -> Pixels:
    with Image.open(io.BytesIO(photo)) as image:
        image.draft("RGB", size)
        return np.asarray(image.convert("RGB"))


def _ffmpeg(photo: bytes, size: Size, reduction: int) -> Pixels:
    av: Any = import_module("av")
    codec = av.codec.CodecContext.create("mjpeg", "r")
    codec.thread_count = 1
    codec.options = {"lowres": str(reduction.bit_length() - 1)}
    frame = next(iter(codec.decode(av.Packet(photo)) or codec.decode(None)))
    return np.asarray(frame.to_ndarray(format="rgb24"))


def _vips(photo: bytes, size: Size, reduction: int) -> Pixels:
    vips: Any = import_module("pyvips")
    vips.cache_set_max(0)
    return np.asarray(vips.Image.jpegload_buffer(photo, shrink=reduction))


def _imagecodecs(photo: bytes, size: Size, reduction: int) -> Pixels:
    return np.asarray(import_module("imagecodecs").jpeg8_decode(photo))


WAYS: Mapping[str, Callable[[bytes, Size, int], Pixels]] = {
    "simplejpeg, as served": _served,
    "simplejpeg, hasty transforms": _hasty,
    "simplejpeg, grey alone": _grey,
    "OpenCV": _opencv,
    "Pillow": _pillow,
    "PyAV (FFmpeg)": _ffmpeg,
    "libvips": _vips,
    "imagecodecs": _imagecodecs,
}
"""What is measured, by what it is called."""
