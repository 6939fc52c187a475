"""Small folders in the layouts of known data sets."""

import importlib
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from accuracy.errors import AccuracyError
from accuracy.layouts import LAYOUTS, associate, find_layout
from accuracy.pair import Pair, read_photo, read_truth
from accuracy.pairs import read_pairs

H, W = 4, 6
METRES = np.linspace(1, 8, H * W, dtype=np.float32).reshape(H, W)


def photo(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (W, H), (10, 200, 30)).save(path)
    return path


def depth(path: Path, per_metre: float) -> Path:
    """A 16-bit PNG of METRES, without its first pixel."""
    path.parent.mkdir(parents=True, exist_ok=True)
    values = np.rint(METRES * per_metre).astype(np.uint16)
    values[0, 0] = 0
    cv2.imwrite(str(path), values)
    return path


def pfm(path: Path, values: NDArray[np.float32]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    header = f"Pf\n{values.shape[1]} {values.shape[0]}\n-0.5\n".encode()
    path.write_bytes(header + values[::-1].astype("<f4").tobytes())
    return path


def check_metres(pair: Pair, tolerance: float = 1e-3) -> None:
    truth = read_truth(pair)
    assert pair.kind == "depth"
    assert truth[0, 0] == 0
    np.testing.assert_allclose(1 / truth.reshape(-1)[1:], METRES.reshape(-1)[1:], rtol=tolerance)
    assert read_photo(pair).shape == (H, W, 3)


@pytest.mark.parametrize(
    ("rgb", "truth"),
    [
        ("rgb/0001.png", "depth/0001.png"),
        ("rgb/0001.jpg", "depth/0001.png"),
        ("kitchen/rgb_00045.jpg", "kitchen/sync_depth_00045.png"),
        ("nyu2_test/00000_colors.png", "nyu2_test/00000_depth.png"),
    ],
)
def test_nyu_as_files(tmp_path: Path, rgb: str, truth: str) -> None:
    photo(tmp_path / rgb)
    depth(tmp_path / truth, 1000)
    layout, pairs = find_layout(tmp_path)
    assert layout.name == "NYUv2"
    assert len(pairs) == 1
    check_metres(pairs[0])


def test_nyu_as_a_mat_without_h5py(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "nyu_depth_v2_labeled.mat").touch()
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(AccuracyError, match="takes the package h5py: pip install h5py"):
        read_pairs(tmp_path)


def test_nyu_as_a_mat(tmp_path: Path) -> None:
    h5py = importlib.import_module("h5py")  # it has no types
    metres = METRES.copy()
    metres[0, 0] = 0
    with h5py.File(tmp_path / "nyu_depth_v2_labeled.mat", "w") as file:
        file["images"] = np.tile(np.array([10, 200, 30], np.uint8)[None, :, None, None], (2, 1, W, H))
        file["rawDepths"] = np.stack([np.zeros((W, H), np.float32), metres.T])
    pairs = read_pairs(tmp_path)
    assert len(pairs) == 2
    check_metres(pairs[1], 1e-6)
    assert read_photo(pairs[1])[0, 0].tolist() == [10, 200, 30]


def test_kitti(tmp_path: Path) -> None:
    drive = "2011_09_26_drive_0002_sync"
    photo(tmp_path / "raw/2011_09_26" / drive / "image_02/data/0000000069.png")
    photo(tmp_path / "raw/2011_09_26" / drive / "image_02/data/0000000070.png")
    photo(tmp_path / "raw/2011_09_26/another_sync/image_02/data/0000000069.png")
    depth(tmp_path / "val" / drive / "proj_depth/groundtruth/image_02/0000000069.png", 256)
    layout, pairs = find_layout(tmp_path)
    assert layout.name == "KITTI"
    assert [(pair.photo.parts[-4], pair.photo.name) for pair in pairs] == [(drive, "0000000069.png")]
    check_metres(pairs[0], 4e-3)


def test_kittis_selection_of_depth_completion(tmp_path: Path) -> None:
    folder = tmp_path / "val_selection_cropped"
    photo(folder / "image/2011_drive_0002_sync_image_0000000008_image_02.png")
    depth(folder / "groundtruth_depth/2011_drive_0002_sync_groundtruth_depth_0000000008_image_02.png", 256)
    (pair,) = read_pairs(tmp_path)
    check_metres(pair, 4e-3)


def test_diode(tmp_path: Path) -> None:
    folder = tmp_path / "val/indoors/scene_00019/scan_00183"
    photo(folder / "00019_00183_indoors_000_010.png")
    mask = np.ones((H, W))
    mask[0, 0] = 0
    np.save(folder / "00019_00183_indoors_000_010_depth.npy", METRES[:, :, np.newaxis])
    np.save(folder / "00019_00183_indoors_000_010_depth_mask.npy", mask)
    layout, pairs = find_layout(tmp_path)
    assert layout.name == "DIODE"
    (pair,) = pairs
    check_metres(pair, 1e-6)


def test_tum(tmp_path: Path) -> None:
    folder = tmp_path / "rgbd_dataset_freiburg1_desk"
    for name in ("1.000", "1.033", "1.066"):
        photo(folder / f"rgb/{name}.png")
    for name in ("1.005", "1.090"):
        depth(folder / f"depth/{name}.png", 5000)
    (folder / "rgb.txt").write_text("# color images\n1.000 rgb/1.000.png\n1.033 rgb/1.033.png\n1.066 rgb/1.066.png\n")
    (folder / "depth.txt").write_text("# depth maps\n1.005 depth/1.005.png\n1.090 depth/1.090.png\n")
    layout, pairs = find_layout(tmp_path)
    assert layout.name == "TUM RGB-D"
    assert [(pair.photo.name, pair.truth.name) for pair in pairs] == [("1.000.png", "1.005.png")]
    check_metres(pairs[0])


def test_a_frame_is_used_once_and_the_closest_wins() -> None:
    rgb = [(0.000, "a"), (0.010, "b"), (0.050, "c")]
    truth = [(0.009, "x"), (0.031, "y"), (0.080, "z")]
    assert associate(rgb, truth, 0.02) == [("b", "x"), ("c", "y")]


def test_a_listing_of_tum_that_is_none(tmp_path: Path) -> None:
    for name in ("rgb.txt", "depth.txt"):
        (tmp_path / name).write_text("rgb/1.png\n")
    with pytest.raises(AccuracyError, match="each line must be a time in seconds and a file name"):
        read_pairs(tmp_path)


def test_middlebury_2014(tmp_path: Path) -> None:
    folder = tmp_path / "Motorcycle-perfect"
    photo(folder / "im0.png")
    disparity = np.full((H, W), 40, np.float32)
    disparity[0, 0], disparity[3, 5] = np.inf, 80
    pfm(folder / "disp0.pfm", disparity)
    layout, pairs = find_layout(tmp_path)
    assert layout.name == "Middlebury"
    assert pairs == [Pair(folder / "im0.png", folder / "disp0.pfm", "disparity", 1.0)]
    expected = np.where(np.isfinite(disparity), disparity, 0)
    np.testing.assert_array_equal(read_truth(pairs[0]), expected)
    # With a calibration it is what the calibration says: mm = baseline * focal / (d + doffs).
    (folder / "calib.txt").write_text(
        "cam0=[994.978 0 311.193; 0 994.978 254.877; 0 0 1]\ndoffs=31.086\nbaseline=193.001\n"
    )
    truth = read_truth(pairs[0])
    assert truth[0, 0] == 0
    assert 1000 / truth[1, 1] == pytest.approx(193.001 * 994.978 / (40 + 31.086), rel=1e-5)
    assert 1000 / truth[3, 5] == pytest.approx(193.001 * 994.978 / (80 + 31.086), rel=1e-5)
    (folder / "calib.txt").write_text("cam0=[994.978 0 311.193; 0 994.978 254.877; 0 0 1]\n")
    with pytest.raises(AccuracyError, match=r"calib.txt: expected the lines cam0=.*doffs=.*baseline="):
        read_truth(pairs[0])


def test_middlebury_2006(tmp_path: Path) -> None:
    photo(tmp_path / "Aloe/view1.png")
    values = np.full((H, W), 90, np.uint8)
    values[0, 0] = 0
    cv2.imwrite(str(tmp_path / "Aloe/disp1.png"), values)
    (pair,) = read_pairs(tmp_path)
    np.testing.assert_array_equal(read_truth(pair), values)


def test_a_folder_of_none_of_them_lists_what_was_looked_for(tmp_path: Path) -> None:
    photo(tmp_path / "holiday.png")
    with pytest.raises(AccuracyError) as caught:
        read_pairs(tmp_path)
    message = str(caught.value)
    assert message.startswith(f"no photos with depth in {tmp_path}: there is no pairs.csv")
    for layout in LAYOUTS:
        assert layout.name in message
        assert layout.looked_for in message
