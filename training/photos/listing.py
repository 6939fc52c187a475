"""The list of photos: which file of which package, under which licence, by whom."""

import csv
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

LISTING = Path(__file__).with_name("photos.csv")
WHEELS = frozenset({"scikit-learn"})


@dataclass(frozen=True)
class ListedPhoto:
    """One photo of the list.

    Attributes:
        package: Debian's or a Python wheel.
        version: that was looked at.
        member: the file in the package; after a "!" the file in a Qt resource collection.
        licence: that the package states for it.
        author: of the photo.
        source: where it comes from.
    """

    package: str
    version: str
    member: str
    licence: str
    author: str
    source: str


def read_listing(path: Path = LISTING) -> list[ListedPhoto]:
    """All photos of the list, in its order."""
    with path.open(newline="", encoding="utf-8") as file:
        return [ListedPhoto(**row) for row in csv.DictReader(file)]


def licence_table(photos: list[ListedPhoto]) -> str:
    """A Markdown table of packages, versions, licences and numbers of photos, for the model card."""
    lines = ["| package | version | licence | photos | authors |", "|---|---|---|---|---|"]
    counts = Counter((photo.package, photo.version, photo.licence) for photo in photos)
    for (package, version, licence), count in sorted(counts.items()):
        authors = sorted({p.author for p in photos if (p.package, p.licence) == (package, licence) and p.author})
        lines.append(f"| {package} | {version} | {licence} | {count} | {'; '.join(authors)} |")
    return "\n".join(lines)
