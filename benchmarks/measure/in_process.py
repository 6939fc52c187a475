"""A network with the steps around it in this process: a photo's bytes to its answer's bytes, without a server.

The pipeline is the one that the server's steps call, and the configs are those that Triton reads.
"""

from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np

from benchmarks.errors import BenchmarkError
from export.errors import ConfigError
from export.repository.served_config import read_config, read_rules
from midas_server.backends.in_this_process import NetworkStep, open_networks
from midas_server.pipeline import finish, prepare
from midas_server.repository import VERSION, network_model


class InProcess:
    """Answers photos as a variant's ensemble does, one call a photo.

    Calls may come from several threads at a time, each with a network of its own.

    Args:
        repository: the model repository.
        model: the variant.

    Raises:
        BenchmarkError: the repository does not hold the variant, or in a build that no Python package runs.
    """

    def __init__(self, repository: Path, model: str) -> None:
        self._folder = repository / network_model(model)
        try:
            self._config = read_config(self._folder)
            self._rules = read_rules(repository, model)
        except ConfigError as error:
            raise BenchmarkError(str(error)) from None
        # As the steps do: parallelism comes from photos.
        cv2.setNumThreads(1)

    def networks(self, count: int, threads: int) -> list[NetworkStep]:
        """Open the network for `count` callers at a time, with `threads` threads for each of them.

        Raises:
            BenchmarkError: it cannot be opened.
        """
        try:
            return open_networks(self._folder / VERSION, self._config, count, threads)
        except ValueError as error:
            raise BenchmarkError(f"{self._folder.name}: {error}, so there is no limit to measure beside it") from None
        except Exception as error:  # the runtimes raise kinds of their own
            raise BenchmarkError(f"{self._folder.name} cannot be opened in this process: {error}") from error

    def answer(self, photo: bytes, parameters: Mapping[str, object], network: NetworkStep) -> bytes:
        """Return the depth map's float32 values, row by row, or the encoded result that `parameters` ask for.

        Raises:
            InvalidRequest: what the server would refuse with status 400.
            NetworkFault: what it would answer with status 500.
        """
        prepared = prepare(photo, parameters, self._rules)
        result = finish(network(prepared.pixels[np.newaxis]), prepared.guide, prepared.task)
        return result.encoded if result.depth is None else result.depth.tobytes()
