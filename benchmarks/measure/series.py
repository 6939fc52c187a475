"""Measures one series of loads: a row of the record for each."""

import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from types import TracebackType

from benchmarks.errors import Refused, TooShort
from benchmarks.load.measurement import Measurement
from benchmarks.load.open_loop import GENERATOR, open_loop, request_of
from benchmarks.load.perf_analyzer import PerfAnalyzer
from benchmarks.load.photo import jpeg, write_input_data, write_pixel_data
from benchmarks.measure.plan import Series
from benchmarks.measure.server import Answer, Server
from benchmarks.measure.statistics import step_time
from benchmarks.measure.usage import UsageMeter
from benchmarks.record import Closed, Load, Open, Result, Row, Step

PARAMETERS: dict[Result, dict[str, str]] = {
    "network": {"output_size": "network"},
    "photo": {"output_size": "photo"},
    "png16": {"format": "png16"},
}
"""Kinds of result and the request parameters that ask for them."""

_LONGEST = 8
"""How many times longer a measurement may become than it was meant to be, when no answer comes in time."""

_ANSWERS = 15
"""A measurement lasts at least as long as this many photos take one by one, however short a time was asked for, ..."""

_TURNS = 5
"""... or as long as this many photos take for each of the requests under way: answers come in batches, and one batch
more or less must not be a quarter of the figure, ..."""

_LONG_S = 30.0
_LEAST_ANSWERS = 6
"""... but for a slow network no longer than this time, or this many photos."""

_PLACES = 60
"""Roughly how many requests the pipeline's queues hold: so many are sent before an overload is measured."""


@dataclass(frozen=True)
class Served:
    """A server to measure. `build` is that of its networks; `pid` is None where only the address is known."""

    server: Server
    build: str
    http_url: str | None
    pid: int | None


class SeriesRun:
    """Measures the loads of one series on a server.

    Where perf_analyzer cannot measure an open load, since requests are refused, the loop of
    `benchmarks.load.open_loop` does, and the row says so.

    Args:
        served: where to measure; with an address of HTTP if the series is over HTTP.
        analyzer: the load generator.
        series: what to measure.
        seconds: length of a measurement; longer for a slow network.
    """

    def __init__(self, served: Served, analyzer: PerfAnalyzer, series: Series, *, seconds: float) -> None:
        self._served = served
        self._analyzer = analyzer
        self._series = series
        self._seconds = seconds
        whole = series.target == "ensemble"
        self._model = series.model if whole else f"{series.model}_network"
        self._parameters = PARAMETERS[series.result] if whole and series.protocol == "grpc" else {}
        self._photo = jpeg(*series.photo)

    def rows(self, announce: Callable[[str], None], known: Sequence[Row] = ()) -> Iterator[Row]:
        """Measure every load that is not among `known` and yield each row as it comes.

        A closed loop in which a request is refused has no row: a slow network's queue holds so many requests so long
        that the server gives up on them.

        The photo is first sent twice, and then at the highest concurrency, unmeasured: first runs allocate. The
        counters are read around each measurement, so a step's times include the few requests that the generator
        sends outside its windows.

        Args:
            announce: is told what is about to be measured.
            known: rows of this series that were measured before; their throughputs count for its peak.

        Raises:
            BenchmarkError: the server refused or did not answer.
        """
        concurrencies, shares = missing(self._series, known)
        if not concurrencies and not shares:
            return
        announce("warming up")
        series, server = self._series, self._served.server
        steps = server.steps(series.model)
        if series.target == "network":
            steps = [self._model]
        answer = server.ask(series.model, self._photo, PARAMETERS[series.result])
        started = time.perf_counter()
        server.ask(series.model, self._photo, PARAMETERS[series.result])
        one = time.perf_counter() - started
        asked = self._seconds
        self._seconds = long_enough(asked, one)
        peak = max((row.photos_per_second for row in known if isinstance(row.load, Closed)), default=0.0)
        with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
            input_data = Path(folder) / "input.json"
            if series.target == "ensemble":
                write_input_data(self._photo, input_data)
            else:
                write_pixel_data(self._photo, answer.network, input_data)
            with suppress(Refused):
                self._closed(Closed(concurrency=max(series.concurrencies)), input_data, self._seconds / 2)
            for concurrency in concurrencies:
                closed = Closed(concurrency=concurrency)
                announce(str(closed))
                try:
                    with _Watch(self._served, steps) as watch:
                        measured = self._closed(closed, input_data, long_enough(asked, one, concurrency))
                except Refused as error:
                    if concurrency == min(series.concurrencies):
                        raise
                    announce(f"{closed} is left out, as {error}")
                    continue
                peak = max(peak, measured.photos_per_second)
                yield self._row(closed, answer, measured, watch, "perf_analyzer")
            for share in shares:
                opened = Open(rate=round(share * peak, 3), share=share)
                announce(str(opened))
                with _Watch(self._served, steps) as watch:
                    measured, generator = self._open(opened, input_data)
                yield self._row(opened, answer, measured, watch, generator)

    def _closed(self, load: Closed, input_data: Path, seconds: float) -> Measurement:
        return patiently(partial(self._analyze, load, input_data), seconds)

    def _open(self, load: Open, input_data: Path) -> tuple[Measurement, str]:
        """Measure with perf_analyzer, or, where requests are refused, with the loop that can count them."""
        if load.share is not None and load.share < 1:
            try:
                return patiently(partial(self._analyze, load, input_data), self._seconds), "perf_analyzer"
            except Refused:
                pass
        request = request_of(self._model, self._photo, self._parameters)
        unmeasured = max(1.0, _PLACES / load.rate)
        send = partial(open_loop, self._served.server.grpc_url, request, rate=load.rate, unmeasured=unmeasured)
        return patiently(send, self._seconds), GENERATOR

    def _analyze(self, load: Load, input_data: Path, seconds: float) -> Measurement:
        over_http = self._series.protocol == "http"
        return self._analyzer.measure(
            self._model,
            url=(self._served.http_url or "") if over_http else self._served.server.grpc_url,
            load=load,
            input_data=input_data,
            seconds=seconds,
            protocol=self._series.protocol,
            parameters=self._parameters,
        )

    def _row(self, load: Load, answer: Answer, measured: Measurement, watch: "_Watch", generator: str) -> Row:
        series = self._series
        return Row(
            model=series.model,
            build=self._served.build,
            weights=answer.weights,
            target=series.target,
            protocol=series.protocol,
            photo=series.photo_text,
            network_size=f"{answer.network[0]}x{answer.network[1]}",
            result=series.result,
            load=load,
            generator=generator,
            steps=tuple(_named_alike(step, series.model) for step in watch.steps),
            round=series.round,
            **asdict(measured),
            **asdict(watch.usage),
        )


