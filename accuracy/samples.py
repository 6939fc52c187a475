"""What is measured: photos with a truth, with questions about points, or both."""

import io
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from accuracy.errors import AccuracyError
from accuracy.matlab import matlab_file, read_matlab_photo
from accuracy.ordinal import DIW_NAME, NAME, Question, read_questions
from accuracy.pair import Pair
from accuracy.pairs import NAME as PAIRS
from accuracy.pairs import read_pairs

Identity = Pair | Path


@dataclass(frozen=True)
class Sample:
    """A photo and what is known about its depth.

    Attributes:
        name: of the photo, as short as is unmistakable among the others; of its row too where several have the photo.
        photo: its file.
        pair: its true depth, if there is one.
        questions: about its points; may be empty.
    """

    name: str
    photo: Path
    pair: Pair | None
    questions: tuple[Question, ...]


def photo_bytes(sample: Sample) -> bytes:
    """The encoded photo, as it is sent to a server.

    Raises:
        AccuracyError: the file cannot be read.
    """
    if matlab_file(sample.photo):
        file = io.BytesIO()
        Image.fromarray(read_matlab_photo(sample.photo)).save(file, "PNG", compress_level=1)
        return file.getvalue()
    try:
        return sample.photo.read_bytes()
    except OSError as error:
        raise AccuracyError(f"{sample.photo} cannot be read: {error.strerror}") from None


def read_samples(paths: Sequence[Path], limit: int | None = None) -> list[Sample]:
    """All photos of the data sets named, in their order.

    Args:
        paths: each a data set as `read_pairs` takes it, a file of questions as `read_questions` takes it, or a folder
            with `ordinal.csv` or `DIW_test.csv`, alone or beside pairs.
        limit: at most so many, spread evenly.

    Raises:
        AccuracyError: a data set is missing, or something in it is wrong.
    """
    found: dict[Identity, tuple[Pair | None, list[Question]]] = {}
    for path in paths:
        for pair in _pairs(path):
            found.setdefault(pair, (pair, []))
    with_truth = {pair.photo: entry for pair, entry in found.items() if isinstance(pair, Pair)}
    for path in paths:
        for file in _question_files(path):
            for photo, questions in read_questions(file).items():
                entry = with_truth.get(photo) or found.setdefault(photo, (None, []))
                entry[1].extend(questions)
    chosen = list(found.items())
    if limit is not None and limit < len(chosen):
        chosen = [chosen[i * len(chosen) // limit] for i in range(limit)]
    names = names_of(list(found))
    return [
        Sample(names[key], key.photo if isinstance(key, Pair) else key, pair, tuple(questions))
        for key, (pair, questions) in chosen
    ]


def _pairs(path: Path) -> list[Pair]:
    files = _question_files(path)
    if files == [path] or (files and path.is_dir() and not (path / PAIRS).is_file()):
        return []
    return read_pairs(path)


def _question_files(path: Path) -> list[Path]:
    if path.is_dir():
        return [file for name in (NAME, DIW_NAME) if (file := path / name).is_file()]
    return [path] if path.name in (NAME, DIW_NAME) and path.is_file() else []


def names_of(identities: Sequence[Identity]) -> dict[Identity, str]:
    """A name of its own for each pair, or photo without one: the photo's, with row or truth where several have it."""
    identities = list(dict.fromkeys(identities))
    photos = [each.photo if isinstance(each, Pair) else each for each in identities]
    different = list(dict.fromkeys(photos))
    short = dict(zip(different, _short_names(different), strict=True))
    shared = Counter(short[photo] for photo in photos)
    taken: Counter[str] = Counter()
    names = {}
    for identity, photo in zip(identities, photos, strict=True):
        name = short[photo]
        if shared[name] > 1:
            name += f" ({(identity.row or identity.truth.name) if isinstance(identity, Pair) else 'questions'})"
        taken[name] += 1
        names[identity] = f"{name} #{taken[name]}" if taken[name] > 1 else name
    return names


def _short_names(photos: list[Path]) -> list[str]:
    """The paths without the folders that all of them share; the bare names where these differ."""
    if len({photo.name for photo in photos}) == len(photos):
        return [photo.name for photo in photos]
    shared = Path(os.path.commonpath([photo.parent.absolute() for photo in photos]))
    return [photo.absolute().relative_to(shared).as_posix() for photo in photos]
