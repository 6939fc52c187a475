"""What is measured, how far it is, and how the exported builds are found."""

from pathlib import Path

import pytest

from benchmarks.commands.quick import jobs_of
from benchmarks.errors import BenchmarkError
from benchmarks.measure.pace import Pace
from benchmarks.measure.plan import FULL_HD, VGA, Series, full_plan, quick_plan
from benchmarks.measure.repositories import build_in, export, folder_of
from benchmarks.measure.series import missing
from benchmarks.record import Closed, Open, Row
from export.repository.manifest import Manifest
from export.targets.builds import Build


def row(series: Series, load: Closed | Open) -> Row:
    return Row(
        model=series.model,
        build="onnx fp32",
        weights="default",
        target=series.target,
        protocol=series.protocol,
        photo=series.photo_text,
        network_size="256x160",
        result=series.result,
        load=load,
        photos_per_second=20.0,
        mean_ms=1.0,
        p50_ms=1.0,
        p90_ms=1.0,
        p95_ms=1.0,
        p99_ms=1.0,
        round=series.round,
    )


def test_quick_measures_every_series_in_every_format() -> None:
    plan = quick_plan(
        ["a", "b"], photos=[FULL_HD], results=["network"], concurrencies=[1], shares=[], limit=True, rounds=2
    )
    builds = [Build("onnx", "fp32"), Build("openvino", "bf16")]
    jobs = jobs_of(plan, builds)
    assert [(job.model, job.build) for job in jobs] == [(model, build) for model in "abab" for build in builds]
    assert all(job.series for job in jobs)
    assert sum(len(job.series) for job in jobs) == 2 * len(plan)


def test_quick_goes_round_by_round_through_models_photos_and_results() -> None:
    plan = quick_plan(
        ["a", "b"],
        photos=[FULL_HD],
        results=["network", "png16"],
        concurrencies=[1, 8],
        shares=[0.5],
        limit=True,
        rounds=2,
    )
    assert [(each.round, each.model, each.result) for each in plan] == [
        (number, model, result) for number in (1, 2) for model in "ab" for result in ("network", "png16")
    ]
    assert {(each.target, each.protocol, each.concurrencies, each.shares, each.limit) for each in plan} == {
        ("ensemble", "grpc", (1, 8), (0.5,), True)
    }


def test_full_measures_all_loads_of_one_combination_and_few_of_the_others() -> None:
    plan = full_plan(
        "a",
        photos=[FULL_HD, VGA],
        results=["network", "photo"],
        concurrencies=[1, 2, 8, 16],
        shares=[0.5, 4.0],
        limit=True,
        http=True,
    )
    main, network, *others = plan
    assert (main.photo, main.result, main.concurrencies, main.shares, main.limit) == (
        *(FULL_HD, "network", (1, 2, 8, 16), (0.5, 4.0), True),
    )
    assert (network.target, network.protocol, network.concurrencies, network.shares) == (
        *("network", "grpc", (1, 2, 8, 16), ()),
    )
    assert [(each.target, each.protocol, each.photo, each.result) for each in others] == [
        ("ensemble", "grpc", FULL_HD, "photo"),
        ("ensemble", "grpc", VGA, "network"),
        ("ensemble", "grpc", VGA, "photo"),
        ("ensemble", "http", FULL_HD, "photo"),
        ("network", "http", FULL_HD, "network"),
    ]
    assert {(each.concurrencies, each.shares, each.limit) for each in others} == {((1, 8), (), False)}
    assert len(set(plan)) == len(plan)


def test_full_without_http_and_in_rounds() -> None:
    plan = full_plan(
        "a", photos=[VGA], results=["photo"], concurrencies=[16], shares=[], limit=False, http=False, rounds=2
    )
    assert [(each.round, each.target, each.concurrencies) for each in plan] == [
        (number, target, (16,)) for number in (1, 2) for target in ("ensemble", "network")
    ]


def test_what_was_measured_before_is_not_missing() -> None:
    (series, other) = quick_plan(
        ["a"], photos=[VGA], results=["network", "photo"], concurrencies=[1, 8], shares=[0.5, 4.0], limit=False
    )
    rows = [row(series, Closed(concurrency=8)), row(series, Open(rate=10.0, share=0.5))]
    assert missing(series, []) == ([1, 8], [0.5, 4.0])
    assert missing(series, rows) == ([1], [4.0])
    assert all(series.holds(each) and not other.holds(each) for each in rows)


def test_the_time_left_is_that_of_what_was_measured_so_far() -> None:
    now = [100.0]
    pace = Pace(200, clock=lambda: now[0])
    pace.skip(50)
    assert pace.left() == ""
    now[0] += 20
    pace.step()
    pace.step()
    assert (pace.done, pace.left()) == (52, "about 25 min left")
    pace.skip(142)
    assert pace.left() == "about 60 s left"
    pace.skip(6)
    assert pace.left() == ""


def test_a_long_time_left_is_in_hours() -> None:
    now = [0.0]
    pace = Pace(3601, clock=lambda: now[0])
    now[0] += 10
    pace.step()
    assert pace.left() == "about 10.0 h left"


def test_every_build_has_a_repository_of_its_own() -> None:
    assert folder_of(Build("onnx", "fp32")) == Path("build/onnx_fp32")
    assert folder_of(Build("openvino", "bf16"), Path("x")) == Path("x/openvino_bf16")


def test_the_build_of_a_network_is_in_its_manifest(tmp_path: Path) -> None:
    assert build_in(tmp_path, "small") is None
    folder = tmp_path / "small_network" / "1"
    folder.mkdir(parents=True)
    manifest = Manifest(
        variant="small",
        weights="untrained",
        checkpoint=None,
        checkpoint_sha256=None,
        build="onnx",
        precision="int8",
        files={},
        size=0,
        onnx_sha256="",
        opset=17,
        parity=None,
        against_fp32=None,
        options=None,
        tools={},
    )
    (folder / "manifest.json").write_text(manifest.to_json())
    assert build_in(tmp_path, "small") == "onnx int8"


def test_the_exporters_refusal_is_told_in_its_words(tmp_path: Path) -> None:
    with pytest.raises(BenchmarkError, match=r"dpt_nothing could not be exported as onnx int8: .*dpt_nothing"):
        export("dpt_nothing", tmp_path, Build("onnx", "int8"))
    assert not list(tmp_path.iterdir())
