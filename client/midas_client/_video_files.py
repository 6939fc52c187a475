"""Video files: the frames of one, and depth videos to be watched or computed with. PyAV (FFmpeg) does the work.

PyAV is not among the package's dependencies: `pip install midas-client[video]` brings it.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from types import ModuleType, TracebackType
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from midas_client._errors import OptionError, PhotoError, UsageError

if TYPE_CHECKING:
    import av

RgbFrame = npt.NDArray[np.uint8]

VIDEO_ENDINGS = (".mp4", ".mkv")
"""Of the depth videos that can be written: `.mp4` for watching, `.mkv` for watching or, with 16 bits, for computing."""

_TRUNCATED = "Give a complete video file; an MP4 that was cut off lacks its index and cannot be read"

# What MP4 counts in: every usual frame rate is a whole number of these.
_TICKS = 90_000


class VideoReader:
    """The frames of a video file, upright, in the order in which they are shown.

    >>> with VideoReader("video.mp4") as video:
    ...     sizes = {frame.shape for frame in video}
    >>> (*reversed(video.size), 3) in sizes
    True

    Attributes:
        size: (width, height) in pixels of the upright frames.
        fps: frames a second, on average; 25 where the file does not say.
        frame_count: how many frames the file says it has, or its duration and rate imply; None where neither is known.
        times: the time of each frame read so far, in seconds from the first; increases strictly.
        damage: why the file ended early or frames are missing, None for an undamaged file; known after the last frame.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """Open the file and decode its first frame.

        Raises:
            PhotoError: there is no such file, it is not a video, has no picture, or holds no frame that can be decoded.
            UsageError: PyAV is not installed.
        """
        self._name = os.fspath(path)
        self._av = _av()
        self.times: list[float] = []
        self.damage: str | None = None
        # A text is always a path: FFmpeg would also open URLs and devices.
        if not Path(self._name).exists():
            raise PhotoError(f"{self._name!r} cannot be read: there is no such file")
        if not Path(self._name).is_file():
            raise PhotoError(f"{self._name!r} is not a file", hint="Give a video file")
        try:
            # An absolute path is none of FFmpeg's protocols, whatever colons it holds.
            self._container: av.container.InputContainer = self._av.open(str(Path(self._name).absolute()))
        except (self._av.FFmpegError, OSError, ValueError) as error:
            raise PhotoError(
                f"{self._name!r} is not a video that can be read: {_reason(error)}",
                hint=_TRUNCATED,
            ) from error
        try:
            stream = self._picture_stream()
            stream.thread_type = "AUTO"
            self._decoded = self._container.decode(stream)
            first = self._first_frame()
            second = self._second_frame()
        except BaseException:
            self._container.close()
            raise
        self._ahead = [first] if second is None else [first, second]
        self.fps = Fraction(stream.average_rate or stream.guessed_rate or 25)
        height, width = _upright(first).shape[:2]
        self.size: tuple[int, int] = (width, height)
        self._counted = stream.frames  # by the file itself; 0 where it does not say
        self.frame_count: int | None = stream.frames or self._count_from_duration(stream)

    def __iter__(self) -> Iterator[RgbFrame]:
        """Frames, uint8 RGB [H, W, 3], each of `size`; once, from the first to the last.

        A damaged file gives what can be decoded, and says so in `damage`.
        """
        while (frame := self._ahead.pop(0) if self._ahead else self._next_frame()) is not None:
            time = frame.time if frame.time is not None else len(self.times) / float(self.fps)
            if not self.times:
                self._first_time = time
            time -= self._first_time
            if self.times and time <= self.times[-1]:
                time = self.times[-1] + float(1 / self.fps)
            self.times.append(time)
            picture = _upright(frame)
            if picture.shape[1::-1] != self.size:  # some streams change it midway
                picture = _upright(frame, self.size)
            yield picture
        if self.damage is None and len(self.times) < self._counted:
            self.damage = f"{len(self.times)} of {self._counted} frames could be decoded"

    def close(self) -> None:
        """Close the file."""
        self._ahead = []
        self._container.close()

    def __enter__(self) -> VideoReader:
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        self.close()

    def _picture_stream(self) -> av.VideoStream:
        # The cover of a song is a video stream, too.
        for stream in self._container.streams.video:
            if not stream.disposition & self._av.stream.Disposition.attached_pic:
                return stream
        kinds = ", ".join(sorted({stream.type for stream in self._container.streams})) or "nothing that is known"
        raise PhotoError(f"{self._name!r} has no moving picture: it holds {kinds}", hint=_TRUNCATED)

    def _second_frame(self) -> av.VideoFrame | None:
        """Read ahead where FFmpeg takes the file for pictures; None elsewhere.

        Raises:
            PhotoError: it is a single picture.
        """
        kind = self._container.format.name
        if not kind.startswith("image2") and not kind.endswith("_pipe"):
            return None
        frame = self._next_frame()
        if frame is None:
            raise PhotoError(
                f"{self._name!r} is a photo, not a video", hint="Use midas-client predict, or DepthClient.predict()"
            )
        return frame

    def _first_frame(self) -> av.VideoFrame:
        frame = self._next_frame()
        if frame is None:
            raise PhotoError(f"{self._name!r} has no frame that can be decoded", hint=_TRUNCATED)
        return frame

    def _next_frame(self) -> av.VideoFrame | None:
        while True:
            try:
                return next(self._decoded, None)
            except (self._av.FFmpegError, OSError, ValueError) as error:
                self.damage = f"frames from {len(self.times)} on cannot be decoded: {_reason(error)}"
                return None

    def _count_from_duration(self, stream: av.VideoStream) -> int | None:
        if stream.duration and stream.time_base:
            seconds = float(stream.duration * stream.time_base)
        elif self._container.duration:
            seconds = self._container.duration / 1e6
        else:
            return None
        return max(1, round(seconds * float(self.fps)))


