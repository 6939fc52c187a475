"""The command line's options and the values that they take."""

import argparse
import os
import re
from pathlib import Path

_DEFAULT_MODELS = "midas_tiny_256"


def parser() -> argparse.ArgumentParser:
    """Return the parser of ``python -m benchmarks``."""
    made = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Sweep concurrency over the served ensembles with Triton's perf_analyzer and print one table.",
    )
    made.add_argument(
        "--models",
        type=models,
        default=os.environ.get("MODELS") or _DEFAULT_MODELS,
        metavar="'NAME ...'",
        help=f"the ensembles to measure, separated by spaces (default: the variable MODELS, or {_DEFAULT_MODELS})",
    )
    made.add_argument(
        "--repository",
        type=Path,
        default=Path("model_repository"),
        metavar="DIR",
        help="what Triton loads (%(default)s)",
    )
    made.add_argument(
        "--url", metavar="HOST:PORT", help="the gRPC address of a running Triton, instead of starting one for the run"
    )
    made.add_argument(
        "--concurrency",
        type=concurrencies,
        default=list(range(1, 9)),
        metavar="1:8",
        help="requests under way at a time: a range first:last, or a list 1,4,8 (1:8)",
    )
    made.add_argument(
        "--photo-size", type=photo_size, default=(1920, 1080), metavar="WxH", help="the photo's size (1920x1080)"
    )
    made.add_argument(
        "--seconds", type=seconds, default=6.0, help="length of one measurement, more for slow networks (%(default)g)"
    )
    made.add_argument("--output", type=Path, metavar="FILE", help="write the figures as JSON too")
    return made


def models(text: str) -> list[str]:
    """Read names that are separated by spaces; at least one."""
    names = text.split()
    if not names:
        raise argparse.ArgumentTypeError("name at least one ensemble, such as midas_tiny_256")
    return names


def concurrencies(text: str) -> list[int]:
    """Read a range ``first:last``, both included, or a list ``1,4,8``, of numbers from 1 up."""
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


def photo_size(text: str) -> tuple[int, int]:
    """Read ``WIDTHxHEIGHT`` in pixels."""
    found = re.fullmatch(r"(\d+)x(\d+)", text)
    size = (int(found.group(1)), int(found.group(2))) if found else (0, 0)
    if min(size) < 1:
        raise argparse.ArgumentTypeError(f"{text!r}: give a width and a height in pixels, such as 1920x1080")
    return size


def seconds(text: str) -> float:
    """Read a number of seconds from 0.5 to 600."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0.5 <= value <= 600:
        raise argparse.ArgumentTypeError(f"{text!r}: give a number of seconds from 0.5 to 600")
    return value
