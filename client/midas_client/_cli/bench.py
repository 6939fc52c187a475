"""`midas-client bench`: a quick look at how fast a server answers."""

from __future__ import annotations

import argparse
import io
import math
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import Any, get_args

import numpy as np

from midas_client._cli.connection import add_connection, connect
from midas_client._cli.exit_codes import EXPLANATION, FAILED, OK
from midas_client._cli.photo_arguments import add_photo_arguments, photo_options
from midas_client._cli.report import complain, print_json
from midas_client._depth_map import DepthMap
from midas_client._errors import ConnectError, MidasClientError, OptionError
from midas_client._options import Format
from midas_client._photo import encoded_photo

_DEFAULT_REQUESTS = 100
_WARM_UP = 2
_SIZE = (1920, 1080)
_PERCENTILES = (50, 90, 95, 99)

_EPILOG = f"""\
The first {_WARM_UP} requests are not counted, and none is repeated after an error.
Without PHOTO, a made-up JPEG of {_SIZE[0]} x {_SIZE[1]} is sent. The figures include the
work of this machine; what a server can do at most, perf_analyzer measures
(`make bench` in the project).

examples:
  midas-client bench
  midas-client bench photo.jpg --concurrency 8 --seconds 10 --format png16

{EXPLANATION}"""


@dataclass
class _Run:
    """What has been measured so far."""

    seconds: list[float] = field(default_factory=list)
    steps: list[dict[str, float]] = field(default_factory=list)
    errors: list[MidasClientError] = field(default_factory=list)
    elapsed: float = 0.0


def add_bench(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.description = "Send a photo again and again, and say how long the answers take."
    parser.epilog = _EPILOG
    parser.add_argument("photo", nargs="?", metavar="PHOTO", help="a JPEG, PNG or WebP file")
    length = parser.add_mutually_exclusive_group()
    length.add_argument("-n", "--requests", type=int, metavar="N", help=f"how many (default: {_DEFAULT_REQUESTS})")
    length.add_argument("--seconds", type=float, metavar="S", help="or for how long")
    depth = add_photo_arguments(parser, concurrency=1, of="requests")
    depth.add_argument(
        "--format", choices=get_args(Format), default="float32", help="what the server sends (default: %(default)s)"
    )
    add_connection(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Carry the command out."""
    wishes = photo_options(options)
    wishes["format"] = options.format
    requests = _DEFAULT_REQUESTS if options.requests is None and options.seconds is None else options.requests
    if requests is not None and requests < 1:
        raise OptionError(f"--requests is {requests}", hint="It must be a whole number above 0")
    if options.seconds is not None and not 0 < options.seconds < math.inf:
        raise OptionError(f"--seconds is {options.seconds}", hint="It must be a number above 0")
    photo = _made_up() if options.photo is None else encoded_photo(options.photo)
    with connect(options, retries=0) as client:

        def send() -> DepthMap:
            return client.predict(photo, model=options.model, **wishes)

        for _ in range(_WARM_UP):
            depth_map = send()  # an error here is the answer: nothing can be measured
        measured = _measure(send, options.concurrency, requests, options.seconds)
    if options.json:
        print_json(_document(options, depth_map, len(photo), measured))
    else:
        _print_table(options, depth_map, len(photo), measured)
    for kind, count in Counter(type(error) for error in measured.errors).items():
        example = next(error for error in measured.errors if type(error) is kind)
        complain(f"error: {count} x {kind.__name__}, such as: {example}")
    return FAILED if measured.errors else OK


def _measure(send: Callable[[], DepthMap], concurrency: int, requests: int | None, seconds: float | None) -> _Run:
    """Each of so many threads sends its next request as soon as it has an answer."""
    measured = _Run()
    lock = threading.Lock()
    stop = threading.Event()
    left = math.inf if requests is None else requests
    start = time.perf_counter()
    end = math.inf if seconds is None else start + seconds

    def work() -> None:
        nonlocal left
        while not stop.is_set() and time.perf_counter() < end:
            with lock:
                if left < 1:
                    return
                left -= 1
            before = time.perf_counter()
            try:
                depth_map = send()
            except MidasClientError as error:
                with lock:
                    measured.errors.append(error)
                if isinstance(error, ConnectError):
                    stop.set()
                continue
            with lock:
                measured.seconds.append(time.perf_counter() - before)
                measured.steps.append(dict(depth_map.timings))

    with ThreadPoolExecutor(concurrency) as pool:
        threads = [pool.submit(work) for _ in range(concurrency)]
        try:
            wait(threads)
        finally:
            stop.set()
    for thread in threads:
        thread.result()
    measured.elapsed = time.perf_counter() - start
    return measured


def _made_up() -> bytes:
    """Noise over a gradient, of about as many bytes as a photo of that size."""
    from PIL import Image  # noqa: PLC0415

    width, height = _SIZE
    coarse = np.random.default_rng(0).integers(0, 256, (height // 40, width // 40, 3), dtype=np.uint8)
    picture = Image.fromarray(coarse).resize(_SIZE, Image.Resampling.BICUBIC)
    grain = np.random.default_rng(1).integers(-6, 7, (height, width, 1), dtype=np.int16)
    pixels = (np.asarray(picture).astype(np.int16) + grain).clip(0, 255).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=85)
    return file.getvalue()


def _document(options: argparse.Namespace, depth_map: DepthMap, size: int, measured: _Run) -> dict[str, Any]:
    milliseconds = [seconds * 1000 for seconds in measured.seconds]
    return {
        "url": options.url,
        "model": depth_map.model,
        "photo_size": depth_map.photo_size,
        "photo_bytes": size,
        "options": dict(depth_map.options),
        "concurrency": options.concurrency,
        "requests": len(milliseconds),
        "failed": len(measured.errors),
        "seconds": round(measured.elapsed, 3),
        "photos_per_second": round(len(milliseconds) / measured.elapsed, 2),
        "milliseconds": {
            "mean": round(float(np.mean(milliseconds)), 2),
            **{f"p{p}": round(float(np.percentile(milliseconds, p)), 2) for p in _PERCENTILES},
            "max": round(max(milliseconds), 2),
        }
        if milliseconds
        else None,
        "server_milliseconds": _means(measured.steps),
        "errors": dict(Counter(type(error).__name__ for error in measured.errors)),
    }


def _means(steps: Sequence[dict[str, float]]) -> dict[str, float]:
    """Of each step, over all answers."""
    return {name: round(float(np.mean([each[name] for each in steps])), 2) for name in (steps[0] if steps else ())}


def _print_table(options: argparse.Namespace, depth_map: DepthMap, size: int, measured: _Run) -> None:
    document = _document(options, depth_map, size, measured)
    width, height = depth_map.photo_size
    print(f"{options.model} at {options.url}, {width} x {height} ({size / 1000:.0f} kB), {options.format}")
    print(
        f"{document['requests']} requests, {document['failed']} failed, {options.concurrency} at a time, "
        f"{document['seconds']:.1f} s"
    )
    print(f"\n{'photos/s':<12}{document['photos_per_second']:>9.1f}")
    for name, value in (document["milliseconds"] or {}).items():
        print(f"{f'{name} ms':<12}{value:>9.1f}")
    steps = document["server_milliseconds"]
    if steps:
        print("\nmean ms of the server")
        for name, value in steps.items():
            print(f"{name:<12}{value:>9.1f}")
        print(f"{'the rest':<12}{document['milliseconds']['mean'] - sum(steps.values()):>9.1f}")
