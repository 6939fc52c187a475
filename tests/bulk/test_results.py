"""The folder of results: what is done stays done, and only once."""

import json
from pathlib import Path
from typing import Any

import pytest

from bulk.errors import BulkError
from bulk.inputs import Photo
from bulk.results import Results, failure, output_name

FACTS: dict[str, Any] = {
    "input": "/photos",
    "variant": "net",
    "weights": "official",
    "network": "ab12",
    "options": {"format": "png16", "resolution": 256},
    "store": "files",
}


def done(photo: str) -> dict[str, Any]:
    return {"photo": photo, "status": "ok", "error": None, "output": f"depth/{photo}.png"}


def begun(folder: Path, **changed: Any) -> Results:
    results = Results(folder)
    try:
        results.begin({**FACTS, **changed})
    except BulkError:
        results.end()
        raise
    return results


def test_a_run_goes_on_with_what_the_journals_say(tmp_path: Path) -> None:
    first = begun(tmp_path)
    with first.journal("one") as journal:
        journal.started("a.jpg")
        journal.finished([done("a.jpg")])
        journal.started("b.jpg")
    with (tmp_path / "journal/one.jsonl").open("a") as file:
        file.write('{"photo":"b.jpg","sta')  # killed here
    (tmp_path / ".parts").mkdir(exist_ok=True)
    (tmp_path / ".parts" / "half").touch()
    first.end()

    second = begun(tmp_path)
    assert list(second.outcomes()) == ["a.jpg"]
    assert not (tmp_path / ".parts").exists()
    with second.journal("one") as journal:
        assert list(journal.done) == ["a.jpg"]
        assert journal.starts == {"a.jpg": 1, "b.jpg": 1}
        journal.finished([done("b.jpg")])
    assert list(second.outcomes()) == ["a.jpg", "b.jpg"]
    second.end()


def test_what_was_under_way_at_an_end_counts_against_no_photo(tmp_path: Path) -> None:
    results = begun(tmp_path)
    with results.journal("one") as journal:
        for photo in ("a.jpg", "b.jpg", "b.jpg"):
            journal.started(photo)
        journal.finished([done("a.jpg")])
    results.forget_starts()
    with results.journal("one") as journal:
        assert journal.starts == {"a.jpg": 1}
        assert list(journal.done) == ["a.jpg"]
    results.end()


def test_the_manifest_has_each_photo_once_in_the_order_of_the_input(tmp_path: Path) -> None:
    results = begun(tmp_path)
    for share, outcomes in (("1", [failure("a.jpg", "bad")]), ("2", [done("a.jpg")]), ("3", [failure("a.jpg", "bad")])):
        with results.journal(share) as journal:
            journal.finished(outcomes)
    with results.journal("4") as journal:
        journal.finished([done("b.jpg")])
    file = results.write_manifest([Photo("b.jpg", ""), Photo("a.jpg", ""), Photo("c.jpg", "")])
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert [(line["photo"], line["status"]) for line in lines] == [("b.jpg", "ok"), ("a.jpg", "ok")]
    assert all(line["weights"] == "official" and line["options"]["resolution"] == 256 for line in lines)
    results.end()


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"options": {"format": "png16", "resolution": 384}}, "resolution was 256 and is now 384"),
        ({"options": {"format": "float32", "resolution": 256}}, "format was 'png16' and is now 'float32'"),
        ({"network": "cd34"}, "network was 'ab12' and is now 'cd34'"),
        ({"weights": "untrained"}, "weights was 'official' and is now 'untrained'"),
        ({"input": "/others"}, "input was '/photos' and is now '/others'"),
        ({"store": "parquet"}, "store was 'files' and is now 'parquet'"),
    ],
)
def test_another_request_is_refused(tmp_path: Path, changed: dict[str, Any], words: str) -> None:
    begun(tmp_path).end()
    with pytest.raises(BulkError, match=words):
        begun(tmp_path, **changed)
    begun(tmp_path).end()


def test_two_runs_do_not_share_a_folder(tmp_path: Path) -> None:
    first = begun(tmp_path)
    with pytest.raises(BulkError, match="another run writes into"):
        begun(tmp_path)
    first.end()
    begun(tmp_path).end()


def test_files_of_others_are_not_written_over(tmp_path: Path) -> None:
    (tmp_path / "depth").mkdir()
    (tmp_path / "depth" / "mine.png").touch()
    with pytest.raises(BulkError, match="holds other files in depth/"):
        begun(tmp_path)


def test_failures_are_forgotten_and_successes_are_not(tmp_path: Path) -> None:
    results = begun(tmp_path)
    with results.journal("1") as journal:
        journal.finished([done("a.jpg"), failure("b.jpg", "bad")])
    results.forget_failures()
    assert list(results.outcomes()) == ["a.jpg"]
    results.end()


def test_results_of_different_photos_have_different_names() -> None:
    names = ["a.jpg", "a.png", "b/a.jpg", "/b/a.jpg", "../b/a.jpg", "s3://b/a.jpg", "b//a.jpg", "./b/a.jpg", "b:a.jpg"]
    outputs = [output_name(name, ".png") for name in names]
    assert len(set(outputs)) == len(names)
    assert outputs[:3] == ["depth/a.jpg.png", "depth/a.png.png", "depth/b/a.jpg.png"]
    assert all(output.startswith("depth/") and ".." not in output.split("/") for output in outputs)


def test_a_folder_that_cannot_be_written_says_so() -> None:
    with pytest.raises(BulkError, match="/dev/null/x cannot be written"):
        begun(Path("/dev/null/x"))
