"""Known data sets, found from what is in a folder."""

import bisect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from accuracy.errors import AccuracyError
from accuracy.matlab import count_photos
from accuracy.pair import Pair

# TUM RGB-D's own tool (associate.py) takes 20 ms too.
TUM_SECONDS = 0.02

PHOTO_ENDINGS = (".png", ".jpg", ".jpeg")


@dataclass(frozen=True)
class DataSetLayout:
    """A data set's layout.

    Attributes:
        name: of the data set.
        looked_for: what makes a folder one, in words.
        find: the pairs in a folder, in a fixed order; empty where it is not of this layout.
    """

    name: str
    looked_for: str
    find: Callable[[Path], list[Pair]]


def find_layout(folder: Path) -> tuple[DataSetLayout, list[Pair]]:
    """The layout of a folder, and its pairs: at least one.

    Raises:
        AccuracyError: the folder is of none of them; the message says what was looked for.
    """
    for layout in LAYOUTS:
        pairs = layout.find(folder)
        if pairs:
            return layout, pairs
    width = max(len(layout.name) for layout in LAYOUTS)
    looked_for = "\n".join(f"  {layout.name:<{width}}  {layout.looked_for}" for layout in LAYOUTS)
    raise AccuracyError(
        f"no photos with depth in {folder}: there is no pairs.csv, and it is none of the known layouts. "
        f"Looked for, at any depth:\n{looked_for}"
    )


def _nyu(folder: Path) -> list[Pair]:
    file = folder / "nyu_depth_v2_labeled.mat"
    if file.is_file():
        return [
            Pair(file / "images" / str(number), file / "rawDepths" / str(number), "depth", 1.0)
            for number in range(count_photos(file))
        ]
    pairs = []
    for truth in sorted(folder.rglob("sync_depth_*.png")):
        pairs += _millimetres(_first_file(truth.parent, truth.stem.replace("sync_depth", "rgb")), truth)
    for truth in sorted(folder.rglob("*_depth.png")):
        pairs += _millimetres(_first_file(truth.parent, truth.stem.removesuffix("_depth") + "_colors"), truth)
    for truth in sorted(folder.rglob("depth/*.png")):
        pairs += _millimetres(_first_file(truth.parent.parent / "rgb", truth.stem), truth)
    return pairs


def _millimetres(photo: Path | None, truth: Path) -> list[Pair]:
    return [Pair(photo, truth, "depth", 0.001)] if photo else []


def _first_file(folder: Path, stem: str) -> Path | None:
    return next((file for ending in PHOTO_ENDINGS if (file := folder / (stem + ending)).is_file()), None)


def _kitti(folder: Path) -> list[Pair]:
    # The raw photos and the annotated depth come as two downloads; what they share is the name of the drive.
    photos = {
        (file.parts[-4], file.name): file
        for ending in PHOTO_ENDINGS
        for file in folder.rglob(f"image_02/data/*{ending}")
    }
    pairs = []
    for truth in sorted(folder.rglob("proj_depth/groundtruth/image_02/*.png")):
        drive = truth.parts[-5]
        photo = next((photos[key] for ending in PHOTO_ENDINGS if (key := (drive, truth.stem + ending)) in photos), None)
        if photo:
            pairs.append(Pair(photo, truth, "depth", 1 / 256))
    for truth in sorted(folder.rglob("groundtruth_depth/*_groundtruth_depth_*.png")):
        photo = truth.parent.parent / "image" / truth.name.replace("_groundtruth_depth_", "_image_")
        if photo.is_file():
            pairs.append(Pair(photo, truth, "depth", 1 / 256))
    return pairs


def _diode(folder: Path) -> list[Pair]:
    pairs = []
    for truth in sorted(folder.rglob("*_depth.npy")):
        photo = _first_file(truth.parent, truth.stem.removesuffix("_depth"))
        if photo and truth.with_name(f"{truth.stem}_mask.npy").is_file():
            pairs.append(Pair(photo, truth, "depth", 1.0))
    return pairs


def _tum(folder: Path) -> list[Pair]:
    pairs = []
    for listing in sorted(folder.rglob("rgb.txt")):
        depths = listing.with_name("depth.txt")
        if depths.is_file():
            pairs += [
                Pair(listing.parent / photo, listing.parent / truth, "depth", 1 / 5000)
                for photo, truth in associate(_stamped(listing), _stamped(depths), TUM_SECONDS)
            ]
    return pairs


def _stamped(listing: Path) -> list[tuple[float, str]]:
    """Seconds and file name of each line that is no comment, by time."""
    try:
        lines = [line.split() for line in listing.read_text().splitlines() if line.strip() and not line.startswith("#")]
        return sorted((float(seconds), name) for seconds, name, *_ in lines)
    except (UnicodeDecodeError, ValueError):
        raise AccuracyError(f"{listing}: each line must be a time in seconds and a file name") from None


def associate(
    first: Sequence[tuple[float, str]], second: Sequence[tuple[float, str]], most: float
) -> list[tuple[str, str]]:
    """Pairs of names of equal time, each name once, the closest pairs first served.

    (The rule of TUM RGB-D's associate.py: Sturm et al., A Benchmark for the Evaluation of RGB-D SLAM Systems, IROS
    2012.)

    Args:
        first: seconds and name, sorted.
        second: as `first`.
        most: seconds by which two may differ.

    Returns:
        Names of `first` and `second`, in the order of `first`.
    """
    times = [time for time, _ in second]
    candidates = [
        (abs(time - times[j]), i, j)
        for i, (time, _) in enumerate(first)
        for j in range(bisect.bisect_left(times, time - most), bisect.bisect_right(times, time + most))
    ]
    partner: dict[int, int] = {}
    taken: set[int] = set()
    for _, i, j in sorted(candidates):
        if i not in partner and j not in taken:
            partner[i] = j
            taken.add(j)
    return [(first[i][1], second[j][1]) for i, j in sorted(partner.items())]


def _middlebury(folder: Path) -> list[Pair]:
    pairs = []
    for truth in sorted(folder.rglob("disp0.pfm")):
        photo = truth.with_name("im0.png")
        if photo.is_file():
            pairs.append(Pair(photo, truth, "disparity", 1.0))
    for truth in sorted(folder.rglob("disp1.png")):
        photo = truth.with_name("view1.png")
        if photo.is_file():
            pairs.append(Pair(photo, truth, "disparity", 1.0))
    return pairs


# TUM RGB-D also has folders rgb/ and depth/, so it comes before NYUv2.
LAYOUTS = (
    DataSetLayout("KITTI", "<drive>/image_02/data/*.png with <drive>/proj_depth/groundtruth/image_02/*.png", _kitti),
    DataSetLayout("DIODE", "*.png with *_depth.npy and *_depth_mask.npy", _diode),
    DataSetLayout("TUM RGB-D", "rgb.txt with depth.txt, frames at most 20 ms apart", _tum),
    DataSetLayout("Middlebury", "im0.png with disp0.pfm (and calib.txt), or view1.png with disp1.png", _middlebury),
    DataSetLayout(
        "NYUv2",
        "nyu_depth_v2_labeled.mat, or depth as 16-bit PNG in mm: rgb/* with depth/*.png, rgb_* with sync_depth_*.png, "
        "*_colors.png with *_depth.png",
        _nyu,
    ),
)
