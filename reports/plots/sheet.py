"""A sheet to plot on, in the style that all plots share, and what it becomes: SVG or PNG, the same bytes each time."""

import io
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from html import escape
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from reports.palette import LIGHT, SERIES, VARIABLES, css

WIDTH = 7.2
"""Inches, of 72 pixels each: a page has room for two side by side."""

_STYLE: dict[Any, Any] = {
    "font.family": ["sans-serif"],
    "font.sans-serif": ["DejaVu Sans", "Verdana"],
    "font.size": 9.5,
    "text.color": LIGHT["ink"],
    "figure.constrained_layout.h_pad": 0.1,
    "figure.constrained_layout.w_pad": 0.12,
    "figure.facecolor": LIGHT["card"],
    "axes.facecolor": LIGHT["card"],
    "axes.edgecolor": LIGHT["faint"],
    "axes.labelcolor": LIGHT["soft"],
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "grid.color": LIGHT["faint"],
    "grid.linewidth": 0.8,
    "xtick.color": LIGHT["soft"],
    "ytick.color": LIGHT["soft"],
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    "xtick.minor.size": 0,
    "ytick.minor.size": 0,
    "legend.frameon": False,
    "lines.linewidth": 2,
    "lines.markersize": 6,
    "svg.fonttype": "none",
    "svg.hashsalt": "reports",
}
_MARKERS = "osD^"
_NOT_REFERRED_TO = re.compile(r' id="(?![mp][0-9a-f]{10}")[^"]*"')


@dataclass(frozen=True)
class Picture:
    """A plot as SVG whose colours are the page's variables; it is drawn when its text is first asked for.

    Attributes:
        name: its file's, without a suffix.
        words: what it shows, for who cannot see it.
        draw: returns its text.
    """

    name: str
    words: str
    draw: Callable[[], str]

    @cached_property
    def svg(self) -> str:
        """The text, for a page that sets the variables."""
        return self.draw()

    @property
    def file(self) -> str:
        """The file's name."""
        return f"{self.name}.svg"

    def standalone(self) -> str:
        """Return the plot as a file, with the colours of the reader's preference in it."""
        return self.svg.replace(">", f"><style>{css()}</style>", 1) + "\n"


styled = mpl.rc_context(_STYLE)
"""Decorates the functions that draw, so that what they make has the style."""


class Sheet:
    """A figure with one or more axes below each other, in a function that is `styled`.

    Args:
        height: in inches.
        panels: how many axes.
    """

    def __init__(self, height: float, panels: int = 1) -> None:
        self.figure = Figure(figsize=(WIDTH, height), layout="constrained")
        self.panels: list[Axes] = list(self.figure.subplots(panels, squeeze=False)[:, 0])
        self.axes = self.panels[0]
        self._tips: list[str] = []

    def tip(self, artist: Artist, words: str) -> None:
        """Show `words` when the pointer rests on `artist`; in SVG only."""
        if words:
            artist.set_gid(f"tip{len(self._tips)}")
            self._tips.append(words)

    def legend(self, names: Sequence[str], *, boxes: bool = False) -> None:
        """Name the series 0, 1, ... below the axes."""
        if not names:
            return
        handles = [
            Line2D([], [], color=colour(n), linestyle="", marker="s" if boxes else marker(n), label=name)
            for n, name in enumerate(names)
        ]
        columns = max(1, min(len(names), 84 // (4 + max(map(len, names)))))
        self.figure.legend(handles=handles, loc="outside lower left", ncols=columns, handletextpad=0.2, columnspacing=1)

    @styled
    def save_png(self, file: Path) -> None:
        """Write the sheet as PNG."""
        self.figure.savefig(file, format="png", dpi=144, metadata={"Software": None})

    @styled
    def svg(self, words: str) -> str:
        """Return the sheet as SVG whose colours are variables; `words` say what it shows."""
        written = io.StringIO()
        self.figure.savefig(written, format="svg", metadata=dict.fromkeys(("Date", "Creator", "Format", "Type")))
        svg = written.getvalue()
        for number, tip in enumerate(self._tips):
            svg = svg.replace(f'<g id="tip{number}">', f"<g><title>{escape(tip)}</title>", 1)
        for light, variable in VARIABLES.items():
            svg = svg.replace(light, f"var({variable})")
        svg = _NOT_REFERRED_TO.sub("", svg[svg.index("<svg") :]).replace("<svg ", '<svg role="img" ', 1)
        svg = re.sub(r"\s*\n\s*", " ", svg).replace("> <", "><").strip()
        return svg.replace(">", f"><title>{escape(words)}</title>", 1)


@dataclass(frozen=True)
class Chart:
    """A plot that is drawn when its text or file is asked for.

    Attributes:
        words: what it shows, for who cannot see it.
        draw: returns it on a sheet.
    """

    words: str
    draw: Callable[[], Sheet]

    def picture(self, name: str) -> Picture:
        """Return the plot as SVG; what a file's name should not have is replaced in `name`."""
        return Picture(re.sub(r"[^\w.-]+", "-", name), self.words, lambda: self.draw().svg(self.words))

    def save_png(self, file: Path) -> None:
        """Write the plot as PNG."""
        self.draw().save_png(file)


def colour(series: int) -> str:
    """Return the colour of a series."""
    return SERIES[series % len(SERIES)]


def marker(series: int) -> str:
    """Return the shape of a series' points."""
    return _MARKERS[series % len(_MARKERS)]


def logarithmic(axes: Axes, which: str) -> None:
    """Make the axis "x" or "y" logarithmic, with plain numbers at 1, 2, 5, 10, ... beside it."""
    (axes.set_xscale if which == "x" else axes.set_yscale)("log")
    axis = axes.xaxis if which == "x" else axes.yaxis
    low, high = axis.get_view_interval()
    axis.set_major_locator(LogLocator(subs=(1, 2, 5) if high / low < 1000 else (1,)))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}" if value >= 1000 else f"{value:g}"))
    axis.set_minor_formatter(NullFormatter())
