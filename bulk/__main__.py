"""`python -m bulk INPUT OUTPUT`: see docs/bulk.md."""

import argparse
import os
import signal
import sys
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from types import FrameType
from typing import Any

from tqdm import tqdm

import midas_server.no_telemetry  # noqa: F401
from bulk.errors import BulkError, WrongUse
from bulk.inputs import Photo, find_photos
from bulk.request import Request, check, option
from bulk.results import Results
from bulk.run import run
from midas_server.argument_types import positive
from midas_server.imaging.probe import Limits
from midas_server.options import NAMES

_OK, _FAILED, _INTERRUPTED = 0, 1, 130


def main(arguments: list[str] | None = None) -> int:
    """Run the command and return its exit code."""
    signal.signal(signal.SIGTERM, _interrupt)
    parser = _parser()
    given = parser.parse_args(arguments)
    try:
        return _run(given)
    except WrongUse as error:
        parser.error(str(error))
    except BulkError as error:
        print(f"error: {error}", file=sys.stderr)
        return _FAILED
    except KeyboardInterrupt:
        print("Interrupted. The same command goes on from here.", file=sys.stderr)
        return _INTERRUPTED


def _run(given: argparse.Namespace) -> int:
    if "://" in given.output:
        raise WrongUse(f"OUTPUT {given.output} is an address: name a folder, and copy the results from there")
    output = Path(given.output).resolve()
    place = given.input if "://" in given.input else str(Path(given.input).resolve())
    if Path(place).is_dir() and Path(place) in (output, *output.parents):
        raise WrongUse(f"OUTPUT {given.output} lies in INPUT, where results would count as photos: name another folder")
    try:
        Limits.from_environment(os.environ)
    except ValueError as error:
        raise WrongUse(str(error)) from None
    request = Request(
        model=given.model or ("default" if given.through else "midas_tiny_256"),
        parameters={"format": "png16", **dict(given.option)},
        store=given.store,
        repository=str(given.repository.resolve()),
        threads=given.threads,
        through=given.through,
        concurrency=given.concurrency,
        timeout=given.timeout,
    )
    facts = {"input": place, **check(request)}
    photos = find_photos(place, given.column)
    if find_spec("ray") is None:
        raise BulkError("Ray is not installed here: run make bulk-setup, then .venv-bulk/bin/python -m bulk")
    results = Results(output)
    results.begin(facts)
    try:
        return _compute(photos, results, request, facts, given)
    finally:
        results.end()


def _compute(
    photos: list[Photo], results: Results, request: Request, facts: dict[str, Any], given: argparse.Namespace
) -> int:
    if request.store == "parquet":
        results.drop_unused_tables()
    if given.retry_failed:
        results.forget_failures()
    outcomes = results.outcomes()
    left = [photo for photo in photos if photo.name not in outcomes]
    done = len(photos) - len(left)
    print(
        f"{len(photos):,} photos{f', {done:,} of them done before' if done else ''}; "
        f"{facts['variant']} with weights {facts['weights']}"
        f"{' through ' + request.through if request.through else ''}",
        file=sys.stderr,
    )
    try:
        if left:
            with tqdm(
                total=len(photos), initial=done, unit="photo", mininterval=0.5 if sys.stderr.isatty() else 30
            ) as bar:
                failures = 0

                def step(count: int, failed: int) -> None:
                    nonlocal failures
                    failures += failed
                    bar.set_postfix(failed=failures, refresh=False)
                    bar.update(count)

                run(left, request, results.folder, address=given.address, workers=given.workers, step=step)
    finally:
        try:
            results.wait_for_workers()
            results.forget_starts()
            manifest = results.write_manifest(photos)
        except OSError as error:
            raise BulkError(f"the manifest cannot be written: {error.strerror}") from None
    ended = results.outcomes()
    failed = sum(ended[photo.name]["status"] == "failed" for photo in photos if photo.name in ended)
    missing = sum(photo.name not in ended for photo in photos)
    print(f"{len(photos) - failed - missing:,} photos done, {failed:,} failed: {manifest}", file=sys.stderr)
    if missing:
        raise BulkError(f"{missing:,} photos have no outcome; the same command goes on from here")
    return _FAILED if failed else _OK


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bulk", description="Depth of very many photos, on one machine or a Ray cluster."
    )
    parser.add_argument(
        "input",
        metavar="INPUT",
        help="a folder, .zip, .parquet, a list of paths (.csv, .txt), or a photo; addresses such as s3:// too",
    )
    parser.add_argument("output", metavar="OUTPUT", help="a folder for the results; a run that was ended goes on there")
    parser.add_argument("--column", help="of a Parquet file or .csv: bytes, or paths (image, photo, bytes, path, ...)")
    parser.add_argument("--store", choices=("files", "parquet"), default="files", help="(%(default)s)")
    parser.add_argument(
        "--retry-failed", action="store_true", help="compute photos again that failed in an earlier run"
    )
    depth = parser.add_argument_group("depth")
    depth.add_argument("--model", help="the network (midas_tiny_256; with --through the server's default)")
    depth.add_argument(
        "--option",
        action="append",
        type=option,
        default=[],
        metavar="NAME=VALUE",
        help=f"an option of a request, as often as wanted: {', '.join(NAMES)}; format=png16 unless told otherwise",
    )
    depth.add_argument("--repository", type=Path, default=Path("model_repository"), help="(%(default)s)")
    where = parser.add_argument_group("where it runs")
    where.add_argument("--workers", type=_count, metavar="N", help="processes (one for each core; with --through 1)")
    where.add_argument("--threads", type=_count, default=1, metavar="N", help="of the network in each (%(default)s)")
    where.add_argument("--address", help="of a Ray cluster, such as auto or ray-head:6379; OUTPUT is on a shared disk")
    where.add_argument("--through", default="", metavar="URL", help="a server or its balancer, host:port or http(s)://")
    where.add_argument(
        "--concurrency", type=_count, default=16, metavar="N", help="with --through: photos under way (%(default)s)"
    )
    where.add_argument(
        "--timeout",
        type=partial(positive, below=1e6),
        default=120.0,
        metavar="SECONDS",
        help="with --through: for a photo (%(default)s)",
    )
    return parser


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or not 1 <= int(text) <= 1024:
        raise argparse.ArgumentTypeError(f"{text} is not a whole number from 1 to 1024")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
