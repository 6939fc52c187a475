"""The peers: what each is called, which program it is, and with which settings it may do best."""

import itertools
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from pathlib import Path

PROGRAMS = Path(__file__).resolve().parent / "programs"


@dataclass(frozen=True, kw_only=True)
class PeerSettings:
    """What may be set; a program reads what it has.

    Attributes:
        workers: processes that do the work.
        threads: of the network, in each of them.
        at_once: photos that a process works on at a time; 0 leaves it to the framework.
        batch: most photos of one execution of the network; 1 turns batching off.
        fast_queue: LitServe's ZeroMQ transport.
    """

    workers: int
    threads: int = 1
    at_once: int = 0
    batch: int = 1
    fast_queue: bool = False

    @property
    def variables(self) -> dict[str, str]:
        """These, as the programs' environment has them."""
        return {name.upper(): str(int(value)) for name, value in vars(self).items()}

    def __str__(self) -> str:
        parts = [f"{self.workers} workers x {self.threads} threads".replace("1 workers", "1 worker")]
        parts[0] = parts[0].replace("x 1 threads", "x 1 thread")
        parts += [f"{self.at_once} at once"] if self.at_once else []
        parts += [f"batches up to {self.batch}"] if self.batch > 1 else []
        parts += ["fast queue"] if self.fast_queue else []
        return ", ".join(parts)


@dataclass(frozen=True, kw_only=True)
class Peer:
    """One peer.

    Attributes:
        name: as reports have it.
        program: a file of `programs/`, without its ending; beside it are its requirements.
        runtime: "pytorch" or "onnx": what it computes with.
        best: the settings with which it did best on two cores.
        grid: the settings that are tried.
        command: what starts it, after `bin/` of its environment; "{service}" and "{port}" are filled in.
    """

    name: str
    program: str
    runtime: str
    best: PeerSettings
    grid: tuple[PeerSettings, ...]
    command: tuple[str, ...] = field(default=())

    @property
    def build(self) -> str:
        """What it computes with, as the records call it."""
        return "pytorch fp32" if self.runtime == "pytorch" else "onnx fp32"

    def requirements(self) -> list[str]:
        """Return what pip installs for it; ONNX Runtime of the version that serves here."""
        lines = (PROGRAMS / f"{self.program}.txt").read_text().splitlines()
        wanted = [line for line in lines if line and not line.startswith("#")]
        return wanted + ([f"onnxruntime=={version('onnxruntime')}"] if self.runtime == "onnx" else [])

    def started_by(self, environment: Path, settings: PeerSettings, port: int) -> list[str]:
        """Return the command line that starts it."""
        if not self.command:
            return [str(environment / "bin" / "python"), str(PROGRAMS / f"{self.program}.py")]
        service = "Batching" if settings.batch > 1 else "Whole"
        tool, *rest = (part.format(service=service, port=port) for part in self.command)
        return [str(environment / "bin" / tool), *rest]


def peers(cores: int | None = None) -> tuple[Peer, ...]:
    """Return the peers for a machine of `cores` cores, by default this one."""
    cores = cores or len(os.sched_getaffinity(0))
    several = PeerSettings(workers=cores)
    one = PeerSettings(workers=1, threads=cores)
    single = PeerSettings(workers=1)
    return (
        Peer(
            name="fastapi + pytorch",
            program="fastapi_pytorch",
            runtime="pytorch",
            best=several,
            grid=(several, one, single, PeerSettings(workers=cores, threads=cores)),
        ),
        Peer(
            name="fastapi + onnx runtime",
            program="fastapi_onnxruntime",
            runtime="onnx",
            best=replace(single, at_once=2 * cores),
            grid=(several, one, *_each(several, at_once=(1, 2)), *_each(single, at_once=(cores, 2 * cores))),
        ),
        Peer(
            name="litserve + onnx runtime",
            program="litserve_onnxruntime",
            runtime="onnx",
            best=several,
            grid=(*_each(several, batch=(1, 4), fast_queue=(False, True)), *_each(one, batch=(1, 4))),
        ),
        Peer(
            name="bentoml + onnx runtime",
            program="bentoml_onnxruntime",
            runtime="onnx",
            best=replace(several, at_once=1),
            grid=(
                *_each(several, at_once=(1, 2)),
                one,
                *_each(single, at_once=(cores, 2 * cores)),
                *(replace(each, batch=8) for each in (one, replace(one, workers=cores))),
            ),
            command=("bentoml", "serve", "bentoml_onnxruntime:{service}", "--host", "127.0.0.1", "--port", "{port}"),
        ),
    )


def _each(base: PeerSettings, **values: Sequence[int | bool]) -> tuple[PeerSettings, ...]:
    """Return `base` with every combination of the values."""
    changes: list[Mapping[str, int | bool]] = [
        dict(zip(values, combination, strict=True)) for combination in itertools.product(*values.values())
    ]
    return tuple(replace(base, **change) for change in changes)  # type: ignore[arg-type]
