"""Numbers on a command line: what is none is told by its own text."""

import argparse
import math

import pytest

from midas_server.argument_types import count, positive


@pytest.mark.parametrize("text", ["0", "-1", "nan", "inf", "1e400", "a", "", "1000000"])
def test_what_is_no_number_above_0_and_below_a_limit(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match=f"^'{text}' is not a number above 0 and below 1,000,000$"):
        positive(text, below=1e6)


def test_a_number_above_0() -> None:
    assert (positive("0.5"), positive("1e9")) == (0.5, 1e9)
    with pytest.raises(argparse.ArgumentTypeError, match=r"^'inf' is not a number above 0$"):
        positive(str(math.inf))


@pytest.mark.parametrize("text", ["0", "-1", "1.5", "\u0663", "\u00b2", "a", ""])
def test_what_is_no_whole_number_from_1_up(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match=f"^'{text}' is not a whole number from 1 up$"):
        count(text)


def test_a_whole_number_from_1_up() -> None:
    assert count("12") == 12