class _Watch:
    """Reads the steps' counters before and after a measurement, and watches the server's processes meanwhile."""

    def __init__(self, served: Served, steps: list[str]) -> None:
        self._server = served.server
        self._names = steps
        self._meter = UsageMeter(served.pid)
        self._open = ExitStack()

    def __enter__(self) -> "_Watch":
        self._before = self._server.counters(self._names)
        self._open.enter_context(self._meter)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()
        self.usage = self._meter.usage()
        if error is None:
            after = self._server.counters(self._names)
            self.steps = list(map(step_time, self._names, self._before, after))


def long_enough(seconds: float, one: float, concurrency: int = 1) -> float:
    """Return the length of a measurement that was meant to take `seconds`: longer for a slow network.

    Args:
        seconds: as asked for.
        one: seconds that a photo takes alone.
        concurrency: requests under way at a time.
    """
    answers = max(_ANSWERS, _TURNS * concurrency)
    return max(seconds, min(answers * one, max(_LONG_S, _LEAST_ANSWERS * one)))


def missing(series: Series, known: Sequence[Row]) -> tuple[list[int], list[float]]:
    """Return the concurrencies and the shares of the peak of a series that no row in `known` is of."""
    loads = [row.load for row in known]
    concurrencies = {load.concurrency for load in loads if isinstance(load, Closed)}
    shares = {load.share for load in loads if isinstance(load, Open)}
    return (
        [each for each in series.concurrencies if each not in concurrencies],
        [each for each in series.shares if each not in shares],
    )


def _named_alike(step: Step, model: str) -> Step:
    return Step(**{**asdict(step), "step": step.step.removeprefix(f"{model}_")})


def patiently(measure: Callable[..., Measurement], seconds: float) -> Measurement:
    """Measure for `seconds`, and where a busy machine gave no answer in a part of them, for twice as long.

    Raises:
        TooShort: eight times as long was not enough.
    """
    length = seconds
    while True:
        try:
            return measure(seconds=length)
        except TooShort:
            length *= 2
            if length > _LONGEST * seconds:
                raise
