"""The client that waits."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from types import TracebackType
from typing import TypeVar

from midas_client._base_client import BaseClient, check_many
from midas_client._calls import Ask, Call, Work
from midas_client._depth_map import DepthMap
from midas_client._errors import MidasClientError
from midas_client._health import Health
from midas_client._many import DEFAULT_CONCURRENCY, AnyPhoto, Prediction, predictions_in_order
from midas_client._model_description import ModelDescription
from midas_client._options import DEFAULT_MODEL, Options
from midas_client._photo import Photo, encoded_frame
from midas_client._progress import ShowProgress, showing
from midas_client._statistics import ModelStatistics
from midas_client._timeout import Timeout
from midas_client._transport import Transport
from midas_client._transports.opening import open_transport
from midas_client._video import DEFAULT_FRAMES, DEFAULT_SMOOTHING, frame_smoother

if sys.version_info >= (3, 11):
    from typing import Unpack
else:
    from typing_extensions import Unpack

_Result = TypeVar("_Result")


class DepthClient(BaseClient[Transport]):
    """Sends photos to a server and gets depth maps.

    Nothing is sent before the first call. One client serves any number of threads; close() or `with` ends its
    connections. AsyncDepthClient is its twin for asyncio.

    Args:
        url: `host:port` for gRPC, `http://host:port` for HTTP; `grpcs://` and `https://` for TLS. gRPC trusts its own
            list of authorities and HTTPS the system's, unless tls names others.
        timeout: a Timeout, or a number of seconds for its total; by default 5 s to connect and 30 s in all.
        retries: how often a call is repeated at most, within its timeout, after a temporary failure: no connection, a
            broken one, full queues, a step that is being replaced. All calls of a client share a budget of 100
            repetitions, which grows again by 10 a second; when it is spent, errors are raised at once.
        tls: files for TLS: other authorities, this client's own certificate.
        token: sent as `Authorization: Bearer ...`; a function is asked before each attempt, for tokens that expire.
        headers: further headers of every request, such as {"X-API-Key": "..."}. Without TLS they travel readable.
        shared_memory: whether depth of a photo's size (float32, float16, png16) comes through shared memory, from a
            server on this machine that was started with --allow-client-shm: for large photos, 1080p and up. What cannot
            come that way comes the plain way, and SharedMemoryWarning says why.
        transport: instead of url, another way to a server, such as a fake one for tests.

    Raises:
        AddressError, OptionError: an argument is wrong.

    >>> from midas_client import DepthClient, Timeout
    >>> client = DepthClient("localhost:8001", timeout=Timeout(total=60, connect=5))
    >>> client.predict("photo.jpg").photo_size
    (640, 480)
    >>> client.close()
    """

    _open_transport = staticmethod(open_transport)

    def __enter__(self) -> DepthClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End all connections. A call that runs in another thread may fail; later ones raise ClientClosedError."""
        transport = self._transport_to_close()
        if transport is not None:
            transport.close()

    def predict(
        self,
        photo: Photo,
        *,
        model: str = DEFAULT_MODEL,
        timeout: Timeout | float | None = None,
        request_id: str | None = None,
        headers: Mapping[str, str] | None = None,
        **options: Unpack[Options],
    ) -> DepthMap:
        """The depth of one photo.

        Args:
            photo: a path (a str is always one, never a URL), the bytes of a JPEG, PNG or WebP file, a file object, a
                numpy array uint8 [H, W, 3] in RGB order, or a PIL image; the last two are sent as PNG, without loss.
            model: the variant's name, or "default", or a size that the server has: "small", "medium", "large".
            timeout: a Timeout, or seconds in all, for this call; by default the client's.
            request_id: for the server's log; by default a new one.
            headers: sent with this request beside the client's own, such as W3C's traceparent.
            options: the keywords of Options: resolution, aspect, output_size, format, colormap, filter, equalize,
                settings.

        Warns:
            UntrainedWeightsWarning: once for each model, when its weights are untrained.

        Raises:
            UsageError: the photo or an option is wrong; nothing was sent.
            ServerError: the server refused; ModelNotFoundError names the models there are.
            TransportError: there was no answer in time.

        >>> depth_map = client.predict("photo.jpg")
        >>> depth_map.depth.shape == depth_map.photo_size[::-1]
        True
        >>> small = client.predict("photo.jpg", output_size="network", filter="median")
        >>> small.depth.shape == small.network_size[::-1]
        True
        """
        depth_map = self._carry_out(
            self._calls.depth_map(
                photo, model=model, options=options, timeout=timeout, request_id=request_id, headers=headers
            )
        )
        self._untrained.warn(depth_map, stacklevel=3)
        return depth_map

    def predict_many(
        self,
        photos: Iterable[AnyPhoto],
        *,
        model: str = DEFAULT_MODEL,
        concurrency: int = DEFAULT_CONCURRENCY,
        progress: ShowProgress = False,
        timeout: Timeout | float | None = None,
        **options: Unpack[Options],
    ) -> Iterator[Prediction[AnyPhoto]]:
        """The depth of many photos, in their order: any number of them, in bounded memory.

        At most twice `concurrency` photos are read, sent or answered before you have taken the oldest's answer. A photo
        that fails is a Prediction with an error, and the others go on. Leaving the loop early ends the run.

        Args:
            photos: an iterable of what predict() takes.
            model: the variant's name, or "default", or a size that the server has: "small", "medium", "large".
            concurrency: requests under way at a time; 16 keep the server's batches full.
            progress: True for a bar on standard error, or a function that gets a Progress after each photo.
            timeout: seconds in all for each photo; by default the client's.
            options: as for predict().

        Raises:
            OptionError: at once, for a wrong option. What the iterable raises is raised in its place.

        >>> for prediction in client.predict_many(["photo.jpg", "no such photo.jpg"], output_size="network"):
        ...     print(prediction.index, prediction.depth_map is not None, type(prediction.error).__name__)
        0 True NoneType
        1 False PhotoError
        """
        check_many(photos, "photos", model=model, options=options, concurrency=concurrency)

        def depth_map_of(photo: AnyPhoto) -> DepthMap:
            return self._carry_out(self._calls.depth_map(photo, model=model, options=options, timeout=timeout))

        def run() -> Iterator[Prediction[AnyPhoto]]:
            with showing(progress, photos) as step:
                for prediction in predictions_in_order(photos, depth_map_of, concurrency):
                    if prediction.depth_map is not None:
                        self._untrained.warn(prediction.depth_map, stacklevel=3)
                    step(prediction.error is not None)
                    yield prediction

        return run()

    def predict_video(
        self,
        frames: Iterable[Photo],
        *,
        model: str = DEFAULT_MODEL,
        smoothing: float = DEFAULT_SMOOTHING,
        concurrency: int = DEFAULT_FRAMES,
        timeout: Timeout | float | None = None,
        **options: Unpack[Options],
    ) -> Iterator[DepthMap]:
        """The depth of a video's frames, in their order.

        A frame is taken from the iterable only when there is room for it, so a slow server, or a slow loop around
        this, holds up the source; and an answer is given as soon as it is there, so a live source is not held up by
        frames to come.

        Args:
            frames: an iterable of what predict() takes. Arrays and PIL images are sent as JPEG of quality 95.
            model: the variant's name, or "default", or a size that the server has: "small", "medium", "large".
            smoothing: from 0 to below 1, how much of the flicker is taken out: scale and shift are kept steady from
                frame to frame, and what does not move is averaged over time; cuts are noticed. 0 gives the network's
                answers as they are.
            concurrency: frames under way at a time.
            timeout: seconds in all for each frame; by default the client's.
            options: as for predict().

        Raises:
            OptionError: at once, for a wrong option, or a picture format that smoothing cannot work on.
            MidasClientError: a frame failed; the frames before it have been given.

        >>> import numpy
        >>> frames = (numpy.full((96, 128, 3), grey, numpy.uint8) for grey in (100, 101, 102))
        >>> [depth_map.depth.shape for depth_map in client.predict_video(frames)]
        [(96, 128), (96, 128), (96, 128)]
        """
        check_many(frames, "frames", model=model, options=options, concurrency=concurrency)
        smoother = frame_smoother(smoothing, options.get("format"))

        def depth_map_of(frame: Photo) -> DepthMap:
            return self._carry_out(
                self._calls.depth_map(frame, model=model, options=options, timeout=timeout, encode=encoded_frame)
            )

        def run() -> Iterator[DepthMap]:
            for prediction in predictions_in_order(frames, depth_map_of, concurrency):
                depth_map = prediction.result()
                self._untrained.warn(depth_map, stacklevel=3)
                yield depth_map if smoother is None else smoother.smoothed(prediction.photo, depth_map)

        return run()

    def models(self, *, timeout: Timeout | float | None = None) -> list[ModelDescription]:
        """The depth models that the server has loaded, sorted: names, which know more of themselves.

        Args:
            timeout: seconds in all for this call; by default the client's.

        Raises:
            ServerError: the server refused.
            TransportError: there was no answer in time.

        >>> "midas_tiny_256" in client.models()
        True
        """
        return self._carry_out(self._calls.models(timeout))

    def model_statistics(
        self, model: str = DEFAULT_MODEL, *, timeout: Timeout | float | None = None
    ) -> ModelStatistics:
        """What a model has done since it was loaded.

        Args:
            model: the variant's name.
            timeout: seconds in all for this call; by default the client's.

        Raises:
            ServerError: the server refused.
            TransportError: there was no answer in time.

        >>> [step.name for step in client.model_statistics("midas_tiny_256").steps]
        ['midas_tiny_256_preprocess', 'midas_tiny_256_network', 'postprocess']
        """
        return self._carry_out(self._calls.model_statistics(model, timeout))

    def server_version(self, *, timeout: Timeout | float | None = None) -> str:
        """Triton's version, such as "2.51.0".

        Raises:
            ServerError: the server refused.
            TransportError: there was no answer in time.

        >>> client.server_version().startswith("2.")
        True
        """
        return self._carry_out(self._calls.server_version(timeout))

    def health(self, *, timeout: Timeout | float | None = None, steps: bool = False) -> Health:
        """Whether the server answers and is ready, asked once. An unreachable server is an answer, not an error.

        Args:
            timeout: a Timeout, or seconds in all, for this call; by default the client's.
            steps: sends a small photo through each model too, because Triton up to 26.03 stays ready when a step has
                died. A step of several processes may answer with one that still lives: only the launcher
                (`midas-server serve --health-port`) knows of each process.

        >>> client.health(steps=True)
        Health(live=True, ready=True, detail='', dead_steps=())
        """
        return self._carry_out(self._calls.health(timeout, steps=steps))

    def wait_ready(self, timeout: float = 60.0, *, model: str | None = None) -> None:
        """Return as soon as the server, or this model of it, takes requests; a server that is not up yet is waited for.

        Args:
            timeout: seconds, in all.
            model: None for the server as a whole.

        Raises:
            DeadlineExceededError: it was not ready in time; says what was missing.
            AnswerError: something else than a depth server answers there.

        >>> client.wait_ready(10, model="midas_tiny_256")
        """
        self._carry_out(self._calls.wait_ready(timeout, model))

    def _carry_out(self, call: Call[_Result]) -> _Result:
        """Carry out the steps of a call, one after the other."""
        result: object = None
        failure: MidasClientError | None = None
        while True:
            try:
                step = call.send(result) if failure is None else call.throw(failure)
            except StopIteration as end:
                finished: _Result = end.value
                return finished
            result = failure = None
            try:
                if isinstance(step, Ask):
                    result = step.question(self._transport_here(), step.seconds)
                elif isinstance(step, Work):
                    result = step.task()
                else:
                    time.sleep(step.seconds)
            except MidasClientError as error:
                failure = error
