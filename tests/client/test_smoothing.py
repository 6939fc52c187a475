"""Depth of a video: flicker falls, motion is followed, a cut starts afresh."""

from __future__ import annotations

import io
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import skimage
from PIL import Image

from midas_client import DepthClient, OptionError, PhotoError
from midas_client._depth_range import DepthRange
from midas_client._robust_line import robust_line
from midas_client._scene_cuts import SceneCuts, photo_thumbnail
from midas_client._smoothing import TemporalSmoother
from midas_server.launch import Triton
from tests.networks import DEFAULT, ROOT

FloatArray = npt.NDArray[np.float32]
RgbFrame = npt.NDArray[np.uint8]

SKIMAGE = Path(skimage.__file__).parent / "data"
PHOTOS = [SKIMAGE / name for name in ("astronaut.png", "coffee.png", "chelsea.png", "rocket.jpg")]
# The Chinese page is at this size the same picture as the English one.
PHOTOS += sorted({*(ROOT / "docs").glob("*.jpg")} - {ROOT / "docs/room_report_zh.jpg"})

W, H = 160, 120


def flicker(maps: FloatArray) -> float:
    """Mean absolute difference between consecutive maps, as a share of the range of the first."""
    return float(np.abs(np.diff(maps, axis=0)).mean() / np.ptp(maps[0]))


def deviation(maps: FloatArray) -> float:
    """Mean over the pixels of the standard deviation over time, as a share of the range of the first map."""
    return float(maps.std(axis=0).mean() / np.ptp(maps[0]))


@cache
def photo(path: Path, width: int = 640, height: int = 480) -> RgbFrame:
    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB").resize((width, height), Image.Resampling.BOX))


def with_sensor_noise(frame: RgbFrame, rng: np.random.Generator, sigma: float = 7) -> RgbFrame:
    gain = 1 + rng.normal(0, 0.02)
    return np.clip(np.rint(frame * gain + rng.normal(0, sigma, frame.shape)), 0, 255).astype(np.uint8)


