"""What each call does, step by step, for the client that waits and for the one that awaits.

A call is a generator. It yields one step after the other: an Ask for the transport, Work for the processor, a Pause;
its client carries the step out and sends the result back in, or throws the step's error in. What the generator
returns is the result of the call. So retries, deadlines and errors are written once, and nothing here sends, sleeps or
knows of threads and event loops.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from midas_client._depth_map import DepthMap, depth_map_from
from midas_client._errors import (
    AnswerError,
    DeadlineExceededError,
    MidasClientError,
    ModelNotFoundError,
    OptionError,
    ServerBusyError,
    ServerError,
    TransportError,
    dead_steps,
)
from midas_client._health import Health
from midas_client._model_description import ModelDescription, steps_of
from midas_client._options import check_model, request_parameters
from midas_client._pause import Pause
from midas_client._photo import Photo, encoded_photo, probe_photo
from midas_client._retry import Attempts, RetryBudget
from midas_client._statistics import ModelStatistics, depth_models, model_statistics
from midas_client._timeout import Timeout, as_timeout
from midas_client._transport import InferRequest, InferResponse, TellsConfigs, Transport


@dataclass(frozen=True)
class Ask:
    """A question to the transport, and the seconds that its answer may take.

    An AsyncTransport has the same methods; what the question gives is then awaited.
    """

    question: Callable[[Transport, float], Any]
    seconds: float


@dataclass(frozen=True)
class Work:
    """Something that takes the processor or the disk for a while."""

    task: Callable[[], Any]


_Result = TypeVar("_Result")
Call = Generator[Ask | Work | Pause, Any, _Result]

_READY_POLL = 0.25

# A proxy that repeats failed requests too leaves those alone that have it: else its attempts and ours would multiply.
REPEAT_HEADER = "midas-repeat"


class Calls:
    """The calls of one client: what they share are its timeout, its retries and their budget.

    Raises:
        OptionError: the timeout or the number of retries is none.
    """

    def __init__(self, timeout: Timeout | float, retries: int) -> None:
        if isinstance(retries, bool) or not isinstance(retries, int) or retries < 0:
            raise OptionError(f"retries is {retries!r}", hint="It must be 0 or a larger whole number")
        self.timeout = as_timeout(timeout)
        self._retries = retries
        self.begin_in_child()

    def begin_in_child(self) -> None:
        """A budget for this process: after a fork, another thread of the parent may have held the old one's lock."""
        self._budget = RetryBudget()

    def depth_map(
        self,
        photo: Photo,
        *,
        model: str,
        options: Mapping[str, Any],
        timeout: Timeout | float | None,
        encode: Callable[[Photo], bytes] = encoded_photo,
        request_id: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Call[DepthMap]:
        """One photo's way: a request of it, the server's answer, a depth map of that.

        Args:
            photo: what DepthClient.predict() takes.
            model: the variant's name.
            options: the keywords of Options.
            timeout: of this call, in seconds; None for the client's.
            encode: makes a file of the photo.
            request_id: what the server's log calls the request; None for a random one.
            headers: of this call, besides the client's.

        Returns:
            The steps of the call, for a client to carry out; their result is the depth map.
        """
        parameters = request_parameters(options)
        check_model(model)
        # A file's bytes are sent as they are; anything else has to be read or encoded first.
        image = encode(photo) if isinstance(photo, bytes) else (yield Work(lambda: encode(photo)))
        request = InferRequest(model, image, parameters, request_id or uuid.uuid4().hex, headers=headers or {})
        attempts = self._attempts(timeout)
        try:
            again = replace(request, headers={**request.headers, REPEAT_HEADER: "1"})
            response = yield from _repeated(attempts, _infer(request), _infer(again))
        except ModelNotFoundError as error:
            error.name_models((yield from self._models_or_none(attempts)), model)
            raise
        return depth_map_from(request, response)

    def models(self, timeout: Timeout | float | None) -> Call[list[ModelDescription]]:
        """The loaded depth models, sorted, each with what its configs tell."""
        attempts = self._attempts(timeout)
        models = []
        for name in depth_models((yield from _repeated(attempts, _ask_statistics))):
            steps = steps_of((yield from self._config(attempts, name)))
            preprocess: Mapping[str, Any] = {}
            network: Mapping[str, Any] = {}
            if steps is not None:
                preprocess = yield from self._config(attempts, steps[0])
                network = yield from self._config(attempts, steps[1])
            models.append(ModelDescription(name, preprocess, network))
        return models

    def _config(self, attempts: Attempts, model: str) -> Call[Mapping[str, Any]]:
        """A model's config; empty where the server, or a transport that a program made for itself, does not tell it."""

        def ask(transport: Transport, seconds: float) -> Any:
            if not isinstance(transport, TellsConfigs):
                raise AnswerError("This transport does not tell the configs of models")
            return transport.model_config(model, seconds)

        try:
            config: Mapping[str, Any] = yield from _repeated(attempts, ask)
        except (ServerError, AnswerError):
            return {}
        return config

    def model_statistics(self, model: str, timeout: Timeout | float | None) -> Call[ModelStatistics]:
        """What a depth model has done since it was loaded."""
        check_model(model)
        return model_statistics(model, (yield from self._statistics(timeout)))

    def server_version(self, timeout: Timeout | float | None) -> Call[str]:
        """Triton's version."""
        return (
            yield from _repeated(self._attempts(timeout), lambda transport, seconds: transport.server_version(seconds))
        )

    def health(self, timeout: Timeout | float | None, *, steps: bool) -> Call[Health]:
        """Asked once; that there is no answer is an answer."""
        attempts = self._attempts(timeout)
        try:
            ready = yield Ask(lambda transport, seconds: transport.is_ready(None, seconds), attempts.remaining())
            if ready and steps:
                return (yield from self._health_of_steps(attempts))
        except AnswerError:
            raise
        except TransportError as error:
            return Health(live=False, ready=False, detail=str(error))
        except ServerError as error:
            return Health(live=True, ready=False, detail=str(error))
        return Health(
            live=True, ready=ready, detail="" if ready else "The server is starting, or a model failed to load"
        )

    def _health_of_steps(self, attempts: Attempts) -> Call[Health]:
        """Send a small photo through each model, once: an older Triton stays ready when a step has died."""
        statistics = yield Ask(_ask_statistics, attempts.remaining())
        dead: set[str] = set()
        details = []
        for model in depth_models(statistics):
            request = InferRequest(model, probe_photo(), {"output_size": "network", "format": "png8"}, uuid.uuid4().hex)
            try:
                yield Ask(_infer(request), attempts.remaining())
            except ServerBusyError:
                continue  # its queues are full, so its steps live
            except (ServerError, DeadlineExceededError) as error:
                details.append(f"{model}: {error.message}")
                dead.update(dead_steps(error))
        return Health(live=True, ready=not details, detail="; ".join(details), dead_steps=tuple(sorted(dead)))

    def wait_ready(self, timeout: float, model: str | None) -> Call[None]:
        """Asked until the server, or this model of it, is ready; timeout is in seconds.

        Raises:
            AnswerError: at once, where something else than a depth server answers.
            DeadlineExceededError: it was not ready in time.
        """
        limit = Timeout(total=timeout, connect=self.timeout.connect)
        deadline = time.monotonic() + limit.total
        reason = "it was not asked"
        while (left := deadline - time.monotonic()) > 0:
            seconds = min(left, self.timeout.total)
            try:
                if (yield Ask(lambda transport, seconds: transport.is_ready(model, seconds), seconds)):
                    return
                reason = "it answers that it is not"
            except AnswerError:
                raise
            except TransportError as error:
                reason = error.message
            yield Pause(max(0.0, min(_READY_POLL, deadline - time.monotonic())))
        what = "The server" if model is None else f"{model}"
        raise DeadlineExceededError(f"{what} was not ready within {timeout:g} s: {reason}")

    def _statistics(self, timeout: Timeout | float | None) -> Call[Sequence[Mapping[str, Any]]]:
        """Triton's statistics of every loaded model."""
        return (yield from _repeated(self._attempts(timeout), _ask_statistics))

    def _attempts(self, timeout: Timeout | float | None) -> Attempts:
        """The attempts of one call; timeout is its own total, or None for the client's."""
        if timeout is None:
            timeout = self.timeout
        elif not isinstance(timeout, Timeout):
            timeout = Timeout(total=timeout, connect=self.timeout.connect)
        return Attempts(timeout, self._retries, self._budget)

    def _models_or_none(self, attempts: Attempts) -> Call[list[str]]:
        """For an error's message: no models where the server does not tell them."""
        try:
            return depth_models((yield Ask(_ask_statistics, attempts.remaining())))
        except MidasClientError:
            return []


def _ask_statistics(transport: Transport, seconds: float) -> Sequence[Mapping[str, Any]]:
    return transport.statistics(seconds)


def _infer(request: InferRequest) -> Callable[[Transport, float], InferResponse]:
    return lambda transport, seconds: transport.infer(request, seconds)


def _repeated(
    attempts: Attempts,
    question: Callable[[Transport, float], _Result],
    again: Callable[[Transport, float], _Result] | None = None,
) -> Call[_Result]:
    """The answer to question(transport, seconds that are left), repeated as the attempts allow.

    Args:
        attempts: how often, and until when.
        question: what is asked first.
        again: what is asked from the second time on; None for the same.
    """
    while True:
        seconds = attempts.remaining()
        try:
            answer: _Result = yield Ask(question, seconds)
        except MidasClientError as error:
            pause = attempts.pause_after(error)
            question = again or question
        else:
            attempts.succeeded()
            return answer
        yield Pause(pause)
