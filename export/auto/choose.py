"""Export every build that this machine can run beside the repository, time each, and put the best one into it."""

import json
import subprocess
import sys
import time
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from pathlib import Path
from statistics import mean
from tempfile import TemporaryDirectory

import psutil

from export.auto.candidates import ONNX, candidates
from export.auto.choice import FILE, Choice, Goal, Place, Timed, Wish, best
from export.auto.timing import Times
from export.commands.pipeline import Exported, Float32Graph, Reference, finish
from export.commands.progress import silent
from export.commands.request import ExportRequest
from export.errors import AutoError
from export.repository.configs import network_configs, small
from export.repository.manifest import Manifest, as_served
from export.repository.scheduling import INSTANCES
from export.repository.served_config import config_of
from export.repository.swap import remove
from export.repository.write import write_network
from export.targets.builds import Build
from export.targets.verdict import BOUNDS
from export.variants.row import ServedNetwork
from midas_server.repository import CONFIG_FILE, MANIFEST_FILE, PYTHON_BACKEND_CONFIG, version_folder

EACH = 1.0
"""Seconds that one photo at a time is timed, and half of those at full load."""

_ROOT = Path(__file__).resolve().parents[2]
_LONGEST = 900
_FORGOTTEN = 3600
_BUSY_PERCENT = 25.0
_FINALISTS = 2
_NEAR = 0.8
"""How much of the fastest build's speed makes a finalist, which is timed again and with other settings."""


@dataclass(frozen=True)
class _Settings:
    instances: int
    max_batch_size: int


@dataclass(frozen=True)
class _Tried:
    """A build that was exported, the settings that export wrote, and what was timed with which settings."""

    done: Exported
    repository: Path
    usual: _Settings
    error: float
    bound: float | None
    times: dict[_Settings, list[Times]] = field(default_factory=dict)

    def rows(self) -> list[Timed]:
        return [
            Timed(
                build=str(self.done.manifest.build),
                **vars(settings),
                usual=settings == self.usual,
                error=self.error,
                bound=self.bound,
                alone_ms=round(mean(each.alone_ms for each in times), 2),
                photos_per_second=round(mean(each.photos_per_second for each in times), 2),
            )
            for settings, times in self.times.items()
        ]

    def others(self) -> list[_Settings]:
        """The other settings to try: a single instance, which then has all cores, or two; one photo at a time.

        OpenVINO computes one at a time anyway, and a batch saves it only waits that are not seen here.
        """
        most = INSTANCES if small(self.done.network) else self.usual.instances
        batch = self.usual.max_batch_size
        batches = [batch] if self.done.manifest.target == "openvino" else [batch, 1]
        tried = [_Settings(instances, size) for size in batches for instances in (1, most)]
        return [settings for settings in dict.fromkeys(tried) if settings != self.usual]


def choose(graph: Float32Graph, reference: Reference, request: ExportRequest) -> Exported:
    """Time the builds of a network, write the best one into the repository, and say which and why.

    Raises:
        AutoError: no build could be timed, or none is as accurate as asked.
        RepositoryWriteError: the repository could not be written; it is as it was.
    """
    wish = request.auto or Wish()
    goal = wish.goal or "throughput"
    trial = _Trial(graph, reference, request, wish, goal)
    request.say(
        f"  Measuring which build is the fastest on this machine ({goal}): about {wish.seconds:.0f} s at most, once. "
        "A build that you name with --target is written without measuring."
    )
    busy = psutil.cpu_percent(interval=0.5)
    if busy > _BUSY_PERCENT:
        request.warn(
            f"other programs use {busy:.0f} % of the processor, so the choice may be wrong. To measure again later: "
            f"python -m export {graph.network.name} --target auto"
        )
    where = request.repository.resolve()
    where.parent.mkdir(parents=True, exist_ok=True)
    for left in where.parent.glob(f".{where.name}.tried-*"):
        if time.time() - left.stat().st_mtime > _FORGOTTEN:
            remove(left)  # of a run that was killed
    with TemporaryDirectory(prefix=f".{where.name}.tried-", dir=where.parent) as folder:
        trial.builds(Path(folder))
        trial.finalists()
        return trial.write()


