"""`python -m benchmarks`: how many photos a second, how long each takes, and where the time goes."""

import argparse
import shlex
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path

COMMANDS: Mapping[str, str] = {
    "quick": "the networks that one is likely to serve, in minutes, beside what one process can do (if none is named)",
    "full": "the matrix: networks, builds, photo sizes, results, protocols and loads; it can be interrupted",
    "auto": "every build served, beside the one that `python -m export NAME --target auto` chooses",
    "headline": "served against the same steps in one process, measured in turn",
    "floor": "what Triton itself takes of a photo, with steps that do nothing",
    "peers": "the same network and photos with other ways to serve",
    "decoders": "what reading a JPEG costs with the libraries that do it",
    "gateway": "what the gateway adds to HTTP to Triton itself",
    "bulk": "many photos on Ray Data against the same steps in one process, and its memory",
    "report": "records as a report: Markdown, and a page of its own",
    "capacity": "machines, and the cost of a million photos, for so many a day, from the records",
    "soak": "hours of mixed load on a whole installation, with faults; it can be interrupted",
    "gpu": "the networks alone on a GPU, in minutes; it needs PyTorch and nothing else",
    "check": "compare ratios with the committed ones, and fail on a loss",
}
"""The commands; each is a module of `benchmarks.commands`."""

_LEAST_WIDTH = 150


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command that the command line names, or `quick`; return the exit status."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given[:1] == ["gpu"]:
        from benchmarks.gpu.command import main as gpu  # noqa: PLC0415 - what the other commands need is not there

        return gpu(given[1:])
    return _run(given)


def _run(given: list[str]) -> int:
    """Run any other command."""
    from rich.console import Console  # noqa: PLC0415 - see above

    from benchmarks.errors import BenchmarkError  # noqa: PLC0415
    from midas_server.launch import CannotRunHere, StartFailed  # noqa: PLC0415
    from reports.records import RecordError  # noqa: PLC0415

    command, words = (given[0], given[1:]) if given and given[0] in COMMANDS else ("quick", given)
    module = import_module(f"benchmarks.commands.{command}")
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks" + (f" {command}" if given[:1] == [command] else ""),
        description=f"{command}: {COMMANDS[command]}.",
        epilog="\n".join(["commands, each with its --help:", *(f"  {name:<10}{COMMANDS[name]}" for name in COMMANDS)]),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    module.add_arguments(parser)
    options = parser.parse_args(words)
    options.command = shlex.join([_python(), "-m", "benchmarks", *given])
    console = Console()
    if not console.is_terminal:
        console.width = max(console.width, _LEAST_WIDTH)
    try:
        return int(module.run(options, console))
    except (BenchmarkError, RecordError, CannotRunHere, StartFailed) as error:
        Console(stderr=True).print(f"error: {error}", style="red", markup=False, highlight=False, soft_wrap=True)
        return 1
    except KeyboardInterrupt:
        Console(stderr=True).print("interrupted", style="red")
        return 130


def _python() -> str:
    """Return this interpreter as one would type it here, so that the command can be repeated."""
    here, python = Path.cwd(), Path(sys.executable)
    return str(python.relative_to(here) if python.is_relative_to(here) else python)


if __name__ == "__main__":
    sys.exit(main())
