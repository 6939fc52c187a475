"""The sweep: every model, every kind of result, every concurrency, one row each."""

import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks.errors import TooShort
from benchmarks.perf_analyzer import Measurement, PerfAnalyzer
from benchmarks.photo import write_input_data
from benchmarks.server import Answer, Server
from benchmarks.statistics import StepTime, step_time

RESULTS = {"network": {"output_size": "network"}, "photo": {"output_size": "photo"}}
"""Kinds of result and the request parameters that ask for them: depth at the network's size, or at the photo's."""

_LONGEST = 8
"""How many times longer a measurement may become than it was meant to be, when no answer comes in time."""

_LEAST_ANSWERS = 15
"""A measurement lasts at least as long as this many photos take one by one, however short a time was asked for."""


@dataclass(frozen=True)
class Row:
    """One measurement: what was asked, what the client saw, and what the server did meanwhile.

    The names in ``steps`` are without the model's: "preprocess", "network", "postprocess".
    """

    model: str
    result: str
    answer: Answer
    client: Measurement
    steps: tuple[StepTime, ...]


def sweep(
    server: Server,
    analyzer: PerfAnalyzer,
    photo: bytes,
    *,
    models: Sequence[str],
    results: Sequence[str],
    concurrencies: Sequence[int],
    seconds: float,
    announce: Callable[[str], None],
) -> Iterator[Row]:
    """Measure every combination, the concurrencies innermost, and yield each row as it comes.

    Before each model and kind of result the photo is sent at the highest concurrency, unmeasured: first runs
    allocate. The counters are read around each measurement, so a step's time includes the few requests that
    perf_analyzer sends outside its windows.

    Args:
        server: where to measure.
        analyzer: the load generator.
        photo: the encoded photo that every request carries.
        models: names of ensembles.
        results: keys of :data:`RESULTS`.
        concurrencies: requests under way at a time.
        seconds: length of a measurement; longer for a network that answers fewer than 15 photos in that time.
        announce: is told what is about to be measured.

    Raises:
        BenchmarkError: the server refused or did not answer.
    """
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        input_data = Path(folder) / "photo.json"
        write_input_data(photo, input_data)
        for model in models:
            steps = server.steps(model)
            for result in results:
                announce(f"{model}, depth at {result} size: warming up")
                answer = server.ask(model, photo, RESULTS[result])
                started = time.perf_counter()
                server.ask(model, photo, RESULTS[result])
                length = max(seconds, _LEAST_ANSWERS * (time.perf_counter() - started))
                measure = partial(
                    analyzer.measure,
                    model,
                    grpc_url=server.grpc_url,
                    input_data=input_data,
                    parameters=RESULTS[result],
                )
                _patiently(measure, max(concurrencies), length / 2)
                for concurrency in concurrencies:
                    announce(f"{model}, depth at {result} size, {concurrency} at a time")
                    before = server.counters(steps)
                    client = _patiently(measure, concurrency, length)
                    after = server.counters(steps)
                    names = [step.removeprefix(f"{model}_") for step in steps]
                    yield Row(model, result, answer, client, tuple(map(step_time, names, before, after)))


def _patiently(measure: Callable[..., Measurement], concurrency: int, seconds: float) -> Measurement:
    """Measure for ``seconds``, and where a busy machine gave no answer in a part of them, for twice as long."""
    length = seconds
    while True:
        try:
            return measure(concurrency=concurrency, seconds=length)
        except TooShort:
            length *= 2
            if length > _LONGEST * seconds:
                raise
