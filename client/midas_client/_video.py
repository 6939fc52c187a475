"""Frames of a video: what predict_video() adds to predicting many photos."""

from __future__ import annotations

from dataclasses import replace

from midas_client._depth_map import DepthMap
from midas_client._errors import OptionError
from midas_client._options import DEPTH_FORMATS, PICTURE_FORMATS
from midas_client._photo import Photo
from midas_client._smoothing import TemporalSmoother, check_smoothing

DEFAULT_FRAMES = 4
"""Frames under way at a time: enough to keep every step of the server busy, few enough for a live source."""

DEFAULT_SMOOTHING = 0.9


class FrameSmoother:
    """Smooths the depth maps of one video, given with their frames in order."""

    def __init__(self, smoothing: float) -> None:
        self._smoother = TemporalSmoother(smoothing)

    def smoothed(self, frame: Photo, depth_map: DepthMap) -> DepthMap:
        """The map with smoothed depth. What the server sent instead of floats is gone: it was not smoothed."""
        return replace(
            depth_map,
            depth=self._smoother.smooth(frame, depth_map.depth, metric=depth_map.kind == "metric_depth"),
            encoded=b"",
        )


def frame_smoother(smoothing: float, format: str | None) -> FrameSmoother | None:
    """The smoother of one video; None where smoothing is 0.

    Raises:
        OptionError: smoothing is not from 0 to below 1, or the format is a picture, which has no depth to smooth.
    """
    if check_smoothing(smoothing) == 0:
        return None
    if format in PICTURE_FORMATS:
        raise OptionError(
            f"format={format!r} is a picture, which cannot be smoothed",
            hint=f"Ask for {', '.join(DEPTH_FORMATS)} and colorize(), or give smoothing=0",
        )
    return FrameSmoother(smoothing)
