"""Tells from the first bytes of a file, or from its list of contents, what was given for a checkpoint instead."""

import zipfile
from pathlib import Path

from export.errors import CheckpointError

_AGAIN = "download it again"
_OFFICIAL = "give the PyTorch checkpoint (.pt) instead"

# The first bytes, and what a file is that begins so. The first that fits counts.
_BEGINNINGS = (
    (b"version https://git-lfs", "a Git LFS pointer, not the file itself: run `git lfs pull` in its folder"),
    (b"\x89HDF\r\n\x1a\n", f"an HDF5 file, as Keras (TensorFlow) writes them: {_OFFICIAL}"),
    (b"\x08\x01\x12", f"a saved model of TensorFlow: {_OFFICIAL}"),
    (b"\x1f\x8b", "a gzip archive: unpack it and give the checkpoint inside"),
    (b"BZh", "a bzip2 archive: unpack it and give the checkpoint inside"),
    (b"\xfd7zXZ", "an xz archive: unpack it and give the checkpoint inside"),
    (b"7z\xbc\xaf", "a 7z archive: unpack it and give the checkpoint inside"),
    (b"\x93NUMPY", f"a NumPy array: {_OFFICIAL}"),
    (b"GGUF", f"a GGUF file: {_OFFICIAL}"),
)


def refuse_no_checkpoint(path: Path) -> None:
    """Name what a file is that is no checkpoint; what is left may be one.

    Raises:
        CheckpointError: one sentence for each kind.
    """
    with path.open("rb") as file:
        start = file.read(1024)
    if not start:
        raise CheckpointError(f"{path} is empty: {_AGAIN}")
    kind = _kind(path, start)
    if kind is not None:
        raise CheckpointError(f"{path} is {kind}")
    if start.startswith(b"PK"):
        _refuse_other_archive(path)


def is_safetensors(path: Path) -> bool:
    """Whether it is a safetensors file: the length of a JSON text, and the text."""
    with path.open("rb") as file:
        return file.read(9)[8:] == b"{"


def _kind(path: Path, start: bytes) -> str | None:
    for beginning, known in _BEGINNINGS:
        if start.startswith(beginning):
            return known
    kind: str | None = None
    if start.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        openvino = b"<net" in start
        kind = f"a network of OpenVINO: {_OFFICIAL}" if openvino else f"a web page, not a checkpoint: {_AGAIN}"
    elif start[4:8] == b"TFL3":
        kind = f"a network of TensorFlow Lite: {_OFFICIAL}"
    # Protobuf: a version, a small number, and then the producer's name, a domain or the graph.
    elif start[:1] == b"\x08" and len(start) > 2 and start[1] < 32 and start[2] in b"\x12\x22\x3a\x42":
        kind = "an ONNX file, not a checkpoint: export it with --from-onnx and a name of its own"
    elif path.suffix == ".pb":
        kind = f"a graph of TensorFlow: {_OFFICIAL}"
    return kind


def _refuse_other_archive(path: Path) -> None:
    if not zipfile.is_zipfile(path):
        raise CheckpointError(f"{path} is truncated or damaged: {_AGAIN}")
    with zipfile.ZipFile(path) as archive:
        names = [name.rpartition("/")[2] for name in archive.namelist()]
    if "constants.pkl" in names:
        raise CheckpointError(
            f"{path} is a TorchScript archive, which is a program: it is not run. Save the tensors alone where you "
            f"made it (torch.save(network.state_dict(), ...)), or {_OFFICIAL}"
        )
    if "model.weights.h5" in names:
        raise CheckpointError(f"{path} is a Keras (TensorFlow) file: {_OFFICIAL}")
    if "data.pkl" not in names:
        raise CheckpointError(f"{path} is a zip archive without a checkpoint: unpack it, or {_OFFICIAL}")
