"""Which photos are meant by the files, folders and patterns of a command line."""

from __future__ import annotations

import glob
import os
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from midas_client._errors import PhotoError

STDIN = "-"
PHOTO_ENDINGS = (".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".webp")
"""What is taken from a folder: all that the server reads, by their usual endings."""

_OTHER_PICTURES = (
    ".heic",
    ".heif",
    ".avif",
    ".gif",
    ".tif",
    ".tiff",
    ".bmp",
    ".jp2",
    ".jxl",
    ".dng",
    ".cr2",
    ".cr3",
    ".nef",
)
_CONVERT = "Make JPEG of pictures first, for instance with ImageMagick: magick photo.heic photo.jpg"

DEPTH_SUFFIX = "_depth"
"""What a photo's name becomes: photo.jpg, photo_depth.png."""


@dataclass(frozen=True)
class Input:
    """One photo.

    Attributes:
        photo: its path, or "-" for standard input.
        folder: where it lies below the folder or pattern that it comes from, and so its depth below an output folder.
    """

    photo: str
    folder: Path = Path()


def find_photos(
    names: Sequence[str], *, recursive: bool, output: Path | None
) -> tuple[list[Input], list[tuple[str, PhotoError]]]:
    """The photos, each once, and the names that mean none, each with the reason.

    Args:
        names: of files, of folders (the photos in them, by their endings, without hidden ones), patterns with `*`, `?`
            and `[...]` (`**` for any folders) for shells that do not expand them, or "-". A name that exists is never
            a pattern. A file that does not exist is left to who opens it.
        recursive: whether folders in folders are looked into.
        output: a folder that is left out, since results go there.

    What an earlier run has written beside a photo is not a photo: photo_depth.png is left out of a folder or a pattern
    where there is a photo.jpg.
    """
    # An empty name is not the current folder: it is a shell's variable that was not set.
    folders = [name for name in names if name and Path(name).is_dir()]
    found: list[Input] = []
    failures: list[tuple[str, PhotoError]] = []
    for name in names:
        try:
            if name in folders:
                # As with cp: several folders keep their names.
                above = Path(Path(name).resolve().name) if len(folders) > 1 else Path()
                found += [Input(each.photo, above / each.folder) for each in _in_folder(name, recursive, output)]
            elif _is_pattern(name):
                found += _matches(name, output)
            else:
                found.append(Input(name))
        except PhotoError as error:
            failures.append((name, error))
    once: dict[str, Input] = {}
    for each in found:
        once.setdefault(each.photo if each.photo == STDIN else os.path.realpath(each.photo), each)
    return list(once.values()), failures


def _in_folder(name: str, recursive: bool, output: Path | None) -> list[Input]:
    try:
        paths = list(_walk(Path(name), recursive, output))
    except OSError as error:
        raise PhotoError(f"The folder {error.filename or name!r} cannot be read: {error.strerror}") from error
    photos = [path for path in paths if path.suffix.lower() in PHOTO_ENDINGS and path.is_file()]
    left_out = [path for path in paths if path.suffix.lower() in _OTHER_PICTURES or not path.is_file()]
    if not photos:
        raise PhotoError(
            f"There is no photo in {name!r}: no {', '.join(PHOTO_ENDINGS)}"
            + (f", but {_named(left_out)}" if left_out else ""),
            hint=_CONVERT if left_out else "" if recursive else "--recursive looks into its folders too",
        )
    if left_out:
        warnings.warn(f"In {name!r} were left out: {_named(left_out)}. {_CONVERT}", UserWarning, stacklevel=2)
    return [Input(str(path), path.parent.relative_to(name)) for path in _without_results(photos)]


def _named(files: Sequence[Path]) -> str:
    """How many, and which; the first few of many."""
    some = ", ".join(path.name if path.is_file() else f"{path.name} (a link to nothing)" for path in files[:5])
    return f"{len(files)} file{'s' * (len(files) > 1)} ({some}{', ...' * (len(files) > 5)})"


def _walk(folder: Path, recursive: bool, output: Path | None) -> Iterator[Path]:
    """The files that are not hidden, sorted; folders behind links are not entered, so there is no circle."""
    with os.scandir(folder) as entries:
        visible = sorted((entry for entry in entries if not entry.name.startswith(".")), key=lambda entry: entry.name)
    for entry in visible:
        if entry.is_file() or (entry.is_symlink() and not entry.is_dir() and not (folder / entry.name).exists()):
            yield folder / entry.name
        elif recursive and entry.is_dir(follow_symlinks=False) and not _is_same(folder / entry.name, output):
            yield from _walk(folder / entry.name, recursive, output)


def _is_pattern(name: str) -> bool:
    return any(sign in name for sign in "*?[") and "://" not in name and not os.path.lexists(name)


def _matches(pattern: str, output: Path | None) -> list[Input]:
    # What is below the part without wildcards keeps its folders.
    plain = []
    for part in Path(pattern).parts[:-1]:
        if any(sign in part for sign in "*?["):
            break
        plain.append(part)
    base = Path(*plain)
    # Path.glob() would find hidden files.
    paths = sorted(Path(match) for match in glob.iglob(pattern, recursive=True))  # noqa: PTH207
    files = [path for path in paths if path.is_file() and not _is_result_folder(path, base, output)]
    if not files:
        raise PhotoError(f"No file matches {pattern!r}")
    return [Input(str(path), path.parent.relative_to(base)) for path in _without_results(files)]


def _is_result_folder(path: Path, base: Path, output: Path | None) -> bool:
    """Whether the path is in an output folder that is itself one of the folders below base."""
    if output is None:
        return False
    results = output.resolve()
    return base.resolve() in results.parents and results in path.resolve().parents


def _without_results(photos: Sequence[Path]) -> list[Path]:
    known = {path.with_suffix("") for path in photos} | set(photos)

    def is_result(path: Path) -> bool:
        stem = path.stem
        return stem.endswith(DEPTH_SUFFIX) and path.with_name(stem.removesuffix(DEPTH_SUFFIX) or stem) in known

    return [path for path in photos if not is_result(path)]


def _is_same(folder: Path, output: Path | None) -> bool:
    return output is not None and folder.resolve() == output.resolve()
