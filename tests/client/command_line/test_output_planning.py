"""Which file the depth of each photo goes to."""

from __future__ import annotations

from pathlib import Path

import pytest

from midas_client import OptionError
from midas_client._cli.inputs import Input
from midas_client._cli.outputs import FileKind, choose_kind, plan_jobs


def plan(photos: list[str], output: str | None, kind: FileKind = "png") -> list[str]:
    return [str(job.output) for job in plan_jobs([Input(photo) for photo in photos], output, kind)]


@pytest.mark.parametrize(
    ("photos", "output", "files"),
    [
        (["p/a.jpg"], None, ["p/a_depth.png"]),
        (["p/a.jpg", "q/a.png"], None, ["p/a_depth.png", "q/a_depth.png"]),
        (["p/a.jpg"], "d.png", ["d.png"]),
        (["p/a.jpg"], "new", ["new/a_depth.png"]),
        (["p/a.jpg"], "v1.0/", ["v1.0/a_depth.png"]),
        (["p/a.tar.jpg", "b.webp"], "out", ["out/a.tar_depth.png", "out/b_depth.png"]),
        (["-", "b.webp"], "out", ["out/stdin_depth.png", "out/b_depth.png"]),
        (["-"], None, ["None"]),
        (["a.jpg"], "-", ["None"]),
        (["p/a.jpg", "p/a.png", "p/b.jpg"], "out", ["out/a.jpg_depth.png", "out/a.png_depth.png", "out/b_depth.png"]),
        (["p/a.jpg", "p/a.png"], None, ["p/a.jpg_depth.png", "p/a.png_depth.png"]),
    ],
)
def test_outputs(photos: list[str], output: str | None, files: list[str]) -> None:
    assert plan(photos, output) == files


def test_photos_keep_their_folders() -> None:
    photos = [Input("x/a.jpg", Path("x")), Input("y/a.jpg", Path("y")), Input("a.jpg")]
    jobs = plan_jobs(photos, "out", "npy")
    assert [str(job.output) for job in jobs] == ["out/x/a_depth.npy", "out/y/a_depth.npy", "out/a_depth.npy"]


def test_an_existing_folder_may_have_an_ending(tmp_path: Path) -> None:
    folder = tmp_path / "photos.png"
    folder.mkdir()
    assert plan(["a.jpg"], str(folder)) == [str(folder / "a_depth.png")]


@pytest.mark.parametrize(
    ("photos", "output", "reason"),
    [
        (["x/a.jpg", "y/a.jpg"], "out/", "both be written"),
        (["a.jpg", "b.jpg"], "depth.png", "Name a folder"),
        (["a.jpg", "b.jpg"], "-", "standard output"),
        (["-", "b.jpg"], None, "Name a folder"),
        (["a.png"], "a.png", "overwrite the photo"),
        (["a.png", "a_depth.png"], None, "overwrite the photo"),
    ],
)
def test_outputs_that_would_get_lost(photos: list[str], output: str | None, reason: str) -> None:
    with pytest.raises(OptionError, match=reason):
        plan(photos, output)


@pytest.mark.parametrize(
    ("output", "save_as", "colours", "kind"),
    [
        (None, None, False, "png"),
        (None, "npy", False, "npy"),
        ("x.TIFF", None, False, "tif"),
        ("x.tif", "tif", False, "tif"),
        ("x.pfm", None, False, "pfm"),
        ("x.ply", None, False, "ply"),
        ("x.jpeg", None, True, "jpg"),
        ("folder/", "jpg", True, "jpg"),
        ("-", "npy", False, "npy"),
        ("-", None, True, "png"),
    ],
)
def test_kinds(output: str | None, save_as: FileKind | None, colours: bool, kind: FileKind) -> None:
    assert choose_kind(output, save_as, picture=colours, colours=colours) == kind


@pytest.mark.parametrize(
    ("output", "save_as", "colours", "reason"),
    [
        ("x.exr", None, False, ".png, .jpg, .npy, .tif, .pfm, .ply"),
        ("x.png", "npy", False, "contradict"),
        ("x.npy", None, True, "colours cannot be written as .npy"),
        ("x.jpg", None, False, "--colormap"),
        (None, "jpg", False, "--colormap"),
        ("", None, False, "is empty"),
    ],
)
def test_contradictions(output: str | None, save_as: FileKind | None, colours: bool, reason: str) -> None:
    with pytest.raises(OptionError) as caught:
        choose_kind(output, save_as, picture=colours, colours=colours)
    assert reason in str(caught.value)
