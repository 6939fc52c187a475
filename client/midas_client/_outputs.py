"""Which file the depth of each photo goes to."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from midas_client._errors import OptionError

DEPTH_ENDINGS = (".png", ".npy")


@dataclass(frozen=True)
class Job:
    """One photo, and the file that its depth goes to."""

    photo: str
    output: Path


def plan_jobs(photos: Sequence[str], output: str | None, *, colour: bool) -> list[Job]:
    """One job for each photo; nothing is read or written.

    Args:
        photos: paths.
        output: None for <photo>_depth.png beside each photo; a folder (an existing one, a name without ending, or one
            that ends with a slash); or, for one photo, a .png or .npy file.
        colour: whether pictures are written, which rules out .npy.

    Raises:
        OptionError: output fits neither, a file would be written twice, or a photo overwritten.
    """
    if output is not None and not _is_folder(output):
        endings = DEPTH_ENDINGS[:1] if colour else DEPTH_ENDINGS
        if Path(output).suffix.lower() not in endings:
            kind = "colours" if colour else "depth"
            allowed = f"Allowed endings: {', '.join(endings)}"
            raise OptionError(f"-o {output}: {kind} cannot be written there", hint=allowed)
        if len(photos) > 1:
            raise OptionError(f"-o {output} is one file for {len(photos)} photos", hint="Name a folder")
        jobs = [Job(photos[0], Path(output))]
    else:
        jobs = [
            Job(photo, _beside(photo) if output is None else Path(output) / _beside(photo).name) for photo in photos
        ]
    _check(jobs)
    return jobs


def _is_folder(output: str) -> bool:
    return output.endswith(("/", os.sep)) or Path(output).is_dir() or not Path(output).suffix


def _beside(photo: str) -> Path:
    path = Path(photo)
    return path.with_name(f"{path.stem}_depth.png") if path.name else Path("_depth.png")


def _check(jobs: Sequence[Job]) -> None:
    photos = {Path(job.photo).resolve(): job.photo for job in jobs}
    taken: dict[Path, str] = {}
    for job in jobs:
        target = job.output.resolve()
        if target in photos:
            raise OptionError(f"{job.output} would overwrite the photo {photos[target]}", hint="Choose another -o")
        if target in taken:
            raise OptionError(
                f"{taken[target]} and {job.photo} would both be written to {job.output}",
                hint="Send them one by one, each with its own -o",
            )
        taken[target] = job.photo
