"""Fine-tuning: better than before on photos that were not learnt from, told in a report, ready to be exported."""

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from torch import nn

from export.__main__ import main as export
from export.networks import build
from export.repository.manifest import read_manifest
from export.weights.untrained import fill_untrained
from tests.training.conftest import write_pairs
from training.__main__ import main
from training.start import fresh


def save(network: nn.Module, path: Path) -> Path:
    torch.save(network.state_dict(), path)
    return path


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint that knows what a photo shows, and nothing of depth."""
    network = fresh("midas_tiny_256", encoder="imagenet", seed=0)
    return save(network, tmp_path_factory.mktemp("start") / "start.pt")


def arguments(pairs: Path, start: Path, out: Path, variant: str = "midas_tiny_256") -> list[str]:
    tiny = "--batch 4 --size 64 --lr 1e-3 --encoder-lr 1e-4 --precision float32 --workers 0 --threads 1"
    return ["finetune", variant, "--pairs", str(pairs), "--weights", str(start), "--out", str(out), *tiny.split()]


@pytest.fixture(scope="module")
def tuned(tiny_set: Path, start: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("finetune") / "run"
    assert main([*arguments(tiny_set, start, out), "--steps", "40", "--evaluate-every", "20"]) == 0
    return out


def figures(report: str, name: str) -> tuple[float, float]:
    row = next(line for line in report.splitlines() if line.startswith(f"| {name} |"))
    before, after = row.split("|")[2:4]
    return float(before), float(after)


def test_it_is_better_than_before(tuned: Path) -> None:
    report = (tuned / "report.md").read_text()
    before, after = figures(report, "delta-1")
    assert after > before + 0.05
    before, after = figures(report, "Spearman")
    assert after > before + 0.3


def test_the_report_shows_it(tuned: Path) -> None:
    report = " ".join((tuned / "report.md").read_text().split())
    assert "start.pt, on 13 photos with depth; judged on 3 others that it did not learn from." in report
    assert "python -m export midas_tiny_256 --weights" in report
    for picture in ("before_after.png", "curve.png"):
        assert f"({picture})" in report
        assert (tuned / picture).stat().st_size > 1000
    assert report.count(".jpg |") == 3


def test_export_takes_the_weights(tuned: Path, tmp_path: Path) -> None:
    weights = tuned / "midas_tiny_256.pt"
    assert export(["midas_tiny_256", "--weights", str(weights), "--repository", str(tmp_path / "repository")]) == 0
    manifest = read_manifest(tmp_path / "repository" / "midas_tiny_256_network" / "1" / "manifest.json")
    assert manifest is not None
    assert manifest.weights.startswith("sha256:")


def test_it_stops_when_nothing_gets_better(
    tiny_set: Path, start: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hopeless = [*arguments(tiny_set, start, tmp_path / "run"), "--steps", "50", "--evaluate-every", "1"]
    hopeless[hopeless.index("--lr") + 1] = hopeless[hopeless.index("--encoder-lr") + 1] = "1e-12"
    assert main([*hopeless, "--patience", "2"]) == 0
    printed = capsys.readouterr().out
    assert "stopped: no better for 2 evaluations" in printed
    assert "nothing was better than the start" in printed
    kept, given = torch.load(tmp_path / "run" / "midas_tiny_256.pt"), torch.load(start)
    assert all(torch.equal(tensor, given[name]) for name, tensor in kept.items())
    report = (tmp_path / "run" / "report.md").read_text()
    assert figures(report, "delta-1")[0] == figures(report, "delta-1")[1]


def add_pairs_that_cannot_judge(folder: Path) -> None:
    """The first photo again: with one depth everywhere, and with depth in millimetres that is said to be in metres."""
    cv2.imwrite(str(folder / "flat.png"), np.full((96, 128), 2000, np.uint16))
    with (folder / "pairs.csv").open("a") as file:
        file.write("0.jpg,flat.png,depth,0.001\n0.jpg,0.png,depth,1\n")


def test_any_variant_and_validation_photos_of_ones_own(
    tiny_set: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    network = build("midas_v21_small_256")
    fill_untrained(network)
    own = write_pairs(tmp_path / "own", 2, seed=9)
    add_pairs_that_cannot_judge(own)
    command = arguments(tiny_set, save(network, tmp_path / "w.pt"), tmp_path / "run", "midas_v21_small_256")
    assert main([*command, "--validation", str(own), "--steps", "1", "--batch", "1"]) == 0
    printed = capsys.readouterr().out
    assert f"not judged by: {own / '0.jpg'} (pairs.csv, line 4): the truth has hardly any spread" in printed
    assert f"not judged by: {own / '0.jpg'} (pairs.csv, line 5): the depths are 6,898 to 61,248 m, all of it" in printed
    assert "beyond the cap of 80 m: are the values millimetres? Then scale=0.001" in printed
    report = (tmp_path / "run" / "report.md").read_text()
    assert "on 16 photos with depth; judged on 2 others" in " ".join(report.split())
    state = torch.load(tmp_path / "run" / "midas_v21_small_256.pt")
    assert {name: tensor.shape for name, tensor in state.items()} == {
        name: tensor.shape for name, tensor in network.state_dict().items()
    }


def test_bad_input_is_one_line(tiny_set: Path, start: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one = write_pairs(tmp_path / "one", 1)
    useless = tmp_path / "useless"
    shutil.copytree(one, useless)
    (useless / "pairs.csv").write_text("photo,truth,kind,scale\n")
    add_pairs_that_cannot_judge(useless)
    cases = [
        (arguments(tiny_set, start, tmp_path / "run", "dpt_huge"), "unknown variant 'dpt_huge'"),
        (arguments(tiny_set, tmp_path / "none.pt", tmp_path / "run"), "there is no checkpoint"),
        (arguments(tiny_set, start, tmp_path / "run", "midas_v21_small_256"), "tensors are not this network's"),
        (arguments(one, start, tmp_path / "run"), "has one pair"),
        (
            [*arguments(tiny_set, start, tmp_path / "run"), "--validation", str(useless)],
            "can judge the network; the first",
        ),
        (arguments(useless, start, tmp_path / "run"), f"no photo of {useless} can judge the network"),
        (arguments(tiny_set, start, one), "is not empty: name another --out"),
    ]
    for command, message in cases:
        assert main(command) == (2 if message.startswith("unknown variant") else 1)
        error = capsys.readouterr().err
        assert message in error
        assert error.count("\n") == 1
