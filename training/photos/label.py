"""A teacher's inverse depth for a folder of photos, steadied by looking at each photo in four ways."""

import csv
from pathlib import Path

import cv2
import numpy as np
import onnxruntime
from numpy.typing import NDArray
from rich.progress import Progress

from accuracy.errors import AccuracyError
from accuracy.pair import decode_photo

SIDES = (256, 384)
Depth = NDArray[np.float32]


class LabelError(RuntimeError):
    """The teacher or the photos are not usable."""


class Teacher:
    """An ONNX network with one input [1,3,H,W] (RGB, 0 to 255, sides multiples of 32) that returns inverse depth."""

    def __init__(self, path: Path, threads: int = 1) -> None:
        if not path.is_file():
            raise LabelError(f"there is no teacher {path}: name an ONNX depth network")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        self.session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        self.input = self.session.get_inputs()[0].name

    def look(self, photo: NDArray[np.uint8], side: int) -> Depth:
        """Inverse depth `[H, W]` of an RGB photo `[H, W, 3]`, seen with a short side of `side` pixels."""
        height, width = photo.shape[:2]
        scale = side / min(height, width)
        h, w = (max(round(edge * scale / 32), 1) * 32 for edge in (height, width))
        small = cv2.resize(photo, (w, h), interpolation=cv2.INTER_CUBIC if scale > 0.7 else cv2.INTER_AREA)
        blob = np.ascontiguousarray(small.astype(np.float32).transpose(2, 0, 1)[None])
        seen = np.asarray(self.session.run(None, {self.input: blob})[0], dtype=np.float32).reshape(h, w)
        return np.asarray(cv2.resize(seen, (width, height), interpolation=cv2.INTER_CUBIC), dtype=np.float32)

    def label(self, photo: NDArray[np.uint8]) -> Depth:
        """Inverse depth `[H, W]` of an RGB photo `[H, W, 3]`: the mean of four looks.

        They are of two sizes, each also mirrored, and all brought to the scale and shift of the first.
        """
        looks = []
        for side in SIDES:
            looks.append(self.look(photo, side))
            looks.append(self.look(np.ascontiguousarray(photo[:, ::-1]), side)[:, ::-1])
        same = [looks[0], *(aligned(other, looks[0]) for other in looks[1:])]
        return np.asarray(np.mean(same, axis=0), dtype=np.float32)


def aligned(depth: Depth, reference: Depth) -> Depth:
    """`depth` times a scale plus a shift, by least squares as near to `reference` as it gets; both `[H, W]`."""
    x, y = depth.ravel().astype(np.float64), reference.ravel().astype(np.float64)
    spread = x.var()
    if spread < 1e-12:
        return np.full_like(depth, y.mean())
    scale = ((x - x.mean()) * (y - y.mean())).mean() / spread
    return np.asarray(depth * scale + (y.mean() - scale * x.mean()), dtype=np.float32)


def encode(depth: Depth) -> NDArray[np.uint16]:
    """Relative inverse depth `[H, W]` as uint16: the nearest pixel is 65535, the farthest 1."""
    low, high = float(depth.min()), float(depth.max())
    return np.asarray(np.rint(1.0 + (depth - low) * (65534.0 / max(high - low, 1e-9))), dtype=np.uint16)


def label(teacher: Path, photos: Path, out: Path, threads: int = 1) -> int:
    """Write a copy of each photo of `photos` and the teacher's inverse depth into `out`, listed in `pairs.csv`.

    What is there already is kept, so that an interrupted run goes on. Returns the number of pairs.

    Raises:
        LabelError: there is no teacher or no photo.
    """
    network = Teacher(teacher, threads)
    names = sorted(path for path in photos.glob("*.jpg"))
    if not names:
        raise LabelError(f"there are no .jpg photos in {photos}: run `python -m training.photos collect` first")
    out.mkdir(parents=True, exist_ok=True)
    rows: list[tuple[str, str]] = []
    with Progress() as progress:
        bar = progress.add_task(f"labelling into {out}", total=len(names))
        for path in names:
            photo, truth = out / path.name, out / f"{path.stem}.png"
            if not (photo.is_file() and truth.is_file()):
                try:
                    rgb = decode_photo(path)
                except AccuracyError as error:
                    raise LabelError(f"{error}; remove it") from None
                cv2.imwrite(str(truth), encode(network.label(rgb)), [cv2.IMWRITE_PNG_COMPRESSION, 4])
                photo.write_bytes(path.read_bytes())
            rows.append((photo.name, truth.name))
            progress.advance(bar)
            if len(rows) % 200 == 0:
                _write_pairs(out, rows)
    _write_pairs(out, rows)
    return len(rows)


def _write_pairs(out: Path, rows: list[tuple[str, str]]) -> None:
    with (out / "pairs.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["photo", "truth", "kind", "scale"])
        table.writerows((photo, truth, "inverse_depth", "") for photo, truth in rows)
