"""The record: what was measured, on which machine and with what, as JSON that every part of the benchmarks shares.

`docs/benchmark_record.schema.json` says the same for programs in other languages; `python -m benchmarks.record`
writes it from the dataclasses below.
"""

import argparse
import sys
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Annotated, Literal, TypeAlias, TypeVar

from pydantic import AliasChoices, BeforeValidator, Field
from pydantic.dataclasses import dataclass

from benchmarks.errors import BenchmarkError
from reports.machine import Machine
from reports.records import STRICT, read_record, says, schema, write_record

SCHEMA = Path(__file__).resolve().parent.parent / "docs" / "benchmark_record.schema.json"

Result: TypeAlias = Literal["network", "photo", "png16"]
"""What comes back: float depth at the network's size, float depth at the photo's size, or a 16-bit PNG of that size."""

SERVING = ("midas-server", "nvidia-pytriton", "onnxruntime", "opencv-contrib-python-headless", "numpy")
"""The packages that serve, whose versions belong to every measurement."""

_PHOTO = says("width x height in pixels, for instance 1920x1080")
_BUILD = Field(
    description="target and precision, for instance 'onnx fp32', 'openvino bf16'",
    validation_alias=AliasChoices("build", "format"),  # "format" in records of schema 1
)
_ROUND = says("which time this was measured, from 1, where everything is measured in turn several times")


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Closed:
    """A closed loop: so many requests are under way at any time, the next is sent when an answer is there."""

    kind: Literal["closed"] = "closed"
    concurrency: int

    def __str__(self) -> str:
        return f"{self.concurrency} at a time"


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Open:
    """An open loop: requests are sent at a rate, whether or not the earlier ones were answered."""

    kind: Literal["open"] = "open"
    rate: Annotated[float, says("requests a second")]
    arrivals: Literal["poisson", "constant"] = "poisson"
    share: Annotated[float | None, says("the rate over the highest throughput that the closed loops reached")] = None

    def __str__(self) -> str:
        share = "" if self.share is None else f", {100 * self.share:.0f} % of the peak"
        return f"{self.rate:.3g} a second{share}"


Load: TypeAlias = Annotated[Closed | Open, Field(discriminator="kind")]


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Step:
    """What one step of the pipeline took, per photo, by Triton's own counters; a batch counts for each photo in it."""

    step: Annotated[str, says("preprocess, network or postprocess")]
    queue_ms: Annotated[float, says("wait in the step's queue")]
    compute_ms: Annotated[float, says("the step's own work, without the copies")]
    copy_ms: Annotated[float, says("moving inputs to and outputs from the step")]
    batch: Annotated[float, says("photos in one execution")]


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Row:
    """One measurement of the served network, from the client's side and from the server's.

    Latencies run from before a request is serialised until its answer is there, and are of answered requests only.
    """

    model: str
    build: Annotated[str, _BUILD]
    weights: Annotated[str, says("official, default, untrained, or a digest")]
    target: Annotated[
        Literal["ensemble", "network"],
        says("the whole pipeline, or its network step alone, fed with pixels"),
    ]
    protocol: Literal["grpc", "http"] = "grpc"
    photo: Annotated[str, _PHOTO]
    network_size: Annotated[str, says("width x height of what the network saw")]
    result: Result
    load: Load
    generator: Annotated[str, says("what sent the requests")] = "perf_analyzer"
    photos_per_second: Annotated[float, says("answers a second")]
    mean_ms: float | None = None
    p50_ms: float
    p90_ms: float
    p95_ms: float
    p99_ms: float
    refused: Annotated[float | None, says("share of requests that were refused; null where none may be")] = None
    refused_p99_ms: Annotated[float | None, says("how long a refusal took; null where nothing was refused")] = None
    steps: tuple[Step, ...] = ()
    cpu_cores: Annotated[
        float | None, says("processors' worth of work of the server's processes; null if not known")
    ] = None
    memory_mb: Annotated[float | None, says("private memory of the server's processes; null if not known")] = None
    shared_memory_mb: Annotated[float | None, says("shared memory of the server's processes; null if not known")] = None
    gpu_percent: Annotated[float | None, says("mean busy time of the GPUs; null without one")] = None
    gpu_memory_mb: Annotated[float | None, says("memory in use on the GPUs; null without one")] = None
    gpu_clock_mhz: Annotated[float | None, says("mean clock of the GPUs' processors meanwhile; null without one")] = (
        None
    )
    gpu_power_w: Annotated[float | None, says("power that the GPUs drew meanwhile; null without one")] = None
    round: Annotated[int, _ROUND] = 1

    @property
    def key(self) -> Hashable:
        """What was measured; a later row of the same key replaces an earlier one."""
        load = self.load
        at = load.concurrency if isinstance(load, Closed) else (load.arrivals, load.share or load.rate)
        what = (self.model, self.build, self.target, self.protocol, self.photo, self.result)
        return ("row", *what, load.kind, at, self.round)


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Limit:
    """The same photos through the same steps in one process, without a server: what the machine can do at most."""

    model: str
    build: Annotated[str, _BUILD]
    photo: Annotated[str, _PHOTO]
    result: Result
    photos_per_second: Annotated[float, says("with all cores busy")]
    one_ms: Annotated[float, says("median time of one photo at a time, with all cores for it")]
    workers: Annotated[int | None, says("photos under way at a time; null if not known")] = None
    threads: Annotated[int | None, says("threads of the network for each of them; null if not known")] = None
    round: Annotated[int, _ROUND] = 1

    @property
    def key(self) -> Hashable:
        """What was measured; a later limit of the same key replaces an earlier one."""
        return ("limit", self.model, self.build, self.photo, self.result, self.round)


