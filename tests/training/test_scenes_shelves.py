"""Rendered shelves: what is said to be known of one is what its photo and its depth show."""

import numpy as np
import pytest

from training.scenes.shelves import DEEP, Shelf, make_shelf

WIDTH, HEIGHT = 128, 96


@pytest.fixture(scope="module")
def shelf() -> Shelf:
    return make_shelf(0, 0, WIDTH, HEIGHT)


def test_the_same_seed_gives_the_same_shelf(shelf: Shelf) -> None:
    again = make_shelf(0, 0, WIDTH, HEIGHT)
    assert again.truth == shelf.truth
    assert (again.depth == shelf.depth).all()


def test_boards_are_where_the_depth_has_their_fronts(shelf: Shelf) -> None:
    assert shelf.photo.shape == (HEIGHT, WIDTH, 3)
    assert shelf.truth.boards
    columns = np.arange(WIDTH)
    for left, right in shelf.truth.boards:
        rows = np.rint(np.linspace(left, right, WIDTH)).astype(int)
        front = shelf.depth[np.minimum(rows + 1, HEIGHT - 1), columns]
        assert np.ptp(front) < 0.1  # one straight edge, as far away as the shelf's front
        assert np.median(front) <= np.quantile(shelf.depth, 0.3)


def test_goods_stand_in_the_shelf_and_gaps_are_empty(shelf: Shelf) -> None:
    nearest = float(np.quantile(shelf.depth, 0.05))
    for left, top, right, bottom in shelf.truth.boxes:
        assert 0 <= left < right <= WIDTH
        assert 0 <= top < bottom <= HEIGHT
        middle = shelf.depth[int((top + bottom) / 2), min(int((left + right) / 2), WIDTH - 1)]
        assert middle < nearest + DEEP + 0.2
    for board, left, right in shelf.truth.gaps:
        edge = shelf.truth.boards[board][0]
        column = int((left + right) / 2)
        assert shelf.depth[int(edge) - 4, column] > shelf.depth[int(edge) + 1, column] + 0.05
