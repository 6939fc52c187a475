"""`python -m accuracy` on a small set, over exported, served and foreign networks."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from PIL import Image

from accuracy.__main__ import main
from accuracy.arguments import parsed
from accuracy.errors import AccuracyError
from accuracy.evaluate import PredictorResult, left_out, on_common_photos
from accuracy.subjects import subjects
from midas_server.launch import Triton
from tests.export.small_graph import small_pixels_graph
from tests.networks import FOREIGN, FOREIGN_ONNX, VARIANT

needs_trained = pytest.mark.skipif(not FOREIGN_ONNX.is_file(), reason="needs the network of ../shared")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory, photo: bytes) -> Path:
    """Two photos with a floor and a box as truth, and questions about the first."""
    folder = tmp_path_factory.mktemp("data")
    (folder / "a.jpg").write_bytes(photo)
    with Image.open(folder / "a.jpg") as opened:
        opened.resize((320, 214)).save(folder / "b.png")
    for name, (width, height) in (("a", (640, 427)), ("b", (160, 107))):
        inverse = np.repeat(np.linspace(0.1, 1, height, dtype=np.float32)[:, np.newaxis], width, axis=1)
        inverse[height // 4 : height // 2, width // 4 : width // 2] = 1.5
        np.save(folder / f"{name}.npy", inverse)
    (folder / "pairs.csv").write_text(
        "photo,truth,kind,scale\na.jpg,a.npy,inverse_depth,\nb.png,b.npy,inverse_depth,\n"
    )
    (folder / "ordinal.csv").write_text("photo,x_a,y_a,x_b,y_b,nearer,weight\na.jpg,10,10,10,420,b,\n")
    return folder


def run(*arguments: object) -> int:
    return main([str(argument) for argument in arguments])


def record(out: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((out / "accuracy.json").read_text())
    return content


def test_an_exported_network_and_the_ramp(
    data: Path, repository: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status = run(data, "--models", VARIANT, "--repository", repository, "--ramp", "--out", tmp_path)
    shown, errors = capsys.readouterr()
    assert (status, errors) == (0, "")
    assert "UNTRAINED weights" in shown

    network, ramp = record(tmp_path)["results"]
    assert (network["label"], network["weights"], network["precision"]) == (VARIANT, "untrained", "fp32")
    assert [photo["name"] for photo in network["photos"]] == ["a.jpg", "b.png"]
    for figure in ("delta_1", "abs_rel", "rmse_log", "spearman", "edge_f1"):
        assert network["mean"][figure] == pytest.approx(np.mean([photo[figure] for photo in network["photos"]]))
    assert network["photos"][0]["whdr"] in (0, 1)
    assert network["photos"][1]["whdr"] is None
    # The truth is a ramp but for its box.
    assert ramp["mean"]["whdr"] == 0
    assert ramp["mean"]["abs_rel"] < network["mean"]["abs_rel"]
    sentence = record(tmp_path)["verdict"]
    assert sentence.startswith(f"None fits: on 2 photos the best, {VARIANT}, has AbsRel")
    assert shown.rstrip().endswith(sentence)

    report = (tmp_path / "accuracy.md").read_text()
    assert sentence in " ".join(report.split())
    for picture in ("overview.png", f"worst_{VARIANT}.jpg"):
        assert f"]({picture})" in report
        with Image.open(tmp_path / picture) as opened:
            assert min(opened.size) > 200


def test_the_served_network_measures_the_same(data: Path, lean: Path, triton: Triton, tmp_path: Path) -> None:
    given = (data, "--models", VARIANT, "--resolution", 128, "--worst", 0)
    assert run(*given, "--repository", lean, "--out", tmp_path / "here") == 0
    assert run(*given, "--url", triton.grpc_url, "--out", tmp_path / "served") == 0
    assert run(*given, "--repository", lean, "--serve", "--limit", 1, "--out", tmp_path / "started") == 0
    here, served, started = (record(tmp_path / name)["results"][0] for name in ("here", "served", "started"))
    for figure, value in here["mean"].items():
        assert served["mean"][figure] == pytest.approx(value, abs=1e-4)
    assert started["photos"][0]["abs_rel"] == pytest.approx(here["photos"][0]["abs_rel"], abs=1e-4)
    assert len(started["photos"]) == 1


def test_options_of_a_request(data: Path, repository: Path, triton: Triton, tmp_path: Path) -> None:
    given = (data, "--models", VARIANT, "--resolution", 128, "--worst", 0)
    filtered = (*given, "--option", "filter=crf", "--option", "crf_radius=4", "--option", "crf_contrast=2.5")
    assert run(*given, "--repository", repository, "--out", tmp_path / "plain") == 0
    assert run(*filtered, "--repository", repository, "--out", tmp_path / "here") == 0
    assert run(*filtered, "--url", triton.grpc_url, "--out", tmp_path / "served") == 0
    plain, here, served = (record(tmp_path / name)["results"][0]["mean"] for name in ("plain", "here", "served"))
    assert here["abs_rel"] != pytest.approx(plain["abs_rel"], abs=1e-6)
    for figure, value in here.items():
        assert served[figure] == pytest.approx(value, abs=1e-3)


@pytest.mark.parametrize("option", ["filter", "format=png8", "colour=red", "filter="])
def test_options_that_say_nothing_about_depth(data: Path, option: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        run(data, "--option", option)
    assert f"'{option}' is not NAME=VALUE with one of aspect, filter, guided_radius" in capsys.readouterr().err


def test_two_precisions_are_compared(data: Path, repository: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(repository, other)
    manifest = other / f"{VARIANT}_network/1/manifest.json"
    manifest.write_text(manifest.read_text().replace('"fp32"', '"int8"'))
    given = (data, "--models", VARIANT, "--resolution", 128, "--out", tmp_path / "out")
    assert run(*given, "--repository", f"int8={other}", "--repository", f"fp32={repository}") == 0
    (line,) = record(tmp_path / "out")["precisions"]
    assert line.startswith(f"{VARIANT} (int8) against {VARIANT} (fp32): AbsRel +0.0000 (+0.0%), delta-1 +0.0000, ")
    assert line in " ".join((tmp_path / "out/accuracy.md").read_text().split())


def test_a_file_that_export_wrote_needs_no_repository(data: Path, repository: Path, tmp_path: Path) -> None:
    file = repository / f"{VARIANT}_network/1/model.onnx"
    given = ("--resize", "upper_bound", "--resolution", 128, "--worst", 0)
    assert run(data, "--models", file, *given, "--out", tmp_path / "file") == 0
    assert run(data, "--models", VARIANT, "--repository", repository, *given, "--out", tmp_path / "exported") == 0
    by_file, exported = (record(tmp_path / name)["results"][0] for name in ("file", "exported"))
    assert by_file["mean"] == exported["mean"]
    assert by_file["weights"].startswith("sha256:")


def test_a_file_that_export_wrote_may_have_a_grid_of_its_own(tmp_path: Path, photo: bytes) -> None:
    file = tmp_path / "grid.onnx"
    onnx.save(small_pixels_graph(), file)
    given = ["--size", "140", "--multiple", "14", "--resize", "lower_bound"]
    [subject] = subjects(parsed([str(tmp_path), "--models", str(file), *given]))
    with subject.opened() as predictor:
        assert predictor.predict(photo).network_size == (210, 140)  # of 640 x 427


@needs_trained
def test_any_onnx_file(data: Path, repository: Path, tmp_path: Path) -> None:
    given = ("--resolution", 128, "--worst", 0)
    assert run(data, "--models", FOREIGN_ONNX, "--range", 255, *given, "--out", tmp_path / "file") == 0
    assert run(data, "--models", FOREIGN, "--repository", repository, *given, "--out", tmp_path / "exported") == 0
    by_file, exported = (record(tmp_path / name)["results"][0] for name in ("file", "exported"))
    assert by_file["mean"] == pytest.approx(exported["mean"])


def test_a_photo_that_cannot_be_measured_is_left_out_and_told(
    data: Path, repository: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "data"
    shutil.copytree(data, folder)
    np.save(folder / "a.npy", np.zeros((427, 640), np.float32))
    given = ("--models", VARIANT, "--repository", repository, "--resolution", 128, "--ramp", "--worst", 0)
    assert run(folder, *given, "--out", tmp_path / "out") == 0
    assert "left out: a.jpg: there is no pixel with a truth" in capsys.readouterr().out
    assert [len(result["photos"]) for result in record(tmp_path / "out")["results"]] == [1, 1]
    np.save(folder / "b.npy", np.ones((10, 80), np.float32))
    assert run(folder, *given, "--out", tmp_path / "none") == 1
    assert (
        f"{VARIANT}: no photo could be measured:\n  a.jpg: there is no pixel with a truth: what is not finite, not "
        "above 0, or masked is none\n  b.png: the photo is 320x214 and its truth 80x10: they must show the same"
    ) in capsys.readouterr().err


def test_a_row_that_fails_leaves_the_others_of_its_photo(
    data: Path, repository: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same photo with a sound truth, with one in millimetres that is said to be in metres, and with none."""
    folder = tmp_path / "data"
    shutil.copytree(data, folder)
    np.save(folder / "mm.npy", 1000 / np.load(folder / "a.npy"))
    rows = ("a.jpg,a.npy,inverse_depth,", "a.jpg,mm.npy,depth,", "a.jpg,gone.npy,depth,", "b.png,b.npy,inverse_depth,")
    (folder / "pairs.csv").write_text("\n".join(("photo,truth,kind,scale", *rows)) + "\n")
    given = ("--models", VARIANT, "--repository", repository, "--resolution", 128, "--worst", 0)
    assert run(folder, *given, "--out", tmp_path / "out") == 0
    shown = capsys.readouterr().out
    unit = (
        "the depths are 667 to 9,221 m, all of it beyond the cap of 80 m: are the values millimetres? Then scale=0.001"
    )
    assert f"left out: a.jpg (pairs.csv, line 3): {unit}" in shown
    assert f"left out: a.jpg (pairs.csv, line 4): there is no {folder / 'gone.npy'}" in shown
    (result,) = record(tmp_path / "out")["results"]
    assert [photo["name"] for photo in result["photos"]] == ["a.jpg (pairs.csv, line 2)", "b.png"]
    assert unit in " ".join((tmp_path / "out/accuracy.md").read_text().split())


