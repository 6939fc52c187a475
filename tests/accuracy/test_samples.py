"""Photos with truths and questions, collected from several data sets."""

from pathlib import Path

import pytest

from accuracy.errors import AccuracyError
from accuracy.ordinal import Question, read_questions
from accuracy.samples import read_samples

QUESTIONS = "photo,x_a,y_a,x_b,y_b,nearer,weight\n"


def folder_with(folder: Path, *, pairs: str = "", ordinal: str = "") -> Path:
    folder.mkdir()
    if pairs:
        (folder / "pairs.csv").write_text("photo,truth,kind,scale\n" + pairs)
    if ordinal:
        (folder / "ordinal.csv").write_text(QUESTIONS + ordinal)
    return folder


def test_questions_join_the_pair_of_their_photo(tmp_path: Path) -> None:
    folder = folder_with(
        tmp_path / "set", pairs="a.png,a_d.png,depth,1\n", ordinal="a.png,1,2,3,4,b,\nb.png,5,6,7,8,a,0.5\n"
    )
    first, second = read_samples([folder])
    assert (first.name, second.name) == ("a.png", "b.png")
    assert first.pair is not None
    assert first.questions == (Question((3, 4), (1, 2), 1.0),)
    assert second.pair is None
    assert second.questions == (Question((5, 6), (7, 8), 0.5),)


def test_questions_alone(tmp_path: Path) -> None:
    folder = folder_with(tmp_path / "set", ordinal="a.png,1,2,3,4,b,\na.png,1,2,5,6,b,\n")
    for path in (folder, folder / "ordinal.csv"):
        (sample,) = read_samples([path])
        assert sample.pair is None
        assert len(sample.questions) == 2


def test_questions_of_diw(tmp_path: Path) -> None:
    file = tmp_path / "DIW_test.csv"
    # y and x from 1; > says that the first is farther
    file.write_text("./DIW_test/a.thumb\n10,20,30,40,>,500,400\n./DIW_test/b.thumb\n1,2,3,4,<,500,400\n")
    assert read_questions(file) == {
        tmp_path / "DIW_test/a.thumb": [Question((39, 29), (19, 9))],
        tmp_path / "DIW_test/b.thumb": [Question((1, 0), (3, 2))],
    }
    assert len(read_samples([tmp_path])) == 2


@pytest.mark.parametrize(
    "line", ["a.png,1,2,3,4,c,\n", "a.png,1,2,3,half,a,\n", "a.png,1,2,3,4,a,-1\n", "a.png,1,2,1,2,a,\n", "a.png\n"]
)
def test_a_wrong_question_is_told(tmp_path: Path, line: str) -> None:
    folder = folder_with(tmp_path / "set", ordinal=line)
    with pytest.raises(AccuracyError, match=r"ordinal.csv, line 2: expected photo,x_a,y_a,x_b,y_b,nearer,weight"):
        read_samples([folder])


def test_several_sets_and_equal_names(tmp_path: Path) -> None:
    sets = [folder_with(tmp_path / name, pairs="a.png,d.png,depth,1\n") for name in ("one", "two")]
    assert [sample.name for sample in read_samples(sets)] == ["one/a.png", "two/a.png"]


def test_a_limit_is_spread_evenly(tmp_path: Path) -> None:
    folder = folder_with(tmp_path / "set", pairs="".join(f"{i}.png,d{i}.png,depth,1\n" for i in range(10)))
    assert [sample.name for sample in read_samples([folder], limit=3)] == ["0.png", "3.png", "6.png"]
    assert len(read_samples([folder], limit=99)) == 10


def test_rows_of_the_same_photo_have_names_of_their_own(tmp_path: Path) -> None:
    rows = "a.png,d.png,depth,0.001\na.png,d.png,depth,1\na.png,e.png,depth,1\nb.png,d.png,depth,1\n"
    folder = folder_with(tmp_path / "set", pairs=rows + "b.png,d.png,depth,1\n")
    names = [sample.name for sample in read_samples([folder])]
    assert names == [*(f"a.png (pairs.csv, line {line})" for line in (2, 3, 4)), "b.png"]
    assert [sample.name for sample in read_samples([folder], limit=2)] == [names[0], names[2]]


def test_names_differ_however_the_data_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder_with(tmp_path / "set", pairs="a.png,d.png,depth,1\n")
    monkeypatch.chdir(tmp_path)
    names = [sample.name for sample in read_samples([Path("set"), tmp_path / "set"])]
    assert len(set(names)) == 2
