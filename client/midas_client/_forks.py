"""Clients in forked processes: a child has its parent's objects, and must not use its connections."""

from __future__ import annotations

import ctypes
import os
import sys
import weakref
from typing import Protocol


class Forked(Protocol):
    """Something that a child of this process must make anew."""

    def _begin_in_child(self) -> None: ...


_modules_of_the_parent: set[str] = set()
_forked: weakref.WeakSet[Forked] = weakref.WeakSet()


def renew_in_children(thing: Forked) -> None:
    """Call thing._begin_in_child() in each process that is forked from now on, before anything else runs in it."""
    _forked.add(thing)


def leave_to_the_parent(thing: object) -> None:
    """Keep it until this process ends, and never finalise it.

    To close it would be felt in the parent: TLS says goodbye on a connection that both have, asyncio takes a socket out
    of the epoll that both have, and gRPC waits for threads that only the parent has. Garbage collection closes too.
    """
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(thing))


def parent_had(module: str) -> bool:
    """Whether this process was forked from one that had imported the module."""
    return module in _modules_of_the_parent


def _begin_in_child() -> None:
    _modules_of_the_parent.update(sys.modules)
    for thing in list(_forked):
        thing._begin_in_child()


if hasattr(os, "register_at_fork"):  # where processes cannot be forked, there is none
    os.register_at_fork(after_in_child=_begin_in_child)
