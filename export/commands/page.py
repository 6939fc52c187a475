"""The export report: its record, and the record as a page with a plot."""

from collections.abc import Sequence
from pathlib import Path

from pydantic.dataclasses import dataclass

from export.commands.measure import NetworkCost
from export.repository.manifest import Manifest
from export.variants import VARIANTS
from reports.machine import Machine
from reports.page import markdown
from reports.plots.bars import Bar, Group, Part, bars
from reports.plots.sheet import Chart, Picture
from reports.records import STRICT
from reports.tables import Table

_TEMPLATE = Path(__file__).with_name("page.md")


@dataclass(frozen=True, kw_only=True, config=STRICT)
class NetworkRow:
    """One exported network.

    Attributes:
        name: of the network.
        form: "onnx fp32" and the like.
        weights: as its manifest has them.
        size: of the model files in bytes.
        parameters: of the PyTorch network; None for a network that is not in the table.
        gflops: for one image at the default size, a multiplication and an addition as two; None as above.
        error: relative, against PyTorch: on photos where the build was judged on them, else on noise.
        milliseconds: for an image; None where it was not timed.
        threads: processor cores that the runtime could use.
    """

    name: str
    form: str
    weights: str
    size: int
    parameters: int | None
    gflops: float | None
    error: float | None
    milliseconds: float | None
    threads: int

    @property
    def untrained(self) -> bool:
        """Whether its weights are."""
        return self.weights == "untrained"


@dataclass(frozen=True, kw_only=True, config=STRICT)
class ExportReport:
    """Everything that a report says.

    Attributes:
        measured_on: the date.
        command: what repeats it.
        machine: where it was measured.
        versions: of the libraries, by their names.
        rows: of the networks.
        left_out: why a network has no row, by its name.
    """

    measured_on: str
    command: str
    machine: Machine
    versions: dict[str, str]
    rows: tuple[NetworkRow, ...]
    left_out: dict[str, str]


def row_of(manifest: Manifest, size: int, measured: NetworkCost) -> NetworkRow:
    """Return the row of an exported network.

    Args:
        manifest: what export noted.
        size: of the model files in bytes.
        measured: here. Of a TensorRT plan that cannot run here, the time is what its GPU took when it was exported.
    """
    against = manifest.against_fp32
    milliseconds = measured.milliseconds
    if milliseconds is None and manifest.build == "tensorrt" and against:
        milliseconds = against["milliseconds"]
    return NetworkRow(
        name=manifest.variant,
        form=f"{manifest.build} {manifest.precision}",
        weights=manifest.weights,
        size=size,
        parameters=measured.parameters,
        gflops=measured.gflops,
        error=against["error"] if against else manifest.parity,
        milliseconds=milliseconds,
        threads=measured.threads,
    )


def page(report: ExportReport, name: str) -> tuple[str, Picture]:
    """Return a report as Markdown, and the plot that belongs beside it; ``name`` is the files', without a suffix."""
    names = list(dict.fromkeys(row.name for row in report.rows))
    untrained = list(dict.fromkeys(row.name for row in report.rows if row.untrained))
    sides: dict[int, list[str]] = {}
    for variant in (VARIANTS[name] for name in names if name in VARIANTS):
        sides.setdefault(variant.resolution, []).append(variant.name)
    picture = plot(report.rows).picture(name)
    text = markdown(
        _TEMPLATE,
        report=report,
        table=_table(report.rows),
        picture=picture,
        untrained="All networks" if untrained == names else ", ".join(untrained),
        threads=", ".join(map(str, sorted({row.threads for row in report.rows}))),
        plans=any(row.form.startswith("tensorrt ") for row in report.rows),
        sides=sorted(sides.items()),
    )
    return text, picture


def plot(rows: Sequence[NetworkRow]) -> Chart:
    """Return a chart with a bar for each network and build, as long as its time; those without a time are left out."""
    timed = [row for row in rows if row.milliseconds]
    forms = list(dict.fromkeys(row.form for row in timed))
    groups = []
    for name in dict.fromkeys(row.name for row in timed):
        own = [row for row in timed if row.name == name]
        drawn = [
            Bar([Part(forms.index(row.form), ms)], f"{ms:,.0f} ms, {row.size / 1e6:,.0f} MB")
            for row in own
            if (ms := row.milliseconds)
        ]
        groups.append(Group(name + ("*" if all(row.untrained for row in own) else ""), drawn))
    note = "; * untrained weights" if any(row.untrained for row in timed) else ""
    return bars(
        "Time for an image by network and build" if timed else "Nothing could be timed on this machine",
        groups,
        series=forms,
        across=f"ms an image, median (shorter is better; logarithmic){note}",
        words="Time for an image by network and build",
        log=True,
    )


def _table(rows: Sequence[NetworkRow]) -> Table:
    lines = [
        [
            row.name,
            row.form,
            row.weights[:15],  # of a digest, the first 8 digits
            f"{row.size / 1e6:.1f}",
            "" if row.parameters is None else f"{row.parameters / 1e6:.1f}",
            "" if row.gflops is None else f"{row.gflops:.1f}",
            "" if row.error is None else f"{row.error:.1e}",
            "" if row.milliseconds is None else f"{row.milliseconds:,.0f}",
        ]
        for row in rows
    ]
    head = ("network", "build", "weights", "MB", "parameters, M", "GFLOPs", "error", "ms an image")
    return Table(head, lines, words=3)
