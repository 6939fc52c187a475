"""Command line: `python -m export <variant> ...`, or `python -m export <name> --from-onnx FILE`.

`python -m export list`, `all`, `report` and `default` are commands of their own; each has its `--help`.

Exit codes: 0 exported or up to date, 1 it could not be exported, 2 the command line is wrong, 130 interrupted.
"""

import argparse
import sys
import textwrap
from collections.abc import Iterator, Sequence
from importlib import import_module

from rich.console import Console
from rich.panel import Panel

from export.auto.asked import copy_asked
from export.auto.choice import SECONDS, Wish
from export.commands.arguments import AUTO, foreign_options, parsed
from export.commands.onnx_file import COMMANDS, export_onnx_file
from export.commands.pipeline import Exported
from export.commands.request import ExportRequest
from export.commands.variant import export_variant
from export.errors import AutoError, ExportError, NoTensorRTError
from export.repository.manifest import Manifest, describe_weights
from export.repository.write import DEFAULT_REPOSITORY, auto_repository
from export.targets.tensorrt.elsewhere import where_to_build
from export.variants import VARIANTS, refuse_for_business, variant_named
from export.variants.row import ServedNetwork
from midas_server.licences import allows_business, why_not


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
    options = parsed(words)
    console = Console(highlight=False, soft_wrap=True)
    auto = options.target == AUTO
    request = ExportRequest(
        repository=options.repository or (auto_repository(DEFAULT_REPOSITORY) if auto else DEFAULT_REPOSITORY),
        precision=options.precision,
        target=None if auto else options.target,
        auto=Wish(goal=options.goal, max_error=options.max_error, seconds=options.seconds or SECONDS) if auto else None,
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
    return export_onnx_file(name, options.from_onnx, request, foreign_options(options))


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
