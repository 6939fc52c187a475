"""The command `midas-client`: arguments to a command, errors to exit codes."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
import warnings
from collections.abc import Callable, Sequence

from midas_client._cli.bench import add_bench
from midas_client._cli.exit_codes import EXPLANATION, FAILED, INTERRUPTED, USAGE
from midas_client._cli.models import add_models
from midas_client._cli.predict import add_predict
from midas_client._cli.report import complain, error_document, print_json, survive_any_character
from midas_client._cli.status import add_status
from midas_client._cli.video import add_video
from midas_client._errors import MidasClientError, UsageError

_COMMANDS: dict[str, tuple[Callable[[argparse.ArgumentParser], None], str, str]] = {
    "predict": (add_predict, " PHOTO ...", "write the depth of photos"),
    "video": (add_video, " VIDEO", "write the depth of a video"),
    "models": (add_models, "", "list the depth models of the server"),
    "status": (add_status, "", "say whether the server is ready"),
    "bench": (add_bench, " [PHOTO]", "take a quick look at the server's speed"),
}

_EPILOG = f"""\
`midas-client COMMAND --help` explains a command.

environment:
  MIDAS_URL    the server, instead of --url
  MIDAS_TOKEN  a bearer token, instead of --token-file

{EXPLANATION}"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line (by default the process's own) and return the exit code. Prints errors, raises none."""
    code = _run(arguments)
    if arguments is None and code in (FAILED, INTERRUPTED):
        # Threads may still wait for a server that does not answer, and Python would wait for them.
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError):
                stream.flush()
        os._exit(code)
    return code


def _run(arguments: Sequence[str] | None) -> int:
    survive_any_character()
    options = argparse.Namespace(json=False)
    try:
        options = _parser().parse_args(arguments, options)
        with warnings.catch_warnings():
            # One line for a person, without the line of code.
            warnings.simplefilter("always", UserWarning)
            warnings.showwarning = lambda message, *_: complain(f"warning: {message}")
            code: int = options.run(options)
        sys.stdout.flush()
    except SystemExit as leaving:
        # argparse leaves with 0 after --help and --version, and with 2 after a wrong command line.
        return leaving.code if isinstance(leaving.code, int) else USAGE
    except KeyboardInterrupt:
        return INTERRUPTED
    except MidasClientError as error:
        complain(f"error: {error}")
        if options.json:
            print_json({"error": error_document(error, str(error))})
        return USAGE if isinstance(error, UsageError) else FAILED
    except BrokenPipeError:
        # The reader of the output has gone, as in `... | head -1`. Python would complain again when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    else:
        return code


def _parser() -> argparse.ArgumentParser:
    from midas_client import __version__  # noqa: PLC0415 - the package imports no command line

    parser = argparse.ArgumentParser(
        prog="midas-client",
        description="Depth from photos and videos, from a Triton server that serves MiDaS.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"midas-client {__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for name, (add, operand, summary) in _COMMANDS.items():
        add(
            commands.add_parser(
                name,
                help=summary,
                usage=f"midas-client {name} [OPTION ...]{operand}",
                formatter_class=argparse.RawDescriptionHelpFormatter,
                allow_abbrev=False,
            )
        )
    return parser
