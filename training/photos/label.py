"""A teacher's inverse depth for a folder of photos, steadied by looking at each photo in four ways."""

import csv
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
import onnxruntime
import torch
from numpy.typing import NDArray
from rich.progress import Progress

from accuracy.errors import AccuracyError
from accuracy.pair import decode_photo
from export.errors import ExportError
from export.graph.trace import FromPixels
from export.networks import build, load_official
from export.variants import variant_named
from export.weights.checkpoints import read_state_dict
from midas_server.imaging.filters.crf import crf
from midas_server.options import SETTINGS

OWN = "midas_tiny_256"
CRF_RADIUS, CRF_CONTRAST = int(SETTINGS["crf_radius"].default), SETTINGS["crf_contrast"].default  # the server's
Photo = NDArray[np.uint8]
Depth = NDArray[np.float32]


class LabelError(RuntimeError):
    """The teacher or the photos are not usable."""


class Teacher(Protocol):
    """A network that can see a photo at several sizes."""

    @property
    def sides(self) -> tuple[int, ...]:
        """The sizes, in pixels."""

    def look(self, photo: Photo, side: int) -> Depth:
        """Inverse depth `[h, w]` of an RGB photo `[H, W, 3]`, at the size at which the network saw it."""


class OnnxTeacher:
    """An ONNX network with one input [1,3,H,W] (RGB, 0 to 255, sides multiples of 32) that returns inverse depth."""

    sides = (256, 384)  # short sides

    def __init__(self, path: Path, threads: int = 1) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        self.path = path
        try:
            self.session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # noqa: BLE001  (ONNX Runtime's errors share no other base)
            raise LabelError(f"{path} cannot be run: {_in_a_line(error)}") from None
        self.input = self.session.get_inputs()[0].name

    def look(self, photo: Photo, side: int) -> Depth:
        """See `Teacher`; the photo keeps its proportions, with a short side of `side` pixels."""
        scale = side / min(photo.shape[:2])
        height, width = (max(round(edge * scale / 32), 1) * 32 for edge in photo.shape[:2])
        small = cv2.resize(photo, (width, height), interpolation=cv2.INTER_CUBIC if scale > 0.7 else cv2.INTER_AREA)
        blob = np.ascontiguousarray(small.astype(np.float32).transpose(2, 0, 1)[None])
        try:
            return np.asarray(self.session.run(None, {self.input: blob})[0], dtype=np.float32).reshape(height, width)
        except Exception as error:  # noqa: BLE001  (as above, and a depth of another size)
            wanted = "a teacher takes RGB 0..255 [1,3,H,W], sides multiples of 32, and returns a value for each pixel"
            raise LabelError(f"{self.path} is no such network ({_in_a_line(error)}): {wanted}") from None


class OwnTeacher:
    """Earlier weights of the network that is to be trained, which sees squares, as it is served."""

    sides = (256, 320)

    def __init__(self, path: Path, threads: int = 1) -> None:
        torch.set_num_threads(threads)
        row = variant_named(OWN)
        network = build(OWN)
        try:
            load_official(network, read_state_dict(path))
        except (ExportError, OSError) as error:
            raise LabelError(f"{path} holds no weights of {OWN}: {error}") from error
        self.network = FromPixels(network, row.mean, row.std).eval()

    def look(self, photo: Photo, side: int) -> Depth:
        """See `Teacher`; the photo becomes a square of `side` pixels."""
        small = np.asarray(cv2.resize(photo, (side, side), interpolation=cv2.INTER_AREA), np.uint8)
        with torch.inference_mode():
            return np.asarray(self.network(torch.from_numpy(small)[None])[0].numpy(), np.float32)


def _in_a_line(error: Exception) -> str:
    return " ".join(str(error).split())


def teacher_from(path: Path, threads: int = 1) -> Teacher:
    """The network in a file: `.pt` is earlier weights of the project's own network, all else is ONNX.

    Raises:
        LabelError: there is no such file, or it holds another network's weights.
    """
    if not path.is_file():
        raise LabelError(f"there is no teacher {path}: name an ONNX depth network, or earlier weights of {OWN} (.pt)")
    return OwnTeacher(path, threads) if path.suffix == ".pt" else OnnxTeacher(path, threads)


def labelled(teacher: Teacher, photo: Photo) -> Depth:
    """Inverse depth `[H, W]` of an RGB photo `[H, W, 3]`: the mean of four looks.

    They are of two sizes, each also mirrored. Each gets the photo's edges by the server's `crf` filter, or their mean
    would teach blurred edges; all are brought to the scale and shift of the first.
    """
    looks = []
    for side in teacher.sides:
        for step in (1, -1):
            seen = teacher.look(np.ascontiguousarray(photo[:, ::step]), side)[:, ::step]
            looks.append(crf(np.ascontiguousarray(seen), photo, radius=CRF_RADIUS, contrast=CRF_CONTRAST))
    return np.asarray(np.mean([aligned(depth, looks[0]) for depth in looks], axis=0), dtype=np.float32)


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

    Args:
        teacher: its file, see `teacher_from`.
        photos: folder of `.jpg` photos.
        out: folder of the pairs.
        threads: of the processor.

    Raises:
        LabelError: there is no teacher or no photo.
    """
    network = teacher_from(teacher, threads)
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
                cv2.imwrite(str(truth), encode(labelled(network, rgb)), [cv2.IMWRITE_PNG_COMPRESSION, 4])
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
