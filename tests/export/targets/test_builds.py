"""One build of a network in one repository: exported, judged, replaced, refused, and known again."""

import shutil
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest

from export.__main__ import main
from export.errors import BuildError
from export.repository.configs import network_config
from export.repository.manifest import Manifest, read_manifest
from export.targets.builds import Build
from export.variants.row import ServedNetwork
from tests.export.small_graph import save_small_graph

NETWORK = ServedNetwork(name="n", resolution=128, resize="minimal", max_area=128 * 128, max_batch_size=4)


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four small photos with edges and a gradient."""
    folder = tmp_path_factory.mktemp("photos")
    for number in range(4):
        ramp = np.linspace(0, 255, 160, dtype=np.uint8)
        photo = np.repeat(np.repeat(ramp[np.newaxis], 128, 0)[:, :, np.newaxis], 3, 2)
        cv2.circle(photo, (40 + 20 * number, 60), 25, (250, 40 * number, 10), -1)
        assert cv2.imwrite(str(folder / f"{number}.png"), photo)
    return folder


@pytest.fixture
def command(tmp_path: Path, photos: Path) -> list[str]:
    file = str(save_small_graph(tmp_path, side=128))
    return ["net", "--from-onnx", file, "--repository", str(tmp_path / "repository")]


def there(tmp_path: Path) -> Manifest:
    manifest = read_manifest(tmp_path / "repository" / "net_network" / "1" / "manifest.json")
    assert manifest is not None
    return manifest


def files(tmp_path: Path) -> set[str]:
    return {path.name for path in (tmp_path / "repository" / "net_network" / "1").iterdir()}


def test_a_build_replaces_the_one_before(
    command: list[str], photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    judged = ["--calibration", str(photos)]
    chosen: Sequence[tuple[list[str], str, set[str]]] = [
        (["--precision", "int8", *judged], "onnx int8", {"model.onnx"}),
        (["--target", "openvino", "--precision", "bf16", *judged], "openvino bf16", {"model.xml", "model.bin"}),
        (["--precision", "fp16", *judged], "onnx fp16", {"model.onnx"}),
        ([], "onnx fp32", {"model.onnx"}),
    ]
    for options, name, expected in chosen:
        assert main([*command, *options]) == 0
        out = capsys.readouterr().out
        manifest = there(tmp_path)
        assert str(manifest.build) == name
        assert files(tmp_path) == {"manifest.json", *expected}
        assert set(manifest.files) == expected
        if name == "onnx fp32":
            assert manifest.against_fp32 is None
        else:
            assert f"{name} against fp32: relative error" in out
            assert manifest.against_fp32 is not None
            assert 0 < manifest.against_fp32["error"] < 5e-2
            assert manifest.against_fp32["size"] == manifest.size
    assert 'backend: "onnxruntime"' in (tmp_path / "repository" / "net_network" / "config.pbtxt").read_text()


def test_if_needed_looks_at_the_build(command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*command, "--precision", "fp16"]) == 0
    for options, needed in [
        ([], False),  # whatever is there will do
        (["--precision", "fp16"], False),
        (["--target", "onnx"], False),
        (["--target", "openvino"], True),
        (["--target", "openvino", "--precision", "fp32"], False),
        (["--target", "onnx"], True),
    ]:
        capsys.readouterr()
        assert main([*command, "--if-needed", *options]) == 0
        assert ("is up to date" in capsys.readouterr().out) is not needed, options
    assert str(there(tmp_path).build) == "onnx fp32"
    (tmp_path / "repository" / "net_network" / "1" / "model.onnx").write_bytes(b"")
    assert main([*command, "--if-needed"]) == 0
    assert "is up to date" not in capsys.readouterr().out


def test_a_precision_beyond_its_bound_is_refused(
    command: list[str], photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(command) == 0
    before = there(tmp_path)
    dark = tmp_path / "dark"
    shutil.copytree(photos, dark)
    for name in ("0.png", "1.png", "2.png"):  # calibrated in the dark, judged in daylight
        assert cv2.imwrite(str(dark / name), np.zeros((128, 160, 3), np.uint8))
    capsys.readouterr()
    assert main([*command, "--precision", "int8", "--calibration", str(dark)]) == 1
    error = capsys.readouterr().err
    assert "net in int8 differs from float32 by" in error
    assert "(allowed: below 5e-02); it was not written" in error
    assert there(tmp_path) == before
    assert files(tmp_path) == {"manifest.json", "model.onnx"}


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (["--precision", "bf16"], 2, "error: target onnx has no precision bf16: choose one of fp32, fp16, int8\n"),
        (["--precision", "int8", "--calibration", "/nowhere"], 1, "error: there is no folder /nowhere"),
        (["--precision", "int8", "--calibration", str(Path(__file__).parent)], 1, "holds no photo: expected files"),
    ],
)
def test_what_cannot_be_done_is_one_line(
    options: list[str], code: int, message: str, command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*command, *options]) == code
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert not (tmp_path / "repository").exists()


def test_calibration_without_a_use_is_bad_usage(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main([*command, "--calibration", "photos"])
    assert "--calibration goes with a --precision other than fp32, or another --target" in capsys.readouterr().err


def test_names_of_builds() -> None:
    assert Build.named("openvino", "bf16") == Build("openvino", "bf16")
    for target, precision in [("onnx", "fp8"), ("onnx", "bf16"), ("tflite", "fp32")]:
        with pytest.raises(BuildError):
            Build.named(target, precision)


def test_openvino_gets_one_photo_at_a_time_and_its_precision() -> None:
    for precision, parameter in [("bf16", "HINT_BF16"), ("int8", "INFERENCE_PRECISION_HINT")]:
        text = network_config(NETWORK, Build.named("openvino", precision))
        assert 'backend: "openvino"\nmax_batch_size: 1\n' in text
        assert "kind: KIND_CPU" in text
        assert f'key: "{parameter}"' in text
