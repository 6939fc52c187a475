"""The regression gate: it lets noise pass and stops a loss."""

import argparse
import io
import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from benchmarks.commands.check import add_arguments, chosen, judged, keep, report
from benchmarks.errors import BenchmarkError
from benchmarks.gate.baseline import FILE, Baseline, fitting, kind, read_baselines, write_baseline
from benchmarks.gate.figures import Bench
from benchmarks.gate.ratios import (
    LEAST_TOLERANCE,
    MOST_TOLERANCE,
    RATIOS,
    Expected,
    Repetition,
    compare,
    expect,
    judge,
    ratios_of,
    tolerance,
)
from benchmarks.load.perf_analyzer import PerfAnalyzer
from reports.machine import Machine, this_machine
from reports.processor import features

USUAL = {
    "served": 40.0,
    "in-process": 44.0,
    "served one ms": 27.0,
    "in-process one ms": 25.0,
    "int8": 52.0,
    "bf16": 58.0,
    "photo size": 25.0,
    "http": 23.0,
}
THROUGHPUT, LATENCY, INT8 = (ratio.name for ratio in RATIOS[:3])


class Pipeline:
    """A pipeline on a noisy machine: gives figures like a measurement, some of them slower than usual."""

    def __init__(self, *, noise: float, seed: int, **slower: float) -> None:
        self._random = random.Random(seed)  # noqa: S311 - noise, not a secret
        self._noise = noise
        self._slower = {name.replace("_", " "): factor for name, factor in slower.items()}
        self.started = 0

    def repetition(self) -> Repetition:
        machine = self._random.uniform(0.5, 1.0)  # a neighbour takes up to half of it, of every figure alike
        return {
            name: figure
            * (1 / machine if name.endswith("ms") else machine)
            * self._slower.get(name, 1.0)
            * self._random.gauss(1.0, self._noise)
            for name, figure in USUAL.items()
        }

    def measure(self, count: int = 4) -> Callable[[], Sequence[Repetition]]:
        def repetitions() -> Sequence[Repetition]:
            self.started += 1
            return [self.repetition() for _ in range(count)]

        return repetitions


def baseline(noise: float = 0.02, seed: int = 0) -> dict[str, Expected]:
    return expect(Pipeline(noise=noise, seed=seed).measure(12)())


def lost(pipeline: Pipeline, expected: dict[str, Expected]) -> set[str]:
    return {verdict.ratio.name for verdict in judge(expected, pipeline.measure()) if verdict.lost}


def test_ratios_are_of_the_figures_that_were_measured() -> None:
    assert ratios_of(USUAL)[THROUGHPUT] == pytest.approx(40 / 44)
    assert ratios_of(USUAL)[LATENCY] == pytest.approx(27 / 25)
    assert ratios_of({"served": 40.0, "int8": 60.0}) == {INT8: 1.5}


def test_every_ratio_is_of_figures_that_exist() -> None:
    assert {name for ratio in RATIOS for name in (ratio.top, ratio.bottom)} == USUAL.keys()


def test_the_spread_ignores_an_outlier() -> None:
    values = [1.00, 1.02, 0.98, 1.01, 0.99, 3.0, 1.0]
    found = expect([{"served": value, "in-process": 1.0} for value in values])[THROUGHPUT]
    assert found.median == pytest.approx(1.0)
    assert found.spread == pytest.approx(1.4826 * 0.01, abs=1e-4)
    assert found.repetitions == 7


TOGETHER = (9 * 0.03**2 + 4 * (1.4826 * 0.1) ** 2) / 13


@pytest.mark.parametrize(
    ("spread", "values", "allowed"),
    [
        (0.0, [1.0, 1.0, 1.0, 1.0], LEAST_TOLERANCE),
        (0.03, [1.0, 1.0, 1.0, 1.0], 3 * 1.2533 * 0.03 * (1 / 9 + 1 / 4) ** 0.5),
        (0.03, [0.9, 1.1, 0.9, 1.1], 3 * 1.2533 * (0.03**2 / 9 + TOGETHER / 4) ** 0.5),
        (0.5, [1.0, 1.0, 1.0, 1.0], MOST_TOLERANCE),
        (0.0, [0.5, 1.5, 0.5, 1.5], MOST_TOLERANCE),
    ],
)
def test_the_tolerance_is_three_standard_errors_within_bounds(
    spread: float, values: list[float], allowed: float
) -> None:
    assert tolerance(Expected(1.0, spread, 9), values) == pytest.approx(allowed)


def test_two_repetitions_make_no_baseline() -> None:
    with pytest.raises(ValueError, match="at least three"):
        expect([USUAL, USUAL])


