"""pairs.csv, and truths in every form."""

from pathlib import Path
from typing import cast

import cv2
import numpy as np
import pytest
from PIL import Image

from accuracy.errors import AccuracyError
from accuracy.pair import Pair, TruthKind, read_photo, read_truth
from accuracy.pairs import read_pairs

HEADER = "photo,truth,kind,scale\n"


def png16(path: Path, values: list[list[int]]) -> Path:
    cv2.imwrite(str(path), np.array(values, np.uint16))
    return path


def test_a_csv_of_pairs(tmp_path: Path) -> None:
    file = tmp_path / "pairs.csv"
    file.write_text(HEADER + "a.jpg,sub/a.png,depth,0.001\nb.png,/far/b.npy,inverse_depth,\n")
    pairs = [
        Pair(tmp_path / "a.jpg", tmp_path / "sub/a.png", "depth", 0.001),
        Pair(tmp_path / "b.png", Path("/far/b.npy"), "inverse_depth", 1.0),
    ]
    assert read_pairs(tmp_path) == pairs
    assert read_pairs(file) == pairs


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("image,depth\n", "the first line must be photo,truth,kind,scale"),
        (HEADER, "names no pair"),
        (HEADER + "a.jpg,,depth,1\n", "line 2: photo and truth must be named"),
        (HEADER + "a.jpg,a.png,metres,1\n", "line 2: kind is 'metres', allowed are depth, inverse_depth, disparity"),
        (HEADER + "a.jpg,a.png,depth,-1\n", "line 2: scale is '-1', it must be a number above 0"),
        (HEADER + "a.jpg,a.png,depth,much\n", "line 2: scale is 'much'"),
    ],
)
def test_a_wrong_csv_is_told(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "pairs.csv").write_text(text)
    with pytest.raises(AccuracyError, match=message):
        read_pairs(tmp_path)


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(AccuracyError, match=r"there is no .*nowhere: name a folder"):
        read_pairs(tmp_path / "nowhere")


def test_depth_becomes_inverse_depth(tmp_path: Path) -> None:
    truth = read_truth(Pair(tmp_path, png16(tmp_path / "d.png", [[0, 1000], [500, 65535]]), "depth", 0.001))
    assert truth.dtype == np.float32
    np.testing.assert_allclose(truth, np.array([[0, 1], [2, 1 / 65.535]]), rtol=1e-6)


def test_inverse_depth_is_scaled(tmp_path: Path) -> None:
    for kind in ("inverse_depth", "disparity"):
        truth = read_truth(Pair(tmp_path, png16(tmp_path / "d.png", [[0, 256, 512]]), kind, 1 / 256))
        np.testing.assert_array_equal(truth, [[0, 1, 2]])


def test_eight_bits_will_do(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "d.png"), np.array([[0, 7, 255]], np.uint8))
    np.testing.assert_array_equal(read_truth(Pair(tmp_path, tmp_path / "d.png", "disparity", 1)), [[0, 7, 255]])


def test_an_array_with_holes_and_a_mask(tmp_path: Path) -> None:
    np.save(tmp_path / "d.npy", np.array([[np.nan, np.inf, -1, 0, 2, 4]])[:, :, np.newaxis])
    pair = Pair(tmp_path, tmp_path / "d.npy", "depth", 1)
    np.testing.assert_array_equal(read_truth(pair), [[0, 0, 0, 0, 0.5, 0.25]])
    np.save(tmp_path / "d_mask.npy", np.array([[1, 1, 1, 1, 0, 1]]))
    np.testing.assert_array_equal(read_truth(pair), [[0, 0, 0, 0, 0, 0.25]])
    np.save(tmp_path / "d_mask.npy", np.ones((2, 2)))
    with pytest.raises(AccuracyError, match="they must be equal"):
        read_truth(pair)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("d.png", None, "there is no"),
        ("d.png", b"not a PNG", "cannot be read as a PNG"),
        ("d.npy", b"not an array", r"cannot be read as a \.npy"),
        ("d.pfm", b"PF\n1 1\n-1\n0000", "no grey PFM"),
        ("d.pfm", b"Pf\n9 9\n-1\n0000", "ends early"),
        ("d.tif", b"", r"must be a \.png, \.npy or \.pfm"),
    ],
)
def test_a_truth_that_cannot_be_read_is_told(tmp_path: Path, name: str, content: bytes | None, message: str) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(AccuracyError, match=message):
        read_truth(Pair(tmp_path, tmp_path / name, "depth", 1))


def test_a_truth_in_colour_is_refused(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "d.png"), np.zeros((2, 2, 3), np.uint8))
    with pytest.raises(AccuracyError, match="a truth has one channel"):
        read_truth(Pair(tmp_path, tmp_path / "d.png", "depth", 1))


def test_photos_are_upright_rgb(tmp_path: Path) -> None:
    stored = Image.new("RGB", (4, 2), (200, 10, 30))
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by 90 degrees
    stored.save(tmp_path / "a.jpg", exif=exif, quality=95)
    photo = read_photo(Pair(tmp_path / "a.jpg", tmp_path, "depth", 1))
    assert photo.shape == (4, 2, 3)
    assert photo.dtype == np.uint8
    assert np.abs(photo.astype(int) - [200, 10, 30]).max() < 12


def test_what_is_no_photo_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_text("hello")
    with pytest.raises(AccuracyError, match=r"a\.jpg: this is not a photo that can be read"):
        read_photo(Pair(tmp_path / "a.jpg", tmp_path, "depth", 1))
    with pytest.raises(AccuracyError, match=r"b\.jpg cannot be read: No such file"):
        read_photo(Pair(tmp_path / "b.jpg", tmp_path, "depth", 1))


def test_values_that_leave_the_range_of_floats_are_no_truth(tmp_path: Path) -> None:
    np.save(tmp_path / "d.npy", np.array([[1e-30, 2.0, -1.0, np.inf, np.nan]]))
    with np.errstate(all="raise"):
        truth = read_truth(Pair(tmp_path, tmp_path / "d.npy", "depth", 1e-20))
    np.testing.assert_allclose(truth, [[0, 0.5e20, 0, 0, 0]], rtol=1e-6)


def test_an_array_of_words_is_told(tmp_path: Path) -> None:
    np.save(tmp_path / "d.npy", np.array([["far", "near"]]))
    with pytest.raises(AccuracyError, match=r"d\.npy holds no numbers"):
        read_truth(Pair(tmp_path, tmp_path / "d.npy", "depth", 1.0))


def test_a_calibration_is_for_disparities_only(tmp_path: Path) -> None:
    (tmp_path / "calib.txt").write_text("cam0=[1000 0 0; 0 1000 0; 0 0 1]\ndoffs=10\nbaseline=100\n")
    file = tmp_path / "d.pfm"
    file.write_bytes(b"Pf\n2 1\n-1\n" + np.array([2.0, 4.0], "<f4").tobytes())
    for kind, expected in (("disparity", [[0.12, 0.14]]), ("inverse_depth", [[2, 4]]), ("depth", [[0.5, 0.25]])):
        np.testing.assert_allclose(read_truth(Pair(tmp_path, file, cast(TruthKind, kind), 1.0)), expected, rtol=1e-6)
