"""How many threads an instance of a network computes with: all while it is alone at work, its share while others are.

Threads of one computation wait for each other at every layer, and wait longer where something else runs on the same
cores. On two cores a photo alone takes nearly half as long with two threads as with one; but two instances with two
threads each took 44 ms a photo of midas_v21_small_256 together, and with one thread each 37 ms. The others are also the
preprocess step's processes: a photo that they decode keeps a core busy, and is the next to be computed.

All cores are those that the process may use: in a container with a limit on its time fewer than the machine has.

A runtime fixes the threads when it opens a network, so an instance opens it twice, and takes the one or the other for
each piece of a batch.
"""

import os
from collections.abc import Callable, Mapping
from typing import Any

from midas_server.at_work import AtWork
from midas_server.backends.pieces import Arrays, Compute, Opened, in_pieces
from midas_server.cores import cores, fewer_cores
from midas_server.shared_bytes import PREFIX_VARIABLE


def share_of_cores(config: Mapping[str, Any], threads_parameter: str) -> int | None:
    """The threads of an instance while all compute; None where they are those that a runtime takes by itself.

    Args:
        config: the model config, parsed from JSON.
        threads_parameter: what the backend calls the number of threads. A config that sets it means it.
    """
    instances = sum(int(group.get("count", 1)) for group in config.get("instance_group", []))
    if _asked(config, threads_parameter):
        return None
    return max(1, cores() // instances) if instances > 1 and cores() > 1 else fewer_cores()


def _asked(config: Mapping[str, Any], threads_parameter: str) -> bool:
    return config.get("parameters", {}).get(threads_parameter, {}).get("string_value", "0") not in ("", "0")


def threads_by_load(
    args: Mapping[str, str], config: Mapping[str, Any], threads_parameter: str, opened: Callable[[int | None], Opened]
) -> Compute:
    """Open a network as often as it takes.

    Args:
        args: what Triton hands to `initialize`.
        config: the model config, parsed from JSON.
        threads_parameter: what the backend calls the number of threads; see `share_of_cores`.
        opened: opens the network with so many threads, or with None as the config says.

    Returns:
        What computes with the right number of threads.
    """
    share = share_of_cores(config, threads_parameter)
    alone = None if _asked(config, threads_parameter) else fewer_cores()
    if share in (None, alone) or PREFIX_VARIABLE not in os.environ:
        network = opened(alone)
        return lambda feeds: in_pieces(feeds, lambda: network)
    at_work = AtWork(config["name"], args)
    return ByLoad(opened(alone), opened(share), at_work, warm_up=len(config.get("model_warmup", [])))


class ByLoad:
    """One network, opened with all threads and with a share of them.

    Args:
        alone, shared: compute with the one and with the other.
        at_work: tells which it is to be.
        warm_up: how many samples Triton sends before the first request: both compute those.
    """

    def __init__(self, alone: Opened, shared: Opened, at_work: AtWork, warm_up: int) -> None:
        self._alone, self._shared = alone, shared
        self._at_work = at_work
        self._warm_up = warm_up

    def __call__(self, feeds: Arrays) -> Arrays:
        """Compute a batch; each piece of it with all cores while nothing else is at work."""
        if self._warm_up > 0:
            self._warm_up -= 1
            in_pieces(feeds, lambda: self._shared)
            return in_pieces(feeds, lambda: self._alone)
        with self._at_work.now():
            return in_pieces(feeds, lambda: self._alone if self._at_work.alone() else self._shared)
