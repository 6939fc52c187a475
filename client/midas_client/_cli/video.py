"""`midas-client video`: a video file to a video, or a folder of frames, of its depth."""

from __future__ import annotations

import argparse
import contextlib
import itertools
import os
import sys
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import AbstractContextManager, closing
from pathlib import Path
from typing import cast

from midas_client._cli.connection import add_connection, connect
from midas_client._cli.exit_codes import EXPLANATION, FAILED, OK
from midas_client._cli.inputs import DEPTH_SUFFIX
from midas_client._cli.outputs import is_folder
from midas_client._cli.photo_arguments import MEANING, add_photo_arguments, photo_options
from midas_client._cli.report import complain, error_document, print_json
from midas_client._cli.video_target import FRAME_KINDS, FrameFolder, VideoFile, VideoPictures
from midas_client._colormap import COLORMAPS, Colormap
from midas_client._depth_map import DepthMap
from midas_client._errors import MidasClientError, OptionError, PhotoError, UsageError
from midas_client._video import DEFAULT_FRAMES, DEFAULT_SMOOTHING
from midas_client._video_files import VIDEO_ENDINGS, RgbFrame, VideoReader

_EPILOG = f"""\
needs PyAV: pip install 'midas-client[video]'

examples:
  midas-client video walk.mp4
  midas-client video walk.mp4 -o both.mp4 --side-by-side --colormap turbo
  midas-client video walk.mp4 -o frames/ --save-as npy --smoothing 0

{EXPLANATION}"""


