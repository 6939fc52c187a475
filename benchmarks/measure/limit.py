"""The limit: what the machine does with the same photos and steps in one process, without a server."""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from statistics import median

from benchmarks.errors import BenchmarkError
from benchmarks.measure.in_process import InProcess
from benchmarks.measure.repositories import build_in
from benchmarks.measure.series import PARAMETERS
from benchmarks.record import Limit, Result
from midas_server.backends.in_this_process import NetworkStep
from midas_server.cores import cores as usable_cores
from midas_server.errors import InvalidRequest
from midas_server.imaging.probe import probe

_LEAST_PHOTOS = 5
_WARM_UP = 2


@dataclass(frozen=True)
class Sharing:
    """How the cores are shared out: so many photos at a time, each with so many threads in the network."""

    workers: int
    threads: int

    def __str__(self) -> str:
        return f"{self.workers} x {self.threads} thread{'s' if self.threads > 1 else ''}"


def sharings(cores: int) -> list[Sharing]:
    """Return the ways to keep `cores` cores busy that are tried, the one for a single photo first.

    One photo with all threads; ever more photos with ever fewer; and two photos with all threads each, where one is
    decoded while the other is in the network.
    """
    ways = []
    workers = 1
    while workers < cores:
        ways.append(Sharing(workers, -(-cores // workers)))
        workers *= 2
    ways.append(Sharing(cores, 1))
    if cores > 1:
        ways.append(Sharing(2, cores))
    return list(dict.fromkeys(ways))


class LimitRun:
    """Measures the limit of one network, photo and kind of result, in pieces, so that others can be measured between.

    Networks stay open, asleep, until the object goes.

    Args:
        repository: the model repository.
        model: the variant.
        photo: the encoded photo.
        result: what the answer holds.
        cores: how many to keep busy; None takes those that this process may use.
        parameters: further options of a request.
        files: an empty folder, in which each photo is read from a file and each answer is written to one of its own;
            None keeps them in memory.

    Raises:
        BenchmarkError: the network cannot be run in this process, or the photo is refused.

    Attributes:
        sharings: the ways to share out the cores, see `sharings`.
        cpu_ms: processor time of a photo in the last call of `photos_per_second`, in milliseconds.
    """

    def __init__(
        self,
        repository: Path,
        model: str,
        photo: bytes,
        result: Result = "network",
        *,
        cores: int | None = None,
        parameters: Mapping[str, object] | None = None,
        files: Path | None = None,
    ) -> None:
        self._files = files
        self._numbers = count()
        if files is not None:
            (files / "photo").write_bytes(photo)
        self._pipeline = InProcess(repository, model)
        self._photo = photo
        self._parameters = {**PARAMETERS[result], **(parameters or {})}
        self._networks: dict[Sharing, list[NetworkStep]] = {}
        self.cpu_ms = 0.0
        self.sharings = sharings(cores or usable_cores())
        try:
            header = probe(photo)
            self._answer(self._opened(self.sharings[0])[0])
        except InvalidRequest as error:
            raise BenchmarkError(f"the photo is refused: {error}") from error
        self._facts = (model, build_in(repository, model) or "unknown", f"{header.width}x{header.height}", result)

    def one_ms(self, seconds: float) -> float:
        """Return the median milliseconds of one photo at a time, the network with all cores' threads."""
        network = self._opened(self.sharings[0])[0]
        times: list[float] = []
        end = time.perf_counter() + seconds
        while len(times) < _LEAST_PHOTOS or time.perf_counter() < end:
            started = time.perf_counter()
            self._answer(network)
            times.append(1000 * (time.perf_counter() - started))
        return median(times)

    def photos_per_second(self, sharing: Sharing, seconds: float) -> float:
        """Return how many photos a second are answered with the cores shared out like this."""
        networks = self._opened(sharing)
        end = time.perf_counter() + seconds
        # Each worker's rate is taken over its own time: the last photo of one ends after those of the others.
        rates: list[float] = []
        answered: list[int] = []
        failures: list[Exception] = []

        def work(network: NetworkStep) -> None:
            started = time.perf_counter()
            photos = 0
            try:
                while photos < _LEAST_PHOTOS or time.perf_counter() < end:
                    self._answer(network)
                    photos += 1
            except Exception as error:  # noqa: BLE001 - raised again by the thread that waits
                failures.append(error)
            rates.append(photos / (time.perf_counter() - started))
            answered.append(photos)

        cpu = time.process_time()
        workers = [threading.Thread(target=work, args=(network,)) for network in networks]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        if failures:
            raise BenchmarkError(f"the network failed in this process: {failures[0]}") from failures[0]
        self.cpu_ms = 1000 * (time.process_time() - cpu) / sum(answered)
        return sum(rates)

    def best(self, seconds: float, announce: Callable[[str], None] = lambda _: None) -> Sharing:
        """Try every way for `seconds` each, twice, to and fro, and return the one that answers most photos.

        Args:
            seconds: of one try.
            announce: is told each way's photos a second.
        """
        rates: dict[Sharing, list[float]] = {}
        for sharing in (*self.sharings, *reversed(self.sharings)):
            rates.setdefault(sharing, []).append(self.photos_per_second(sharing, seconds))
        figures = {sharing: sum(each) / len(each) for sharing, each in rates.items()}
        announce(", ".join(f"{sharing}: {figure:.1f}/s" for sharing, figure in figures.items()))
        return max(figures, key=lambda sharing: figures[sharing])

    def limit(self, sharing: Sharing, *, photos_per_second: float, one_ms: float, round: int = 1) -> Limit:
        """Return the record's entry of what was measured."""
        model, build, photo, result = self._facts
        return Limit(
            model=model,
            build=build,
            photo=photo,
            result=result,
            photos_per_second=photos_per_second,
            one_ms=one_ms,
            workers=sharing.workers,
            threads=sharing.threads,
            round=round,
        )

    def _opened(self, sharing: Sharing) -> list[NetworkStep]:
        """Return a network for each worker; the first time they are opened, and warmed up."""
        if sharing not in self._networks:
            networks = self._pipeline.networks(sharing.workers, sharing.threads)
            for network in networks:
                for _ in range(_WARM_UP):
                    self._answer(network)
            self._networks[sharing] = networks
        return self._networks[sharing]

    def _answer(self, network: NetworkStep) -> bytes:
        if self._files is None:
            return self._pipeline.answer(self._photo, self._parameters, network)
        answer = self._pipeline.answer((self._files / "photo").read_bytes(), self._parameters, network)
        (self._files / f"answer{next(self._numbers)}").write_bytes(answer)
        return answer


def measure_limit(
    repository: Path,
    model: str,
    photo: bytes,
    result: Result = "network",
    *,
    seconds: float,
    round: int = 1,
    announce: Callable[[str], None] = lambda _: None,
) -> Limit:
    """Measure the limit of a network: one photo at a time, and all cores busy, each for about `seconds`.

    The way to share out the cores is tried out before, for as long again.

    Args:
        repository: the model repository.
        model: the variant.
        photo: the encoded photo.
        result: what the answer holds.
        seconds: length of each of the two measurements.
        round: which time this is measured.
        announce: is told how fast each way to share out the cores was.

    Raises:
        BenchmarkError: the network cannot be run in this process, or the photo is refused.
    """
    run = LimitRun(repository, model, photo, result)
    sharing = run.best(seconds / len(run.sharings) / 2, announce)
    one_ms = run.one_ms(seconds)
    return run.limit(sharing, photos_per_second=run.photos_per_second(sharing, seconds), one_ms=one_ms, round=round)
