"""A chart as SVG: a file of its own, or a part of a page."""

from html import escape

from benchmarks.report.blocks import Picture
from benchmarks.report.colours import chart_style, variables


def standalone(picture: Picture) -> str:
    """Return the chart as a file, with the colours of the reader's preference in it."""
    return _svg(picture, f"<style>{variables()}{chart_style()}</style>") + "\n"


def inline(picture: Picture) -> str:
    """Return the chart for a page whose style holds the charts' style."""
    return _svg(picture, "")


def _svg(picture: Picture, style: str) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="chart" role="img" width="{picture.width}" '
        f'height="{picture.height}" viewBox="0 0 {picture.width} {picture.height}">'
        f"<title>{escape(picture.words)}</title>{style}{picture.body}</svg>"
    )
