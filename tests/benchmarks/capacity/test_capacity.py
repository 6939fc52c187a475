"""`python -m benchmarks capacity`: the queueing model against what was measured, and the page that it writes."""

from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.__main__ import main
from benchmarks.capacity.machines import MEASURED, MODELLED, PUBLISHED, Demand, Option, measured_options
from benchmarks.capacity.rate import TRUSTED, measured_rate, modelled_rate, p99_ms, peak
from benchmarks.record import Open, Record, Row
from benchmarks.report.figures import by_setting
from reports.records import read_record
from tests.networks import ROOT

RECORD = read_record(Record, ROOT / "docs" / "benchmarks" / "m1.json")
DEMAND = Demand(photos_a_day=1e6, limit_ms=500, peak_factor=3, spare=1)


def opened(group: list[Row]) -> list[tuple[float, float]]:
    return [(row.load.rate, row.p99_ms) for row in group if isinstance(row.load, Open)]


GROUP = next(group for group in by_setting(RECORD.rows) if opened(group))
"""The setting of the record that has open loops."""


def test_the_model_is_on_the_safe_side_of_what_was_measured_where_it_is_trusted() -> None:
    reached = peak(GROUP)
    assert reached
    trusted = [(rate, p99) for rate, p99 in opened(GROUP) if rate <= TRUSTED * reached[0]]
    assert len(trusted) > 1
    for rate, p99 in trusted:
        assert p99 <= p99_ms(rate, *reached) < 1.5 * p99


def test_a_rate_of_the_model_keeps_the_limit_and_no_trusted_higher_one_does() -> None:
    rate = modelled_rate(40, 50, 200)
    assert p99_ms(rate, 40, 50) <= 200 < p99_ms(1.01 * rate, 40, 50)
    assert modelled_rate(40, 50, 1e6) == TRUSTED * 40
    assert modelled_rate(40, 250, 200) == 0


def test_a_measured_rate_lies_between_the_loads_around_it() -> None:
    loads = opened(GROUP)
    (first, fast), (second, slower) = loads[:2]
    assert measured_rate(GROUP, (fast + slower) / 2) == pytest.approx((first + second) / 2)
    assert measured_rate(GROUP, fast) == first
    assert measured_rate(GROUP, fast - 1) is None
    assert measured_rate([row for row in GROUP if not isinstance(row.load, Open)], 500) is None


def test_what_was_refused_is_no_rate_that_a_machine_takes() -> None:
    highest = opened(GROUP)[-1][0]
    assert measured_rate(GROUP, 1e9) == opened(GROUP)[-2][0] < highest


def test_machines_and_hours() -> None:
    assert DEMAND.peak_rate == pytest.approx(34.72, abs=0.01)
    option = Option("a machine", False, "a network", "onnx fp32", 10.0, MEASURED)
    assert option.machines(DEMAND) == 4 + 1
    assert option.machine_hours(DEMAND) == 5 * 24
    assert replace(option, rate=0.0).machines(DEMAND) is None


def test_measured_figures_come_before_the_model() -> None:
    found = {(each.model, each.build): each for each in measured_options([RECORD], DEMAND, "1920x1080", "network")}
    assert found["midas_tiny_256", "onnx fp32"].source == MEASURED
    assert found["midas_tiny_256", "onnx int8"].source == MODELLED


def test_the_committed_page_is_what_the_command_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    committed = (ROOT / "docs" / "capacity.md").read_text()
    (command,) = (line.strip() for line in committed.splitlines() if "--photos-a-day" in line)
    words = command.split()[3:]
    file = tmp_path / "capacity.md"
    assert main([*words[:-1], str(file)]) == 0
    lines = file.read_text().splitlines()
    assert [line for line in lines if "--photos-a-day" not in line] == [
        line for line in committed.splitlines() if "--photos-a-day" not in line
    ]
    assert all(PUBLISHED in line for line in lines if "RTX 3090 |" in line)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--photo-size", "7x7"], "no record has photos of 7x7"),
        (["--photos-a-day", "0"], "give a number above zero"),
        (["--peak-factor", "0.5"], "from 1 up"),
        (["--spare", "-1"], "from 0 to 1000"),
        (["--output", "/no/such/folder/page.md"], "cannot write"),
    ],
)
def test_what_it_refuses(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    try:
        status = main(["capacity", "--photos-a-day", "1000", "--p99", "500", *words])
    except SystemExit as exit_:
        status = int(exit_.code or 0)
    assert status
    assert said in capsys.readouterr().err
