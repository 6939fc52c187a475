"""Six kinds of scene, and which aspects of depth matter in each."""

import csv
from collections.abc import Mapping
from pathlib import Path

from accuracy.errors import AccuracyError

KINDS: Mapping[str, str] = {
    "living_room": "Planes and layers matter most: walls and floors are measured, and furniture must stand off them.",
    "shop_shelves": "Edges and layers matter most: goods stand close together, and a gap is a few centimetres deeper.",
    "street": "The far field and mirroring matter most: the sky must be far, and both sides of a street are alike.",
    "factory_floor": "Planes and speckle matter most: a false jump on a bare floor is an obstacle that is not there.",
    "woodland": "Edges and the far field matter most: thin trunks and leaves must not melt into what is behind them.",
    "desk": "Edges and planes matter most: small things lie close to the table, which must be flat.",
}
OTHER = "other"
TABLE = "scenes.csv"
ENDINGS = {".jpg", ".jpeg", ".png", ".webp"}


def kinds_of(folders: list[Path]) -> dict[Path, str]:
    """The photos in the folders, sorted, each with its kind: from `scenes.csv` (photo,kind), or its folder's name.

    Raises:
        AccuracyError: a folder is missing or has no photo, or the table names an unknown kind or a missing photo.
    """
    found: dict[Path, str] = {}
    for folder in folders:
        if not folder.is_dir():
            raise AccuracyError(f"{folder} is not a folder: give one with photos")
        table = _table(folder)
        for photo in sorted(path for path in folder.rglob("*") if path.suffix.lower() in ENDINGS):
            name = photo.relative_to(folder.parent).parent.as_posix().lower().replace(" ", "_").replace("-", "_")
            found[photo] = table.get(photo) or next((kind for kind in KINDS if kind in name), OTHER)
    if not found:
        raise AccuracyError(f"{', '.join(map(str, folders))}: no photo there; known are {', '.join(sorted(ENDINGS))}")
    return found


def _table(folder: Path) -> dict[Path, str]:
    file = folder / TABLE
    if not file.is_file():
        return {}
    with file.open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    kinds = {}
    for number, row in enumerate(rows, 2):
        photo, kind = folder / (row.get("photo") or ""), row.get("kind") or ""
        if not photo.is_file():
            raise AccuracyError(f"{file}, line {number}: there is no photo {photo}; the columns are photo,kind")
        if kind not in (*KINDS, OTHER):
            raise AccuracyError(f"{file}, line {number}: {kind!r} is no kind; allowed: {', '.join((*KINDS, OTHER))}")
        kinds[photo] = kind
    return kinds
