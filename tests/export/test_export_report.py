"""`python -m export report`: figures of what is exported, as Markdown and a plot."""

import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from benchmarks.machine import Machine
from export.__main__ import main
from export.cost import parameters_and_gflops
from export.manifest import Manifest, read_manifest
from export.measure import Measurement
from export.report_plot import plot
from export.report_row import Row
from export.report_text import markdown
from export.variants import VARIANTS
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
    assert f"- Left out: {DEFAULT} in {broken}: {DEFAULT}_preprocess/config.pbtxt is missing" in text
    assert re.search(r"Measured on \d{4}-\d\d-\d\d on .*, \d+ cores, [\d.]+ GiB of memory, Linux", text)
    assert "onnxruntime 1." in text
    assert "![Time for an image by network and format](report.png)" in text
    with Image.open(tmp_path / "docs" / "report.png") as picture:
        assert picture.width == 1000
        assert len(picture.convert("RGB").getcolors(1 << 20)) > 5


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


@pytest.fixture
def manifest(repository: Path) -> Manifest:
    found = read_manifest(repository / f"{DEFAULT}_network" / "1" / "manifest.json")
    assert found is not None
    return found


def test_other_formats(manifest: Manifest) -> None:
    against = {"photos": 3.0, "error": 2e-3, "milliseconds": 1.25, "milliseconds_fp32": 50.0}
    plan = replace(manifest, format="tensorrt", precision="fp16", against_fp32=against)
    quick = replace(manifest, format="openvino", precision="bf16", against_fp32=against, weights="untrained")
    counted = Measurement(parameters=4_300_000, gflops=2.8, milliseconds=None, runs=0, threads=2)
    rows = [
        Row(manifest, 17_000_000, replace(counted, milliseconds=1234.5, runs=3)),
        Row(quick, 9_000_000, replace(counted, milliseconds=31.0, runs=3)),
        Row(plan, 8_000_000, counted),
    ]
    assert [row.milliseconds for row in rows] == [1234.5, 31.0, 1.25]
    assert [row.error for row in rows] == [manifest.parity, 2e-3, 2e-3]
    machine = Machine(processor="A chip", cores=2, memory_gib=8.0, system="Linux 6", busy_percent=3.0)
    text = markdown(rows, plot="x.png", machine=machine, versions={"torch": "2"}, command="c", left_out={})
    assert "| tensorrt fp16 | default | 8.0 | 4.3 | 2.8 | 2.0e-03 | 1 |" in text
    assert "| 1,234 |" in text
    assert "- tensorrt: the time on the GPU that the plan was built on" in text
    assert "A chip, 2 cores, 8 GiB of memory, Linux 6; other programs used 3 % of the processor" in text
    height = plot(rows).height
    assert plot(rows[:1]).height < height
    assert plot([Row(plan, 1, counted)]).size[0] == plot([]).size[0] == 1000
