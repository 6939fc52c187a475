"""Video files: written, read back, damaged, turned."""

from __future__ import annotations

import builtins
import io
import math
import wave
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from midas_client import OptionError, PhotoError, UsageError
from midas_client._video_files import VideoReader, VideoWriter

Frames = list[npt.NDArray[np.uint8]]


def moving_square(count: int = 8, width: int = 64, height: int = 48) -> Frames:
    """A red square that moves right over a grey slope."""
    frames = []
    for index in range(count):
        frame = np.repeat(np.linspace(40, 160, width, dtype=np.uint8)[None, :, None], 3, axis=2)
        frame = np.repeat(frame, height, axis=0)
        frame[8:24, 2 * index : 2 * index + 16] = (220, 30, 30)
        frames.append(frame)
    return frames


def write(path: Path, frames: Frames, fps: Fraction | float = 25, **options: Any) -> Path:
    with VideoWriter(path, fps, **options) as video:
        for frame in frames:
            video.write(frame)
    return path


def foreign(path: Path, frames: Frames, degrees: float = 0, hflip: bool = False) -> Path:
    """A video with a display matrix, as a phone writes it: MPEG-4 at a high quality, not by VideoWriter."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=25, options={"qscale": "2"})
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        stream.bit_rate = 4_000_000
        stream.set_display_rotation(degrees, hflip=hflip)
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize("name", ["video.mp4", "video.MKV"])
@pytest.mark.parametrize("fps", [Fraction(30000, 1001), 25, 12.5])
def test_round_trip(tmp_path: Path, name: str, fps: Fraction | float) -> None:
    frames = moving_square()
    path = write(tmp_path / name, frames, fps)
    with VideoReader(path) as video:
        assert video.size == (64, 48)
        assert video.fps == pytest.approx(float(fps), rel=1e-3)
        assert video.frame_count == len(frames)
        read = list(video)
        assert video.times == pytest.approx([index / float(fps) for index in range(len(frames))], abs=2e-3)
        assert video.damage is None
    assert len(read) == len(frames)
    for before, after in zip(frames, read, strict=True):
        assert after.dtype == np.uint8
        assert after.shape == before.shape
        # Colour at half of the resolution blurs the square's border, and nothing else.
        assert np.abs(after.astype(int) - before).mean() < 4


def test_what_browsers_need(tmp_path: Path) -> None:
    """H.264 with 4:2:0 colour, even sides, the index in front."""
    path = write(tmp_path / "video.mp4", moving_square(width=63, height=47))
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.format.name) == ("h264", "yuv420p")
        assert (stream.width, stream.height) == (64, 48)
    data = path.read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")


def test_ffmpegs_threads_never_wait_for_pythons_lock(tmp_path: Path) -> None:
    """With any level set, PyAV hands over what a decoder's thread logs under Python's lock.

    Whoever closes the video holds that lock, and waits for the thread: 6 of 250 processes hung so.
    """
    with VideoReader(write(tmp_path / "video.mp4", moving_square())) as video:
        assert len(list(video)) == 8
    assert av.logging.get_level() is None


@pytest.mark.parametrize("size", [(1, 1), (63, 47), (64, 47), (63, 48)])
def test_odd_sizes(tmp_path: Path, size: tuple[int, int]) -> None:
    frame = np.full((size[1], size[0], 3), 120, np.uint8)
    with VideoReader(write(tmp_path / "video.mp4", [frame] * 2)) as video:
        assert video.size == (size[0] + size[0] % 2, size[1] + size[1] % 2)
        assert np.abs(next(iter(video)).astype(int) - 120).max() <= 3


@pytest.mark.parametrize("size", [(64, 48), (33, 21)])
def test_sixteen_bits_without_loss(tmp_path: Path, size: tuple[int, int]) -> None:
    maps = np.random.default_rng(0).integers(0, 65536, (4, size[1], size[0]), dtype=np.uint16)
    path = tmp_path / "depth.mkv"
    with VideoWriter(path, 30) as video:
        for depth in maps:
            video.write(depth)
    with av.open(str(path)) as container:
        assert container.streams.video[0].average_rate == 30
        read = [frame.to_ndarray(format="gray16le") for frame in container.decode(video=0)]
    assert np.array_equal(np.stack(read), maps)


def test_variable_frame_rate_is_kept(tmp_path: Path) -> None:
    times = [0.0, 0.04, 0.2, 0.21, 0.5]
    path = tmp_path / "video.mp4"
    with VideoWriter(path, 25) as video:
        for frame, time in zip(moving_square(5), times, strict=True):
            video.write(frame, time)
    with VideoReader(path) as read:
        assert len(list(read)) == 5
        assert read.times == pytest.approx(times, abs=1e-3)


@pytest.mark.parametrize("hflip", [False, True])
@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_frames_are_upright(tmp_path: Path, degrees: int, hflip: bool) -> None:
    """A display matrix turns the picture counter-clockwise, then mirrors it (libavutil/display.h)."""
    frame = moving_square(1)[0]
    expected = np.rot90(frame, degrees // 90)
    expected = expected[:, ::-1] if hflip else expected
    with VideoReader(foreign(tmp_path / "video.mp4", [frame] * 2, degrees, hflip)) as video:
        assert video.size == expected.shape[1::-1]
        for upright in video:
            assert np.abs(upright.astype(int) - expected).mean() < 6


def test_truncated_file_gives_what_is_there(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (30, 48, 64, 3), dtype=np.uint8)
    path = write(tmp_path / "video.mkv", list(noise))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with VideoReader(path) as video:
        assert 1 <= len(list(video)) < 30


def test_broken_frames_are_reported(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (30, 48, 64, 3), dtype=np.uint8)
    path = write(tmp_path / "video.mp4", list(noise))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with VideoReader(path) as video:
        assert video.frame_count == 30
        assert 1 <= len(list(video)) < 30
        assert video.damage is not None
        assert "frames" in video.damage


def test_sound_without_picture(tmp_path: Path) -> None:
    path = tmp_path / "sound.wav"
    with wave.open(str(path), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(bytes(16000))
    with pytest.raises(PhotoError, match="no moving picture: it holds audio"):
        VideoReader(path)


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("text.mp4", b"once upon a time " * 20, "is not a video"),
        ("empty.mp4", b"", "is not a video"),
        ("folder", None, "is not a file"),
        ("nothing.mp4", None, "no such file"),
    ],
)
def test_not_videos(tmp_path: Path, name: str, content: bytes | None, reason: str) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    if name == "folder":
        path.mkdir()
    with pytest.raises(PhotoError, match=reason) as caught:
        VideoReader(path)
    assert "Errno" not in str(caught.value)


def test_nothing_is_fetched() -> None:
    with pytest.raises(PhotoError, match="no such file"):
        VideoReader("http://127.0.0.1:9/video.mp4")


def test_failure_leaves_no_file(tmp_path: Path) -> None:
    path = tmp_path / "video.mp4"
    path.write_bytes(b"before")
    for failure in (RuntimeError, KeyboardInterrupt):
        with pytest.raises(failure), VideoWriter(path, 25) as video:
            video.write(moving_square(1)[0])
            raise failure
    assert path.read_bytes() == b"before"
    assert [file.name for file in tmp_path.iterdir()] == ["video.mp4"]


def test_no_frames_no_file(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "video.mp4", 25):
        pass
    assert list(tmp_path.iterdir()) == []


def test_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="cannot be written: No such file"):
        write(tmp_path / "none" / "video.mp4", moving_square(1))


@pytest.mark.parametrize("fps", [0, -1, math.nan, math.inf])
def test_impossible_rates(tmp_path: Path, fps: float) -> None:
    with pytest.raises(OptionError, match="fps is"):
        VideoWriter(tmp_path / "video.mp4", fps)


def test_what_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=r"'\.avi'. Allowed: \.mp4, \.mkv"):
        VideoWriter(tmp_path / "video.avi", 25)
    with pytest.raises(OptionError, match="quality is 52"):
        VideoWriter(tmp_path / "video.mp4", 25, quality=52)
    with VideoWriter(tmp_path / "video.mp4", 25) as video:
        with pytest.raises(OptionError, match=r"16-bit depth cannot be written as \.mp4"):
            video.write(np.zeros((4, 4), np.uint16))
        with pytest.raises(OptionError, match="float32"):
            video.write(np.zeros((4, 4), np.float32))  # type: ignore[arg-type]
        video.write(np.zeros((4, 4, 3), np.uint8))
        with pytest.raises(OptionError, match=r"Frame 1 is uint8 \[4, 6, 3\], and the first was uint8 \[4, 4, 3\]"):
            video.write(np.zeros((4, 6, 3), np.uint8))


def test_pyav_is_not_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    original = builtins.__import__

    def refuse(name: str, *arguments: Any, **options: Any) -> Any:
        if name == "av":
            raise ModuleNotFoundError("No module named 'av'", name="av")
        return original(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", refuse)
    for make in (lambda: VideoReader(tmp_path / "video.mp4"), lambda: VideoWriter(tmp_path / "video.mp4", 25)):
        with pytest.raises(UsageError, match=r"pip install 'midas-client\[video\]'"):
            make()


def test_frames_with_exif(tmp_path: Path) -> None:
    """Motion JPEG of a camera; PyAV has no name for this kind of side data."""
    exif = Image.Exif()
    exif[0x010F] = "maker"
    file = io.BytesIO()
    for level in (0, 100, 200):
        Image.new("RGB", (64, 48), (level, level, level)).save(file, "JPEG", exif=exif)
    (tmp_path / "walk.mjpeg").write_bytes(file.getvalue())
    with VideoReader(tmp_path / "walk.mjpeg") as video:
        assert [round(float(frame.mean()) / 100) for frame in video] == [0, 1, 2]


def test_frames_with_orientation_in_their_exif_are_upright(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned clockwise by a quarter
    stored = moving_square(1)[0]
    file = io.BytesIO()
    for _ in range(2):
        Image.fromarray(stored).save(file, "JPEG", exif=exif, quality=95)
    (tmp_path / "walk.mjpeg").write_bytes(file.getvalue())
    with VideoReader(tmp_path / "walk.mjpeg") as video:
        assert video.size == (48, 64)
        for frame in video:
            assert np.abs(frame.astype(int) - np.rot90(stored, -1)).mean() < 6


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP"])
def test_a_photo_is_told_to_use_predict(tmp_path: Path, format: str) -> None:
    path = tmp_path / f"photo.{format.lower()}"
    Image.new("RGB", (64, 48)).save(path)
    with pytest.raises(PhotoError, match=r"is a photo, not a video\. Use midas-client predict"):
        VideoReader(path)
