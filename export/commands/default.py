"""`python -m export default`: export the network that is served where nobody names one, and print its name.

It is the official midas_v21_small_256 where its checkpoint is on this machine or can be downloaded, else the network
that ships with the project. Its name is all that goes to stdout, for a script to pass on.
"""

import argparse
import os
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from export.commands.progress import Say
from export.commands.request import ExportRequest
from export.commands.up_to_date import from_a_named_file
from export.commands.variant import export_variant
from export.errors import CheckpointError, ExportError
from export.repository.manifest import describe_weights
from export.repository.write import DEFAULT_REPOSITORY, exported
from export.variants import variant_named
from export.variants.row import Variant
from export.weights import cache, checkpoints

OFFICIAL, SHIPPED = "midas_v21_small_256", "midas_tiny_256"
CONNECT_SECONDS = 5.0
DOWNLOAD_SECONDS = 900.0
SWITCH = "MIDAS_DOWNLOAD"


def main(arguments: Sequence[str]) -> int:
    """Export what is needed, print the name and return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m export default",
        description=f"Export {OFFICIAL} if its checkpoint can be had, else {SHIPPED}, and print the name. "
        f"Nothing is downloaded where the variable CI is true or {SWITCH} is no.",
    )
    parser.add_argument(
        "--repository", type=Path, default=DEFAULT_REPOSITORY, metavar="DIR", help="default: %(default)s"
    )
    options = parser.parse_args(arguments)
    errors = Console(stderr=True, highlight=False, soft_wrap=True)
    name = export_default(options.repository, say=lambda line: errors.print(line, markup=False))
    print(name)
    return 0


def export_default(repository: Path, *, say: Say, url: str | None = None) -> str:
    """Export the default network into `repository`, if it is not there, and return its name.

    Args:
        repository: the model repository; created if needed.
        say: takes one line each; one of them is why the official network could not be had.
        url: another address of the official checkpoint.

    Raises:
        ExportError: the shipped network could not be exported either.
    """
    reason = _official(variant_named(OFFICIAL), repository, say, url)
    if reason is None:
        return OFFICIAL
    say(f"{SHIPPED}, the network that ships with the project, is used: {reason}.")
    done = export_variant(SHIPPED, ExportRequest(repository=repository, if_needed=True, say=say, warn=say))
    if done.written:
        say(f"  {describe_weights(done.manifest)}")
    return SHIPPED


def _official(variant: Variant, repository: Path, say: Say, url: str | None) -> str | None:
    """Export the official network; why that cannot be, or None where it was done.

    One that somebody exported with weights of his own is left as it is.
    """
    there = exported(repository, variant)
    if there is not None and from_a_named_file(variant, there):
        say(f"{OFFICIAL} in {repository} is used as it was exported ({describe_weights(there)}).")
        return None
    checkpoint = checkpoints.find_local(variant)
    if checkpoint is None:
        if not downloads_allowed():
            return f"{OFFICIAL} is not on this machine, and CI or {SWITCH} says not to download it"
        say(f"Looking for the official {OFFICIAL} (80 MB, downloaded once, into {cache.folder()}) ...")
        try:
            checkpoint = checkpoints.download(
                variant, cache.folder(), url, connect_seconds=CONNECT_SECONDS, seconds=DOWNLOAD_SECONDS
            )
        except ExportError as error:
            return str(error)
    try:
        request = ExportRequest(repository=repository, if_needed=True, say=say, warn=say)
        done = export_variant(OFFICIAL, request, weights=checkpoint.path)
    except CheckpointError as error:
        if checkpoint.path.parent == cache.folder():
            cache.forget(checkpoint.path)  # or it would fail for ever
        return str(error)
    if done.written:
        say(f"  {describe_weights(done.manifest)}")
    return None


def downloads_allowed() -> bool:
    """Whether the default network may be downloaded: not in tests and CI."""
    ci = os.environ.get("CI", "").lower() not in ("", "0", "false", "no")
    return not ci and os.environ.get(SWITCH, "").lower() not in ("no", "0", "false")
