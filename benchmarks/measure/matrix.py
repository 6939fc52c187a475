"""Measures a list of jobs, one server after the other, and keeps every row as soon as it is there."""

import argparse
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from rich.console import Console
from rich.status import Status

from benchmarks.errors import BenchmarkError
from benchmarks.load.perf_analyzer import PerfAnalyzer
from benchmarks.load.photo import jpeg
from benchmarks.measure.limit import measure_limit
from benchmarks.measure.pace import Pace
from benchmarks.measure.plan import Series
from benchmarks.measure.repositories import build_in, export, folder_of
from benchmarks.measure.series import SeriesRun, Served, missing
from benchmarks.measure.server import Server
from benchmarks.record import SERVING, Entry, Limit, Record, Row, add, merge, now
from export.targets.builds import Build
from midas_server.launch import StartFailed, Triton
from reports.machine import this_machine, versions
from reports.records import read_record

_BUSY_PERCENT = 15.0


@dataclass(frozen=True)
class ServerJob:
    """What is measured on one server: series of one model in one build; None is whatever the repository has."""

    model: str
    build: Build | None
    series: Sequence[Series]

    def __str__(self) -> str:
        return self.model if self.build is None else f"{self.model} {self.build}"


class Matrix:
    """A run of the benchmarks.

    Args:
        options: of `benchmarks.commands.arguments.add_measuring_arguments`, with `output` and `command`.
        console: is told what happens.
        keep_going: whether a job that fails is noted in `failures` and the next one begun.
        resume: whether rows that are in the output file already are not measured again.

    Raises:
        BenchmarkError, RecordError: the options contradict each other, or the output file cannot be added to.

    Attributes:
        record: what was measured until now, and what was resumed.
        failures: what could not be measured, in words.
    """

    def __init__(
        self,
        options: argparse.Namespace,
        console: Console,
        *,
        keep_going: bool = False,
        resume: bool = False,
    ) -> None:
        if options.url is not None and len(options.builds) > 1:
            raise BenchmarkError("a running server has one build: name it with --builds, such as tensorrt:fp16")
        self.failures: list[str] = []
        self._options = options
        self._console = console
        self._keep_going = keep_going
        with console.status("setting up perf_analyzer"):
            self._analyzer = PerfAnalyzer()
        found = {"perf_analyzer": self._analyzer.version} | (versions(*SERVING) if options.url is None else {})
        self._header = Record(measured_at=now(), command=options.command, machine=this_machine(), versions=found)
        self.record = self._header
        self._output: Path | None = options.output
        if self._output is not None and self._output.exists():
            # also without resuming: a file that cannot be added to is told before hours of measuring
            earlier = merge(read_record(Record, self._output), self._header)
            if resume:
                self.record = earlier

    def run(self, jobs: Sequence[ServerJob]) -> None:
        """Measure the jobs one after the other.

        Raises:
            BenchmarkError, StartFailed: it could not be measured, and the run does not keep going.
            CannotRunHere: there is no tritonserver for this machine.
        """
        self._introduce()
        pace = Pace(sum(_measurements(series) for job in jobs for series in job.series))
        for job in jobs:
            to_do = {series: self._missing(job, series) for series in job.series}
            done = pace.done + sum(map(_measurements, job.series))
            pace.skip(done - pace.done - sum(to_do.values()))
            if not any(to_do.values()):
                continue
            try:
                self._run(job, [series for series in job.series if to_do[series]], pace)
            except (BenchmarkError, StartFailed) as error:
                if not self._keep_going:
                    raise
                self.failures.append(f"{job}: {error}")
                self._console.print(f"{job} failed: {error}", style="red", markup=False, highlight=False)
            # with what could not be measured
            pace.skip(done - pace.done)

    def _run(self, job: ServerJob, to_do: Sequence[Series], pace: Pace) -> None:
        with self._console.status("") as status, self._serving(job, status) as served:
            self._header = replace(self._header, versions={**self._header.versions, "triton": served.server.version()})
            for series in to_do:

                def announce(text: str, series: Series = series) -> None:
                    left = pace.left()
                    line = f"{pace.done + 1}/{pace.total} {series} ({served.build}): {text}" + (left and f"; {left}")
                    status.update(line)
                    if not self._console.is_terminal:
                        self._console.print(line, highlight=False)

                run = SeriesRun(served, self._analyzer, series, seconds=self._options.seconds)
                for row in run.rows(announce, self._known(job, series)):
                    self._keep(row)
                    pace.step()
                if series.limit and served.pid is not None and not self._limit_known(job, series):
                    announce("the same in one process without a server")
                    self._keep(self._limit(job, series))
                    pace.step()

    def _limit(self, job: ServerJob, series: Series) -> Limit:
        return measure_limit(
            self._repository(job),
            series.model,
            jpeg(*series.photo),
            series.result,
            seconds=self._options.seconds / 2,
            round=series.round,
        )

    def _known(self, job: ServerJob, series: Series) -> list[Row]:
        return [row for row in self.record.rows if row.build == str(job.build) and series.holds(row)]

    def _limit_known(self, job: ServerJob, series: Series) -> bool:
        wanted = (series.model, str(job.build), series.photo_text, series.result, series.round)
        return any(
            wanted == (limit.model, limit.build, limit.photo, limit.result, limit.round) for limit in self.record.limits
        )

    def _missing(self, job: ServerJob, series: Series) -> int:
        """How many measurements of a series the record does not have."""
        concurrencies, shares = missing(series, self._known(job, series))
        limit = series.limit and self._options.url is None and not self._limit_known(job, series)
        return len(concurrencies) + len(shares) + int(limit)

    def _keep(self, entry: Entry) -> None:
        fresh = replace(self._header, measured_at=now())
        if isinstance(entry, Row):
            fresh = replace(fresh, rows=(entry,))
        elif isinstance(entry, Limit):
            fresh = replace(fresh, limits=(entry,))
        self.record = merge(self.record, fresh)
        if self._output is not None:
            add(self._output, self._header, entry)

    def _repository(self, job: ServerJob) -> Path:
        repository: Path = self._options.repository
        return repository if job.build is None else folder_of(job.build)

    @contextmanager
    def _serving(self, job: ServerJob, status: Status) -> Iterator[Served]:
        """Connect to the server at `--url`, or to one that is started here on free ports and stopped afterwards."""
        options = self._options
        with ExitStack() as stack:
            if options.url is not None:
                server = stack.enter_context(Server(options.url))
                server.version()
                server.steps(job.model)
                target = server.target(f"{job.model}_network")
                if job.build is not None and job.build.target != target:
                    raise BenchmarkError(
                        f"{options.url} serves {job.model} with {target}, not with {job.build.target}: name the build "
                        f"that it has, such as --builds {target}:fp32"
                    )
                yield Served(server, target if job.build is None else str(job.build), options.http, pid=None)
                return
            repository = self._repository(job)
            if job.build is not None or (repository.is_dir() and build_in(repository, job.model) is None):
                status.update(f"exporting {job}, if needed")
                export(job.model, repository, job.build)
            status.update(f"starting Triton with {job}")
            triton = stack.enter_context(
                Triton(repository, [job.model], http_port=0, grpc_port=0, metrics_port=0, start_timeout=900)
            )
            server = stack.enter_context(Server(triton.grpc_url))
            build = build_in(repository, job.model) or server.target(f"{job.model}_network")
            yield Served(server, build, triton.http_url, triton.pid)

    def _introduce(self) -> None:
        machine = self._header.machine
        self._console.print(
            f"machine: {machine}; GPU: {machine.gpu or 'none'}\n"
            f"versions: {', '.join(f'{name} {number}' for name, number in self._header.versions.items())}",
            highlight=False,
            markup=False,
        )
        if machine.busy_percent > _BUSY_PERCENT:
            self._console.print(
                f"other programs use {machine.busy_percent:.0f} % of the processor: measure again on an idle machine",
                style="yellow",
            )


def _measurements(series: Series) -> int:
    return len(series.concurrencies) + len(series.shares) + int(series.limit)
