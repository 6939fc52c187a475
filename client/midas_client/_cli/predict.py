"""`midas-client predict`: photos to files of depth."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, cast, get_args

from midas_client._cli.connection import add_connection, connect
from midas_client._cli.depth_writer import DEFAULT_FOV, DepthWriter
from midas_client._cli.exit_codes import EXPLANATION, FAILED, OK
from midas_client._cli.inputs import PHOTO_ENDINGS, STDIN, find_photos
from midas_client._cli.ledger import Ledger
from midas_client._cli.outputs import KINDS, STDOUT, PhotoToFile, choose_kind, is_folder, plan_jobs
from midas_client._cli.photo_arguments import MEANING, add_photo_arguments, photo_options
from midas_client._colormap import COLORMAPS
from midas_client._errors import MidasClientError, OptionError
from midas_client._many import DEFAULT_CONCURRENCY
from midas_client._options import DEPTH_FORMATS, Equalize
from midas_client._photo import MAX_BYTES

_MANY = 4
"""From so many photos on, a terminal shows a bar instead of a line for each."""

_EPILOG = f"""\
examples:
  midas-client predict photo.jpg
  midas-client predict photos/ --recursive -o depth/ --save-as npy
  midas-client predict 'photos/**/*.jpg' -o depth/ --colormap turbo
  midas-client predict - < photo.jpg > depth.png

{EXPLANATION}"""


def add_predict(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.description = f"Write the depth of photos.\n{MEANING}"
    parser.epilog = _EPILOG
    parser.add_argument(
        "photos",
        nargs="+",
        metavar="PHOTO",
        help=f"a file, a folder (its {', '.join(PHOTO_ENDINGS)}), a quoted pattern such as '*.jpg', or - for "
        "standard input",
    )
    parser.add_argument("-r", "--recursive", action="store_true", help="look into the folders of a folder too")
    output = parser.add_argument_group("output")
    output.add_argument(
        "-o",
        "--output",
        metavar="PATH",
        help="a folder, in which photos keep their folders; a file, for one photo; or - for standard output "
        "(default: <photo>_depth.png beside the photo)",
    )
    output.add_argument(
        "--save-as",
        choices=KINDS,
        help="png: 16-bit grey, stretched to the full range; npy, tif, pfm: float32 numbers; ply: a point cloud; "
        "png or jpg with --colormap: a picture (default: by the ending of -o, else png)",
    )
    output.add_argument(
        "--colormap", choices=COLORMAPS, metavar="NAME", help=f"write a picture instead: {', '.join(COLORMAPS)}"
    )
    output.add_argument("--equalize", choices=get_args(Equalize), help="more contrast for a picture (default: none)")
    output.add_argument(
        "--fov",
        type=float,
        metavar="DEGREES",
        help=f"of a point cloud: the camera's horizontal field of view (default: {DEFAULT_FOV:g})",
    )
    output.add_argument("--skip-existing", action="store_true", help="leave out photos whose output is there")
    depth = add_photo_arguments(parser, concurrency=DEFAULT_CONCURRENCY, of="photos")
    depth.add_argument("--format", choices=DEPTH_FORMATS, help="what the server sends (default: what the file needs)")
    add_connection(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Carry the command out.

    Raises:
        UsageError: the command line is wrong; nothing was sent.
    """
    wishes = photo_options(options)
    picture = options.colormap is not None or options.equalize not in (None, "none")
    kind = choose_kind(options.output, options.save_as, picture=picture, colours=options.colormap is not None)
    writer = DepthWriter(kind, options.format, options.colormap, options.equalize if picture else None, options.fov)
    wishes.update(writer.wishes())
    folder = Path(options.output) if options.output not in (None, STDOUT) and is_folder(options.output) else None
    photos, failures = find_photos(options.photos, recursive=options.recursive, output=folder)
    jobs = plan_jobs(photos, options.output, kind)
    to_stdout = any(job.output is None for job in jobs)
    _check_terminals(jobs)
    ledger = Ledger(as_json=options.json, to_stdout=to_stdout, one_place=options.output is not None)
    with connect(options) as client:
        for name, error in failures:
            ledger.failed(name, error)
        todo = [job for job in jobs if not (options.skip_existing and ledger.skipped_if_there(job))]
        ledger.bar = sys.stderr.isatty() and len(todo) >= _MANY
        source = _Source(todo)
        predictions = client.predict_many(
            source, model=options.model, concurrency=options.concurrency, progress=ledger.bar, **wishes
        )
        try:
            # Closed at once after an interruption too, which ends the bar.
            with closing(cast("Generator[Any, None, None]", predictions)):
                for job, prediction in zip(todo, predictions, strict=False):
                    seconds = time.perf_counter() - source.taken[prediction.index]
                    try:
                        depth_map = prediction.result()
                        writer.write(depth_map, prediction.photo, job.output)
                    except (MidasClientError, OSError) as error:
                        if ledger.failed(job.photo, error, job.output):
                            break
                    else:
                        ledger.written(job, depth_map, seconds)
        finally:
            ledger.close(len(jobs) + len(failures))
    return FAILED if ledger.failures else OK


class _Source:
    """The photos of jobs, and when each was taken to be sent."""

    def __init__(self, jobs: Sequence[PhotoToFile]) -> None:
        self._jobs = jobs
        self.taken: list[float] = []

    def __len__(self) -> int:
        return len(self._jobs)

    def __iter__(self) -> Iterator[str | bytes]:
        for job in self._jobs:
            self.taken.append(time.perf_counter())
            yield sys.stdin.buffer.read(MAX_BYTES + 1) if job.photo == STDIN else job.photo


def _check_terminals(jobs: Sequence[PhotoToFile]) -> None:
    if any(job.output is None for job in jobs) and sys.stdout.isatty():
        raise OptionError("Standard output is a terminal", hint="Name a file with -o, or write > depth.png")
    if any(job.photo == STDIN for job in jobs) and sys.stdin.isatty():
        raise OptionError("Standard input is a terminal", hint="Write < photo.jpg")