class _Trial:
    def __init__(
        self, graph: Float32Graph, reference: Reference, request: ExportRequest, wish: Wish, goal: Goal
    ) -> None:
        self._graph, self._reference, self._request = graph, reference, request
        self._wish, self._goal = wish, goal
        self._started = time.monotonic()
        self._tried: dict[str, _Tried] = {}
        self._left_out: dict[str, str] = {}

    @property
    def _time_is_up(self) -> bool:
        return time.monotonic() - self._started > self._wish.seconds

    def builds(self, folder: Path) -> None:
        """Export and time every build as export writes it, until time is up."""
        builds, left_out = candidates()
        self._left_out.update(left_out)
        for build in builds:
            if self._tried and self._time_is_up:
                self._left_out[str(build)] = f"time was up after {self._wish.seconds:g} s"
                continue
            try:
                tried = self._exported(build, folder / f"{build.target}_{build.precision}")
                self._time(tried, tried.usual)
                self._tried[str(build)] = tried
            except Exception as error:  # noqa: BLE001 - runtimes raise kinds of their own; such a build just loses
                self._left_out[str(build)] = (str(error).strip().splitlines() or [type(error).__name__])[0]
        for name, why in self._left_out.items():
            self._request.say(f"  not measured: {name}: {why}")
        if not self._tried:
            raise AutoError(
                f"no build of {self._graph.network.name} could be timed: {'; '.join(self._left_out.values())}"
            )

    def finalists(self) -> None:
        """Time the fastest builds once more, and with other settings, while there is time."""
        rows = [row for tried in self._tried.values() for row in tried.rows() if row.fits]
        rows.sort(key=lambda row: row.speed(self._goal), reverse=True)
        near = [row for row in rows[:_FINALISTS] if row.speed(self._goal) >= _NEAR * rows[0].speed(self._goal)]
        finalists = [self._tried[row.build] for row in near]
        again = [(tried, tried.usual) for tried in finalists if len(finalists) > 1]
        other = [(tried, settings) for tried in finalists for settings in tried.others()]
        for tried, settings in again + other:
            if not self._time_is_up:
                self._time(tried, settings)

    def write(self) -> Exported:
        """Write the best into the repository, with the choice beside it."""
        table = [row for tried in self._tried.values() for row in tried.rows()]
        chosen = best(table, self._goal)
        tried = self._tried[chosen.build]
        version = version_folder(tried.repository, self._graph.network.name)
        contents = {file.name: file.read_bytes() for file in version.iterdir() if file.name != MANIFEST_FILE}
        place = Place.here()
        choice = Choice(
            goal=self._goal,
            max_error=self._wish.max_error,
            place=place,
            measured_at=datetime.now(timezone.utc).isoformat(timespec="seconds"),
            seconds=round(time.monotonic() - self._started, 1),
            chosen=chosen,
            table=table,
            left_out=self._left_out,
        )
        settings = None if chosen.usual else {"instances": chosen.instances, "max_batch_size": chosen.max_batch_size}
        manifest = replace(tried.done.manifest, chosen="auto", settings=settings)
        written = write_network(
            self._request.repository, self._graph.network, contents | {FILE: choice.to_json().encode()}, manifest
        )
        self._request.say(self._told(choice))
        return Exported(as_served(self._graph.network, manifest), manifest, written)

    def _bound(self, build: Build) -> float | None:
        """What the error of a build has to stay below: the depth of untrained weights means nothing."""
        if self._wish.max_error is not None:
            return self._wish.max_error
        return None if self._graph.source.weights == "untrained" else BOUNDS[build.precision]

    def _exported(self, build: Build, repository: Path) -> _Tried:
        alone = replace(
            self._request,
            repository=repository,
            target=build.target,
            precision=build.precision,
            auto=None,
            say=silent,
        )
        started = time.monotonic()
        done = finish(self._graph, None if build == ONNX else self._reference, alone)
        against = done.manifest.against_fp32
        error = against["error"] if against else self._graph.source.parity or 0.0
        self._request.say(f"  {build} exported, error {error:.1e} ({time.monotonic() - started:.1f} s)")
        return _Tried(done, repository, _settings(self._graph.network, done.manifest), error, self._bound(build))

    def _time(self, tried: _Tried, settings: _Settings) -> None:
        """Time a build in a process of its own; raises AutoError where it fails."""
        started = time.monotonic()
        name = self._graph.network.name
        words = [str(tried.repository), name, str(settings.instances), str(settings.max_batch_size), str(EACH)]
        try:
            done = subprocess.run(
                [sys.executable, "-m", "export.auto.timing", *words],
                cwd=_ROOT,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=_LONGEST,
                check=False,
            )
            times = Times(**json.loads(done.stdout)) if done.returncode == 0 else None
        except (OSError, subprocess.TimeoutExpired, ValueError, TypeError) as error:
            raise AutoError(f"it could not be timed: {error}") from error
        if times is None:
            raise AutoError(f"it could not be timed: {(done.stderr.strip().splitlines() or ['it was killed'])[-1]}")
        tried.times.setdefault(settings, []).append(times)
        row = next(row for row in tried.rows() if (row.instances, row.max_batch_size) == tuple(vars(settings).values()))
        self._request.say(
            f"  {row}: {times.alone_ms:.1f} ms alone, {times.photos_per_second:.1f} photos/s at full load "
            f"({time.monotonic() - started:.1f} s)"
        )

    def _told(self, choice: Choice) -> str:
        chosen = choice.chosen
        base = next((row for row in choice.table if row.build == str(ONNX) and row.usual), chosen)
        figure = (
            f"{chosen.photos_per_second:.1f} photos/s at full load"
            if choice.goal == "throughput"
            else f"{chosen.alone_ms:.1f} ms for one photo alone"
        )
        against = chosen.speed(choice.goal) / base.speed(choice.goal)
        return (
            f"  chosen: {chosen}: {figure}, {against:.2f} times as fast as {ONNX}, error {chosen.error:.1e}. "
            f"It holds for {choice.place}, with these versions of the runtimes; elsewhere it is measured again"
        )


def _settings(network: ServedNetwork, manifest: Manifest) -> _Settings:
    """What export writes for a build into the config of the network step that a bare machine reads."""
    configs = network_configs(network, manifest.build, manifest.files)
    config = config_of(configs.get(PYTHON_BACKEND_CONFIG, configs[CONFIG_FILE]))
    return _Settings(config["instance_group"][0].get("count", 1), config["max_batch_size"])
