"""`midas-client status`: whether the server takes requests."""

from __future__ import annotations

import argparse
import contextlib

from midas_client._cli.connection import add_connection, connect
from midas_client._cli.exit_codes import FAILED, OK
from midas_client._cli.report import print_json
from midas_client._errors import ServerError, TransportError

_EPILOG = """\
examples:
  midas-client status
  midas-client status --wait 60 && midas-client predict photo.jpg

exit codes:
  0    the server is ready
  1    it is not, or gives no answer
  2    the command line is wrong
  130  interrupted with Ctrl-C"""


def add_status(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.description = "Say whether the server takes requests, and its version."
    parser.epilog = _EPILOG
    parser.add_argument("--wait", type=float, metavar="SECONDS", help="wait so long for a server that is not ready yet")
    add_connection(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Carry the command out."""
    with connect(options) as client:
        if options.wait is not None:
            with contextlib.suppress(ServerError, TransportError):
                client.wait_ready(options.wait)
        health = client.health()
        version = client.server_version() if health.live else None
    if options.json:
        document = {"url": options.url, "live": health.live, "ready": health.ready, "version": version}
        print_json({**document, "detail": health.detail})
    elif health.live:
        print(f"{options.url} is {'ready' if health.ready else f'not ready: {health.detail}'}. Triton {version}")
    else:
        print(f"{options.url} gives no answer: {health.detail}")
    return OK if health.ready else FAILED
