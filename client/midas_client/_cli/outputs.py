"""Which file the depth of each photo goes to, and what kind of file that is."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from midas_client._cli.inputs import DEPTH_SUFFIX, STDIN, Input
from midas_client._errors import OptionError

FileKind = Literal["png", "jpg", "npy", "tif", "pfm", "ply"]
KINDS: tuple[FileKind, ...] = get_args(FileKind)

PICTURES: tuple[FileKind, ...] = ("png", "jpg")
"""What a colour map or an equalisation can be written to."""

STDOUT = "-"

_OTHER_ENDINGS: dict[str, FileKind] = {".jpeg": "jpg", ".tiff": "tif"}


@dataclass(frozen=True)
class PhotoToFile:
    """One photo, and the file that its depth goes to; None for standard output."""

    photo: str
    output: Path | None


def is_folder(output: str) -> bool:
    """Whether -o means a folder: an existing one, a name that ends with a slash, or one without ending."""
    return output.endswith(("/", os.sep)) or Path(output).is_dir() or not Path(output).suffix


def choose_kind(output: str | None, save_as: FileKind | None, *, picture: bool, colours: bool) -> FileKind:
    """What is written: what -o ends with, or what was said, or PNG.

    Args:
        output: as given with -o.
        save_as: as given with --save-as.
        picture: whether a picture was asked for, which rules out files of floats.
        colours: whether a colour map was, without which there is no JPEG.

    Raises:
        OptionError: they contradict each other, or the ending is none of those there are.
    """
    if output == "":
        raise OptionError("-o is empty", hint="Name a file or a folder; the current one is .")
    kind = save_as or "png"
    if output not in (None, STDOUT) and not is_folder(output):
        ending = Path(output).suffix.lower()
        named = _OTHER_ENDINGS.get(ending) or next((each for each in KINDS if ending == f".{each}"), None)
        if named is None:
            raise OptionError(
                f"-o {output}: depth cannot be written as {ending}",
                hint=f"Allowed endings: {', '.join(f'.{each}' for each in KINDS)}; or a folder, with a / at its end",
            )
        if save_as not in (None, named):
            raise OptionError(f"-o {output} and --save-as {save_as} contradict each other", hint="Leave one out")
        kind = named
    if picture and kind not in PICTURES:
        raise OptionError(
            f"A picture was asked for: colours cannot be written as .{kind}",
            hint=f"Allowed: {', '.join(f'.{each}' for each in PICTURES)}",
        )
    if kind == "jpg" and not colours:
        raise OptionError(
            "A JPEG holds a picture, not depth",
            hint="Add --colormap inferno for a picture, or write .png, .npy, .tif or .pfm",
        )
    return kind


def plan_jobs(photos: Sequence[Input], output: str | None, kind: FileKind) -> list[PhotoToFile]:
    """One job for each photo; nothing is read or written.

    Args:
        photos: those of the command line.
        output: None for <photo>_depth.<kind> beside each photo (standard output for standard input); a folder, in which
            the photos keep their folders; a file for one photo; or "-", standard output for one photo.
        kind: of the files.

    Raises:
        OptionError: a file would be written twice, or a photo overwritten.
    """
    if output is not None and (output == STDOUT or not is_folder(output)):
        if len(photos) > 1:
            what = "standard output" if output == STDOUT else "one file"
            raise OptionError(f"-o {output} is {what} for {len(photos)} photos", hint="Name a folder")
        return _checked([PhotoToFile(photo.photo, None if output == STDOUT else Path(output)) for photo in photos])
    if output is None and any(photo.photo == STDIN for photo in photos):
        if len(photos) > 1:
            raise OptionError("Standard input is among several photos", hint="Name a folder with -o")
        return [PhotoToFile(STDIN, None)]
    shorter = [_target(photo, output, kind, whole_name=False) for photo in photos]
    count = Counter(shorter)
    return _checked(
        [
            # a.jpg beside a.png: each keeps its whole name.
            PhotoToFile(photo.photo, target if count[target] == 1 else _target(photo, output, kind, whole_name=True))
            for photo, target in zip(photos, shorter, strict=True)
        ]
    )


def _target(photo: Input, output: str | None, kind: FileKind, *, whole_name: bool) -> Path:
    path = Path("stdin" if photo.photo == STDIN else photo.photo)
    name = f"{path.name if whole_name else path.stem}{DEPTH_SUFFIX}.{kind}"
    return path.parent / name if output is None else Path(output) / photo.folder / name


def _checked(jobs: list[PhotoToFile]) -> list[PhotoToFile]:
    photos = {os.path.realpath(job.photo): job.photo for job in jobs if job.photo != STDIN}
    taken: dict[str, str] = {}
    for job in jobs:
        if job.output is None:
            continue
        target = os.path.realpath(job.output)
        if target in photos:
            raise OptionError(f"{job.output} would overwrite the photo {photos[target]}", hint="Choose another -o")
        if target in taken:
            raise OptionError(
                f"{taken[target]} and {job.photo} would both be written to {job.output}",
                hint="Send them one by one, each with its own -o",
            )
        taken[target] = job.photo
    return jobs
