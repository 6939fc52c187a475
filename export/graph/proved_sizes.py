"""Which sizes an ONNX network of the user's own takes: found out by running it, so that no other is allowed.

A network whose output has another size than its input would give maps that are stretched. Not all sizes can be tried.
What is tried: two neighbours on the grid, in both directions (a network that rounds sizes down to multiples of p gives
both right only if p divides the grid), and the extremes: the smallest, the largest and the longest.
"""

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from export.errors import ForeignNetworkError, ForeignOptionError
from export.variants.row import PLANNED_MEMORY
from midas_server.imaging.network_size import MAX_RESOLUTION, MIN_RESOLUTION, resolutions_on

GRIDS = (32, 14)
"""What is tried where the user names no grid: that of convolutional networks and of most transformers, and patches of
14 pixels."""
LARGEST_GRID = MIN_RESOLUTION
_USUAL_SIDE = 256

Try = Callable[[int, int], object]
"""Runs the network once at (height, width); raises ForeignNetworkError if it fails or gives another size."""


@dataclass(frozen=True)
class ProvedSizes:
    """The input sizes that a network was seen to take.

    Attributes:
        side: the default side in pixels.
        multiple: both sides are multiples of it.
        max_area: the largest input in pixels that ran.
        max_side: the largest height and width, where long inputs of that area do not run.
        one_size: side x side runs and no other was proved.
    """

    side: int
    multiple: int
    max_area: int
    max_side: int | None = None
    one_size: bool = False

    def __str__(self) -> str:
        if self.one_size:
            return f"{self.side}x{self.side} only"
        longest = f" and sides of {self.max_side}" if self.max_side else ""
        return f"sides in steps of {self.multiple}, up to {self.max_area:,} pixels{longest}; by default {self.side}"


def check_side(side: int | None, multiple: int | None) -> None:
    """Refuse what cannot be before anything is run.

    Raises:
        ForeignOptionError: the grid is out of range, or the side is on none.
    """
    if multiple is not None and not 1 <= multiple <= LARGEST_GRID:
        raise ForeignOptionError(f"--multiple {multiple}: allowed are 1 to {LARGEST_GRID}")
    if side is None or any(side in resolutions_on(grid) for grid in _grids(multiple)):
        return
    steps = str(multiple) if multiple else f"{' or '.join(map(str, GRIDS))}, or of the --multiple that you name"
    raise ForeignOptionError(
        f"--size {side}: allowed are {MIN_RESOLUTION} to {MAX_RESOLUTION} in steps of {steps}; "
        "leave it out for a network of one size"
    )


def prove_sizes(
    run: Try, side: int | None, *, any_aspect: bool, one_size: bool = False, multiple: int | None = None
) -> ProvedSizes:
    """Find the grid of a network and the largest sizes that it takes.

    Args:
        run: see `Try`.
        side: the default side; chosen here where it is None.
        any_aspect: the network is to take other shapes than squares.
        one_size: its file says that it takes `side` x `side` only.
        multiple: its grid, where the user knows it.

    Raises:
        ForeignNetworkError: it fails at a size that would have to be allowed; the message names it.
    """
    if side is not None and one_size:
        return _only(run, side)
    refusal: ForeignNetworkError | None = None
    for grid in _grids(multiple):
        start = side or max(round(_USUAL_SIDE / grid), 1) * grid
        if start not in resolutions_on(grid):
            continue
        try:
            _prove_grid(run, start, grid, any_aspect)
        except ForeignNetworkError as error:
            refusal = refusal or error
            continue
        return _largest(run, start, grid, any_aspect)
    if side is not None and not any_aspect:
        return _only(run, side)  # no other square, but this one may do
    raise refusal or ForeignNetworkError(f"no side from {MIN_RESOLUTION} to {MAX_RESOLUTION} is on the grid")


def _grids(multiple: int | None) -> Iterable[int]:
    return GRIDS if multiple is None else (multiple,)


def _only(run: Try, side: int) -> ProvedSizes:
    run(side, side)
    grid = next((grid for grid in GRIDS if side % grid == 0), 1)
    return ProvedSizes(side, grid, side * side, one_size=True)


def _prove_grid(run: Try, side: int, multiple: int, any_aspect: bool) -> None:
    neighbour = side + multiple if side + multiple in resolutions_on(multiple) else side - multiple
    smallest = resolutions_on(multiple)[0]
    run(side, side)
    try:
        for size in [(neighbour, neighbour), (smallest, smallest)]:
            run(*size)
        if any_aspect:
            for size in [(neighbour, side), (side, neighbour), (multiple, side), (side, multiple)]:
                run(*size)
    except ForeignNetworkError as error:
        raise ForeignNetworkError(
            f"{error} (sides in steps of {multiple} were tried; --multiple names others)"
        ) from None


def _largest(run: Try, side: int, multiple: int, any_aspect: bool) -> ProvedSizes:
    """Double the area until the largest that may be allowed, until the network fails, or until it takes much memory.

    Memory grows with the area, or with its square where a network has attention. So the next step takes at most four
    times as much, and is left out where that might not fit.
    """
    before = _resident_bytes()
    proved, top = side, resolutions_on(multiple)[-1]
    while proved < top and 4 * (_resident_bytes() - before) <= PLANNED_MEMORY:
        larger = min(max(int(proved * 2**0.5) // multiple * multiple, proved + multiple), top)
        if not _runs(run, [(larger, larger)]):
            break
        proved = larger
    area = proved * proved
    if any_aspect:
        smallest = resolutions_on(multiple)[0]
        longest = area // smallest // multiple * multiple
        strips = [(smallest, longest), (longest, smallest)]
        if not _runs(run, strips):
            if not _runs(run, [(multiple, proved), (proved, multiple)]):
                return ProvedSizes(side, multiple, side * side, side)
            return ProvedSizes(side, multiple, area, proved)
    return ProvedSizes(side, multiple, area)


def _runs(run: Try, sizes: Iterable[tuple[int, int]]) -> bool:
    try:
        for size in sizes:
            run(*size)
    except ForeignNetworkError:
        return False
    return True


def _resident_bytes() -> int:
    """Of this process now. ONNX Runtime keeps what it has once taken, so this is what the largest run took."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