class VideoWriter:
    """Writes a depth video; the file appears under its name when it is complete, and not at all if the writing fails.

    Two kinds, told by the first frame's type and the name's ending:

    - uint8 RGB [H, W, 3] (a coloured depth map): H.264, yuv420p, which browsers and players show, in `.mp4` or `.mkv`.
      An odd width or height is made even by repeating the last column or row.
    - uint16 [H, W] (depth in 65536 steps): FFV1, without loss, in `.mkv`. FFmpeg, PyAV and OpenCV read it.

    >>> with VideoWriter("depth.mkv", fps=25) as video:
    ...     for step in range(3):
    ...         video.write(np.full((4, 6), step * 1000, np.uint16))
    """

    def __init__(self, path: str | os.PathLike[str], fps: Fraction | float, *, quality: int = 18) -> None:
        """Nothing is written before the first frame.

        Args:
            path: ends in `.mp4` or `.mkv`.
            fps: frames a second, above 0; VideoReader.fps for those of the source.
            quality: H.264's CRF, 0 (without loss) to 51 (worst).

        Raises:
            OptionError: another ending, rate or quality.
            UsageError: PyAV is not installed.
        """
        self._path = Path(path)
        if self._path.suffix.lower() not in VIDEO_ENDINGS:
            raise OptionError(
                f"A video cannot be written as {self._path.suffix or 'a name without ending'!r}",
                hint=f"Allowed: {', '.join(VIDEO_ENDINGS)}",
            )
        self._fps = Fraction(fps).limit_denominator(100_000) if 0 < fps < 100_000 else Fraction(0)
        if self._fps <= 0:
            raise OptionError(f"fps is {fps}", hint="Allowed: above 0")
        if not 0 <= quality <= 51:
            raise OptionError(f"quality is {quality}", hint="Allowed: 0 (best) to 51 (worst)")
        self._quality = quality
        self._av = _av()
        self._container: av.container.OutputContainer | None = None
        self._last_tick = -1
        self.frame_count = 0

    def write(self, frame: npt.NDArray[np.uint8] | npt.NDArray[np.uint16], time: float | None = None) -> None:
        """Add a frame.

        Args:
            frame: uint8 RGB [H, W, 3], or uint16 [H, W]; all of one type and size.
            time: when it is shown, in seconds from the first frame, increasing (VideoReader.times): keeps a variable
                frame rate. By default frames follow each other at the constant rate.

        Raises:
            OptionError: another type, shape or size than the first frame's, or one that the ending cannot hold.
            OSError: the file cannot be written.
        """
        kind = self._kind(frame)
        if self._container is None:
            self._open(kind, frame.shape)
        if (kind, frame.shape) != (self._first_kind, self._first_shape):
            kind_of_first = f"{'uint8' if self._first_kind == 'rgb24' else 'uint16'} {list(self._first_shape)}"
            raise OptionError(
                f"Frame {self.frame_count} is {frame.dtype} {list(frame.shape)}, and the first was {kind_of_first}",
                hint="All frames of a video have one type and size",
            )
        if kind == "rgb24":
            height, width = frame.shape[:2]
            even: npt.NDArray[Any] = np.pad(frame, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
        else:
            even = np.ascontiguousarray(frame)
        picture = self._av.VideoFrame.from_ndarray(even, format=kind)
        seconds = Fraction(self.frame_count) / self._fps if time is None else Fraction(time)
        tick = max(round(seconds * _TICKS), self._last_tick + 1)
        picture.pts, picture.time_base, self._last_tick = tick, Fraction(1, _TICKS), tick
        with self._clear_errors():
            assert self._container is not None
            self._container.mux(self._stream.encode(picture))
        self.frame_count += 1

    def close(self) -> None:
        """Finish the file and give it its name; without a frame, there is none.

        Raises:
            OSError: the file cannot be written.
        """
        if self._container is None:
            return
        try:
            with self._clear_errors():
                self._container.mux(self._stream.encode(None))
                self._container.close()
            self._part.replace(self._path)
        except BaseException:
            self.discard()
            raise
        self._container = None

    def discard(self) -> None:
        """Drop what was written; a file that had the name before is still there."""
        if self._container is not None:
            with contextlib.suppress(Exception):
                self._container.close()
            with contextlib.suppress(OSError):
                self._part.unlink()
            self._container = None

    def __enter__(self) -> VideoWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
        else:
            self.discard()

    def _kind(self, frame: npt.NDArray[Any]) -> Literal["rgb24", "gray16le"]:
        if frame.size and frame.dtype == np.uint8 and frame.ndim == 3 and frame.shape[2] == 3:
            return "rgb24"
        if frame.size and frame.dtype == np.uint16 and frame.ndim == 2:
            if self._path.suffix.lower() != ".mkv":
                raise OptionError(
                    f"16-bit depth cannot be written as {self._path.suffix}", hint="Allowed: .mkv (FFV1, without loss)"
                )
            return "gray16le"
        raise OptionError(
            f"A frame is {frame.dtype} {list(frame.shape)}", hint="Allowed: uint8 RGB [H, W, 3] and uint16 [H, W]"
        )

    def _open(self, kind: Literal["rgb24", "gray16le"], shape: tuple[int, ...]) -> None:
        self._first_kind, self._first_shape = kind, shape
        self._part = self._path.with_name(f".{os.urandom(8).hex()}.part{self._path.suffix.lower()}")
        height, width = shape[:2]
        with self._clear_errors():
            # The index in front lets a browser start before the whole file is there.
            options = {"movflags": "+faststart"} if self._path.suffix.lower() == ".mp4" else {}
            self._container = self._av.open(str(self._part.absolute()), "w", options=options)
            stream: Any
            if kind == "rgb24":
                stream = self._container.add_stream("libx264", rate=self._fps, options={"crf": str(self._quality)})
                stream.width, stream.height, stream.pix_fmt = width + width % 2, height + height % 2, "yuv420p"
            else:
                stream = self._container.add_stream("ffv1", rate=self._fps, options={"level": "3", "slicecrc": "1"})
                stream.width, stream.height, stream.pix_fmt = width, height, "gray16le"
            stream.codec_context.time_base = Fraction(1, _TICKS)
            self._stream = stream

    @contextlib.contextmanager
    def _clear_errors(self) -> Iterator[None]:
        try:
            yield
        except (self._av.FFmpegError, OSError) as error:
            number = error.errno if isinstance(error, OSError) else None
            raise OSError(number or 0, f"the video cannot be written: {_reason(error)}", str(self._path)) from error


def _av() -> ModuleType:
    try:
        import av  # noqa: PLC0415 - an optional dependency, and slow to import
    except ImportError as error:
        raise UsageError(
            "Video files need PyAV, which is not installed", hint="pip install 'midas-client[video]', or pip install av"
        ) from error
    return av


def _reason(error: BaseException) -> str:
    """FFmpeg's or the system's words, without number and file name."""
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


def _upright(frame: av.VideoFrame, size: tuple[int, int] | None = None) -> RgbFrame:
    """uint8 RGB [H, W, 3], turned and mirrored as the file's display matrix says (libavutil/display.h), if it has one.

    Only quarter turns are known; anything between them is left as it is.
    """
    try:
        extras: Any = frame.side_data  # a Mapping that iterates over its values
        matrix = next((extra for extra in extras if extra.type.name == "DISPLAYMATRIX"), None)
    except ValueError:
        # PyAV has no name for a newer kind of side data, such as EXIF, and then cannot go through the others either. It
        # still has the angle of the matrix, counter-clockwise, and not whether it mirrors.
        turns = round(frame.rotation / 90)
        width, height = (size[::-1] if turns % 2 else size) if size else (frame.width, frame.height)
        return np.ascontiguousarray(np.rot90(frame.to_ndarray(format="rgb24", width=width, height=height), turns))
    a, b, c, d = (1, 0, 0, 1) if matrix is None else np.frombuffer(bytes(matrix), np.int32)[[0, 1, 3, 4]].tolist()
    turned = a == d == 0 and b and c
    width, height = (size[::-1] if turned else size) if size else (frame.width, frame.height)
    picture = frame.to_ndarray(format="rgb24", width=width, height=height)
    # x' = a x + c y and y' = b x + d y, so that after a swap of the axes only signs are left.
    if turned:
        picture = picture.transpose(1, 0, 2)
        columns, rows = c, b
    elif b == c == 0:
        columns, rows = a, d
    else:
        columns = rows = 1
    picture = picture[:: -1 if rows < 0 else 1, :: -1 if columns < 0 else 1]
    return np.ascontiguousarray(picture)
