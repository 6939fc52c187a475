"""The list of licensed photos, how they are taken out of packages, and the teacher's labels."""

import csv
import struct
import sys
import zipfile
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from export.weights.checkpoints import SHIPPED_FOLDER
from training.photos import collect as collecting
from training.photos.__main__ import main
from training.photos.collect import LEAST_SIDE, SHORT_SIDE, collect, crops
from training.photos.label import LabelError, aligned, encode, label, labelled, teacher_from
from training.photos.listing import ListedPhoto, licence_table, read_listing
from training.photos.packages import PackageError, fetch, opened
from training.photos.resources import ResourceError, read_resource

FREE = ("CC0-", "CC-BY-1", "CC-BY-2", "CC-BY-3", "CC-BY-4", "CC-BY-SA-", "GPL-", "LGPL-", "public domain")


def photo(height: int = 400, width: int = 600) -> NDArray[np.uint8]:
    image = np.random.default_rng(2).integers(0, 255, (height // 20, width // 20, 3), dtype=np.uint8)
    return np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_CUBIC), dtype=np.uint8)


def test_each_listed_photo_has_a_package_a_version_and_a_free_licence() -> None:
    photos = read_listing()
    assert len(photos) > 150
    assert len(set(photos)) == len(photos)
    for listed in photos:
        assert listed.package
        assert listed.version
        assert listed.member
        assert listed.author, listed
        assert listed.licence.startswith(FREE), listed
    packages = [listed.package for listed in photos]
    assert len(set(packages)) == sum(a != b for a, b in zip(packages, ["", *packages], strict=False)), "grouped"


def test_the_licence_table_counts_every_photo() -> None:
    photos = read_listing()
    rows = licence_table(photos).splitlines()[2:]
    assert sum(int(row.split("|")[4]) for row in rows) == len(photos)


def resource_collection(files: dict[str, bytes], deflated: bool) -> bytes:
    """A collection of one folder `a` with files in it."""
    names, offsets = b"", {}
    for name in ("", "a", *files):
        offsets[name] = len(names)
        names += struct.pack(">HI", len(name), 0) + name.encode("utf-16-be")
    tree = struct.pack(">IHIIQ", 0, 2, 1, 1, 0) + struct.pack(">IHIIQ", offsets["a"], 2, len(files), 2, 0)
    data = b""
    for name, content in files.items():
        packed = struct.pack(">I", len(content)) + zlib.compress(content) if deflated else content
        tree += struct.pack(">IHHHIQ", offsets[name], int(deflated), 0, 0, len(data), 0)
        data += struct.pack(">I", len(packed)) + packed
    start = 20
    header = struct.pack(">4sIIII", b"qres", 2, start + len(names) + len(data), start + len(names), start)
    return header + names + data + tree


@pytest.mark.parametrize("deflated", [False, True])
def test_resource_collections(deflated: bool) -> None:
    collection = resource_collection({"x.txt": b"first", "y.txt": b"second" * 50}, deflated)
    assert read_resource(collection, "/a/x.txt") == b"first"
    assert read_resource(collection, "a/y.txt") == b"second" * 50
    for wrong in ("/a/z.txt", "/b", "/a/x.txt/q"):
        with pytest.raises(ResourceError, match="holds no"):
            read_resource(collection, wrong)
    with pytest.raises(ResourceError, match="folder"):
        read_resource(collection, "/a")
    with pytest.raises(ResourceError, match="qres"):
        read_resource(b"\0" * 40, "/a")


def test_crops_are_of_many_places_and_no_smaller_than_allowed() -> None:
    image = photo(900, 1400)
    made = list(crops(image, 12, np.random.default_rng(1)))
    assert len(made) == 12
    assert made[0].shape == (SHORT_SIDE, round(1400 * SHORT_SIDE / 900), 3)
    for crop in made:
        assert LEAST_SIDE <= min(crop.shape[:2]) <= SHORT_SIDE
    assert len({crop.shape for crop in made}) > 4
    small = list(crops(photo(200, 300), 5, np.random.default_rng(1)))
    assert all(min(crop.shape[:2]) >= 140 for crop in small)


