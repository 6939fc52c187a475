"""`python -m export report`: figures of what is exported, as Markdown and a plot."""

import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from export.__main__ import main
from export.commands.measure import NetworkCost
from export.commands.page import ExportReport, page, plot, row_of
from export.networks.cost import parameters_and_gflops
from export.repository.manifest import Manifest, read_manifest
from export.variants import VARIANTS
from reports.machine import Machine
from reports.records import read_record
from tests.networks import DEFAULT, VARIANT


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_a_report(repository: Path, models: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(repository / f"{DEFAULT}_network", broken / f"{DEFAULT}_network")
    out = tmp_path / "docs" / "report.md"
    command = ["report", "--repository", str(repository), "--repository", str(broken)]
    assert main([*command, "--seconds", "0", "--out", str(out)]) == 1
    assert f"{DEFAULT} is left out: {DEFAULT}_preprocess/config.pbtxt is missing" in capsys.readouterr().err

    text = out.read_text()
    rows = {cells(line)[0]: cells(line)[1:] for line in text.splitlines() if "| onnx fp32 |" in line}
    assert list(rows) == sorted(
        models, key=lambda name: list(VARIANTS).index(name) if name in VARIANTS else len(VARIANTS)
    )
    form, weights, size, parameters, gflops, error, milliseconds = rows[DEFAULT]
    assert (form, weights) == ("onnx fp32", "default")
    assert float(size) == pytest.approx(17.4, abs=0.5)
    assert float(parameters) == pytest.approx(4.3, abs=0.1)
    assert float(gflops) == pytest.approx(2.8, abs=0.1)
    assert float(error) < 1e-4
    assert float(milliseconds.replace(",", "")) > 0
    assert rows[VARIANT][1] == "untrained"
    assert f"**Untrained weights: {VARIANT}**" in text
    in_one_line = " ".join(text.split())
    assert f"- Left out: {DEFAULT} in {broken}: {DEFAULT}_preprocess/config.pbtxt is missing" in in_one_line
    assert re.search(r"Measured on \d{4}-\d\d-\d\d on .*, \d+ cores, [\d.]+ GiB of memory, Linux", in_one_line)
    assert "onnxruntime 1." in in_one_line
    assert "![Time for an image by network and build](./report.svg)" in text
    plotted = (tmp_path / "docs" / "report.svg").read_text()
    assert f">{DEFAULT}</text>" in plotted
    assert f">{VARIANT}*</text>" in plotted
    assert f">{milliseconds} ms, 17 MB</text>" in plotted

    # the record beside it is enough to write the page again
    again = tmp_path / "again.md"
    assert main(["report", "--record", str(out.with_suffix(".json")), "--out", str(again)]) == 0
    assert again.read_text() == text.replace("./report.svg", "./again.svg")


def test_a_record_that_cannot_be_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (record := tmp_path / "r.json").write_text("{}")
    assert main(["report", "--record", str(record), "--out", str(tmp_path / "r.md")]) == 1
    assert f"error: {record} is not an export report: measured_on is missing" in capsys.readouterr().err


def test_the_committed_report_is_that_of_the_committed_record() -> None:
    docs = Path(__file__).resolve().parents[3] / "docs"
    text, plot = page(read_record(ExportReport, docs / "export_report.json"), "export_report")
    assert text == (docs / "export_report.md").read_text()
    drawn, committed = plot.standalone(), (docs / "export_report.svg").read_text()
    # but for the coordinates, which are those of one version of matplotlib
    assert re.findall(r">([^<>\n]+)<", drawn) == re.findall(r">([^<>\n]+)<", committed)


def test_nothing_to_report_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", "--repository", str(tmp_path), "--out", str(tmp_path / "report.md")]) == 1
    assert f"error: nothing is exported in {tmp_path}: python -m export all" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_the_costs_of_networks_that_others_have_counted() -> None:
    # MiDaS v3 gives 344 and 123 million parameters for these two, v2.1 small 21; ViT-L/16 at 384 is 191 G products
    parameters, gflops = parameters_and_gflops(VARIANTS["dpt_large_384"])
    assert round(parameters / 1e6) == 344
    assert 2 * 191 < gflops < 2 * 300
    assert round(parameters_and_gflops(VARIANTS["dpt_hybrid_384"])[0] / 1e6) == 123
    assert round(parameters_and_gflops(VARIANTS[VARIANT])[0] / 1e6) == 21
    assert round(parameters_and_gflops(VARIANTS["depth_anything_v2_vits"])[1]) == 115


@pytest.fixture
def manifest(repository: Path) -> Manifest:
    found = read_manifest(repository / f"{DEFAULT}_network" / "1" / "manifest.json")
    assert found is not None
    return found


def test_other_builds(manifest: Manifest) -> None:
    against = {"photos": 3.0, "error": 2e-3, "milliseconds": 1.25, "milliseconds_fp32": 50.0}
    plan = replace(manifest, build="tensorrt", precision="fp16", against_fp32=against)
    quick = replace(manifest, build="openvino", precision="bf16", against_fp32=against, weights="untrained")
    counted = NetworkCost(parameters=4_300_000, gflops=2.8, milliseconds=None, runs=0, threads=2)
    rows = (
        row_of(manifest, 17_000_000, replace(counted, milliseconds=1234.5, runs=3)),
        row_of(quick, 9_000_000, replace(counted, milliseconds=31.0, runs=3)),
        row_of(plan, 8_000_000, counted),
    )
    assert [row.milliseconds for row in rows] == [1234.5, 31.0, 1.25]
    assert [row.error for row in rows] == [manifest.parity, 2e-3, 2e-3]
    machine = Machine(processor="A chip", cores=2, memory_gib=8.0, system="Linux 6", busy_percent=3.0)
    report = ExportReport(
        measured_on="2026-11-22", command="c", machine=machine, versions={"torch": "2"}, rows=rows, left_out={}
    )
    text, picture = page(report, "x")
    assert "| tensorrt fp16 | default | 8.0 | 4.3 | 2.8 | 2.0e-03 | 1 |" in text
    assert "| 1,234 |" in text
    assert "- tensorrt: the time on the GPU that the plan was built on" in text
    in_one_line = " ".join(text.split())
    assert "A chip, 2 cores, 8 GiB of memory, Linux 6; other programs used 3 % of the processor" in in_one_line
    assert picture.svg.count(" MB</text>") == 3
    untimed = plot([replace(rows[0], milliseconds=None)]).picture("x").svg
    assert ">Nothing could be timed on this machine</text>" in untimed
