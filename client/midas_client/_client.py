"""The client."""

from __future__ import annotations

import threading
import time
import uuid
import warnings
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import TypeVar

from midas_client._address import parse_address
from midas_client._colormap import Colormap
from midas_client._depth_map import DepthMap, depth_map_from
from midas_client._errors import (
    AnswerError,
    DeadlineExceededError,
    MidasClientError,
    ModelNotFoundError,
    OptionError,
    ServerError,
    TransportError,
    UntrainedWeightsWarning,
)
from midas_client._health import Health
from midas_client._open_transport import open_transport
from midas_client._options import (
    DEFAULT_MODEL,
    Aspect,
    Equalize,
    Filter,
    Format,
    OutputSize,
    check_model,
    request_parameters,
)
from midas_client._photo import Photo, encoded_photo
from midas_client._retry import DEFAULT_RETRIES, Attempts
from midas_client._timeout import Timeout, as_timeout
from midas_client._transport import InferRequest, InferResponse, Transport

_Answer = TypeVar("_Answer")

DEFAULT_URL = "localhost:8001"
DEFAULT_TIMEOUT = Timeout()

_READY_POLL = 0.25


class BaseClient:
    """All of a client that neither sends nor waits."""

    def __init__(self, url: str, timeout: Timeout | float, transport: Transport | None, retries: int) -> None:
        if isinstance(retries, bool) or not isinstance(retries, int) or retries < 0:
            raise OptionError(f"retries is {retries!r}", hint="It must be 0 or a larger whole number")
        self._timeout = as_timeout(timeout)
        self._retries = retries
        self._transport = transport if transport is not None else open_transport(parse_address(url), self._timeout)
        self._lock = threading.Lock()
        self._warned: set[str] = set()

    def _attempts(self, timeout: float | None) -> Attempts:
        """The attempts of one call; timeout is its own total, or None for the client's."""
        if timeout is None:
            return Attempts(self._timeout, self._retries)
        return Attempts(Timeout(total=timeout, connect=self._timeout.connect), self._retries)

    @staticmethod
    def _infer_request(
        photo: Photo,
        *,
        model: str,
        resolution: int | None,
        aspect: Aspect | None,
        output_size: OutputSize | None,
        format: Format | None,
        colormap: Colormap | None,
        filter: Filter | None,
        equalize: Equalize | None,
        settings: Mapping[str, float] | None,
    ) -> InferRequest:
        parameters = request_parameters(
            resolution=resolution,
            aspect=aspect,
            output_size=output_size,
            format=format,
            colormap=colormap,
            filter=filter,
            equalize=equalize,
            settings=settings,
        )
        return InferRequest(check_model(model), encoded_photo(photo), parameters, uuid.uuid4().hex)

    def _depth_map(self, request: InferRequest, response: InferResponse) -> DepthMap:
        depth_map = depth_map_from(request, response)
        if depth_map.weights == "untrained":
            with self._lock:
                first = request.model not in self._warned
                self._warned.add(request.model)
            if first:
                warnings.warn(
                    f"{request.model} has untrained weights: its depth maps say nothing about the photo. "
                    "Export the model from an official checkpoint for real depth.",
                    UntrainedWeightsWarning,
                    stacklevel=3,  # the line that called predict()
                )
        return depth_map

    @staticmethod
    def _depth_models(names: list[str]) -> list[str]:
        """Those that have a preprocess step of their own, sorted: the rest are steps."""
        loaded = set(names)
        return sorted(name for name in loaded if f"{name}_preprocess" in loaded)


