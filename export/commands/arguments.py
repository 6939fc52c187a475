"""The command line's options: what there is, and which of them go together."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

from export.auto.choice import GOALS, SECONDS
from export.commands.onnx_file import ForeignOptions
from export.repository.write import DEFAULT_REPOSITORY, auto_repository
from export.targets.builds import PRECISIONS, TARGETS
from export.variants import VARIANTS
from export.variants.row import RGB, Aspect, Layout, Resize
from midas_server.argument_types import positive
from midas_server.served_names import SIZES

AUTO = "auto"
_OF_ONNX_FILES = ("layout", "range", "mean", "std", "size", "resize", "multiple", "aspect", "output")
_OF_VARIANTS = ("weights", "untrained", "require_weights")


def parsed(words: Sequence[str]) -> argparse.Namespace:
    """The options, checked against each other; leaves the program with status 2 where they make no sense."""
    parser = _parser()
    options = parser.parse_args(words)
    complaint = _misused(options) or _misused_with_auto(options)
    if complaint:
        parser.error(complaint)
    return options


def foreign_options(options: argparse.Namespace) -> ForeignOptions:
    """What they say of a network of the user's own."""
    return ForeignOptions(
        layout=options.layout or "nchw",
        value_range=options.range or 1,
        mean=_rgb(options.mean, 0.0),
        std=_rgb(options.std, 1.0),
        side=options.size,
        resize=options.resize,
        multiple=options.multiple,
        aspect=options.aspect,
        output=options.output,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m export",
        description="Export variants of MiDaS and Depth Anything, or a depth network of your own, into Triton's model "
        "repository.",
        epilog=f"variants: {', '.join(VARIANTS)}; {', '.join(f'{size} is {name}' for size, name in SIZES.items())}. "
        "Other commands: list (what is exported), all (export every variant), report (sizes, errors, speed), "
        "default (what is served where nobody names one); "
        "each takes --help.",
    )
    add = parser.add_argument
    add("names", nargs="+", metavar="VARIANT", help="what to export; with --from-onnx, the new model's name")
    add("--weights", type=Path, metavar="FILE", help="checkpoint to use, instead of looking for one")
    add("--untrained", action="store_true", help="do not look for a checkpoint")
    add(
        "--require-weights",
        action="store_true",
        help="refuse a variant that has no checkpoint, as the image's build does",
    )
    add(
        "--repository",
        type=Path,
        metavar="DIR",
        help=f"default: {DEFAULT_REPOSITORY}; with --target {AUTO}: {auto_repository(DEFAULT_REPOSITORY)}",
    )
    add(
        "--commercial",
        action="store_true",
        help="refuse variants whose weights' licence does not allow commercial use",
    )
    add("--if-needed", action="store_true", help="do nothing if it is exported and its weights are the same")
    _add_build(parser)
    _add_auto(parser)
    _add_foreign(parser)
    return parser


def _add_build(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group(
        "the build", "With --if-needed and without --target and --precision, any build that is there will do."
    ).add_argument
    add(
        "--target",
        choices=[*TARGETS, AUTO],
        help=f"what computes it; default: onnx. {AUTO}: measure which build is the fastest on this machine",
    )
    add("--precision", choices=PRECISIONS, help="what it computes in; default: fp32")
    add(
        "--calibration",
        type=Path,
        metavar="FOLDER",
        help="photos to calibrate int8 and to judge any precision with",
    )


def _add_auto(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group(f"with --target {AUTO}").add_argument
    add("--goal", choices=GOALS, help="what is to be fast; default: throughput")
    add(
        "--max-error",
        type=positive,
        metavar="E",
        help="the largest relative error against float32 on photos; default: what export allows each precision "
        "(docs/export.md)",
    )
    add(
        "--seconds",
        type=positive,
        metavar="S",
        help=f"begin with no further build after so long; default: {SECONDS:g}",
    )
    add(
        "--asked-in",
        type=Path,
        metavar="DIR",
        help="copy a network from this repository where it has a build that was named with --target or --precision",
    )


def _add_foreign(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group(
        "a network of your own",
        "It takes an RGB photo and gives relative inverse depth (larger is nearer) of the same size.",
    )
    group.add_argument("--from-onnx", type=Path, metavar="FILE", help="export this ONNX file instead of a variant")
    add_foreign_options(group)


def add_foreign_options(group: argparse._ArgumentGroup) -> None:
    """What is said of an ONNX file of the user's own; `foreign_options` reads it."""
    add = group.add_argument
    add("--layout", choices=get_args(Layout), help="of its input; default: nchw")
    add("--range", type=int, choices=[1, 255], help="it takes pixels in 0..1 (default) or 0..255")
    add("--mean", type=float, nargs="+", metavar="M", help="subtracted after --range: 1 number, or 3 for RGB")
    add("--std", type=float, nargs="+", metavar="S", help="divided by after --mean: 1 number, or 3 for RGB")
    add("--size", type=int, metavar="PIXELS", help="default side, 128 to 1280; about 256, or the network's only one")
    add(
        "--multiple",
        type=int,
        metavar="N",
        help="both sides must be multiples of N; default: 32 or 14, whichever works",
    )
    add("--resize", choices=get_args(Resize), help="default: minimal")
    add("--aspect", choices=get_args(Aspect), help="of a photo whose request says nothing; default: keep")
    add("--output", metavar="NAME", help="the depth, if it has several outputs")


def wrong_numbers(options: argparse.Namespace) -> str | None:
    """What is wrong with the numbers of --mean and --std."""
    for name in ("mean", "std"):
        if getattr(options, name) is not None and len(getattr(options, name)) not in (1, 3):
            return f"--{name} takes 1 number, or 3 for RGB"
    return None


def _misused(options: argparse.Namespace) -> str | None:
    """What is wrong with options that are fine one by one."""
    foreign = options.from_onnx is not None
    for name in _OF_VARIANTS if foreign else _OF_ONNX_FILES:
        if getattr(options, name) not in (None, False):
            return f"--{name.replace('_', '-')} goes {'without' if foreign else 'with'} --from-onnx only"
    if len(options.names) > 1 and (foreign or options.weights is not None):
        return f"{'--from-onnx' if foreign else '--weights'} is one file: name one model"
    for name in ("weights", "require-weights"):
        if options.untrained and vars(options)[name.replace("-", "_")]:
            return f"--{name} and --untrained contradict each other"
    if options.calibration is not None and _is_default(options):
        return "--calibration goes with a --precision other than fp32, or another --target"
    return wrong_numbers(options)


def _misused_with_auto(options: argparse.Namespace) -> str | None:
    if options.target == AUTO and options.precision is not None:
        return f"--target {AUTO} chooses the precision too: leave --precision out, or name a target"
    if options.target != AUTO and (options.goal or options.max_error or options.seconds or options.asked_in):
        return f"--goal, --max-error, --seconds and --asked-in go with --target {AUTO} only"
    return None


def _is_default(options: argparse.Namespace) -> bool:
    return options.precision in (None, "fp32") and options.target in (None, "onnx")


def _rgb(numbers: list[float] | None, default: float) -> RGB:
    red, green, blue = [default] * 3 if numbers is None else numbers * (3 // len(numbers))
    return red, green, blue
