"""The learning rate over a training: a linear warm-up, then half a cosine (Loshchilov and Hutter, SGDR, 2017)."""

import math

LAST = 0.01  # of the largest rate


def rate(step: int, steps: int, warm_up: int) -> float:
    """Factor 0..1 on the learning rate of step `step` (from 0) of `steps`."""
    if step < warm_up:
        return (step + 1) / warm_up
    done = (step - warm_up) / max(1, steps - warm_up)
    return LAST + (1 - LAST) * (1 + math.cos(math.pi * done)) / 2
