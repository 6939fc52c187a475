"""Which photos are meant by files, folders and patterns."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from midas_client._cli.inputs import Input, find_photos


def names(found: list[Input], base: Path) -> list[tuple[str, str]]:
    return [(os.path.relpath(each.photo, base), str(each.folder)) for each in found]


def find(*arguments: Path | str, recursive: bool = False, output: Path | None = None) -> list[Input]:
    found, failures = find_photos([str(each) for each in arguments], recursive=recursive, output=output)
    assert not failures
    return found


def test_a_folder_gives_its_photos_sorted_without_hidden_ones_and_results(album: Path) -> None:
    assert names(find(album), album) == [("a.JPG", "."), ("b.jpg", ".")]
    assert names(find(album, recursive=True), album) == [
        ("a.JPG", "."),
        ("b.jpg", "."),
        ("trip/c.jpg", "trip"),
        ("trip/deep/d.jpeg", "trip/deep"),
    ]


def test_several_folders_keep_their_names(album: Path) -> None:
    found = find(album / "trip", album / "trip" / "deep", album / "b.jpg")
    assert names(found, album) == [("trip/c.jpg", "trip"), ("trip/deep/d.jpeg", "deep"), ("b.jpg", ".")]


def test_the_output_folder_is_no_input(album: Path) -> None:
    assert names(find(album, recursive=True, output=album / "trip"), album) == [("a.JPG", "."), ("b.jpg", ".")]
    assert names(find(album / "**" / "*.jp*g", output=album / "trip"), album) == [("b.jpg", ".")]
    for same in (album, album.parent):
        assert len(find(album, output=same)) == 2
        assert len(find(album / "*.jpg", output=same)) == 1


def test_patterns(album: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert names(find(album / "**" / "*.jp*g"), album) == [
        ("b.jpg", "."),
        ("trip/c.jpg", "trip"),
        ("trip/deep/d.jpeg", "trip/deep"),
    ]
    assert names(find(album / "t?ip" / "[a-c].jpg"), album) == [("trip/c.jpg", "trip")]
    monkeypatch.chdir(album)
    assert find("*.jpg") == [Input("b.jpg")]
    assert find("trip/*") == [Input("trip/c.jpg")]


def test_a_file_that_looks_like_a_pattern_is_a_file(tmp_path: Path, photo: bytes) -> None:
    for name in ("photo[1].jpg", "photo1.jpg", "what?.jpg"):
        (tmp_path / name).write_bytes(photo)
    assert names(find(tmp_path / "photo[1].jpg", tmp_path / "what?.jpg"), tmp_path) == [
        ("photo[1].jpg", "."),
        ("what?.jpg", "."),
    ]
    (tmp_path / "photo[1].jpg").unlink()
    assert names(find(tmp_path / "photo[1].jpg"), tmp_path) == [("photo1.jpg", ".")]


def test_each_photo_once(album: Path) -> None:
    assert names(find(album / "b.jpg", album, album / "*.jpg"), album) == [("b.jpg", "."), ("a.JPG", ".")]
    assert find("-", "-") == [Input("-")]


def test_links_do_not_lead_in_circles(album: Path) -> None:
    (album / "trip" / "again").symlink_to(album)
    (album / "trip" / "linked.jpg").symlink_to(album.parent / "elsewhere.jpg")
    (album.parent / "elsewhere.jpg").write_bytes(b"x")
    assert [name for name, _ in names(find(album / "trip", recursive=True), album / "trip")] == [
        "c.jpg",
        "deep/d.jpeg",
        "linked.jpg",
    ]


def test_what_is_not_there_is_left_to_who_opens_it() -> None:
    assert [each.photo for each in find("missing.jpg", "", "https://example.org/a.jpg?size=1")] == [
        "missing.jpg",
        "",
        "https://example.org/a.jpg?size=1",
    ]


def test_names_that_mean_no_photo(album: Path) -> None:
    (album / "empty" / "deep").mkdir(parents=True)
    arguments = [str(album / "empty"), str(album / "*.webp"), str(album / "b.jpg")]
    found, failures = find_photos(arguments, recursive=False, output=None)
    assert [each.photo for each in found] == [str(album / "b.jpg")]
    assert [name for name, _ in failures] == arguments[:2]
    assert "--recursive" in str(failures[0][1])
    assert "No file matches" in str(failures[1][1])
    _, failures = find_photos(arguments[:1], recursive=True, output=None)
    assert "--recursive" not in str(failures[0][1])


def test_what_a_folder_has_beside_photos_is_told(tmp_path: Path) -> None:
    for name in ("a.jpg", "b.JFIF", "c.mpo", "d.JPE", "e.HEIC", "f.gif", "notes.txt"):
        (tmp_path / name).touch()
    (tmp_path / "g.png").symlink_to(tmp_path / "gone.png")
    with pytest.warns(UserWarning, match=r"left out: 3 files \(e.HEIC, f.gif, g.png \(a link to nothing\)\).*magick"):
        photos, failures = find_photos([str(tmp_path)], recursive=False, output=None)
    assert [Path(each.photo).name for each in photos] == ["a.jpg", "b.JFIF", "c.mpo", "d.JPE"]
    assert failures == []


def test_a_folder_of_heic_says_how_to_convert(tmp_path: Path) -> None:
    (tmp_path / "a.HEIC").touch()
    photos, failures = find_photos([str(tmp_path)], recursive=False, output=None)
    assert photos == []
    assert "1 file (a.HEIC)" in str(failures[0][1])
    assert "magick" in str(failures[0][1])
