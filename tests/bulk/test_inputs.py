"""Which photos an input has, and their bytes."""

import zipfile
from pathlib import Path

import fsspec
import pytest

from bulk.errors import BulkError, WrongUse
from bulk.inputs import Photo, Reader, find_photos


def named(photos: list[Photo]) -> dict[str, bytes]:
    reader = Reader(1000)
    return {photo.name: reader.read(photo) for photo in photos}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("a.jpg", "b/a.jpg", "b/c/d.PNG", "b/notes.md", ".hidden/e.jpg", "b/.f.jpg"):
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / name).write_bytes(name.encode())
    return tmp_path / "in"


WANTED = {name: name.encode() for name in ("a.jpg", "b/a.jpg", "b/c/d.PNG")}


def test_a_folder_with_folders(folder: Path) -> None:
    assert named(find_photos(str(folder))) == WANTED
    assert named(find_photos(f"{folder}/")) == WANTED


def test_an_address_of_a_folder(folder: Path) -> None:
    assert named(find_photos(f"file://{folder}")) == WANTED
    store = fsspec.filesystem("memory")
    store.put(str(folder), "/bulk_inputs", recursive=True)
    assert named(find_photos("memory://bulk_inputs")) == WANTED


def test_an_archive(folder: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "photos.zip", "w") as archive:
        for file in sorted(folder.rglob("*")):
            archive.write(file, file.relative_to(folder))
    assert named(find_photos(str(tmp_path / "photos.zip"))) == WANTED


@pytest.mark.parametrize("column", [None, "path"])
def test_a_table_of_paths(folder: Path, column: str | None) -> None:
    table = folder / "photos.csv"
    table.write_text(f"id,path\n1,a.jpg\n2,{folder}/b/a.jpg\n3,file://{folder}/b/c/d.PNG\n4,a.jpg\n5,\n")
    found = named(find_photos(str(table), column))
    assert list(found.values()) == list(WANTED.values())
    assert list(found) == ["a.jpg", f"{folder}/b/a.jpg", f"file://{folder}/b/c/d.PNG"]


def test_a_list_of_paths_and_one_photo(folder: Path) -> None:
    (folder / "photos.txt").write_text("a.jpg\n\nb/a.jpg\n")
    assert named(find_photos(str(folder / "photos.txt"))) == {"a.jpg": b"a.jpg", "b/a.jpg": b"b/a.jpg"}
    assert named(find_photos(str(folder / "a.jpg"))) == {"a.jpg": b"a.jpg"}


def test_what_holds_no_photo_is_refused_with_a_reason(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "broken.zip").write_bytes(b"no archive")
    (tmp_path / "photos.csv").write_text("id,place\n1,a.jpg\n")
    with pytest.raises(BulkError, match=r"there is no photo in .*empty: taken are \.jpg"):
        find_photos(str(tmp_path / "empty"))
    with pytest.raises(BulkError, match="nowhere cannot be read: No such file"):
        find_photos(str(tmp_path / "nowhere"))
    with pytest.raises(BulkError, match=r"broken\.zip cannot be read: File is not a zip file"):
        find_photos(str(tmp_path / "broken.zip"))
    with pytest.raises(WrongUse, match="it has id, place: name one with --column"):
        find_photos(str(tmp_path / "photos.csv"))
    with pytest.raises(WrongUse, match="no column photo; it has id, place"):
        find_photos(str(tmp_path / "photos.csv"), "photo")


def test_no_more_is_read_than_a_photo_may_have(folder: Path) -> None:
    photo = Photo("a.jpg", str(folder / "a.jpg"))
    assert Reader(3).read(photo) == Reader(3).ahead(photo)() == b"a.jp"


def test_a_photo_that_is_gone_says_so(folder: Path) -> None:
    with pytest.raises(BulkError, match="the photo cannot be read: No such file or directory"):
        Reader(9).read(Photo("x.jpg", str(folder / "x.jpg")))
    begun = Reader(9).ahead(Photo("x.jpg", str(folder / "x.jpg")))
    with pytest.raises(BulkError, match="No such file"):
        begun()
