"""Scores without ground truth: what they see, that they follow real errors, and the command."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from accuracy import scenes, scores_checked
from accuracy.aspects import ASPECTS, View, stretched
from accuracy.errors import AccuracyError
from accuracy.scene_kinds import kinds_of
from accuracy.scores_checked import correlations, errors_of, worsened
from tests.networks import DEFAULT

HEIGHT, WIDTH = 160, 200


def truth() -> NDArray[np.float32]:
    """A sky, a floor, and three boards before them."""
    inverse = np.repeat(np.linspace(-0.6, 1, HEIGHT, dtype=np.float32).clip(0)[:, np.newaxis], WIDTH, axis=1)
    for number, (left, near) in enumerate(((20, 0.5), (80, 0.7), (140, 0.9))):
        inverse[50 : 120 + 10 * number, left : left + 40] = near
    return inverse


def photo(inverse: NDArray[np.float32]) -> NDArray[np.uint8]:
    """A photo of it: each surface has a colour of its own, the sky is pale blue."""
    levels = (60 + 140 * inverse / inverse.max()).astype(np.uint8)
    picture = np.stack([levels, levels // 2, levels // 3], axis=-1)
    picture[inverse == 0] = (170, 190, 230)
    return np.asarray(picture, np.uint8)


@pytest.mark.parametrize(
    ("worse", "aspects"),
    [
        ("blur 2", ["edges", "layers"]),
        ("speckle 2", ["speckle"]),
        ("flat 4", ["layers", "far"]),
        ("holes 4", ["planes"]),
    ],
)
def test_an_aspect_sees_its_fault(worse: str, aspects: list[str]) -> None:
    picture, versions = photo(truth()), worsened(stretched(truth()))
    for name in aspects:
        aspect = ASPECTS[name]
        good, bad = (aspect.find(View(picture, stretched(versions[each]))) for each in ("truth", worse))
        assert good is not None
        assert bad is not None
        better = aspect.best - aspect.worst  # its sign: scores end at 0 and 5, figures do not
        assert bad.value * better < good.value * better
        assert aspect.score(bad.value) <= aspect.score(good.value)


def test_scores_follow_the_real_errors() -> None:
    """On this plain scene; docs/accuracy.md has the figures of rendered and real ones."""
    picture, true = photo(truth()), stretched(truth())
    versions = worsened(true)
    known = np.ones(true.shape, bool)
    found = correlations(
        {name: View(picture, stretched(depth)) for name, depth in versions.items()},
        {name: errors_of(depth, true, known) for name, depth in versions.items()},
    )
    assert set(found) == {"edges", "layers", "far", "speckle", "planes"}
    assert min(found.values()) > 0.4, found


def test_mirroring_and_agreement_are_of_the_other_maps() -> None:
    depth = stretched(truth())
    same = View(photo(truth()), depth, depth, (depth, depth))
    unlike = View(photo(truth()), depth, depth[:, ::-1], (1 - depth,))
    for name in ("mirroring", "agreement"):
        good, bad = ASPECTS[name].find(same), ASPECTS[name].find(unlike)
        assert good is not None
        assert bad is not None
        assert good.value == pytest.approx(1)
        assert bad.value < 0.9
        assert ASPECTS[name].find(View(photo(truth()), depth)) is None


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two photos in folders of two kinds."""
    for kind in ("street", "My desk"):
        (tmp_path / "photos" / kind).mkdir(parents=True)
        Image.fromarray(photo(truth())).save(tmp_path / "photos" / kind / "one.png")
    return tmp_path / "photos"


def test_the_kind_is_the_folder_or_the_table(folder: Path) -> None:
    assert sorted(kinds_of([folder]).values()) == ["desk", "street"]
    (folder / "scenes.csv").write_text("photo,kind\nstreet/one.png,woodland\n")
    assert sorted(kinds_of([folder]).values()) == ["desk", "woodland"]
    (folder / "scenes.csv").write_text("photo,kind\nstreet/one.png,forest\n")
    with pytest.raises(AccuracyError, match="'forest' is no kind; allowed: living_room, shop_shelves, street"):
        kinds_of([folder])
    with pytest.raises(AccuracyError, match="is not a folder"):
        kinds_of([folder / "missing"])


def test_the_command(folder: Path, repository: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    given = [str(folder), "--models", DEFAULT, "--repository", str(repository), "--ramp", "--out", str(out)]
    assert scenes.main(given) == 0
    shown = capsys.readouterr().out
    assert shown.count("ramp") == shown.count(DEFAULT) == 2  # a row for each kind
    page = (out / "scenes.html").read_text()
    assert "<svg" in page
    assert "data:image/jpeg;base64," in page
    assert "http" not in page.replace("http://www.w3.org/2000/svg", "")  # it loads nothing
    assert scenes.main([str(folder / "missing")]) == 1
    assert "is not a folder" in capsys.readouterr().err


def test_the_check_of_the_scores(
    repository: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    Image.fromarray(photo(truth())).save(tmp_path / "a.png")
    np.save(tmp_path / "a.npy", truth() + 0.1)
    (tmp_path / "pairs.csv").write_text("photo,truth,kind,scale\na.png,a.npy,inverse_depth,\n")
    given = ["scores_checked", str(tmp_path), "--models", DEFAULT, "--repository", str(repository), "--ramp"]
    monkeypatch.setattr("sys.argv", given)
    assert scores_checked.main() == 0
    shown = capsys.readouterr().out
    assert all(name in shown for name in ASPECTS)
    monkeypatch.setattr("sys.argv", ["scores_checked", str(tmp_path / "missing")])
    assert scores_checked.main() == 1


def test_a_photo_without_edges_has_no_layers_to_judge() -> None:
    grey = np.full((60, 80, 3), 90, np.uint8)
    assert ASPECTS["layers"].find(View(grey, np.zeros((60, 80), np.float32))) is None