@pytest.mark.parametrize(
    ("slower", "ratios"),
    [
        ({"served": 0.8}, {THROUGHPUT}),
        ({"served_one_ms": 1.2}, {LATENCY}),
        ({"int8": 0.8}, {INT8}),
        ({"bf16": 0.8}, {RATIOS[3].name}),
        ({"photo_size": 0.8, "http": 0.8}, {RATIOS[4].name}),
        ({"http": 0.8}, {RATIOS[5].name}),
    ],
)
def test_a_slower_part_of_the_pipeline_is_caught(slower: dict[str, float], ratios: set[str]) -> None:
    assert lost(Pipeline(noise=0.02, seed=1, **slower), baseline()) == ratios


def test_a_slower_machine_is_no_loss() -> None:
    class Half(Pipeline):
        def repetition(self) -> Repetition:
            return {name: figure * (2 if name.endswith("ms") else 0.5) for name, figure in super().repetition().items()}

    assert not lost(Half(noise=0.02, seed=2), baseline())


def test_a_gain_is_told_and_passes() -> None:
    verdicts = judge(baseline(), Pipeline(noise=0.02, seed=3, served=1.3).measure())
    gained = {verdict.ratio.name for verdict in verdicts if verdict.gained}
    assert THROUGHPUT in gained
    assert LATENCY not in gained


@pytest.mark.parametrize("noise", [0.01, 0.03, 0.06])
def test_noise_rarely_fails_and_a_loss_of_twice_the_tolerance_rarely_passes(noise: float) -> None:
    """300 simulated checks, each against a baseline of its own: the noise of both sides counts."""
    false_alarms = missed = 0
    for seed in range(300):
        expected = baseline(noise, seed)
        false_alarms += bool(lost(Pipeline(noise=noise, seed=1000 + seed), expected))
        factor = 1 - min(2 * max(expected[INT8].noise(4), 0.08), 0.5)
        missed += INT8 not in lost(Pipeline(noise=noise, seed=2000 + seed, int8=factor), expected)
    assert false_alarms <= 6
    assert missed <= 9


def test_a_loss_is_measured_again_before_it_counts() -> None:
    expected = baseline()
    unlucky = Pipeline(noise=0.0, seed=0, served=0.5).measure()()
    fine = Pipeline(noise=0.0, seed=0).measure(5)()
    answers = iter([unlucky, fine])
    verdicts = judge(expected, lambda: next(answers))
    assert not any(verdict.lost for verdict in verdicts)
    assert {verdict.repetitions for verdict in verdicts} == {9}

    once = Pipeline(noise=0.0, seed=0)
    judge(expected, once.measure())
    assert once.started == 1


def test_a_ratio_that_is_not_measured_any_more_is_an_error() -> None:
    without = [{name: value for name, value in USUAL.items() if name != "int8"}] * 4
    with pytest.raises(KeyError):
        compare(baseline(), without)
    with pytest.raises(KeyError):
        compare({"a ratio of an older version": Expected(1.0, 0.01, 9)}, [USUAL] * 4)
    with pytest.raises(BenchmarkError, match=r"'int8 / fp32.*' is in the baseline but was not measured"):
        judged(BASELINE, lambda: without)


BASELINE = Baseline(
    measured_at="2026-11-22T19:31:18+00:00",
    command="python -m benchmarks check --update",
    machine=Machine("a processor", cores=2, memory_gib=8.0, system="Linux 6", busy_percent=1.5),
    features=("avx512", "vnni", "bf16"),
    versions={"triton": "2.51.0"},
    model="midas_tiny_256",
    photo="1920x1080",
    seconds=3.0,
    ratios=baseline(),
)
EPYC = replace(BASELINE, machine=replace(BASELINE.machine, processor="another processor"), features=("avx512", "vnni"))


def test_a_baseline_is_read_as_it_was_written(tmp_path: Path) -> None:
    file = tmp_path / "baseline.json"
    write_baseline(file, BASELINE)
    assert read_baselines(file) == (BASELINE,)


def test_a_baseline_lies_beside_those_of_other_kinds_and_replaces_its_own(tmp_path: Path) -> None:
    file = tmp_path / "baseline.json"
    later = replace(BASELINE, measured_at="2027-01-01T00:00:00+00:00")
    for each in (BASELINE, EPYC, later):
        write_baseline(file, each)
    assert read_baselines(file) == (EPYC, later)
    file.write_text("{}")
    with pytest.raises(BenchmarkError, match=r"holds no baselines.*delete it"):
        write_baseline(file, BASELINE)
    assert file.read_text() == "{}"


def test_a_processor_is_compared_with_its_own_kind() -> None:
    both = (EPYC, BASELINE)
    for each in both:
        assert fitting(both, each.machine, each.features) == each
    assert fitting((), EPYC.machine, EPYC.features) is None
    assert "2 cores" in kind(EPYC.machine, EPYC.features)
    assert kind(EPYC.machine, ("avx512",)) != kind(EPYC.machine, ())


def test_this_processor_has_the_features_of_its_flags() -> None:
    flags = Path("/proc/cpuinfo").read_text().split()
    assert ("avx512" in features()) == ("avx512f" in flags)
    assert str(this_machine().cores) in kind(this_machine(), features())


