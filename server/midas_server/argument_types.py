"""Numbers on a command line, for the `type` of an argument of argparse."""

import argparse
import math


def positive(text: str, below: float = math.inf) -> float:
    """Read a number above 0 and below `below`.

    Raises:
        argparse.ArgumentTypeError: it is none.
    """
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < below:
        limit = "" if below == math.inf else f" and below {below:,.0f}"
        raise argparse.ArgumentTypeError(f"'{text}' is not a number above 0{limit}")
    return value


def count(text: str) -> int:
    """Read a whole number from 1 up.

    Raises:
        argparse.ArgumentTypeError: it is none.
    """
    if not (text.isascii() and text.isdigit()) or int(text) < 1:
        raise argparse.ArgumentTypeError(f"'{text}' is not a whole number from 1 up")
    return int(text)
