"""Sizes follow the official resize rule; resampling follows OpenCV and torch."""

import numpy as np
import pytest
import torch

from midas_server.imaging.geometry import resize_depth, resize_photo
from midas_server.imaging.network_size import ResizeRule, network_size


@pytest.mark.parametrize(
    ("photo", "side", "rule", "expected"),
    [
        # worked out by hand from `Resize` in the official midas/transforms.py
        ((640, 480), 384, "minimal", (512, 384)),
        ((480, 640), 384, "minimal", (384, 512)),
        ((1920, 1080), 384, "minimal", (672, 384)),
        ((741, 500), 256, "minimal", (384, 256)),
        ((100, 50), 256, "minimal", (256, 128)),  # enlarged: the factor nearer to 1 is the smaller one
        ((640, 480), 256, "upper_bound", (256, 192)),
        ((1920, 1080), 256, "upper_bound", (256, 128)),  # 144 is half way between 128 and 160: rounds to even
        ((1080, 1920), 256, "upper_bound", (128, 256)),
        ((500, 333), 384, "upper_bound", (384, 256)),
        ((1000, 990), 416, "upper_bound", (416, 416)),
        ((1920, 1080), 256, "square", (256, 256)),
        ((2000, 100), 256, "upper_bound", (256, 32)),  # 12.8 would round to nothing
    ],
)
def test_network_size(photo: tuple[int, int], side: int, rule: ResizeRule, expected: tuple[int, int]) -> None:
    assert network_size(*photo, side, rule) == expected


@pytest.mark.parametrize(
    ("photo", "side", "expected"),
    [
        # worked out by hand from Depth Anything's `Resize` with `lower_bound` and multiples of 14
        ((640, 480), 518, (686, 518)),
        ((480, 640), 518, (518, 686)),
        ((1920, 1080), 518, (924, 518)),
        ((1000, 517), 518, (1008, 518)),
        ((100, 100), 518, (518, 518)),
        ((1242, 375), 518, (1722, 518)),
        ((640, 480), 512, (686, 518)),  # on no multiple of 14: the next one
        ((640, 480), 256, (336, 266)),
    ],
)
def test_lower_bound_on_a_grid_of_14(photo: tuple[int, int], side: int, expected: tuple[int, int]) -> None:
    assert network_size(*photo, side, "lower_bound", 14) == expected


def test_depth_is_resized_as_torch_does() -> None:
    depth = np.random.default_rng(0).random((48, 64)).astype(np.float32)
    for width, height in ((640, 480), (97, 211), (64, 48), (65, 48)):
        expected = torch.nn.functional.interpolate(
            torch.from_numpy(depth)[None, None], size=(height, width), mode="bicubic", align_corners=False
        )
        np.testing.assert_allclose(resize_depth(depth, (width, height)), expected[0, 0].numpy(), atol=1e-5)


def test_a_photo_keeps_type_and_gets_the_size() -> None:
    resized = resize_photo(np.zeros((48, 64, 3), np.uint8), (32, 96))
    assert resized.dtype == np.uint8
    assert resized.shape == (96, 32, 3)