def test_another_kind_of_processor_is_told_and_fails_only_on_what_does_not_depend_on_it(tmp_path: Path) -> None:
    """A processor without bfloat16, where OpenVINO's bf16 is slower than ONNX Runtime's float32."""
    file = tmp_path / "baseline.json"
    write_baseline(file, BASELINE)
    console = Console(record=True, width=160, file=io.StringIO())
    found = chosen(file, EPYC.machine, EPYC.features, console)
    text = console.export_text()
    assert "has no baseline for this processor (another processor, 2 cores, with avx512, vnni)" in text
    assert "not compared: int8 / fp32, photos a second; bf16 / fp32, photos a second. --update adds" in text
    assert found.ratios.keys() == {ratio.name for ratio in RATIOS if not ratio.native}
    assert report(judged(found, Pipeline(noise=0.02, seed=1, bf16=0.58).measure()), console) == 0
    assert report(judged(found, Pipeline(noise=0.02, seed=1, http=0.8).measure()), console) == 1

    same = Console(record=True, width=160, file=io.StringIO())
    assert chosen(file, BASELINE.machine, BASELINE.features, same) == BASELINE
    assert same.export_text() == ""
    with pytest.raises(
        BenchmarkError, match=r"\(another processor, 64 cores, .*nothing can be compared.*--update adds"
    ):
        chosen(file, replace(EPYC.machine, cores=64), EPYC.features, console)


def test_the_committed_baselines_can_fail() -> None:
    for committed in read_baselines(FILE):
        assert committed.ratios.keys() == {ratio.name for ratio in RATIOS}
        for expected in committed.ratios.values():
            assert expected.repetitions >= 3
            assert expected.noise(6) <= MOST_TOLERANCE


@pytest.mark.parametrize(
    ("text", "complaint"), [(None, "there is no baseline"), ("{", "is not JSON"), ("{}", "holds no baselines")]
)
def test_a_bad_baseline_is_told(text: str | None, complaint: str, tmp_path: Path) -> None:
    file = tmp_path / "baseline.json"
    if text is not None:
        file.write_text(text)
    with pytest.raises(BenchmarkError, match=f"{complaint}.*--update"):
        read_baselines(file)


def test_the_exit_status_says_whether_something_was_lost() -> None:
    console = Console(record=True, width=160, file=io.StringIO())
    fine = compare(BASELINE.ratios, [USUAL])
    assert report(fine, console) == 0
    slow = compare(BASELINE.ratios, [{**USUAL, "served": 20.0}])
    assert report(slow, console) == 1
    assert report([], console) == 1
    text = console.export_text()
    assert f"lost: {THROUGHPUT}: 0.455 instead of 0.9" in text
    assert "larger is better" in text


def test_a_baseline_that_noise_would_fail_is_not_written(tmp_path: Path) -> None:
    file = tmp_path / "baseline.json"
    noisy = replace(BASELINE, ratios=baseline(noise=0.4))
    console = Console(record=True, width=160, file=io.StringIO())
    assert keep(noisy, file, 6, console) == 1
    assert not file.exists()
    assert "not written: noise alone could fail" in console.export_text()
    assert keep(BASELINE, file, 6, console) == 0
    assert read_baselines(file) == (BASELINE,)


@pytest.mark.long
def test_a_real_service_that_has_more_to_do_is_caught(tmp_path: Path) -> None:
    """The servers get 12 megapixels, what runs without them 0.3: as if decoding had become several times slower."""
    bench = Bench(model="midas_tiny_256", photo=(640, 480), seconds=1.5, ratios=RATIOS[:2], folder=tmp_path)
    bench.export()
    analyzer = PerfAnalyzer()
    expected = expect(bench.repetitions(3, analyzer, lambda _: None))
    slow = replace(bench, served_photo=(4000, 3000))
    verdicts = judge(expected, lambda: slow.repetitions(3, analyzer, lambda _: None))
    assert [verdict.ratio.name for verdict in verdicts if verdict.lost] == [THROUGHPUT, LATENCY]


def test_options_are_checked() -> None:
    parser = argparse.ArgumentParser(exit_on_error=False)
    add_arguments(parser)
    assert parser.parse_args([]).builds == ["served", "int8", "bf16"]
    assert parser.parse_args(["--builds", "none"]).builds == ["served"]
    with pytest.raises(argparse.ArgumentError, match="int4"):
        parser.parse_args(["--builds", "int4"])
    with pytest.raises(argparse.ArgumentError, match="1 to 100"):
        parser.parse_args(["--repetitions", "0"])


def test_medians_are_of_repetitions_not_of_figures() -> None:
    pairs = [(40.0, 44.0), (20.0, 22.0), (10.0, 11.0)]
    (verdict,) = compare(
        {THROUGHPUT: replace(BASELINE.ratios[THROUGHPUT], median=10 / 11)},
        [{"served": served, "in-process": limit} for served, limit in pairs],
    )
    assert verdict.loss == pytest.approx(0.0)
