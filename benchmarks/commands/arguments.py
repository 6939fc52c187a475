"""The options that the measuring commands share, and the values that options take."""

import argparse
import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar, get_args

from benchmarks.measure.plan import PhotoSize
from benchmarks.record import Result
from export.errors import BuildError
from export.targets.builds import Build
from midas_server.served_names import network_named

T = TypeVar("T")

RESULTS: tuple[Result, ...] = get_args(Result)


def add_measuring_arguments(
    parser: argparse.ArgumentParser,
    *,
    default_models: Sequence[str],
    default_builds: Sequence[Build],
    default_concurrency: str,
    default_rates: str,
    default_photos: Sequence[PhotoSize],
    default_results: Sequence[Result],
) -> None:
    """Add the options that say what is measured, and where, to `parser`; without builds any that is there will do.

    The variable MODELS, where it is set, takes the place of `default_models`.
    """
    chosen = os.environ.get("MODELS")
    parser.add_argument(
        "--models",
        type=models,
        default=chosen or list(default_models),
        metavar="'NAME ...'",
        help=f"the networks, separated by spaces (default: the variable MODELS, or {' '.join(default_models)})",
    )
    parser.add_argument(
        "--builds",
        type=builds,
        default=list(default_builds),
        metavar="'TARGET:PRECISION ...'",
        help="each is exported, if needed, into a repository of its own, build/TARGET_PRECISION, and served from there "
        f"(default: {', '.join(map(str, default_builds)) or 'what is in --repository'})",
    )
    parser.add_argument(
        "--repository",
        type=Path,
        default=Path("model_repository"),
        metavar="DIR",
        help="what Triton loads where no build is named (%(default)s)",
    )
    parser.add_argument(
        "--url", metavar="HOST:PORT", help="the gRPC address of a running Triton, instead of starting one for the run"
    )
    parser.add_argument("--http", metavar="HOST:PORT", help="with --url: its HTTP address, if HTTP is to be measured")
    parser.add_argument(
        "--concurrency",
        type=concurrencies,
        default=default_concurrency,
        metavar="1:8",
        help="closed loops, by requests under way at a time: a range first:last, or a list 1,4,8 (%(default)s)",
    )
    parser.add_argument(
        "--rates",
        type=rates,
        default=default_rates,
        metavar="50,75",
        help="open loops with Poisson arrivals, by their rate in percent of the most that the closed loops reached; "
        "from 100 on the server is overloaded; 'none' for none (%(default)s)",
    )
    parser.add_argument(
        "--photo-size",
        type=photo_sizes,
        default=list(default_photos),
        metavar="WxH,...",
        help=f"the photos' sizes ({','.join(f'{width}x{height}' for width, height in default_photos)})",
    )
    parser.add_argument(
        "--results",
        type=results,
        default=list(default_results),
        metavar="network,photo,png16",
        help="float depth at the network's size or at the photo's, or a 16-bit PNG of the photo's size "
        f"({','.join(default_results)})",
    )
    parser.add_argument(
        "--seconds", type=seconds, default=6.0, help="length of one measurement, more for slow networks (%(default)g)"
    )
    parser.add_argument(
        "--rounds", type=rounds, default=1, help="how many times everything is measured, in turn (%(default)s)"
    )
    parser.add_argument(
        "--no-limit", action="store_true", help="do not measure the same steps in one process without a server"
    )


def models(text: str) -> list[str]:
    """Read names that are separated by spaces; at least one."""
    names = [network_named(name) for name in text.split()]
    if not names:
        raise argparse.ArgumentTypeError("name at least one network, such as midas_tiny_256")
    return names


def builds(text: str) -> list[Build]:
    """Read builds such as `onnx:fp32`, separated by spaces; at least one."""
    named = [build(each) for each in text.split()]
    if not named:
        raise argparse.ArgumentTypeError("name at least one build, such as onnx:fp32")
    return named


def build(text: str) -> Build:
    """Read one build, `TARGET:PRECISION`."""
    target, _, precision = text.partition(":")
    try:
        return Build.named(target, precision)
    except BuildError as error:
        raise argparse.ArgumentTypeError(f"{error}: name a build as TARGET:PRECISION, such as onnx:fp32") from error


def concurrencies(text: str) -> list[int]:
    """Read a range `first:last`, both included, or a list `1,4,8`, of numbers from 1 up."""
    if re.fullmatch(r"\d+:\d+", text):
        first, last = map(int, text.split(":"))
        values = list(range(first, last + 1))
    elif re.fullmatch(r"\d+(,\d+)*", text):
        values = list(map(int, text.split(",")))
    else:
        values = []
    if not values or min(values) < 1:
        raise argparse.ArgumentTypeError(f"{text!r}: give a range such as 1:8 or a list such as 1,4,8, from 1 up")
    return values


def rates(text: str) -> list[float]:
    """Read a list of percentages from 1 to 1000, or "none"; return them as shares, 0.01 to 10."""
    if text == "none":
        return []
    values = list(map(int, text.split(","))) if re.fullmatch(r"\d+(,\d+)*", text) else []
    if not values or not all(1 <= value <= 1000 for value in values):
        raise argparse.ArgumentTypeError(
            f"{text!r}: give percentages of the highest throughput from 1 to 1000, such as 50,75, or none"
        )
    return [value / 100 for value in values]


def photo_sizes(text: str) -> list[PhotoSize]:
    """Read a list of sizes, see `photo_size`."""
    return _each(text, photo_size)


def photo_size(text: str) -> PhotoSize:
    """Read `WIDTHxHEIGHT` in pixels."""
    found = re.fullmatch(r"(\d+)x(\d+)", text)
    size = (int(found.group(1)), int(found.group(2))) if found else (0, 0)
    if min(size) < 1:
        raise argparse.ArgumentTypeError(f"{text!r}: give a width and a height in pixels, such as 1920x1080")
    return size


def results(text: str) -> list[Result]:
    """Read a list of kinds of results."""
    return _each(text, result)


def result(text: str) -> Result:
    """Read one kind of result."""
    for known in RESULTS:
        if text == known:
            return known
    raise argparse.ArgumentTypeError(f"{text!r} is not a kind of result: give some of {','.join(RESULTS)}")


def seconds(text: str) -> float:
    """Read a number of seconds from 0.5 to 600."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0.5 <= value <= 600:
        raise argparse.ArgumentTypeError(f"{text!r}: give a number of seconds from 0.5 to 600")
    return value


def rounds(text: str) -> int:
    """Read a number of rounds from 1 to 100."""
    return _number(text, "rounds", 100)


def instances(text: str) -> int:
    """Read a number of instances from 1 to 64."""
    return _number(text, "instances", 64)


def _number(text: str, of: str, most: int) -> int:
    if not (text.isdecimal() and 1 <= int(text) <= most):
        raise argparse.ArgumentTypeError(f"{text!r}: give a number of {of} from 1 to {most}")
    return int(text)


def _each(text: str, read: Callable[[str], T]) -> list[T]:
    return [read(part) for part in dict.fromkeys(text.split(","))]
