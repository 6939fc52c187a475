"""BEiT's position bias: every pair of tokens gets the number that the table holds for its offset."""

import pytest
import torch

from export.networks.beit import BeitAttention, grid_of

HEADS, TRAINED = 2, 4


def attention() -> BeitAttention:
    module = BeitAttention(8, HEADS, TRAINED)
    torch.nn.init.normal_(module.relative_position_bias_table, generator=torch.Generator().manual_seed(0))
    return module


def test_at_the_trained_size_each_pair_is_looked_up() -> None:
    module = attention()
    with torch.inference_mode():
        bias = module.position_bias(grid_of(torch.zeros(1, 1, TRAINED, TRAINED)))
    table = module.relative_position_bias_table.detach()
    places = [(row, column) for row in range(TRAINED) for column in range(TRAINED)]
    assert bias.shape == (HEADS, 1 + len(places), 1 + len(places))
    for i, (row, column) in enumerate(places):
        for j, (other_row, other_column) in enumerate(places):
            down, right = row - other_row + TRAINED - 1, column - other_column + TRAINED - 1
            assert torch.equal(bias[:, 1 + i, 1 + j], table[down * (2 * TRAINED - 1) + right])
        assert torch.equal(bias[:, 0, 1 + i], table[-3])
        assert torch.equal(bias[:, 1 + i, 0], table[-2])
    assert torch.equal(bias[:, 0, 0], table[-1])


@pytest.mark.parametrize(("height", "width"), [(2, 6), (7, 3), (8, 8)])
def test_at_another_size_pairs_of_equal_offset_have_equal_bias(height: int, width: int) -> None:
    with torch.inference_mode():
        bias = attention().position_bias(grid_of(torch.zeros(1, 1, height, width)))
    pairs = bias[:, 1:, 1:].reshape(HEADS, height, width, height, width)
    assert torch.equal(pairs[:, 1:, 1:, 1:, 1:], pairs[:, :-1, :-1, :-1, :-1])
    assert not torch.equal(pairs[:, 0, 0, 0, 1], pairs[:, 0, 1, 0, 0])
