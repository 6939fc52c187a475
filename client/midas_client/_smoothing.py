"""Depth maps of a video without flicker: noise is averaged over time, what moves is followed, a cut starts afresh.

A network that sees one frame at a time answers sensor noise with noise of its own, and gives every frame a scale and a
shift of its own. Three steps take both out of the maps, frame by frame and without looking ahead:

1. **One scale and shift.** The new map is fitted to the past by least squares of scale and shift (as Ranftl et al.,
   "Towards Robust Monocular Depth Estimation", TPAMI 2022, fit a map to its ground truth), robust against what moved.
   The fit is forgotten exponentially, so that the output stays near the network's own numbers, however long the video.
2. **A recursive average for each pixel**: the Kalman filter of a value that stands still, used on video at least since
   Dubois and Sabri, "Noise Reduction in Image Sequences Using Motion-Compensated Temporal Filtering" (IEEE Trans. Comm.
   1984); there is no motion compensation here. While the depth differs from the past by no more than its noise, a new
   frame counts little. Where it differs by more, it replaces the past, and the sooner where the photo changed too. The
   noise is learnt, place by place, where the photo stands still.
3. **A cut** (`_scene_cuts.py`): nothing of the past is used.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from midas_client._errors import OptionError
from midas_client._photo import Photo
from midas_client._robust_line import robust_line
from midas_client._scene_cuts import SceneCuts, brightness_change, photo_thumbnail

FloatArray = npt.NDArray[np.float32]

# Decisions are taken on a grid of about this many cells along the longer side; the answer has all its pixels.
_CELLS = 128
# Changes of brightness in a thumbnail, in levels of 255, that may be noise, and those that cannot.
_SMALL_CHANGE, _LARGE_CHANGE = 2.0, 6.0
# Changes of depth, in standard deviations of its noise, that may be noise, and those that cannot: where the photo
# stands still, and where it changed.
_STILL = (3.5, 6.0)
_CHANGED = (1.0, 2.5)
# A change that lasts: the mean change over about two frames, which has less noise, counts this much more.
_LASTING = 1.5
# Noise of a network before any was seen, as a share of the map's range; what is learnt stays within a factor of 4.
_NOISE = 0.015
_NOISE_RATE = 0.05
# What is nearer counts as this far where the logarithm is taken.
_LEAST_METRES = 1e-3


class TemporalSmoother:
    """Takes the flicker out of the depth maps of one video, which are given in order.

    One object serves one video and one thread at a time. Its state is one map.

    Attributes:
        smoothing: the weight of the past where nothing moves.
        is_cut: whether the last map given was the first of a scene, and was returned as it came.
    """

    def __init__(self, smoothing: float = 0.9) -> None:
        """Begin with nothing seen.

        Args:
            smoothing: from 0 to below 1. In a still place a new frame counts `1 - smoothing` and the past the rest:
                0.9 averages over some 19 frames (flicker falls to about a tenth), 0.5 over 3; 0 switches it off.

        Raises:
            OptionError: smoothing is something else.
        """
        self.smoothing = check_smoothing(smoothing)
        self.is_cut = False
        self._new_frame = np.float32(1 - self.smoothing)
        self.reset()

    def reset(self) -> None:
        """Forget the past: the next map is the first of a scene."""
        self._cuts = SceneCuts()
        self._past: FloatArray | None = None

    def smooth(self, frame: Photo, depth: FloatArray, *, metric: bool = False) -> FloatArray:
        """The next map of the video without flicker.

        Args:
            frame: the photo, in any form that predict() takes; what changed in it tells motion from noise.
            depth: the network's answer to it, float32 [H, W].
            metric: whether that is in metres; else it is relative inverse depth. One video has one kind.

        Returns:
            float32 [H, W], read-only, in the network's units: metres stay metres. Exactly `depth` for the first map,
            after a cut, after a change of size, and where a map holds a number that is not finite.

        Raises:
            PhotoError: the frame cannot be decoded.
        """
        if not metric:
            return self._smoothed(frame, depth)
        # The noise of metres grows with them, and a scale that breathes is a shift of their logarithm. (What the
        # smoother compares with one number for the whole map must mean the same near by and far away.)
        logs = np.log(np.maximum(depth, np.float32(_LEAST_METRES)))
        smooth = self._smoothed(frame, logs)
        output = depth.copy() if self.is_cut or not self.smoothing else np.exp(smooth)
        output.setflags(write=False)
        return output

    def _smoothed(self, frame: Photo, depth: FloatArray) -> FloatArray:
        thumbnail = photo_thumbnail(frame)
        cut = self._cuts.begins(thumbnail)
        factor = max(1, round(max(depth.shape) / _CELLS))
        cells = _shrunk(depth, factor)
        finite = bool(np.isfinite(cells).all())
        past = self._past
        self.is_cut = cut or not finite or past is None or past.shape != depth.shape
        if past is None or self.is_cut or not self.smoothing:
            output = depth.copy() if depth.flags.writeable else depth
            self._begin(cells, thumbnail)
        else:
            output = self._blend(past, depth, cells, thumbnail, factor)
        output.setflags(write=False)
        self._past = output if finite else None
        return output

    def _begin(self, cells: FloatArray, thumbnail: FloatArray) -> None:
        low, high = np.percentile(cells, (2, 98))
        prior = max(_NOISE * float(high - low), 1e-6 * float(np.abs(cells).max()), 1e-30)
        self._least_variance, self._most_variance = np.float32((prior / 4) ** 2), np.float32((prior * 4) ** 2)
        self._cells = cells
        self._variance = np.full_like(cells, prior**2)  # of a new map's noise
        self._uncertainty = np.ones_like(cells)  # of the past, in units of that variance
        self._lasting = np.zeros_like(cells)
        self._thumbnail = thumbnail

    def _blend(
        self, past: FloatArray, depth: FloatArray, cells: FloatArray, thumbnail: FloatArray, factor: int
    ) -> FloatArray:
        gain, offset = brightness_change(thumbnail, self._thumbnail)
        moved = _moved(_line(thumbnail, gain, offset), self._thumbnail, cells.shape)

        # The new map, and the past, in the output's scale and shift: those of the past, on the way to the network's.
        some = (slice(None, None, 2), slice(None, None, 2))
        trust = (1 - np.float32(0.99) * moved[some]) / self._variance[some]
        fitted = robust_line(cells[some], self._cells[some], trust)
        scale, shift = fitted if 0.5 < fitted[0] < 2 else (1.0, 0.0)
        forget = float(self._new_frame + (1 - self._new_frame) * moved.mean())
        new_scale, new_shift = scale + forget * (1 - scale), shift * (1 - forget)
        past_scale, past_shift = new_scale / scale, new_shift - new_scale * shift / scale
        new_cells, past_cells = _line(cells, new_scale, new_shift), _line(self._cells, past_scale, past_shift)

        weight = self._weight(new_cells - past_cells, moved)

        # The thumbnail of what the past is made of, so that slow motion adds up until it is seen.
        seen_weight = _resized(weight, thumbnail.shape)
        kept = _line(self._thumbnail, 1 / gain, -offset / gain)
        self._thumbnail = kept + seen_weight * (thumbnail - kept)

        output = _line(past, past_scale, past_shift)
        change = _line(depth, new_scale, new_shift)
        change -= output
        change *= _resized(weight, depth.shape, factor)
        output += change
        self._cells = _shrunk(output, factor)
        return output

    def _weight(self, change: FloatArray, moved: FloatArray) -> FloatArray:
        """How much the new map counts, by cells, 0 to 1; learns the noise."""
        drift = np.square(self._new_frame) / (1 - self._new_frame)  # makes the steady state's gain 1 - smoothing
        uncertainty = self._uncertainty + drift
        expected = self._variance * (1 + uncertainty)
        signed = np.clip(change / np.sqrt(expected), -8, 8)
        self._lasting += (signed - self._lasting) / 2
        deviation = np.maximum(np.abs(signed), np.abs(self._lasting) * np.float32(_LASTING))
        low = np.float32(_STILL[0]) + moved * np.float32(_CHANGED[0] - _STILL[0])
        high = np.float32(_STILL[1]) + moved * np.float32(_CHANGED[1] - _STILL[1])
        # Spread, because the border of what moves is where its depth is least sure.
        followed = _spread(np.clip((deviation - low) / (high - low), 0, 1))

        gain = np.maximum(uncertainty / (uncertainty + 1), followed)
        self._uncertainty = np.square(1 - gain) * uncertainty + np.square(gain)
        surprise = np.minimum(np.square(signed), 16) - 1
        self._variance *= 1 + np.float32(_NOISE_RATE) * (1 - moved) * (1 - followed) * surprise
        np.clip(self._variance, self._least_variance, self._most_variance, out=self._variance)
        return gain


def check_smoothing(smoothing: float) -> float:
    """The number itself, as float.

    Raises:
        OptionError: it is not a number from 0 to below 1.
    """
    if isinstance(smoothing, bool) or not isinstance(smoothing, (int, float)) or not 0 <= smoothing < 1:
        raise OptionError(
            f"smoothing is {smoothing!r}",
            hint="Allowed: from 0 (off) to below 1, the weight of the past where nothing moves; 0.9 is usual",
        )
    return float(smoothing)


def _moved(seen: FloatArray, before: FloatArray, shape: tuple[int, ...]) -> FloatArray:
    """How surely the photo changed, 0 to 1, by cells."""
    change = np.abs(seen - before)
    # A quarter of the changes is below this even where much moves: noise, unless everything moves.
    noise = min(float(np.percentile(change, 25)), 1.5)
    low = max(_SMALL_CHANGE, 3 * noise)
    return _resized(np.clip((_spread(change) - low) / (_LARGE_CHANGE - _SMALL_CHANGE), 0, 1), shape)


def _line(values: FloatArray, scale: float, shift: float) -> FloatArray:
    result: FloatArray = values * np.float32(scale)
    result += np.float32(shift)
    return result


def _spread(values: FloatArray) -> FloatArray:
    """The largest of each cell and its eight neighbours."""
    for axis in (0, 1):
        padding = [(0, 0), (0, 0)]
        padding[axis] = (1, 1)
        padded = np.pad(values, padding, mode="edge")
        first, last = (padded[:-2], padded[2:]) if axis == 0 else (padded[:, :-2], padded[:, 2:])
        values = np.maximum(np.maximum(values, first), last)
    return values


def _shrunk(values: FloatArray, factor: int) -> FloatArray:
    """Means of factor x factor blocks; those at the right and lower border may be smaller."""
    from PIL import Image  # noqa: PLC0415 - only videos need it

    if factor == 1:
        return values
    return np.asarray(Image.fromarray(np.ascontiguousarray(values)).reduce(factor))


def _resized(values: FloatArray, shape: tuple[int, ...], factor: float = 1) -> FloatArray:
    """Bilinear, to another shape; with a factor, back from _shrunk() to the shape before."""
    from PIL import Image  # noqa: PLC0415 - only videos need it

    if values.shape == shape:
        return values
    height, width = shape
    box = (0, 0, width / factor, height / factor) if factor != 1 else None
    picture = Image.fromarray(np.ascontiguousarray(values, dtype=np.float32))
    return np.asarray(picture.resize((width, height), Image.Resampling.BILINEAR, box=box))
