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
from bulk.results import MOST_STARTS
from export.repository.served_config import read_config, read_rules
from midas_client import (
    ConnectionLostError,
    DepthClient,
    DepthMap,
    InvalidRequestError,
    MidasClientError,
    PhotoError,
    Prediction,
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

_PAUSE = 1.0
"""Seconds until a photo is sent again to a server that is away."""


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
        self._once = DepthClient(request.through, timeout=request.timeout, retries=0)
        self._options: dict[str, Any] = {"model": request.model, **client_options(request.parameters)}

    def __call__(self, photos: Iterable[bytes]) -> Iterator[Answer | BulkError]:
        for prediction in self._client.predict_many(photos, concurrency=self._request.concurrency, **self._options):
            try:
                found = self._waited_for(prediction)
                yield found if isinstance(found, BulkError) else _answer(found)
            except (InvalidRequestError, PhotoError) as error:
                yield BulkError(str(error))
            except MidasClientError as error:
                if type(error) is ServerError:  # it failed at this photo, and answers others
                    yield BulkError(str(error))
                    continue
                busy = isinstance(error, (ServerBusyError, StepRestartingError))
                advice = ": a smaller --concurrency or a longer --timeout helps" if busy else ""
                raise BulkError(f"{self._request.through}: {error}{advice}") from None

    def _waited_for(self, prediction: Prediction[bytes]) -> DepthMap | BulkError:
        """The depth of a photo. While the server is away the photo is sent again, for as long as an answer may take.

        Raises:
            MidasClientError: the photo or the server is at fault.
        """
        if prediction.depth_map is not None:
            return prediction.depth_map
        error, deaths = prediction.error, 0
        end = time.monotonic() + self._request.timeout
        while error is not None and error.retryable and time.monotonic() < end:
            try:
                return self._once.predict(prediction.photo, **self._options)
            except MidasClientError as again:
                error = again
            deaths += isinstance(error, ConnectionLostError)
            if deaths == MOST_STARTS:
                return BulkError(f"the server died {deaths} times while it computed this photo")
            time.sleep(_PAUSE)
        assert error is not None
        raise error


def _answer(found: DepthMap) -> Answer:
    data, format = found.encoded, found.options.get("format")
    if format in ("float32", "float16"):
        data = _npy(found.depth if format == "float32" else found.depth.astype(np.float16))
    output = found.network_size if found.options.get("output_size") == "network" else found.photo_size
    low, high = found.info["range"]
    return Answer(data, found.photo_size, found.network_size, output, (low, high), sum(found.timings.values()))


def _npy(values: np.ndarray[tuple[int, ...], np.dtype[np.floating[Any]]]) -> bytes:
    file = io.BytesIO()
    np.save(file, values)
    return file.getvalue()