def test_no_photo_that_all_networks_have_is_told_with_the_reasons() -> None:
    results = [
        PredictorResult(name, name, "", "none", "fp32", [], {photo: f"{name} failed"}, [])
        for name, photo in (("one", "a.jpg"), ("two", "b.jpg"))
    ]
    with pytest.raises(
        AccuracyError, match=r"all of the networks:\n  a.jpg: one: one failed\n  b.jpg: two: two failed$"
    ):
        on_common_photos(results)
    same = [replace(result, failures={f"{number}.jpg": "too dark" for number in range(12)}) for result in results]
    assert left_out(same)[0] == ("0.jpg", "too dark")
    with pytest.raises(AccuracyError, match=r"9.jpg: too dark\n  and 2 more$"):
        on_common_photos(same)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--models", "dpt_nothing"], "there is no dpt_nothing in "),
        (["--models", VARIANT, VARIANT], "is named twice"),
        (["--models", "nothing.onnx"], "there is no file nothing.onnx"),
        (["--models", VARIANT, "--resolution", "100"], "option resolution=100: allowed are integers from 128"),
    ],
)
def test_what_is_missing_is_told_in_a_line(
    data: Path, repository: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    assert run(data, "--repository", repository, "--out", tmp_path, *arguments) == 1
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert message in error
    assert error.count("\n") == 1


def test_data_servers_and_repositories_that_are_not_there(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path, "--ramp") == 1
    assert "there is no pairs.csv" in capsys.readouterr().err
    assert run(data, "--repository", tmp_path / "none") == 1
    assert "there is no model repository at" in capsys.readouterr().err
    assert run(data, "--url", "127.0.0.1:1", "--models", VARIANT) == 1
    assert "127.0.0.1:1" in capsys.readouterr().err
    with pytest.raises(SystemExit, match="2"):
        run(data, "--url", "127.0.0.1:1", "--serve")
    assert "leave out --serve" in capsys.readouterr().err
