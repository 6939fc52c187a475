"""Which server, and who asks: the arguments that every command has."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterable
from pathlib import Path

from midas_client._base_client import DEFAULT_TIMEOUT, DEFAULT_URL
from midas_client._client import DepthClient
from midas_client._errors import OptionError
from midas_client._retry import DEFAULT_RETRIES
from midas_client._security import Tls
from midas_client._timeout import Timeout


def add_connection(parser: argparse.ArgumentParser) -> None:
    """The arguments; --json is among them because every command has it too."""
    group = parser.add_argument_group("server")
    named = os.environ.get("MIDAS_URL")
    default = "%(default)s, from MIDAS_URL" if named else "MIDAS_URL in the environment, else %(default)s"
    group.add_argument(
        "--url",
        default=named or DEFAULT_URL,
        help=f"host:port for gRPC, http://host:port for HTTP; grpcs:// and https:// with TLS (default: {default})",
    )
    group.add_argument(
        "--timeout",
        type=float,
        default=DEFAULT_TIMEOUT.total,
        metavar="SECONDS",
        help="for each photo or question, retries included (default: %(default)g)",
    )
    group.add_argument(
        "--token-file",
        metavar="FILE",
        help="with a bearer token, read again for each request (default: the token in MIDAS_TOKEN, if any)",
    )
    group.add_argument(
        "--header",
        action="append",
        default=[],
        metavar="'NAME: VALUE'",
        help="sent with each request; @FILE reads headers from a file, one a line, out of sight of other users",
    )
    group.add_argument("--ca", metavar="FILE", help="authorities to trust instead of the usual ones, PEM")
    group.add_argument("--cert", metavar="FILE", help="this client's own certificate, PEM, together with --key")
    group.add_argument("--key", metavar="FILE", help="its private key, PEM, not encrypted")
    group.add_argument(
        "--shared-memory",
        action="store_true",
        help="large float maps through shared memory, from a server on this machine that allows it",
    )
    group.add_argument("--json", action="store_true", help="print JSON for scripts, errors included")


def connect(options: argparse.Namespace, *, retries: int = DEFAULT_RETRIES) -> DepthClient:
    """The client; nothing is sent.

    Raises:
        UsageError: the arguments are wrong.
    """
    files = (options.ca, options.cert, options.key)
    return DepthClient(
        options.url,
        timeout=Timeout(total=options.timeout),
        retries=retries,
        tls=Tls(*files) if any(files) else None,
        token=_token(options.token_file),
        headers=_headers(options.header),
        shared_memory=options.shared_memory,
    )


def _token(file: str | None) -> Callable[[], str] | str | None:
    if file is None:
        return os.environ.get("MIDAS_TOKEN") or None

    def read() -> str:
        return _read("--token-file", file).strip()

    if not read():
        raise OptionError(f"--token-file {file} is empty", hint="It must hold the token and nothing else")
    return read


def _headers(texts: Iterable[str]) -> dict[str, str]:
    lines: list[str] = []
    for text in texts:
        lines += _read("--header", text[1:]).splitlines() if text.startswith("@") else [text]
    headers = {}
    for line in lines:
        if not line.strip():
            continue
        name, colon, value = line.partition(":")
        if not colon:
            # Without the line itself: it may be a secret.
            raise OptionError("A --header has no colon", hint="Write 'Name: value'")
        headers[name.strip()] = value.strip()
    return headers


def _read(argument: str, file: str) -> str:
    try:
        return Path(file).read_text(encoding="utf-8")
    except OSError as error:
        raise OptionError(f"{argument} {file} cannot be read: {error.strerror}") from None
    except ValueError:
        raise OptionError(f"{argument} {file} is not a text file") from None