@dataclass(frozen=True, kw_only=True, config=STRICT)
class PeerRow:
    """One way to serve the same network, under the same load generator; "midas on triton" is this project's."""

    peer: Annotated[str, says("for instance 'midas on triton', 'fastapi + pytorch'")]
    model: str
    build: Annotated[str, _BUILD]
    photo: Annotated[str, _PHOTO]
    result: Result = "network"
    clients: Annotated[int, says("each sends its next photo when it has its answer")]
    photos_per_second: Annotated[float, says("answers a second")]
    p50_ms: float
    p99_ms: float
    answered: int
    lost: Annotated[int, says("requests without a depth map for an answer")]
    round: Annotated[int, _ROUND] = 1

    @property
    def key(self) -> Hashable:
        """What was measured; a later peer of the same key replaces an earlier one."""
        return ("peer", self.peer, self.model, self.build, self.photo, self.result, self.clients, self.round)


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Choice:
    """What `python -m export NAME --target auto` chose on the machine, with its own figures, see docs/export.md."""

    model: str
    goal: Literal["latency", "throughput"]
    build: Annotated[str, _BUILD]
    instances: Annotated[int, says("of the network step")]
    max_batch_size: Annotated[int, says("most photos of one execution of the network")]
    error: Annotated[float, says("relative error against float32 on photos")]
    alone_ms: Annotated[float, says("one photo alone, the steps in one process")]
    photos_per_second: Annotated[float, says("at full load, the steps in one process")]

    @property
    def key(self) -> Hashable:
        """What was chosen; a later choice of the same key replaces an earlier one."""
        return ("choice", self.model, self.goal)

    @property
    def speed(self) -> float:
        """What the goal asks for; the larger, the better."""
        return self.photos_per_second if self.goal == "throughput" else 1000 / self.alone_ms


@dataclass(frozen=True, kw_only=True, config=STRICT)
class NetworkRow:
    """A network alone on its device, without the steps around it and without a server: `python -m benchmarks gpu`."""

    model: str
    runtime: Annotated[str, says("'pytorch eager', 'pytorch compiled', 'onnx runtime' or 'tensorrt'")]
    precision: Annotated[str, says("fp32, fp16 or bf16")]
    device: Annotated[str, says("cuda or cpu")]
    batch: Annotated[int, says("images of one execution")]
    network_size: Annotated[str, says("width x height of an image")]
    images_per_second: Annotated[float, says("images a second")]
    ms: Annotated[float, says("median of one execution")]
    memory_mb: Annotated[float | None, says("most memory on the device; null if not known")] = None
    gpu_clock_mhz: Annotated[float | None, says("mean clock of the GPU's processors; null if not known")] = None
    gpu_power_w: Annotated[float | None, says("mean power of the GPU; null if not known")] = None

    @property
    def key(self) -> Hashable:
        """What was measured; a later row of the same key replaces an earlier one."""
        return ("network", self.model, self.runtime, self.precision, self.device, self.batch)


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Record:
    """Everything that was measured on one machine. JSON names are the fields' names."""

    schema: Annotated[Literal[2], BeforeValidator(lambda number: 2 if number == 1 else number)] = 2
    measured_at: Annotated[str, says("ISO 8601, the latest measurement")]
    command: Annotated[str, says("what repeats it; a line for each of several commands")]
    machine: Machine
    versions: dict[str, str]
    note: Annotated[str, says("what else a reader has to know of the figures")] = ""
    rows: tuple[Row, ...] = ()
    limits: tuple[Limit, ...] = ()
    peers: tuple[PeerRow, ...] = ()
    choices: tuple[Choice, ...] = ()
    networks: tuple[NetworkRow, ...] = ()


