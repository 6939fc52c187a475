"""Plots: the same bytes each time, files that stand alone, and all of their words within the sheet."""

from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest
from PIL import Image

from reports.palette import DARK
from reports.plots.bars import Bar, Group, Part, bars
from reports.plots.lines import Line, Point, lines
from reports.plots.points import Dot, points
from reports.plots.sheet import Chart

SVG = "{http://www.w3.org/2000/svg}"


def stacked() -> Chart:
    parts = [Part(0, 12.0, faint=True, tip="waits <1 ms"), Part(0, 30.0), Part(1, 3.0, thin=True)]
    groups = [Group("a network in some build, 8 at a time", [Bar(parts, "45 ms, x1.0"), Bar(parts[:1], "12 ms")])]
    return bars("Time", groups, series=["preprocess", "network"], across="ms")


def by_format() -> Chart:
    groups = [
        Group("large", [Bar([Part(0, 7423.0)], "7,423 ms, 1,372 MB")]),
        Group("tiny", [Bar([Part(1, 0.4)], "0 ms")]),
    ]
    return bars("Time", groups, series=["onnx fp32", "onnx int8"], across="ms", log=True)


def loads() -> Chart:
    drawn = [Point(10, 30, "1", "one at a time"), Point(40, 300, "8")]
    return lines(
        "Latency",
        [Line(0, drawn), Line(0, drawn, second=True)],
        series=["onnx fp32"],
        across="photos a second",
        upwards="ms",
        marks=[(30.0, "overload")],
    )


def dots() -> Chart:
    drawn = [Dot("near", 0, 20.7, -76), Dot("as near", 1, 20.9, -76), Dot("far", 0, 1.6, 0), Dot("far", 1, 5.8, 0)]
    return points("Speed", drawn, series=["fp32", "bf16"], across="photos/s", upwards="better", level=(-20, "ramp"))


CHARTS = pytest.mark.parametrize("chart", [stacked, by_format, loads, dots])


@CHARTS
def test_a_picture_is_the_same_text_each_time(chart: Callable[[], Chart]) -> None:
    assert chart().picture("a").svg == chart().picture("a").svg


def test_a_png_is_the_same_bytes_each_time(tmp_path: Path) -> None:
    for name in "ab":
        stacked().save_png(tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    with Image.open(tmp_path / "a") as png:
        assert png.width == 1036


@CHARTS
def test_a_picture_is_a_file_that_stands_alone(chart: Callable[[], Chart]) -> None:
    picture = chart().picture("a b/<c>")
    assert picture.file == "a-b-c-.svg"
    text = picture.standalone()
    root = ElementTree.fromstring(text)  # noqa: S314 - written a line above
    assert root.find(f"{SVG}title") is not None
    assert root.findtext(f"{SVG}title") == picture.words
    _, _, width, height = map(float, root.attrib["viewBox"].split())
    labels = list(root.iter(f"{SVG}text"))
    assert len(labels) > 5
    for label in labels:
        assert 0 <= float(label.attrib["x"]) <= width
        assert 0 <= float(label.attrib["y"]) <= height
    assert "prefers-color-scheme: dark" in text
    assert DARK["card"] in text
    # every colour is a variable: none is left that would be lost on dark paper
    assert "#" not in text.partition("</style>")[2].replace('href="#', "").replace("url(#", "")


def test_what_lies_below_the_pointer_is_told() -> None:
    assert "<g><title>waits &lt;1 ms</title>" in stacked().picture("a").svg
    assert "<g><title>one at a time</title>" in loads().picture("a").svg


def test_labels_lie_on_no_other_label() -> None:
    sheet = dots().draw()
    boxes = [text.get_window_extent() for text in sheet.axes.texts if text.get_text() in {"near", "as near", "far"}]
    assert len(boxes) == 3
    assert [box.count_overlaps(boxes) for box in boxes] == [1, 1, 1]  # itself


@pytest.mark.parametrize("values", [[5.0], [0.02, 7.0], [1.0, 10_000.0], [33.0, 34.0]])
def test_an_axis_holds_its_values_and_a_few_numbers(values: list[float]) -> None:
    sheet = lines("", [Line(0, [Point(y, y) for y in values])], series=["a"], across="", upwards="").draw()
    sheet.figure.draw_without_rendering()
    for axis in (sheet.axes.xaxis, sheet.axes.yaxis):
        low, high = axis.get_view_interval()
        assert all(low <= value <= high for value in values)
        assert 2 <= len([tick for tick in axis.get_majorticklocs() if low <= tick <= high]) <= 12


def test_a_plot_of_nothing_is_a_plot() -> None:
    assert bars("Nothing was timed", [], series=[], across="ms", log=True).picture("a").svg.startswith("<svg")
