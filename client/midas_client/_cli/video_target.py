"""Where the depth of a video goes: another video, or a folder of frames."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from midas_client._colormap import Colormap, colour_table
from midas_client._depth_files import png16, png_rgb
from midas_client._depth_map import DepthMap
from midas_client._depth_range import DepthRange
from midas_client._scene_cuts import SceneCuts, photo_thumbnail
from midas_client._video_files import RgbFrame, VideoReader, VideoWriter
from midas_client._whole_file import write_whole

FrameKind = Literal["png", "npy", "tif", "pfm"]
FRAME_KINDS: tuple[FrameKind, ...] = get_args(FrameKind)

# 16 bits are computed with later: next to nothing may be clipped.
_MARGIN_16_BIT = 0.25


class VideoPictures:
    """Depth maps of one video as pictures whose range of depth moves slowly, and at once at a cut.

    Args:
        colormap: None for 16-bit grey.
        side_by_side: whether the frame is on the left.
    """

    def __init__(self, colormap: Colormap | None, *, side_by_side: bool = False) -> None:
        self._table = None if colormap is None else colour_table(colormap)
        self._range = DepthRange() if colormap is not None else DepthRange(margin=_MARGIN_16_BIT)
        self._cuts = SceneCuts()
        self._side_by_side = side_by_side

    def picture(self, frame: RgbFrame, depth_map: DepthMap) -> npt.NDArray[np.uint8] | npt.NDArray[np.uint16]:
        """The picture of a frame's depth.

        Args:
            frame: uint8 RGB [H, W, 3].
            depth_map: of the frame, of the same size.

        Returns:
            uint8 RGB [H, W, 3] in colours, uint16 [H, W] without; twice as wide side by side.
        """
        self._range.update(depth_map.depth, is_cut=self._cuts.begins(photo_thumbnail(frame)))
        if self._table is None:
            return self._range.levels(depth_map.depth, 65535)
        levels = self._range.levels(depth_map.depth, 255)
        if depth_map.kind == "metric_depth":
            levels = np.uint16(255) - levels
        coloured: npt.NDArray[np.uint8] = self._table[levels]
        return np.concatenate([frame, coloured], axis=1) if self._side_by_side else coloured


class VideoFile:
    """A video with the times of its source. There is no half of it: an error on the way leaves no file."""

    def __init__(self, path: Path, source: VideoReader, pictures: VideoPictures) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._writer = VideoWriter(path, source.fps)
        self._pictures = pictures
        self._source = source

    def write(self, number: int, frame: RgbFrame, depth_map: DepthMap) -> None:
        """The next frame.

        Raises:
            OSError: it cannot be written.
        """
        self._writer.write(self._pictures.picture(frame, depth_map), self._source.times[number])

    def __enter__(self) -> VideoFile:
        self._writer.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._writer.__exit__(kind, error, traceback)


class FrameFolder:
    """A folder with a file for each frame, from 000000 on. An error on the way leaves the frames before it."""

    def __init__(self, path: Path, kind: FrameKind, pictures: VideoPictures) -> None:
        path.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._kind = kind
        self._pictures = pictures

    def write(self, number: int, frame: RgbFrame, depth_map: DepthMap) -> None:
        """The next frame.

        Raises:
            OSError: it cannot be written.
        """
        file = self._path / f"{number:06d}.{self._kind}"
        if self._kind != "png":
            depth_map.save(file)
            return
        picture: Any = self._pictures.picture(frame, depth_map)
        write_whole(file, png16(picture) if picture.dtype == np.uint16 else png_rgb(picture))

    def __enter__(self) -> FrameFolder:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Nothing is left to do: each frame is a file of its own."""
