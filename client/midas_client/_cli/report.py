"""What a command says: results on standard output, everything else on standard error."""

from __future__ import annotations

import io
import json
import sys
from typing import Any

from midas_client._errors import MidasClientError


def survive_any_character() -> None:
    """A photo's name may have characters that the terminal's encoding has not."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def say(text: str) -> None:
    """A line for a person, on standard error; a progress bar there stays whole."""
    if sys.stderr.isatty():
        from tqdm import tqdm  # noqa: PLC0415 - only a bar needs it

        tqdm.write(text, file=sys.stderr)
        return
    print(text, file=sys.stderr, flush=True)


def complain(text: str) -> None:
    """An error or a warning."""
    say(f"midas-client: {text}")


def print_json(document: Any, *, on_stderr: bool = False) -> None:
    """One line; on standard error where standard output has a file's bytes."""
    print(json.dumps(document), file=sys.stderr if on_stderr else sys.stdout, flush=True)


def error_document(error: MidasClientError | OSError, text: str) -> dict[str, str]:
    """What a script gets of an error."""
    return {"type": type(error).__name__, "message": text}
