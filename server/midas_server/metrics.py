"""What the steps count, in Prometheus metrics beside Triton's own; docs/serving.md lists them.

Triton keeps the numbers: instances of a step add to the same ones, and they outlive a step's process. One call takes
about 30 microseconds, since it crosses to Triton's process.
"""

import ctypes
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import cache
from typing import Any, get_args

import triton_python_backend_utils as pb_utils

from midas_server.errors import InvalidRequest
from midas_server.pipeline import Refusal
from midas_server.steps.handover import Handover

# The parameter of a config that launch/watchdog.py writes.
RESTARTS = "restarts"

# Seconds, each about twice the one before: from a small photo in a small network to a large network on a processor.
SECONDS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
MEGAPIXELS = (0.1, 0.3, 1.0, 2.0, 4.0, 8.0, 12.0, 16.0, 24.0, 32.0, 48.0, 64.0)


def _for_ever(metric: Any) -> Any:
    """Keep a metric until the process ends, and beyond what Python would do for it.

    Destroyed with the process it reaches for a Triton that has let go of the process already, and crashes it (seen with
    24.10). Destroyed in `finalize` it takes the numbers along of the instance that has just replaced this one.
    """
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(metric))
    return metric


class Histogram:
    """One distribution for each model.

    Args:
        name: with the unit at its end.
        description: for the metrics page.
        buckets: upper bounds, ascending.
    """

    def __init__(self, name: str, description: str, buckets: Sequence[float]) -> None:
        self._family = _for_ever(
            pb_utils.MetricFamily(name=name, description=description, kind=pb_utils.MetricFamily.HISTOGRAM)
        )
        self._of = cache(lambda model: _for_ever(self._family.Metric(labels={"model": model}, buckets=list(buckets))))

    def observe(self, model: str, value: float) -> None:
        """Count a value of a model, in the unit of the buckets."""
        self._of(model).observe(value)


class Refusals:
    """How many requests a step refused, by reason.

    Args:
        model: the variant whose counts are shown from the start, as zero; None where the step serves several.
    """

    def __init__(self, model: str | None = None) -> None:
        self._family = _for_ever(
            pb_utils.MetricFamily(
                name="midas_refused_requests_total",
                description="Requests refused with status 400, by what was wrong",
                kind=pb_utils.MetricFamily.COUNTER,
            )
        )
        self._of = cache(
            lambda model, reason: _for_ever(self._family.Metric(labels={"model": model, "reason": reason}))
        )
        if model is not None:
            # A counter that begins with its first refusal has no rate at that moment: alerts would not see it.
            for reason in get_args(Refusal):
                self._of(model, reason)

    @contextmanager
    def counted(self, model: str, reason: Refusal) -> Iterator[None]:
        """Count an InvalidRequest that leaves the block under this reason."""
        try:
            yield
        except InvalidRequest:
            self._of(model, reason).increment(1)
            raise


class PreprocessMetrics:
    """Requests that were refused before a photo was decoded.

    Nothing is counted of photos that are decoded: a call holds a lock that it shares with Triton, and preprocess, which
    yields, may be kept waiting with it. If it is killed just then, Triton 24.10 aborts.

    Args:
        model: the variant.
    """

    def __init__(self, model: str) -> None:
        self._model = model
        self._refusals = Refusals(model)

    def refusing(self, reason: Refusal) -> AbstractContextManager[None]:
        """Context in which an InvalidRequest has this reason."""
        return self._refusals.counted(self._model, reason)


class PostprocessMetrics:
    """Photos that came through, step by step; the step serves all networks."""

    def __init__(self) -> None:
        self._decode = Histogram(
            "midas_decode_seconds", "Time to check, decode and resize one photo, without queues", SECONDS
        )
        self._megapixels = Histogram("midas_photo_megapixels", "Size of the photos that were decoded", MEGAPIXELS)
        self._network = Histogram(
            "midas_network_seconds", "Time from preprocess to postprocess: the network and both queues", SECONDS
        )
        self._seconds = Histogram(
            "midas_postprocess_seconds", "Time to filter, resize and encode one depth map, without queues", SECONDS
        )
        self._refusals = Refusals()

    def refusing(self, model: str, reason: Refusal) -> AbstractContextManager[None]:
        """Context in which an InvalidRequest has this reason."""
        return self._refusals.counted(model, reason)

    def finished(self, handover: Handover, network_seconds: float, seconds: float) -> None:
        """One depth map is done."""
        self._decode.observe(handover.variant, handover.preprocess_ms / 1000)
        self._megapixels.observe(handover.variant, handover.photo[0] * handover.photo[1] / 1e6)
        self._network.observe(handover.variant, network_seconds)
        self._seconds.observe(handover.variant, seconds)


class Restarts:
    """How often the watchdog has replaced this step, from its config.

    A gauge and no counter: each process of a step sets it to the same number, however many there are.
    """

    def __init__(self, config: Mapping[str, Any]) -> None:
        family = _for_ever(
            pb_utils.MetricFamily(
                name="midas_step_restarts",
                description="How often the watchdog has replaced this step since the server started",
                kind=pb_utils.MetricFamily.GAUGE,
            )
        )
        count = int(config.get("parameters", {}).get(RESTARTS, {}).get("string_value", "0"))
        _for_ever(family.Metric(labels={"step": config["name"]})).set(count)
