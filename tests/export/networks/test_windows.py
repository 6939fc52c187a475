"""The windows of Swin: cut and joined without loss, shifted where they should be, and apart what is not a neighbour."""

import numpy as np
import pytest
import torch

from export.networks.windows import Windows, relative_positions

GRID, SIDE = 8, 4
PHOTOS, CHANNELS = 2, 3


def numbered_tokens() -> torch.Tensor:
    return torch.arange(PHOTOS * GRID * GRID * CHANNELS, dtype=torch.float32).reshape(-1, CHANNELS)


@pytest.mark.parametrize("shifted", [False, True])
@pytest.mark.parametrize("side", [2, 4, 8, 16])
def test_what_was_cut_is_joined_again(side: int, shifted: bool) -> None:
    windows = Windows(GRID, CHANNELS, side, shifted=shifted)
    tokens = numbered_tokens()
    assert torch.equal(windows.join(windows.cut(tokens)), tokens)


@pytest.mark.parametrize(("shifted", "top_left"), [(False, 0), (True, 2)])
def test_the_first_window_of_each_photo(shifted: bool, top_left: int) -> None:
    cut = (
        Windows(GRID, CHANNELS, SIDE, shifted=shifted).cut(numbered_tokens()).reshape(PHOTOS, -1, SIDE, SIDE, CHANNELS)
    )
    grids = numbered_tokens().reshape(PHOTOS, GRID, GRID, CHANNELS)
    inside = slice(top_left, top_left + SIDE)
    assert torch.equal(cut[:, 0], grids[:, inside, inside])


@pytest.mark.parametrize(
    ("side", "shifted", "masked"), [(4, True, True), (4, False, False), (8, True, False), (16, True, False)]
)
def test_only_shifted_windows_need_a_mask(side: int, shifted: bool, masked: bool) -> None:
    windows = Windows(GRID, CHANNELS, side, shifted=shifted)
    assert (windows.mask is not None) == masked
    logits = torch.zeros(PHOTOS * windows.all_tokens // windows.tokens, 1, windows.tokens, windows.tokens)
    assert bool(windows.masked(logits, heads=1).any()) == masked


def test_the_mask_keeps_opposite_edges_apart() -> None:
    """As the paper draws it: the shifted grid is nine regions, and a token sees only its own."""
    region = np.digitize(np.arange(GRID), [GRID - SIDE, GRID - SIDE // 2])  # of the shifted grid
    regions = (region[:, None] * 3 + region).reshape(2, SIDE, 2, SIDE).transpose(0, 2, 1, 3).reshape(4, -1)
    expected = np.where(regions[:, :, None] == regions[:, None], 0.0, -100.0)
    mask = Windows(GRID, CHANNELS, SIDE, shifted=True).mask
    assert mask is not None
    assert np.array_equal(mask[:, 0].numpy(), expected)


def test_relative_positions() -> None:
    assert relative_positions(2).tolist() == [[4, 3, 1, 0], [5, 4, 2, 1], [7, 6, 4, 3], [8, 7, 5, 4]]
