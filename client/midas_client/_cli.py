"""The command `midas-client`.

Exit codes: 0 all well; 1 a photo failed, or the server gave an error or no answer; 2 the command line is wrong; 130
Ctrl-C.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import sys
import time
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

from midas_client import __version__
from midas_client._client import DEFAULT_TIMEOUT, DEFAULT_URL, DepthClient
from midas_client._colormap import COLORMAPS, Colormap
from midas_client._depth_map import DepthMap
from midas_client._errors import ConnectError, MidasClientError, UntrainedWeightsWarning, UsageError
from midas_client._options import (
    DEFAULT_MODEL,
    DEPTH_FORMATS,
    RESOLUTIONS,
    SETTINGS,
    Aspect,
    Filter,
    Format,
    OutputSize,
    check_model,
    request_parameters,
)
from midas_client._outputs import Job, plan_jobs
from midas_client._timeout import Timeout

OK, FAILED, USAGE, INTERRUPTED = 0, 1, 2, 130

_EPILOG = """\
exit codes: 0 all well; 1 a photo failed, or the server gave an error or no answer; 2 the command line is wrong;
130 interrupted with Ctrl-C"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line (by default the process's own) and return the exit code. Prints errors, raises none."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A photo's name may have characters that the terminal's encoding has not.
        sys.stdout.reconfigure(errors="backslashreplace")
    parser = _parser()
    try:
        options = parser.parse_args(arguments)
        with DepthClient(options.url, timeout=Timeout(total=options.timeout)) as client:
            code: int = options.run(client, options)
            return code
    except SystemExit as leaving:
        # argparse leaves with 0 after --help and --version, and with 2 after a wrong command line.
        return leaving.code if isinstance(leaving.code, int) else USAGE
    except KeyboardInterrupt:
        return INTERRUPTED
    except UsageError as error:
        _complain(f"error: {error}")
        return USAGE
    except MidasClientError as error:
        _complain(f"error: {error}")
        return FAILED
    except BrokenPipeError:
        # The reader of the output has gone, as in `... | head -1`. Python would complain again when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="midas-client",
        description="Depth from photos, from a Triton server that serves MiDaS.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"midas-client {__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    server = argparse.ArgumentParser(add_help=False)
    server.add_argument(
        "--url", default=DEFAULT_URL, help="host:port for gRPC, http://host:port for HTTP (default: %(default)s)"
    )
    server.add_argument(
        "--timeout",
        type=float,
        default=DEFAULT_TIMEOUT.total,
        metavar="SECONDS",
        help="for each photo or question, retries included (default: %(default)g)",
    )
    server.add_argument("--json", action="store_true", help="print JSON for scripts: one object a line for each photo")

    predict = commands.add_parser(
        "predict",
        parents=[server],
        help="write the depth of photos",
        description="Write the depth of photos: 16-bit PNG (or .npy by the output's ending), larger is nearer.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    predict.add_argument("photos", nargs="+", metavar="PHOTO", help="JPEG, PNG or WebP file")
    predict.add_argument(
        "-o",
        "--output",
        metavar="PATH",
        help="a .png or .npy file for one photo, or a folder (default: <photo>_depth.png beside the photo)",
    )
    predict.add_argument("--model", default=DEFAULT_MODEL, help="the variant's name (default: %(default)s)")
    predict.add_argument(
        "--resolution",
        type=int,
        metavar="N",
        help=f"side that the network's input aims at, {RESOLUTIONS.start} to {RESOLUTIONS[-1]} in steps of "
        f"{RESOLUTIONS.step} (default: the variant's)",
    )
    predict.add_argument(
        "--aspect", choices=get_args(Aspect), help="keep the photo's shape or not (default: the variant's)"
    )
    predict.add_argument("--output-size", choices=get_args(OutputSize), help="size of the result (default: photo)")
    predict.add_argument(
        "--format",
        choices=DEPTH_FORMATS,
        help="what the server sends (default: png16 where a 16-bit PNG is written, else float32)",
    )
    predict.add_argument(
        "--filter",
        choices=get_args(Filter),
        help="guided, crf: edges where the photo has them; median, bilateral: fewer speckles (default: none)",
    )
    predict.add_argument(
        "--setting",
        action="append",
        type=_setting,
        default=[],
        metavar="NAME=NUMBER",
        help=f"a number for the filter, such as crf_radius=12: {', '.join(SETTINGS)}",
    )
    predict.add_argument(
        "--colormap", choices=COLORMAPS, metavar="NAME", help=f"write a colour PNG instead: {', '.join(COLORMAPS)}"
    )
    predict.set_defaults(run=_predict)

    models = commands.add_parser(
        "models",
        parents=[server],
        help="list the depth models of the server",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    models.set_defaults(run=_models)
    return parser


def _setting(text: str) -> tuple[str, float]:
    """NAME=NUMBER; whether the name exists and the number is allowed is checked with the other options."""
    name, _, number = text.partition("=")
    for kind in (int, float):
        with contextlib.suppress(ValueError):
            return name, kind(number)
    raise argparse.ArgumentTypeError(f"{text!r} is not NAME=NUMBER, such as crf_radius=12")


def _models(client: DepthClient, options: argparse.Namespace) -> int:
    names = client.models()
    if options.json:
        print(json.dumps(names))
    else:
        print("\n".join(names) if names else "The server has no depth model.")
    return OK


def _predict(client: DepthClient, options: argparse.Namespace) -> int:
    # Checked before the first photo: a wrong option is a wrong command line, not a photo that failed.
    check_model(options.model)
    settings = dict(options.setting)
    request_parameters(
        resolution=options.resolution,
        aspect=options.aspect,
        output_size=options.output_size,
        format=options.format,
        filter=options.filter,
        settings=settings,
    )
    jobs = plan_jobs(options.photos, options.output, colour=options.colormap is not None)
    # Said below, once for a model, in words for this audience.
    warnings.simplefilter("ignore", UntrainedWeightsWarning)
    untrained_said = False
    failed = False
    for job in jobs:
        start = time.perf_counter()
        try:
            depth_map = client.predict(
                job.photo,
                model=options.model,
                resolution=options.resolution,
                aspect=options.aspect,
                output_size=options.output_size,
                format=options.format or _format_for(job, options.colormap),
                filter=options.filter,
                settings=settings,
            )
            seconds = time.perf_counter() - start
            _write(depth_map, job.output, options.colormap)
        except (MidasClientError, OSError) as error:
            failed = True
            _report_failure(job, error, as_json=options.json)
            if isinstance(error, ConnectError):
                break  # the other photos would fail in the same way, after as long a wait each
            continue
        if depth_map.weights == "untrained" and not untrained_said:
            untrained_said = True
            _complain(f"warning: {depth_map.model} has untrained weights: its output says nothing about the photo")
        _report(job, depth_map, seconds, as_json=options.json)
    return FAILED if failed else OK


def _format_for(job: Job, colormap: str | None) -> Format:
    """png16 where its bytes are what is written; colours and .npy get all that the network computed."""
    return "png16" if colormap is None and job.output.suffix.lower() == ".png" else "float32"


def _write(depth_map: DepthMap, output: Path, colormap: Colormap | None) -> None:
    output.parent.mkdir(parents=True, exist_ok=True)
    if colormap is None:
        depth_map.save(output)
        return
    from PIL import Image  # noqa: PLC0415 - only colour needs it

    Image.fromarray(depth_map.colorize(colormap)).save(output, "PNG")


def _report(job: Job, depth_map: DepthMap, seconds: float, *, as_json: bool) -> None:
    if as_json:
        document = {
            "photo": job.photo,
            "output": str(job.output),
            "model": depth_map.model,
            "variant": depth_map.variant,
            "weights": depth_map.weights,
            "photo_size": depth_map.photo_size,
            "network_size": depth_map.network_size,
            "options": dict(depth_map.options),
            "range": [float(depth_map.depth.min()), float(depth_map.depth.max())],
            "milliseconds": dict(depth_map.timings),
            "seconds": round(seconds, 4),
        }
        print(json.dumps(document), flush=True)
        return
    height, width = depth_map.depth.shape
    print(f"{job.photo} -> {job.output}  {width} x {height}, {seconds * 1000:.0f} ms, {depth_map.model}", flush=True)


def _report_failure(job: Job, error: MidasClientError | OSError, *, as_json: bool) -> None:
    # An OSError comes from writing: reading the photo has an error of this package.
    text = str(error) if isinstance(error, MidasClientError) else f"{job.output} cannot be written: {error.strerror}"
    _complain(f"error: {job.photo}: {text}")
    if as_json:
        print(json.dumps({"photo": job.photo, "error": {"type": type(error).__name__, "message": text}}), flush=True)


def _complain(text: str) -> None:
    print(f"midas-client: {text}", file=sys.stderr, flush=True)