Entry: TypeAlias = Row | Limit | PeerRow | Choice
_Entry = TypeVar("_Entry", bound=Entry | NetworkRow)


def now() -> str:
    """Return the time as `Record.measured_at` has it, for instance "2026-11-22T19:31:18+00:00"."""
    return datetime.now(timezone.utc).isoformat(timespec="seconds")


def merge(earlier: Record, later: Record) -> Record:
    """Return both as one record: where both have an entry of the same key, the later one's; its header too.

    Raises:
        BenchmarkError: they are of different machines, so that one header would be wrong for some entries.
    """
    if earlier.machine.name != later.machine.name:
        raise BenchmarkError(
            f"a record belongs to one machine: this one to {earlier.machine.name}, the new figures to "
            f"{later.machine.name}. Write them to a file of their own; a report takes several"
        )
    commands = [*earlier.command.splitlines(), *later.command.splitlines()]
    return replace(
        later,
        command="\n".join(dict.fromkeys(commands)),
        note="\n".join(dict.fromkeys(filter(None, (earlier.note, later.note)))),
        versions={**earlier.versions, **later.versions},
        rows=_newest(earlier.rows, later.rows),
        limits=_newest(earlier.limits, later.limits),
        peers=_newest(earlier.peers, later.peers),
        choices=_newest(earlier.choices, later.choices),
        networks=_newest(earlier.networks, later.networks),
    )


def by_machine(records: Iterable[Record]) -> list[Record]:
    """Merge the records of each machine, the latest on top; the machines stay in the order in which they came."""
    merged: dict[str, Record] = {}
    for record in sorted(records, key=lambda record: record.measured_at):
        name = record.machine.name
        merged[name] = merge(merged[name], record) if name in merged else record
    return list(merged.values())


def add(file: Path, header: Record, *entries: Entry) -> Record:
    """Add what was just measured to `file`, or begin it; return the whole.

    Called after every measurement, so that an interrupted run keeps what it has. What another program added to the
    file in the meantime stays in it.

    Args:
        file: the record.
        header: whose machine, versions and command the entries belong to; its own entries are added as well.
        entries: rows, limits, peers and choices.

    Raises:
        RecordError: the file is not a record, or cannot be written.
        BenchmarkError: it is of another machine.
    """
    fresh = replace(
        header,
        measured_at=now(),
        rows=(*header.rows, *(entry for entry in entries if isinstance(entry, Row))),
        limits=(*header.limits, *(entry for entry in entries if isinstance(entry, Limit))),
        peers=(*header.peers, *(entry for entry in entries if isinstance(entry, PeerRow))),
        choices=(*header.choices, *(entry for entry in entries if isinstance(entry, Choice))),
    )
    whole = merge(read_record(Record, file), fresh) if file.exists() else fresh
    write_record(file, whole)
    return whole


def schema_text() -> str:
    """Return the text of `SCHEMA`."""
    return schema(Record, "A record of midas-on-triton's benchmarks")


def _newest(earlier: Sequence[_Entry], later: Sequence[_Entry]) -> tuple[_Entry, ...]:
    newest: dict[Hashable, _Entry] = {entry.key: entry for entry in (*earlier, *later)}
    return tuple(newest.values())


if __name__ == "__main__":
    argparse.ArgumentParser(prog="python -m benchmarks.record", description=f"Write {SCHEMA.name} anew.").parse_args()
    SCHEMA.write_text(schema_text())
    sys.stdout.write(f"written to {SCHEMA}\n")
