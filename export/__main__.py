"""Command line: `python -m export <variant> ...`, or `python -m export <name> --from-onnx FILE`.

`python -m export list`, `all`, `report` and `default` are commands of their own; each has its `--help`.

Exit codes: 0 exported or up to date, 1 it could not be exported, 2 the command line is wrong, 130 interrupted.
"""

import argparse
import sys
import textwrap
from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import get_args

from rich.console import Console
from rich.panel import Panel

from export.auto.asked import copy_asked
from export.auto.choice import GOALS, SECONDS, Wish
from export.commands.onnx_file import COMMANDS, ForeignOptions, export_onnx_file
from export.commands.pipeline import Exported
from export.commands.request import ExportRequest
from export.commands.variant import export_variant
from export.errors import AutoError, ExportError, NoTensorRTError
from export.repository.manifest import Manifest, describe_weights
from export.repository.write import DEFAULT_REPOSITORY, auto_repository
from export.targets.builds import PRECISIONS, TARGETS
from export.targets.tensorrt.elsewhere import where_to_build
from export.variants import VARIANTS, refuse_for_business, variant_named
from export.variants.row import RGB, Aspect, Resize, ServedNetwork
from midas_server.licences import allows_business, why_not
from midas_server.served_names import SIZES

AUTO = "auto"
_OF_ONNX_FILES = ("layout", "range", "mean", "std", "size", "resize", "multiple", "aspect", "output")
_OF_VARIANTS = ("weights", "untrained", "require_weights")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    errors = Console(stderr=True, highlight=False, soft_wrap=True)
    command = words[0] if words and words[0] in COMMANDS else None
    try:
        if command is not None:
            return int(import_module(f"export.commands.{command}").main(words[1:]))
        return _export(words, errors)
    except ExportError as error:
        errors.print(f"error: {error}", style="red", markup=False)
        return error.exit_code
    except OSError as error:
        errors.print(f"error: {error.strerror or error}: {error.filename or 'no file'}", style="red", markup=False)
        return 1
    except KeyboardInterrupt:
        errors.print("interrupted" if command else "interrupted; the model repository is as it was", style="red")
        return 130


def _export(words: Sequence[str], errors: Console) -> int:
    """Export what the command line names; raises ExportError."""
    parser = _parser()
    options = parser.parse_args(words)
    complaint = _misused(options)
    if complaint:
        parser.error(complaint)
    console = Console(highlight=False, soft_wrap=True)
    auto = options.target == AUTO
    request = ExportRequest(
        repository=options.repository or (auto_repository(DEFAULT_REPOSITORY) if auto else DEFAULT_REPOSITORY),
        precision=options.precision,
        target=None if auto else options.target,
        auto=Wish(goal=options.goal, max_error=options.max_error, seconds=options.seconds) if auto else None,
        calibration=options.calibration,
        if_needed=options.if_needed,
        say=lambda line: console.print(line, markup=False),
        warn=lambda line: errors.print(f"warning: {line}", style="yellow", markup=False),
    )
    _refuse_for_business(options)
    try:
        for name in options.names:
            done = _exported(name, options, request)
            if done.written:
                request.say(f"  {describe_weights(done.manifest)}")
            for panel in _panels(done, if_needed=options.if_needed):
                errors.print(panel, soft_wrap=False)
    except NoTensorRTError as error:
        errors.print(f"error: {error}", style="red", markup=False)
        errors.print(where_to_build(words, request.repository), markup=False)
        return error.exit_code
    return 0