def store_with_wheel(folder: Path) -> Path:
    store = folder / "packages"
    store.mkdir()
    with zipfile.ZipFile(store / "scikit_learn-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("pictures/one.png", cv2.imencode(".png", photo())[1].tobytes())
    return store


def test_packages_give_their_members_and_say_what_is_missing(tmp_path: Path) -> None:
    store = store_with_wheel(tmp_path)
    member = opened(fetch("scikit-learn", "1.0", store), store)
    assert member("pictures/one.png").startswith(b"\x89PNG")
    with pytest.raises(PackageError, match=r"holds no pictures/two\.png"):
        member("pictures/two.png")


def test_a_package_that_cannot_be_fetched_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(PackageError, match=r"no apt-get on this machine.*by hand into"):
        fetch("some-wallpapers", "1.0", tmp_path)


def test_collecting_writes_crops_with_a_manifest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    listed = [
        ListedPhoto("scikit-learn", "1.0", f"pictures/{n}.png", "CC0-1.0", "A. Author", "") for n in ("one", "two")
    ]
    monkeypatch.setattr(collecting, "read_listing", lambda: listed)
    store_with_wheel(tmp_path)
    count = collect(tmp_path, 4, 0)
    with (tmp_path / "manifest.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert count == len(rows) > 1
    assert {row["licence"] for row in rows} == {"CC0-1.0"}
    assert sorted(row["file"] for row in rows) == sorted(path.name for path in tmp_path.glob("*.jpg"))
    assert "A. Author" in (tmp_path / "licences.md").read_text()


def test_alignment_undoes_scale_and_shift() -> None:
    depth = np.random.default_rng(0).random((20, 30), dtype=np.float32)
    np.testing.assert_allclose(aligned(3 * depth + 2, depth), depth, atol=1e-5)
    np.testing.assert_allclose(aligned(np.ones_like(depth), depth), depth.mean(), atol=1e-5)
    stored = encode(depth)
    assert stored.dtype == np.uint16
    assert (stored.min(), stored.max()) == (1, 65535)


def write_brightness_network(path: Path, channels: int = 3) -> None:
    """An ONNX network whose "inverse depth" is the mean of the colours."""
    import onnx  # noqa: PLC0415

    helper = onnx.helper
    shape: list[str | int | None] = ["batch", channels, "height", "width"]
    graph = helper.make_graph(
        [helper.make_node("ReduceMean", ["input"], ["depth"], axes=[1], keepdims=1)],
        "brightness",
        [helper.make_tensor_value_info("input", onnx.TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("depth", onnx.TensorProto.FLOAT, ["batch", 1, "height", "width"])],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), path)


def test_labels_are_the_teachers_and_listed_in_pairs_csv(tmp_path: Path) -> None:
    photos, out, teacher = tmp_path / "photos", tmp_path / "labels", tmp_path / "teacher.onnx"
    photos.mkdir()
    image = photo(260, 330)
    for name in ("a", "b"):
        cv2.imwrite(str(photos / f"{name}.jpg"), image)
    write_brightness_network(teacher)
    assert label(teacher, photos, out) == 2
    assert label(teacher, photos, out) == 2, "a second run keeps what is there"
    with (out / "pairs.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["photo"], row["truth"], row["kind"]) for row in rows] == [
        ("a.jpg", "a.png", "inverse_depth"),
        ("b.jpg", "b.png", "inverse_depth"),
    ]
    truth = cv2.imread(str(out / "a.png"), cv2.IMREAD_UNCHANGED)
    assert truth.shape == (260, 330)
    assert np.corrcoef(truth.ravel(), image.mean(axis=2).ravel())[0, 1] > 0.95


def test_labels_lie_as_people_see_the_photo(tmp_path: Path) -> None:
    photos, teacher = tmp_path / "photos", tmp_path / "teacher.onnx"
    photos.mkdir()
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(photo(64, 96)).save(photos / "a.jpg", exif=exif)
    write_brightness_network(teacher)
    label(teacher, photos, tmp_path / "out")
    assert cv2.imread(str(tmp_path / "out" / "a.png"), cv2.IMREAD_UNCHANGED).shape == (96, 64)
    (photos / "b.jpg").write_bytes((photos / "a.jpg").read_bytes()[:-100])
    with pytest.raises(LabelError, match=r"b\.jpg: the JPEG ends early, .*; remove it"):
        label(teacher, photos, tmp_path / "out")


def test_earlier_weights_are_a_teacher_that_sees_squares(tmp_path: Path) -> None:
    teacher = teacher_from(SHIPPED_FOLDER / "midas_tiny_256.pt")
    image = photo(96, 160)
    assert [teacher.look(image, side).shape for side in teacher.sides] == [(side, side) for side in teacher.sides]
    seen = labelled(teacher, image)
    assert seen.shape == (96, 160)
    assert np.ptp(seen) > 0
    mirrored = labelled(teacher, np.ascontiguousarray(image[:, ::-1]))[:, ::-1]
    assert np.allclose(mirrored, aligned(seen, mirrored), atol=0.02 * float(np.ptp(mirrored)))


def test_a_file_that_is_no_teacher_is_named(tmp_path: Path) -> None:
    for name in ("other.pt", "other.onnx"):
        (tmp_path / name).write_bytes(b"no network")
        with pytest.raises(LabelError, match=rf"{name} (holds no weights|cannot be run)"):
            teacher_from(tmp_path / name)
    write_brightness_network(tmp_path / "grey.onnx", channels=1)
    with pytest.raises(LabelError, match=r"grey\.onnx is no such network .* a teacher takes RGB"):
        labelled(teacher_from(tmp_path / "grey.onnx"), photo(64, 96))


def test_a_label_has_the_photos_edges(tmp_path: Path) -> None:
    """A step of depth that the network saw blurred, over 16 pixels, is at the photo's edge in the label."""
    image = np.full((256, 256, 3), 40, np.uint8)
    image[:, 128:] = 200

    class Blurred:
        sides = (64,)

        def look(self, rgb: NDArray[np.uint8], side: int) -> NDArray[np.float32]:
            small = cv2.resize(rgb[..., 0].astype(np.float32), (side, side), interpolation=cv2.INTER_AREA)
            return np.asarray(cv2.GaussianBlur(small, (0, 0), 2), np.float32)

    row = labelled(Blurred(), image)[128]
    between = (row > row.min() + 0.2 * np.ptp(row)) & (row < row.max() - 0.2 * np.ptp(row))
    assert between.sum() <= 2
    assert np.argmax(np.abs(np.diff(row))) == 127


def test_the_command_line_reports_errors_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = ["photos", "label", "--teacher", str(tmp_path / "no.onnx"), "--photos", str(tmp_path), "--out", "x"]
    monkeypatch.setattr(sys, "argv", arguments)
    assert main() == 1
    assert capsys.readouterr().err.startswith("error: there is no teacher")
    write_brightness_network(tmp_path / "t.onnx")
    with pytest.raises(LabelError, match=r"no \.jpg photos"):
        label(tmp_path / "t.onnx", tmp_path, tmp_path / "out")
