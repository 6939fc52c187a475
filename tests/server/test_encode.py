"""A 16-bit PNG gives the depth back within its half step."""

import cv2
import numpy as np

from midas_server.imaging.encode import encode_png16, value_range


def test_png16_round_trip() -> None:
    depth = np.random.default_rng(0).normal(500, 200, (37, 53)).astype(np.float32)
    low, high = value_range(depth)
    levels = cv2.imdecode(np.frombuffer(encode_png16(depth), np.uint8), cv2.IMREAD_UNCHANGED)
    assert levels.dtype == np.uint16
    assert (levels.min(), levels.max()) == (0, 65535)
    restored = low + levels.astype(np.float64) / 65535 * (high - low)
    # half a step, and the rounding of float32 on the way
    np.testing.assert_allclose(restored, depth, atol=(high - low) / 131070 * 1.01)


def test_a_flat_map_becomes_zeros() -> None:
    levels = cv2.imdecode(np.frombuffer(encode_png16(np.full((4, 5), 3, np.float32)), np.uint8), cv2.IMREAD_UNCHANGED)
    assert not levels.any()
