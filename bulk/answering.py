"""From a photo's bytes to its result: by a network in this process, or by a server."""

import io
import os
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np

from bulk.errors import BulkError
from bulk.request import Request, client_options
from export.repository.served_config import read_config, read_rules
from midas_client import (
    DepthClient,
    InvalidRequestError,
    MidasClientError,
    PhotoError,
    ServerBusyError,
    ServerError,
    StepRestartingError,
)
from midas_server.backends.in_this_process import open_networks
from midas_server.errors import InvalidRequest, NetworkFault
from midas_server.imaging.probe import Limits
from midas_server.pipeline import finish, prepare
from midas_server.repository import VERSION, network_model

Size = tuple[int, int]


@dataclass(frozen=True)
class Answer:
    """The result of one photo. Sizes are (width, height).

    Attributes:
        data: the bytes of its file: PNG, JPEG or NPY.
        photo, network, output: sizes of the upright photo, of the network's input, and of the result.
        range: the smallest and the largest depth, from which a 16-bit PNG's steps are read.
        milliseconds: from the photo's bytes to the result; of a server its own time, with that in its queues.
    """

    data: bytes
    photo: Size
    network: Size
    output: Size
    range: tuple[float, float]
    milliseconds: float


class Answering(Protocol):
    """Answers photos in their order."""

    def __call__(self, photos: Iterable[bytes], /) -> Iterator[Answer | BulkError]:
        """Give an answer for each photo, or why it has none.

        Raises:
            BulkError: the others would fail in the same way.
        """
        ...


def answering(request: Request) -> Answering:
    """Open what answers the request.

    Raises:
        BulkError: it cannot be opened.
    """
    return _Server(request) if request.through else _Network(request)


class _Network:
    def __init__(self, request: Request) -> None:
        repository, folder = Path(request.repository), Path(request.repository) / network_model(request.model)
        # As the server's steps do: parallelism comes from photos.
        cv2.setNumThreads(1)
        self._limits = Limits.from_environment(os.environ)
        self._parameters = request.parameters
        try:
            self._rules = read_rules(repository, request.model)
            (self._network,) = open_networks(folder / VERSION, read_config(folder), 1, request.threads)
        except Exception as error:  # noqa: BLE001 - the runtimes raise kinds of their own
            raise BulkError(f"{request.model} cannot be opened: {error}") from None

    def __call__(self, photos: Iterable[bytes]) -> Iterator[Answer | BulkError]:
        for photo in photos:
            try:
                yield self._answer(photo)
            except (InvalidRequest, NetworkFault) as error:
                yield BulkError(str(error))
            except Exception as error:  # noqa: BLE001 - a bad photo is never fatal to the others
                yield BulkError(f"the photo cannot be computed: {type(error).__name__}: {error}")

    def _answer(self, photo: bytes) -> Answer:
        started = time.perf_counter()
        prepared = prepare(photo, self._parameters, self._rules, self._limits)
        task = prepared.task
        result = finish(self._network(prepared.pixels[np.newaxis]), prepared.guide, task)
        data = result.encoded
        if result.depth is not None:
            data = _npy(result.depth)
        elif task.options.format == "float16":
            data = _npy(np.frombuffer(result.encoded, "<f2").reshape(task.output[::-1]))
        milliseconds = 1000 * (time.perf_counter() - started)
        return Answer(data, task.photo, task.network, task.output, result.value_range, milliseconds)


class _Server:
    def __init__(self, request: Request) -> None:
        self._request = request
        self._client = DepthClient(request.through, timeout=request.timeout)

    def __call__(self, photos: Iterable[bytes]) -> Iterator[Answer | BulkError]:
        request = self._request
        options = client_options(request.parameters)
        for prediction in self._client.predict_many(
            photos, model=request.model, concurrency=request.concurrency, **options
        ):
            try:
                answer = prediction.result()
                format = answer.options.get("format")
                data = answer.encoded
                if format in ("float32", "float16"):
                    data = _npy(answer.depth if format == "float32" else answer.depth.astype(np.float16))
                output = answer.network_size if answer.options.get("output_size") == "network" else answer.photo_size
                low, high = answer.info["range"]
                milliseconds = sum(answer.timings.values())
                yield Answer(data, answer.photo_size, answer.network_size, output, (low, high), milliseconds)
            except (InvalidRequestError, PhotoError) as error:
                yield BulkError(str(error))
            except MidasClientError as error:
                if type(error) is ServerError:  # it failed at this photo, and answers others
                    yield BulkError(str(error))
                    continue
                busy = isinstance(error, (ServerBusyError, StepRestartingError))
                advice = ": a smaller --concurrency or a longer --timeout helps" if busy else ""
                raise BulkError(f"{request.through}: {error}{advice}") from None


def _npy(values: np.ndarray[tuple[int, ...], np.dtype[np.floating[Any]]]) -> bytes:
    file = io.BytesIO()
    np.save(file, values)
    return file.getvalue()
