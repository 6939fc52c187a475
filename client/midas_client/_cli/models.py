"""`midas-client models`: what the server serves."""

from __future__ import annotations

import argparse
from dataclasses import asdict

from midas_client._cli.connection import add_connection, connect
from midas_client._cli.exit_codes import EXPLANATION, OK
from midas_client._cli.report import print_json
from midas_client._statistics import ModelStatistics

_EPILOG = f"""\
examples:
  midas-client models
  midas-client models --statistics

{EXPLANATION}"""


def add_models(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.description = "List the depth models of the server."
    parser.epilog = _EPILOG
    parser.add_argument(
        "--statistics",
        action="store_true",
        help="what each has done since it was loaded; with --json one object a line for each model",
    )
    add_connection(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Carry the command out."""
    with connect(options) as client:
        names = client.models()
        statistics = [client.model_statistics(name) for name in names] if options.statistics else []
    if options.json and options.statistics:
        for each in statistics:
            print_json(asdict(each))
    elif options.json:
        print_json(names)
    elif not names:
        print("The server has no depth model.")
    elif options.statistics:
        _print_table(statistics)
    else:
        print("\n".join(names))
    return OK


def _print_table(statistics: list[ModelStatistics]) -> None:
    """A line for a model, and one for each of its steps; milliseconds are means for a photo."""
    print(f"{'':<28}{'photos':>9}{'failed':>8}{'ms':>9}{'waiting':>9}{'photos a run':>14}")
    for model in statistics:
        print(f"{model.model:<28}{model.requests:>9}{model.failed:>8}{model.milliseconds:>9.1f}")
        for step in model.steps:
            name = "  " + step.name.removeprefix(f"{model.model}_")
            milliseconds = step.queue_milliseconds + step.compute_milliseconds
            together = f"{step.requests / step.executions:.1f}" if step.executions else "-"
            print(
                f"{name:<28}{step.requests:>9}{step.failed:>8}{milliseconds:>9.1f}"
                f"{step.queue_milliseconds:>9.1f}{together:>14}"
            )
