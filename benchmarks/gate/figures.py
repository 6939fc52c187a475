"""What one repetition of the regression gate measures, each figure for a few seconds, one after the other."""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks.gate.ratios import RATIOS, Ratio, Repetition
from benchmarks.load.measurement import Measurement
from benchmarks.load.perf_analyzer import PerfAnalyzer
from benchmarks.load.photo import jpeg, write_input_data
from benchmarks.measure.limit import LimitRun, Sharing
from benchmarks.measure.plan import PhotoSize
from benchmarks.measure.repositories import FOLDER, export, folder_of
from benchmarks.measure.series import PARAMETERS, patiently
from benchmarks.record import Closed, Result
from export.targets.builds import Build
from midas_server.launch import Triton

BUILDS = {
    "served": Build.named("onnx", "fp32"),
    "int8": Build.named("onnx", "int8"),
    "bf16": Build.named("openvino", "bf16"),
}
"""The builds that are served, by the figure that is their throughput."""

AT = 8
"""Requests under way at a time."""

_WARM_UP_S = 1.0


@dataclass(frozen=True)
class Bench:
    """What the gate measures.

    Attributes:
        model: the network.
        photo: width and height of the photo.
        seconds: length of one measurement.
        ratios: what its figures are for; others are not measured.
        served_photo: of the photo that the servers get, where it is another one. A larger one slows down what is
            served, and nothing else.
        folder: of the repositories.
    """

    model: str
    photo: PhotoSize
    seconds: float
    ratios: Sequence[Ratio] = RATIOS
    served_photo: PhotoSize | None = None
    folder: Path = FOLDER

    @property
    def figures(self) -> set[str]:
        """The names of what is measured."""
        return {name for ratio in self.ratios for name in (ratio.top, ratio.bottom)}

    @property
    def builds(self) -> list[str]:
        """The keys of `BUILDS` that are served."""
        return [name for name in BUILDS if name == "served" or name in self.figures]

    def export(self) -> None:
        """Export the network in each build, unless it is there.

        Raises:
            BenchmarkError: the exporter refused.
        """
        for name in self.builds:
            export(self.model, self._repository(name), BUILDS[name])

    def repetitions(self, count: int, analyzer: PerfAnalyzer, announce: Callable[[str], None]) -> list[Repetition]:
        """Start a server for each build, measure everything `count` times, and stop the servers.

        Every second repetition goes backwards, so that a machine that slows down steadily favours no figure.

        Raises:
            BenchmarkError, CannotRunHere, StartFailed: it could not be measured.
        """
        announce("starting the servers")
        with self._servers() as servers, tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
            input_data = Path(folder) / "photo.json"
            write_input_data(jpeg(*(self.served_photo or self.photo)), input_data)
            announce("sharing out the cores for the steps in this process")
            alone = LimitRun(self._repository("served"), self.model, jpeg(*self.photo))
            steps = self._steps(servers, alone, alone.best(_WARM_UP_S / 2), analyzer, input_data)
            for name, server in servers.items():
                announce(f"warming up {name}")
                for concurrency in (AT, 1):
                    _served(analyzer, server, self.model, input_data, concurrency, seconds=_WARM_UP_S)
            done: list[Repetition] = []
            for number in range(count):
                figures: dict[str, float] = {}
                for name, measure in reversed(steps) if number % 2 else steps:
                    announce(f"repetition {number + 1} of {count}: {name}")
                    figures[name] = measure()
                done.append(figures)
        return done

    def _steps(
        self, servers: dict[str, Triton], alone: LimitRun, sharing: Sharing, analyzer: PerfAnalyzer, input_data: Path
    ) -> list[tuple[str, Callable[[], float]]]:
        """Return what is measured, by the names that `RATIOS` uses; what is compared adjoins."""
        main = servers["served"]

        def rate(server: Triton, result: Result = "network", protocol: str = "grpc") -> float:
            return _served(
                analyzer,
                server,
                self.model,
                input_data,
                AT,
                seconds=self.seconds,
                result=result,
                protocol=protocol,
            ).photos_per_second

        def one() -> float:
            return _served(analyzer, main, self.model, input_data, 1, seconds=self.seconds).p50_ms

        steps: list[tuple[str, Callable[[], float]]] = [
            ("in-process one ms", lambda: alone.one_ms(self.seconds)),
            ("served one ms", one),
            ("in-process", lambda: alone.photos_per_second(sharing, self.seconds)),
            *((name, partial(rate, server)) for name, server in servers.items()),
            ("photo size", partial(rate, main, "photo")),
            ("http", partial(rate, main, "photo", "http")),
        ]
        return [(name, measure) for name, measure in steps if name in self.figures]

    @contextmanager
    def _servers(self) -> Iterator[dict[str, Triton]]:
        with ExitStack() as stack:
            yield {
                name: stack.enter_context(
                    Triton(
                        self._repository(name),
                        [self.model],
                        http_port=0,
                        grpc_port=0,
                        metrics_port=0,
                        exit_timeout=2,
                    )
                )
                for name in self.builds
            }

    def _repository(self, name: str) -> Path:
        return folder_of(BUILDS[name], self.folder)


def _served(
    analyzer: PerfAnalyzer,
    server: Triton,
    model: str,
    input_data: Path,
    concurrency: int,
    *,
    seconds: float,
    result: Result = "network",
    protocol: str = "grpc",
) -> Measurement:
    """Measure a served network; over HTTP, which takes no options, the result is depth at the photo's size."""
    measure = partial(
        analyzer.measure,
        model,
        url=server.grpc_url if protocol == "grpc" else server.http_url,
        load=Closed(concurrency=concurrency),
        input_data=input_data,
        protocol=protocol,
        parameters=PARAMETERS[result] if protocol == "grpc" else {},
    )
    return patiently(measure, seconds)