def network_noise(rng: np.random.Generator, width: int = W, height: int = H) -> FloatArray:
    """Noise as midas_tiny_256 answers sensor noise of sigma 7: smooth over 1/16 of the width, anew in every frame.

    As measured on 256 x 192 maps: correlation 0.98 at 2 pixels, 0.9 at 8, 0.5 at 32; between frames none. Its standard
    deviation is 1.2 % of the map's range; here 1.
    """
    noise = rng.normal(0, 1, (height // 12, width // 12)).astype(np.float32)
    smooth = np.asarray(Image.fromarray(noise).resize((width, height), Image.Resampling.BICUBIC))
    return np.asarray(smooth / smooth.std(), np.float32)


class Scene:
    """A slope and a square in front of it, as a photo and as depth from 0 to 10; the square moves."""

    def __init__(self, seed: int = 0) -> None:
        self.rng = np.random.default_rng(seed)
        self.background = photo(PHOTOS[1], W * 2, H * 2)
        self.square = photo(PHOTOS[0], 80, 80)

    def frame(self, x: int) -> tuple[RgbFrame, FloatArray]:
        """Without noise: the photo, uint8 [2H, 2W, 3], and its depth, float32 [H, W]; x from 0 to W - 40."""
        picture = self.background.copy()
        picture[100:180, 2 * x : 2 * x + 80] = self.square
        depth = np.repeat(np.linspace(0, 6, H, dtype=np.float32)[:, None], W, axis=1)
        depth[50:90, x : x + 40] = 10
        return picture, depth

    def noisy(self, x: int) -> tuple[RgbFrame, FloatArray]:
        picture, depth = self.frame(x)
        scale, shift = 1 + self.rng.normal(0, 0.03), self.rng.normal(0, 0.1)
        noise = 0.12 * network_noise(self.rng)
        return with_sensor_noise(picture, self.rng), np.asarray(depth * scale + shift + noise, np.float32)


def test_flicker_falls_and_nothing_else_changes() -> None:
    scene, smoother = Scene(), TemporalSmoother()
    frames = [scene.noisy(40) for _ in range(40)]
    smooth = np.stack([smoother.smooth(*frame) for frame in frames])
    raw = np.stack([depth for _, depth in frames])
    assert flicker(smooth) < flicker(raw) / 5
    assert deviation(smooth) < deviation(raw) / 2
    truth = scene.frame(40)[1]
    assert np.abs(smooth[10:] - truth).mean() < 0.6 * np.abs(raw[10:] - truth).mean()


@pytest.mark.parametrize("smoothing", [0.5, 0.8])
def test_more_smoothing_less_flicker(smoothing: float) -> None:
    """About as for white noise, of whose differences a recursive average with gain k leaves k / sqrt(2 - k)."""
    scene, smoother = Scene(), TemporalSmoother(smoothing)
    frames = [scene.noisy(40) for _ in range(30)]
    left = flicker(np.stack([smoother.smooth(*frame) for frame in frames])) / flicker(np.stack([d for _, d in frames]))
    gain = 1 - smoothing
    assert left < 1.5 * gain / (2 - gain) ** 0.5 + 0.02


@pytest.mark.parametrize("speed", [1, 2, 4, 8])
def test_motion_is_followed(speed: int) -> None:
    """Where the square has left and where it has come to, the depth is as good as without smoothing."""
    scene, smoother = Scene(), TemporalSmoother()
    raw_errors, smooth_errors, ghosts = [], [], []
    for x in range(0, min(W - 40, 25 * speed), speed):
        truth = scene.frame(x)[1]
        frame, depth = scene.noisy(x)
        smooth = smoother.smooth(frame, depth)
        assert smoother.is_cut == (x == 0)
        raw_errors.append(np.abs(depth - truth).mean())
        smooth_errors.append(np.abs(smooth - truth).mean())
        if x >= 3 * speed:
            ghosts.append(np.abs(smooth - truth)[52:88, max(0, x - 4 * speed) : x - 2].mean())
    assert np.mean(smooth_errors) < 1.05 * np.mean(raw_errors)
    assert np.mean(ghosts) < 0.1 * 5  # the square is 4 to 7 nearer than what is behind it


def test_a_cut_is_followed_at_once() -> None:
    rng = np.random.default_rng(0)
    smoother = TemporalSmoother()
    for index in range(12):
        noise = network_noise(rng)
        frame = with_sensor_noise(photo(PHOTOS[index // 4], 320, 240), rng)
        depth = np.asarray(noise * (index // 4 + 1), np.float32)
        smooth = smoother.smooth(frame, depth)
        assert smoother.is_cut == (index % 4 == 0)
        assert np.array_equal(smooth, depth) == smoother.is_cut


def test_output_stays_near_the_networks_numbers() -> None:
    """A scale that drifts for ever, and a jump that lasts, are followed, if late."""
    scene, smoother = Scene(), TemporalSmoother()
    frame, depth = scene.frame(40)
    for index in range(100):
        current = np.asarray(depth * 1.01**index + 0.02 * index, np.float32)
        smooth = smoother.smooth(frame, current)
        assert np.abs(smooth - current).mean() < 0.12 * np.ptp(current)
    for _ in range(50):
        smooth = smoother.smooth(frame, np.asarray(current * 1.3 + 5, np.float32))
    assert np.abs(smooth - (current * 1.3 + 5)).mean() < 0.01 * np.ptp(current)


@pytest.fixture(scope="module")
def noisy_twice() -> dict[Path, list[FloatArray]]:
    """Two thumbnails of each photo, each with a sensor noise of its own."""
    rng = np.random.default_rng(0)
    return {path: [photo_thumbnail(with_sensor_noise(photo(path, 320, 240), rng)) for _ in range(2)] for path in PHOTOS}


@pytest.mark.parametrize("before", PHOTOS, ids=lambda path: path.stem)
def test_every_cut_between_photos_is_seen(before: Path, noisy_twice: dict[Path, list[FloatArray]]) -> None:
    for after in PHOTOS:
        cuts = SceneCuts()
        assert cuts.begins(noisy_twice[before][0])
        assert not cuts.begins(noisy_twice[before][1])
        assert cuts.begins(noisy_twice[after][0]) == (after != before)


@pytest.mark.parametrize("speed", [0.5, 2, 8, 32])
@pytest.mark.parametrize("path", PHOTOS[:4], ids=lambda path: path.stem)
def test_no_false_cuts(path: Path, speed: float) -> None:
    """Pans at up to a tenth of the width from frame to frame, zooms, changes of brightness."""
    rng = np.random.default_rng(0)
    large = Image.fromarray(photo(path, 640, 480))
    pan = [large.transform((320, 240), Image.Transform.AFFINE, (1, 0, speed * i, 0, 1, 60)) for i in range(8)]
    shares = [(1 + speed / 800) ** -i / 2 for i in range(5)]  # up to 4 % from frame to frame
    boxes = [(320 - 640 * x, 240 - 480 * x, 320 + 640 * x, 240 + 480 * x) for x in shares]
    zoom = [large.resize((320, 240), box=box) for box in boxes]
    still = np.asarray(large)
    light = [np.clip(still * factor, 0, 255).astype(np.uint8) for factor in (1, 0.8, 0.5, 0.3, 0.5, 0.9, 1.6, 0.9)]
    for frames in (pan, zoom, light):
        cuts = SceneCuts()
        found = [cuts.begins(photo_thumbnail(with_sensor_noise(np.asarray(frame), rng, 5))) for frame in frames]
        assert found == [True] + [False] * (len(frames) - 1)


def test_flat_frames() -> None:
    """Black, white and empty frames divide by no zero; what comes after black is a new scene."""
    cuts = SceneCuts()
    black, white = (photo_thumbnail(np.full((48, 64, 3), level, np.uint8)) for level in (0, 255))
    assert [cuts.begins(frame) for frame in (black, black, white, black)] == [True, False, False, False]
    assert cuts.begins(photo_thumbnail(photo(PHOTOS[0])))


def test_the_same_frame_again_and_again() -> None:
    frame, depth = Scene().noisy(0)
    smoother = TemporalSmoother()
    for _ in range(20):
        np.testing.assert_allclose(smoother.smooth(frame, depth), depth, rtol=1e-4, atol=1e-4)


def test_what_comes_back() -> None:
    scene, smoother = Scene(), TemporalSmoother()
    frame, depth = scene.noisy(0)
    first = smoother.smooth(frame, depth)
    assert np.array_equal(first, depth)
    depth[:] = 0  # the caller's own again
    assert first.max() > 5
    second = smoother.smooth(*scene.noisy(0))
    for smooth in (first, second):
        assert smooth.dtype == np.float32
        assert smooth.shape == (H, W)
        assert not smooth.flags.writeable


def test_what_has_no_past_comes_back_as_it_is() -> None:
    scene, smoother = Scene(), TemporalSmoother()
    smoother.smooth(*scene.noisy(0))
    frame, depth = scene.noisy(0)
    larger = np.repeat(depth, 2, axis=0)
    assert np.array_equal(smoother.smooth(frame, larger), larger)
    assert smoother.is_cut
    broken = larger.copy()
    broken[5, 5] = np.nan
    assert np.array_equal(smoother.smooth(frame, broken), broken, equal_nan=True)
    assert np.array_equal(smoother.smooth(frame, larger), larger)
    smoother.reset()
    assert np.array_equal(smoother.smooth(frame, larger), larger)


def test_smoothing_off() -> None:
    scene, smoother = Scene(), TemporalSmoother(0)
    for _ in range(3):
        frame, depth = scene.noisy(0)
        assert np.array_equal(smoother.smooth(frame, depth), depth)


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (130, 1), (257, 383), (1080, 1920)])
def test_every_size_of_map(size: tuple[int, int]) -> None:
    rng = np.random.default_rng(0)
    frame = photo(PHOTOS[0])
    smoother = TemporalSmoother()
    for _ in range(3):
        smooth = smoother.smooth(frame, np.asarray(rng.random(size), np.float32))
        assert smooth.shape == size
        assert np.isfinite(smooth).all()


@pytest.mark.parametrize("smoothing", [-0.1, 1, 1.5, float("nan"), "much", True, None])
def test_wrong_smoothing(smoothing: float) -> None:
    with pytest.raises(OptionError, match=r"smoothing is .*from 0 \(off\) to below 1"):
        TemporalSmoother(smoothing)


def test_thumbnails_of_every_kind_of_photo(tmp_path: Path) -> None:
    array = photo(PHOTOS[0])
    expected = photo_thumbnail(array)
    assert expected.dtype == np.float32
    assert expected.shape == (48, 64)
    picture = Image.fromarray(array)
    png, jpeg, turned = io.BytesIO(), io.BytesIO(), io.BytesIO()
    picture.save(png, "PNG")
    picture.save(jpeg, "JPEG", quality=95)
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned a quarter clockwise
    picture.transpose(Image.Transpose.ROTATE_90).save(turned, "JPEG", quality=95, exif=exif)
    path = tmp_path / "photo.png"
    path.write_bytes(png.getvalue())
    for same in (
        picture,
        png.getvalue(),
        jpeg.getvalue(),
        jpeg.getvalue()[:-2],
        turned.getvalue(),
        path,
        str(path),
        png,
    ):
        assert np.abs(photo_thumbnail(same) - expected).mean() < 3


@pytest.mark.parametrize("frame", [b"", b"no photo", np.zeros((4, 4), np.uint8), np.zeros((4, 4, 3), np.float32)])
def test_frames_that_are_none(frame: bytes) -> None:
    with pytest.raises(PhotoError, match="The frame"):
        photo_thumbnail(frame)


def test_line_is_not_pulled_by_outliers() -> None:
    rng = np.random.default_rng(0)
    x = rng.random(1000).astype(np.float32)
    y = np.asarray(1.1 * x - 0.2 + rng.normal(0, 0.01, 1000), np.float32)
    y[:300] += 3
    scale, shift = robust_line(x, y)
    assert scale == pytest.approx(1.1, abs=0.02)
    assert shift == pytest.approx(-0.2, abs=0.02)
    assert robust_line(np.full_like(x, 2), np.full_like(x, 5)) == pytest.approx((1.0, 3.0))


def test_range_is_slow_and_starts_afresh_with_a_cut() -> None:
    rng = np.random.default_rng(0)
    depth_range = DepthRange()
    depth = np.asarray(rng.random((90, 120)) * 10, np.float32)
    low, high = depth_range.update(depth)
    assert -0.5 < low < 0.1
    assert 9.9 < high < 10.5
    spike = depth.copy()
    spike[0, 0] = 1e6
    assert depth_range.update(spike) == pytest.approx((low, high), abs=0.01)
    assert depth_range.update(depth * 2)[1] == pytest.approx(high * 1.05, rel=0.01)
    assert depth_range.update(depth * 2, is_cut=True)[1] == pytest.approx(high * 2, rel=0.01)
    kept = (depth_range.low, depth_range.high)
    assert depth_range.update(np.full((2, 2), np.nan, np.float32)) == kept


def test_levels() -> None:
    depth_range = DepthRange(percentile=0, margin=0)
    depth_range.update(np.array([[0, 2]], np.float32))
    depth = np.array([[-1, 0, 1, 1.5, 2, 3, np.nan]], np.float32)
    levels = depth_range.levels(depth, 65535)
    assert levels.dtype == np.uint16
    assert levels[0, :6].tolist() == [0, 0, 32768, 49151, 65535, 65535]
    assert depth_range.levels(depth, 255)[0, :6].tolist() == [0, 0, 128, 191, 255, 255]
    flat = DepthRange()
    flat.update(np.ones((3, 3), np.float32))
    assert not flat.levels(np.ones((3, 3), np.float32), 255).any()


def served_maps(client: DepthClient, frames: list[RgbFrame]) -> FloatArray:
    return np.stack([client.predict(frame, model=DEFAULT, output_size="network").depth for frame in frames])


def test_flicker_of_the_served_network(triton: Triton) -> None:
    """Photos with sensor noise, each a still scene, cut one to the next: through the network that ships."""
    rng = np.random.default_rng(0)
    smoother = TemporalSmoother()
    with DepthClient(triton.grpc_url) as client:
        for path in PHOTOS[:2]:
            frames = [with_sensor_noise(photo(path, 320, 240), rng) for _ in range(20)]
            raw = served_maps(client, frames)
            smooth = np.stack([smoother.smooth(frame, depth) for frame, depth in zip(frames, raw, strict=True)])
            assert np.array_equal(smooth[0], raw[0])
            assert flicker(smooth) < flicker(raw) / 3


@pytest.mark.long
@pytest.mark.parametrize("path", PHOTOS[:4], ids=lambda path: path.stem)
def test_sixty_noisy_frames_of_the_served_network(triton: Triton, path: Path) -> None:
    for sigma in (5, 10):
        rng = np.random.default_rng(0)
        frames = [with_sensor_noise(photo(path), rng, sigma) for _ in range(60)]
        smoother = TemporalSmoother()
        with DepthClient(triton.grpc_url) as client:
            raw = served_maps(client, frames)
        smooth = np.stack([smoother.smooth(frame, depth) for frame, depth in zip(frames, raw, strict=True)])
        print(
            f"{path.stem} sigma {sigma}: flicker {flicker(raw):.4f} -> {flicker(smooth):.4f}, "
            f"deviation {deviation(raw):.4f} -> {deviation(smooth):.4f}"
        )
        assert flicker(smooth) < flicker(raw) / 3
        assert deviation(smooth[10:]) < deviation(raw[10:]) / 1.5