def _exported(name: str, options: argparse.Namespace, request: ExportRequest) -> Exported:
    if options.from_onnx is None:
        return _variant(name, options, request)
    said = ForeignOptions(
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
    return export_onnx_file(name, options.from_onnx, request, said)


def _variant(name: str, options: argparse.Namespace, request: ExportRequest) -> Exported:
    asked = None if options.asked_in is None else copy_asked(name, options.asked_in, request)
    if asked is not None:
        return asked
    try:
        return export_variant(
            name, request, weights=options.weights, untrained=options.untrained, require_weights=options.require_weights
        )
    except AutoError as error:
        there = None if options.asked_in is None else copy_asked(name, options.asked_in, request, any_build=True)
        if there is None:
            raise
        request.warn(str(error))
        return there


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
    parser.add_argument(
        "names", nargs="+", metavar="VARIANT", help="what to export; with --from-onnx, the new model's name"
    )
    parser.add_argument("--weights", type=Path, metavar="FILE", help="checkpoint to use, instead of looking for one")
    parser.add_argument("--untrained", action="store_true", help="do not look for a checkpoint")
    parser.add_argument(
        "--require-weights",
        action="store_true",
        help="refuse a variant that has no checkpoint, as the image's build does",
    )
    parser.add_argument(
        "--precision", choices=PRECISIONS, help="default: fp32; with --if-needed, any that is there will do"
    )
    parser.add_argument(
        "--target",
        choices=[*TARGETS, AUTO],
        help=f"default: onnx; with --if-needed, any that is there will do. {AUTO}: measure which build is the fastest "
        "on this machine",
    )
    parser.add_argument("--goal", choices=GOALS, help=f"with --target {AUTO}: what is to be fast (throughput)")
    parser.add_argument(
        "--max-error",
        type=_positive,
        metavar="E",
        help=f"with --target {AUTO}: the largest relative error against float32 on photos (what export allows each "
        "precision: docs/export.md)",
    )
    parser.add_argument(
        "--asked-in",
        type=Path,
        metavar="DIR",
        help=f"with --target {AUTO}: copy a network from this repository where it has a build that was named with "
        "--target or --precision",
    )
    parser.add_argument(
        "--seconds",
        type=_positive,
        default=SECONDS,
        metavar="S",
        help=f"with --target {AUTO}: begin with no further build after so long (%(default)g)",
    )
    parser.add_argument(
        "--calibration",
        type=Path,
        metavar="FOLDER",
        help="photos to calibrate int8 and to judge any precision with",
    )
    parser.add_argument(
        "--repository",
        type=Path,
        metavar="DIR",
        help=f"default: {DEFAULT_REPOSITORY}; with --target {AUTO}: {auto_repository(DEFAULT_REPOSITORY)}",
    )
    parser.add_argument(
        "--commercial",
        action="store_true",
        help="refuse variants whose weights' licence does not allow commercial use",
    )
    parser.add_argument(
        "--if-needed", action="store_true", help="do nothing if it is exported and its weights are the same"
    )

    foreign = parser.add_argument_group(
        "a network of your own",
        "It takes an RGB photo and gives relative inverse depth (larger is nearer) of the same size.",
    )
    foreign.add_argument("--from-onnx", type=Path, metavar="FILE", help="export this ONNX file instead of a variant")
    foreign.add_argument("--layout", choices=["nchw", "nhwc"], help="of its input; default: nchw")
    foreign.add_argument("--range", type=int, choices=[1, 255], help="it takes pixels in 0..1 (default) or 0..255")
    foreign.add_argument(
        "--mean", type=float, nargs="+", metavar="M", help="subtracted after --range: 1 number, or 3 for RGB"
    )
    foreign.add_argument(
        "--std", type=float, nargs="+", metavar="S", help="divided by after --mean: 1 number, or 3 for RGB"
    )
    foreign.add_argument(
        "--size", type=int, metavar="PIXELS", help="default side, 128 to 1280; about 256, or the network's only one"
    )
    foreign.add_argument(
        "--multiple",
        type=int,
        metavar="N",
        help="both sides must be multiples of N; default: 32 or 14, whichever works",
    )
    foreign.add_argument("--resize", choices=get_args(Resize), help="default: minimal")
    foreign.add_argument(
        "--aspect", choices=get_args(Aspect), help="of a photo whose request says nothing; default: keep"
    )
    foreign.add_argument("--output", metavar="NAME", help="the depth, if it has several outputs")
    return parser


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
    for name in ("mean", "std"):
        if getattr(options, name) is not None and len(getattr(options, name)) not in (1, 3):
            return f"--{name} takes 1 number, or 3 for RGB"
    return _misused_with_auto(options)


def _misused_with_auto(options: argparse.Namespace) -> str | None:
    if options.target == AUTO and options.precision is not None:
        return f"--target {AUTO} chooses the precision too: leave --precision out, or name a target"
    if options.target != AUTO and (options.goal or options.max_error or options.asked_in):
        return f"--goal, --max-error and --asked-in go with --target {AUTO} only"
    return None


def _is_default(options: argparse.Namespace) -> bool:
    return options.precision in (None, "fp32") and options.target in (None, "onnx")


def _positive(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"'{text}' is not a number above 0")
    return value


def _rgb(numbers: list[float] | None, default: float) -> RGB:
    red, green, blue = [default] * 3 if numbers is None else numbers * (3 // len(numbers))
    return red, green, blue


def _refuse_for_business(options: argparse.Namespace) -> None:
    """Before the first export: raises LicenceError. A network of the user's own is under its owner's terms."""
    if options.commercial and options.from_onnx is None:
        for name in options.names:
            refuse_for_business(variant_named(name))


def _panels(done: Exported, *, if_needed: bool) -> Iterator[Panel]:
    if done.manifest.weights == "untrained" and (done.written or not if_needed):
        yield _untrained_panel(done.manifest)
    if done.written and not allows_business(done.network.licence):
        yield _licence_panel(done.network)


def _licence_panel(network: ServedNetwork) -> Panel:
    text = f"{network.name}: {why_not(network.licence)}."
    return Panel(text, title="NOT FOR COMMERCIAL USE", border_style="bold yellow", expand=False)


def _untrained_panel(manifest: Manifest) -> Panel:
    source = VARIANTS[manifest.variant].source
    where = f"It is at\n        {source.url}" if source.url else "`python -m training` makes one."
    text = f"""\
        {manifest.variant} has no checkpoint: it was exported with UNTRAINED weights.
        Everything around the network works, but the depth that it gives means nothing.

        Put {source.file} into weights/ (or name it with --weights, or its
        folder with MIDAS_WEIGHTS) and export again. {where}"""
    return Panel(textwrap.dedent(text), title="UNTRAINED", border_style="bold red", expand=False)


if __name__ == "__main__":
    sys.exit(main())
