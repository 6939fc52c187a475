"""Compiling the renderer's inner loops to machine code with Numba, with their types kept for the type checker."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar, cast

import numba  # type: ignore[import-untyped,unused-ignore]

# sums may be reordered, but infinities and NaN keep their meaning: the sky is infinitely far
FASTER = {"contract", "arcp", "nsz", "afn", "reassoc"}
Function = TypeVar("Function", bound=Callable[..., object])


def _cache_folder() -> Path:
    """Where the machine code of this state of the sources is kept.

    Numba compiles a function again when its own file has changed, not when a function that it calls has, so that old
    code of `noise` would live on in `tracing`. A folder for each state of all the files rules that out.
    """
    here = Path(__file__).parent
    sources = b"".join(path.read_bytes() for path in sorted(here.glob("*.py")))
    return here / "__pycache__" / f"numba-{hashlib.sha256(sources).hexdigest()[:16]}"


numba.config.CACHE_DIR = str(_cache_folder())  # type: ignore[attr-defined,unused-ignore]


def compiled(function: Function) -> Function:
    """Return `function` compiled by Numba on its first call; the machine code is kept on disk for later processes."""
    return cast(Function, numba.njit(cache=True, error_model="numpy", fastmath=FASTER)(function))