def add_video(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.description = f"Write the depth of a video, in colours or as numbers.\n{MEANING}"
    parser.epilog = _EPILOG
    parser.add_argument("video", metavar="VIDEO", help="a file: MP4, MKV, WebM, AVI, MOV, ...")
    output = parser.add_argument_group("output")
    output.add_argument(
        "-o",
        "--output",
        metavar="PATH",
        help=f"a file, {' or '.join(VIDEO_ENDINGS)}; or a folder, which gets a file for each frame "
        "(default: <video>_depth.mp4 beside the video)",
    )
    output.add_argument(
        "--colormap",
        choices=COLORMAPS,
        metavar="NAME",
        help=f"{', '.join(COLORMAPS)} (default: inferno in a video, none in a folder)",
    )
    output.add_argument("--side-by-side", action="store_true", help="the video on the left, its depth on the right")
    output.add_argument("--depth16", action="store_true", help="16-bit grey without loss instead of colours, .mkv only")
    output.add_argument(
        "--save-as",
        choices=FRAME_KINDS,
        help="in a folder: 16-bit PNG in one slowly moving range, or the float32 numbers (default: png)",
    )
    depth = add_photo_arguments(parser, concurrency=DEFAULT_FRAMES, of="frames")
    depth.add_argument(
        "--smoothing",
        type=float,
        default=DEFAULT_SMOOTHING,
        metavar="S",
        help="how much of the flicker is taken out, 0 to below 1 (default: %(default)g)",
    )
    depth.add_argument(
        "--format",
        choices=("float32", "float16"),
        default="float32",
        help="what the server sends: float16 is half of the bytes (default: %(default)s)",
    )
    output.add_argument(
        "--progress-lines",
        action="store_true",
        help="a line of JSON on standard output for each frame, for a program that watches",
    )
    add_connection(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Carry the command out.

    Raises:
        UsageError: the command line is wrong; nothing was sent.
    """
    wishes = photo_options(options)
    wishes["format"] = options.format
    source = Path(options.video)
    path = Path(options.output or source.with_name(f"{source.stem}{DEPTH_SUFFIX}.mp4"))
    folder = options.output is not None and is_folder(options.output)
    _check_output(options, path, folder=folder)
    start = time.perf_counter()
    done = 0
    with connect(options) as client:
        try:
            reader = VideoReader(options.video)
        except PhotoError as error:
            return _failed(options, error, str(error))
        with reader as video:
            frames = _Frames(video)
            maps = client.predict_video(
                frames, model=options.model, smoothing=options.smoothing, concurrency=options.concurrency, **wishes
            )
            try:
                # The generator is closed at once after an interruption too.
                with (
                    closing(cast("Generator[DepthMap, None, None]", maps)),
                    _target(options, path, video, folder=folder) as target,
                    _progress(options, video.frame_count) as step,
                ):
                    for depth_map in maps:
                        target.write(done, frames.waiting.popleft(), depth_map)
                        done += 1
                        step()
            except (MidasClientError, OSError) as error:
                if isinstance(error, UsageError | BrokenPipeError):
                    raise
                return _failed(options, error, f"frame {done}: {_text(error, path)}")
        if video.damage is not None:
            return _failed(options, PhotoError(video.damage), f"{video.damage}; what was decoded is in {path}")
    _print_result(options, path, video, depth_map, done, time.perf_counter() - start)
    return OK


def _print_result(
    options: argparse.Namespace, path: Path, video: VideoReader, last: DepthMap, frames: int, seconds: float
) -> None:
    if options.json:
        document = {
            "video": options.video,
            "output": str(path),
            "frames": frames,
            "model": last.model,
            "weights": last.weights,
            "size": video.size,
            "fps": round(float(video.fps), 3),
            "seconds": round(seconds, 3),
        }
        print_json(document)
    elif not options.progress_lines:
        count = f"{frames} frame{'' if frames == 1 else 's'}"
        print(f"{options.video} -> {path}  {count}, {seconds:.1f} s, {frames / seconds:.1f} frames/s")


class _Frames:
    """The frames of a video, each kept until its depth has come."""

    def __init__(self, video: Iterable[RgbFrame]) -> None:
        self._video = video
        self.waiting: deque[RgbFrame] = deque()

    def __iter__(self) -> Iterator[RgbFrame]:
        for frame in self._video:
            self.waiting.append(frame)
            yield frame


def _check_output(options: argparse.Namespace, path: Path, *, folder: bool) -> None:
    """Refuse wrong arguments for the output.

    Raises:
        OptionError: they do not go together.
    """
    if options.output in ("", "-"):
        raise OptionError(f"-o {options.output!r} is not a file or a folder", hint="A video needs a name")
    if not folder and path.suffix.lower() not in VIDEO_ENDINGS:
        raise OptionError(
            f"-o {path}: a video cannot be written as {path.suffix}",
            hint=f"Allowed: {', '.join(VIDEO_ENDINGS)}; or a folder, with a / at its end",
        )
    if not folder and os.path.realpath(path) == os.path.realpath(options.video):
        raise OptionError(f"{path} would overwrite the video", hint="Choose another -o")
    if options.save_as is not None and not folder:
        raise OptionError("--save-as is for the frames in a folder", hint="Name a folder with -o, or leave it out")
    if options.save_as not in (None, "png") and options.colormap is not None:
        raise OptionError(f"Colours cannot be written as .{options.save_as}", hint="Leave --colormap out")
    if options.depth16 and (folder or path.suffix.lower() != ".mkv"):
        raise OptionError("--depth16 needs an .mkv file", hint="A folder gets 16-bit PNG without it")
    if options.depth16 and (options.colormap is not None or options.side_by_side):
        raise OptionError("--depth16 is grey", hint="Leave --colormap and --side-by-side out")
    if options.side_by_side and folder and options.colormap is None:
        raise OptionError("--side-by-side is in colour", hint="Add --colormap inferno")
    if options.side_by_side and options.output_size == "network":
        raise OptionError("--side-by-side needs the depth at the video's size", hint="Leave --output-size out")


def _target(options: argparse.Namespace, path: Path, video: VideoReader, *, folder: bool) -> FrameFolder | VideoFile:
    chosen: Colormap | None = options.colormap
    colormap = chosen if folder or options.depth16 else chosen or "inferno"
    pictures = VideoPictures(colormap, side_by_side=options.side_by_side)
    return FrameFolder(path, options.save_as or "png", pictures) if folder else VideoFile(path, video, pictures)


def _progress(options: argparse.Namespace, frames: int | None) -> AbstractContextManager[Callable[[], None]]:
    return _lines(frames) if options.progress_lines else _bar(frames)


@contextlib.contextmanager
def _lines(frames: int | None) -> Iterator[Callable[[], None]]:
    """A function to call after each frame, which prints a line of JSON."""
    done = itertools.count(1)
    yield lambda: print_json({"done": next(done), "total": frames})


@contextlib.contextmanager
def _bar(frames: int | None) -> Iterator[Callable[[], None]]:
    """A function to call after each frame, which moves a bar where there is a terminal."""
    if not sys.stderr.isatty():
        yield lambda: None
        return
    from tqdm import tqdm  # noqa: PLC0415 - only a bar needs it

    with tqdm(total=frames, unit="frame") as bar:
        yield lambda: cast("None", bar.update())


def _text(error: MidasClientError | OSError, path: Path) -> str:
    return str(error) if isinstance(error, MidasClientError) else f"{path} cannot be written: {error.strerror}"


def _failed(options: argparse.Namespace, error: MidasClientError | OSError, text: str) -> int:
    complain(f"error: {options.video}: {text}")
    if options.json:
        print_json({"video": options.video, "error": error_document(error, text)})
    return FAILED
