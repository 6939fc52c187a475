"""How depth is to be computed: the arguments that predict, video and bench share."""

from __future__ import annotations

import argparse
import contextlib
from typing import get_args

from midas_client._many import check_concurrency
from midas_client._options import (
    DEFAULT_MODEL,
    SETTINGS,
    Aspect,
    Filter,
    Options,
    OutputSize,
    check_model,
    request_parameters,
)

MEANING = "Larger is nearer. A metric network gives metres, where larger is farther."


def add_photo_arguments(parser: argparse.ArgumentParser, *, concurrency: int, of: str) -> argparse._ArgumentGroup:
    """The arguments, in a group that more can be added to.

    Args:
        parser: of the command.
        concurrency: so many are under way at a time, unless told otherwise.
        of: what they are: photos, frames.
    """
    group = parser.add_argument_group("depth")
    group.add_argument("--model", default=DEFAULT_MODEL, help="see `midas-client models` (default: %(default)s)")
    group.add_argument(
        "--resolution",
        type=int,
        metavar="N",
        help="side that the network's input aims at, 128 to 1280 in steps that the model gives, 32 for MiDaS "
        "(default: the model's)",
    )
    group.add_argument(
        "--aspect", choices=get_args(Aspect), help="keep the photo's shape or not (default: the model's)"
    )
    group.add_argument("--output-size", choices=get_args(OutputSize), help="size of the result (default: photo)")
    group.add_argument(
        "--filter",
        choices=get_args(Filter),
        help="guided, crf: edges where the photo has them; median, bilateral: fewer speckles (default: none)",
    )
    group.add_argument(
        "--setting",
        action="append",
        type=_setting,
        default=[],
        metavar="NAME=NUMBER",
        help=f"a number for the filter, such as crf_radius=12: {', '.join(SETTINGS)}",
    )
    group.add_argument(
        "--concurrency",
        type=int,
        default=concurrency,
        metavar="N",
        help=f"{of} under way at a time (default: %(default)d)",
    )
    return group


def photo_options(options: argparse.Namespace) -> Options:
    """What the arguments say, checked: a wrong one is a wrong command line, not a photo that failed.

    Raises:
        OptionError: a value is not allowed.
    """
    check_model(options.model)
    check_concurrency(options.concurrency)
    wishes = Options(
        resolution=options.resolution,
        aspect=options.aspect,
        output_size=options.output_size,
        filter=options.filter,
        settings=dict(options.setting),
    )
    request_parameters(wishes)
    return wishes


def _setting(text: str) -> tuple[str, float]:
    """NAME=NUMBER; whether the name exists and the number is allowed is checked with the other options."""
    name, _, number = text.partition("=")
    for kind in (int, float):
        with contextlib.suppress(ValueError):
            return name, kind(number)
    raise argparse.ArgumentTypeError(f"{text!r} is not NAME=NUMBER, such as crf_radius=12")