class DepthClient(BaseClient):
    """Sends photos to a server and gets depth maps.

    Nothing is sent before the first call. One client serves any number of threads; close() or `with` ends its
    connections.

    Args:
        url: `host:port` for gRPC, `http://host:port` for HTTP; `grpcs://` and `https://` for TLS, with gRPC's own list
            of authorities and the system's, respectively.
        timeout: a Timeout, or a number of seconds for its total; by default 5 s to connect and 30 s in all.
        transport: instead of url, another way to a server, such as a fake one for tests.
        retries: how often a call is repeated, at most and within its timeout, after an error that passes: no
            connection, a broken one, full queues, a step that is being replaced.

    Raises:
        AddressError, OptionError: an argument is wrong.
    """

    def __init__(
        self,
        url: str = DEFAULT_URL,
        *,
        timeout: Timeout | float = DEFAULT_TIMEOUT,
        transport: Transport | None = None,
        retries: int = DEFAULT_RETRIES,
    ) -> None:
        super().__init__(url, timeout, transport, retries)

    def __enter__(self) -> DepthClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End all connections. A call that runs in another thread may fail; later ones raise ClientClosedError."""
        self._transport.close()

    def predict(
        self,
        photo: Photo,
        *,
        model: str = DEFAULT_MODEL,
        resolution: int | None = None,
        aspect: Aspect | None = None,
        output_size: OutputSize | None = None,
        format: Format | None = None,
        colormap: Colormap | None = None,
        filter: Filter | None = None,
        equalize: Equalize | None = None,
        settings: Mapping[str, float] | None = None,
        timeout: float | None = None,
    ) -> DepthMap:
        """The depth of one photo.

        Args:
            photo: a path (a str is always one, never a URL), the bytes of a JPEG, PNG or WebP file, or a numpy array
                uint8 [H, W, 3] in RGB order, which is sent as PNG, without loss.
            model: the variant's name.
            resolution: side of the square that the variant's resize rule aims at, 128 to 1280 in steps of 32; None,
                here as below, means the server's default, which is the variant's own.
            aspect: "keep" or "square"; by default the variant's rule.
            output_size: "photo" (default) or "network", the size of the result.
            format: "float32" (default), exact; "float16", 11 bits of precision in half of the bytes; "png16", 65536
                steps in less than half of the bytes. Or a picture, made by the server, that is in `DepthMap.encoded`
                while `DepthMap.depth` is zero-size: "png8" (grey), "color_png", "color_jpeg".
            colormap: of a colour picture; "inferno" by default.
            filter: "guided" or "crf" move the edges of the depth to those of the photo, "median" or "bilateral" take
                speckles away; "none" (default).
            equalize: "global" or "clahe", more contrast for a picture; "none" (default).
            settings: numbers for the filter or the equalisation, such as {"crf_radius": 12}.
            timeout: seconds in all for this call; by default the client's.

        Warns:
            UntrainedWeightsWarning: once for each model, when its weights are untrained.

        Raises:
            UsageError: the photo or an option is wrong; nothing was sent.
            ServerError: the server refused; ModelNotFoundError names the models there are.
            TransportError: there was no answer in time.
        """
        request = self._infer_request(
            photo,
            model=model,
            resolution=resolution,
            aspect=aspect,
            output_size=output_size,
            format=format,
            colormap=colormap,
            filter=filter,
            equalize=equalize,
            settings=settings,
        )
        attempts = self._attempts(timeout)
        try:
            response = self._call(lambda seconds: self._transport.infer(request, seconds), attempts)
        except ModelNotFoundError as error:
            error.name_models(self._models_or_none(attempts))
            raise
        return self._depth_map(request, response)

    def models(self, *, timeout: float | None = None) -> list[str]:
        """The names of the depth models that the server has loaded, sorted. Raises ServerError or TransportError."""
        return self._depth_models(self._call(self._transport.model_names, self._attempts(timeout)))

    def health(self, *, timeout: float | None = None) -> Health:
        """Whether the server answers and is ready, asked once. An unreachable server is an answer, not an error."""
        attempts = self._attempts(timeout)
        try:
            ready = self._transport.is_ready(None, attempts.remaining())
        except AnswerError:
            raise
        except TransportError as error:
            return Health(live=False, ready=False, detail=str(error))
        except ServerError as error:
            return Health(live=True, ready=False, detail=str(error))
        return Health(
            live=True, ready=ready, detail="" if ready else "The server is starting, or a model failed to load"
        )

    def wait_ready(self, timeout: float = 60.0, *, model: str | None = None) -> None:
        """Return as soon as the server, or this model of it, takes requests; a server that is not up yet is waited for.

        Args:
            timeout: seconds, in all.
            model: None for the server as a whole.

        Raises:
            DeadlineExceededError: it was not ready in time; says what was missing.
            AnswerError: something else than a depth server answers there.
        """
        limit = Timeout(total=timeout, connect=self._timeout.connect)
        deadline = time.monotonic() + limit.total
        reason = "it was not asked"
        while (left := deadline - time.monotonic()) > 0:
            try:
                if self._transport.is_ready(model, min(left, self._timeout.total)):
                    return
                reason = "it answers that it is not"
            except AnswerError:
                raise
            except TransportError as error:
                reason = error.message
            time.sleep(max(0.0, min(_READY_POLL, deadline - time.monotonic())))
        what = "The server" if model is None else f"{model}"
        raise DeadlineExceededError(f"{what} was not ready within {timeout:g} s: {reason}")

    def _call(self, ask: Callable[[float], _Answer], attempts: Attempts) -> _Answer:
        """The answer to ask(seconds that are left), repeated as the attempts allow."""
        while True:
            try:
                return ask(attempts.remaining())
            except MidasClientError as error:
                pause = attempts.pause_after(error)
            time.sleep(pause)

    def _models_or_none(self, attempts: Attempts) -> list[str]:
        """For an error's message: no models where the server does not tell them."""
        try:
            return self._depth_models(self._transport.model_names(attempts.remaining()))
        except MidasClientError:
            return []
