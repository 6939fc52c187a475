"""The command line's options."""

import argparse
import contextlib
from pathlib import Path

from accuracy.judging import METRES_CAP
from export.commands.arguments import add_foreign_options, wrong_numbers
from midas_server.argument_types import count, positive
from midas_server.options import SETTINGS

DEFAULT_REPOSITORY = "model_repository"
# The options of a request that change the depth; the others change how it travels.
OPTIONS = ("aspect", "filter", *(name for name, setting in SETTINGS.items() if setting.option == "filter"))


PROGRAM = "python -m accuracy"
DESCRIPTION = "How accurate depth networks are on photos with depth, by the protocol of MiDaS."
OUT = Path("out/accuracy")


def parser(program: str = PROGRAM, description: str = DESCRIPTION, out: Path = OUT) -> argparse.ArgumentParser:
    """The parser of `python -m accuracy`, and of programs that measure networks by the same options."""
    made = argparse.ArgumentParser(
        prog=program,
        description=description,
        epilog="docs/accuracy.md tells the formulas and the layouts of data.",
    )
    made.add_argument(
        "data",
        nargs="+",
        type=Path,
        metavar="DATA",
        help="a folder in the layout of NYUv2, KITTI, DIODE, TUM RGB-D or Middlebury, with pairs.csv or "
        "ordinal.csv, or such a csv file",
    )
    made.add_argument(
        "--models",
        nargs="+",
        default=[],
        metavar="MODEL",
        help="variants in the repository or on the server (all there are), and paths of .onnx files",
    )
    made.add_argument(
        "--repository",
        action="append",
        metavar="[NAME=]DIR",
        help=f"model repository ({DEFAULT_REPOSITORY}); several, such as fp32=DIR --repository int8=DIR, are compared",
    )
    made.add_argument("--url", metavar="ADDRESS", help="measure what a running server serves: host:port, http://...")
    made.add_argument("--serve", action="store_true", help="start Triton over the repository and measure through it")
    made.add_argument("--ramp", action="store_true", help="add a ramp, near at the bottom: what a network must beat")
    made.add_argument("--resolution", type=int, metavar="PIXELS", help="the option of a request (the variant's)")
    made.add_argument(
        "--option",
        action="append",
        type=_option,
        default=[],
        metavar="NAME=VALUE",
        help="another option of a request, such as filter=guided or aspect=square; may be given several times",
    )
    made.add_argument(
        "--cap", type=positive, default=METRES_CAP, metavar="METRES", help="farthest metric depth (%(default)g)"
    )
    made.add_argument("--limit", type=count, metavar="N", help="at most N photos, spread evenly over the data")
    made.add_argument("--worst", type=int, default=3, metavar="N", help="pictures of the N worst photos (%(default)s)")
    made.add_argument("--out", type=Path, default=out, metavar="DIR", help="report and pictures (%(default)s)")
    foreign = made.add_argument_group(
        "how .onnx files take a photo", "As for python -m export --from-onnx; not needed for files that it wrote."
    )
    add_foreign_options(foreign)
    return made


def parsed(
    arguments: list[str] | None, program: str = PROGRAM, description: str = DESCRIPTION, out: Path = OUT
) -> argparse.Namespace:
    """The options, checked against each other; leaves the program with status 2 where they make no sense."""
    made = parser(program, description, out)
    options = made.parse_args(arguments)
    if options.url is not None and (options.serve or options.repository):
        made.error("--url measures a running server: leave out --serve and --repository")
    complaint = wrong_numbers(options)
    if complaint:
        made.error(complaint)
    options.repository = options.repository or [DEFAULT_REPOSITORY]
    options.request = dict(options.option)
    if options.resolution is not None:
        options.request["resolution"] = options.resolution
    return options


def _option(text: str) -> tuple[str, int | float | str]:
    name, _, value = text.partition("=")
    if name not in OPTIONS or not value:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=VALUE with one of {', '.join(OPTIONS)}")
    for kind in (int, float):
        with contextlib.suppress(ValueError):
            return name, kind(value)
    return name, value
