"""A share of the photos, from reading to the journal, with the network that ships with the project."""

import errno
import io
import os
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from bulk.errors import BulkError, WrongUse
from bulk.inputs import Photo
from bulk.request import Parameters, Request, check, option
from bulk.results import MOST_STARTS, Results, share_name
from bulk.shares import shares
from bulk.worker import Worker
from midas_server.launch import Triton
from tests.networks import DEFAULT


@pytest.fixture
def photos(tmp_path: Path, photo: bytes) -> list[Photo]:
    files = {"a.jpg": photo, "b/a.jpg": photo, "broken.jpg": photo[:2000], "empty.jpg": b"", "text.jpg": b"no photo"}
    for name, data in files.items():
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / name).write_bytes(data)
    return [Photo(name, str(tmp_path / "in" / name)) for name in (*files, "gone.jpg")]


def worker(folder: Path, request: Request) -> tuple[Worker, Results]:
    results = Results(folder)
    results.begin({"input": "", **check(request)})
    results.end()
    return Worker(request, folder), results


def of(repository: Path, **parameters: Any) -> Request:
    return Request(DEFAULT, {"format": "png16", "resolution": 128, **parameters}, repository=str(repository))


WORDS = {
    "broken.jpg": "ends early",
    "empty.jpg": "0 bytes",
    "text.jpg": "JPEG, PNG or WebP",
    "gone.jpg": "No such file",
}


def test_good_photos_are_computed_and_bad_ones_recorded(repository: Path, photos: list[Photo], tmp_path: Path) -> None:
    made, results = worker(tmp_path / "out", of(repository))
    assert made.compute(photos) == (6, 4)
    outcomes = results.outcomes()
    assert {name for name, outcome in outcomes.items() if outcome["status"] == "ok"} == {"a.jpg", "b/a.jpg"}
    for name, words in WORDS.items():
        assert words in outcomes[name]["error"], outcomes[name]
    depth = cv2.imread(str(tmp_path / "out" / outcomes["b/a.jpg"]["output"]), cv2.IMREAD_UNCHANGED)
    assert depth.dtype == np.uint16
    assert depth.shape == (427, 640)
    assert outcomes["a.jpg"]["photo_size"] == [640, 427]
    low, high = outcomes["a.jpg"]["range"]
    assert low < high


@pytest.mark.parametrize(
    ("parameters", "ending", "start"),
    [
        ({"format": "float32"}, ".npy", b"\x93NUMPY"),
        ({"format": "float16", "output_size": "network"}, ".npy", b"\x93NUMPY"),
        ({"format": "color_jpeg", "colormap": "viridis"}, ".jpg", b"\xff\xd8"),
    ],
)
def test_other_formats(
    repository: Path, photos: list[Photo], tmp_path: Path, parameters: Parameters, ending: str, start: bytes
) -> None:
    made, results = worker(tmp_path / "out", of(repository, **parameters))
    made.compute(photos[:1])
    outcome = results.outcomes()["a.jpg"]
    data = (tmp_path / "out" / outcome["output"]).read_bytes()
    assert outcome["output"] == f"depth/a.jpg{ending}"
    assert data.startswith(start)
    if ending == ".npy":
        values = np.load(io.BytesIO(data))
        assert values.dtype == parameters["format"]
        assert values.shape == tuple(outcome["output_size"][::-1])


def test_a_share_that_is_begun_again_computes_only_what_is_left(
    repository: Path, photos: list[Photo], tmp_path: Path
) -> None:
    made, results = worker(tmp_path / "out", of(repository))
    with results.journal(share_name(photos)) as journal:
        journal.finished([{"photo": "a.jpg", "status": "ok", "output": "depth/a.jpg.png", "error": None}])
    assert made.compute(photos) == (6, 4)
    assert not (tmp_path / "out/depth/a.jpg.png").exists()
    assert (tmp_path / "out/depth/b/a.jpg.png").is_file()


def test_a_photo_that_kills_its_worker_again_and_again_counts_as_failed(
    repository: Path, photos: list[Photo], tmp_path: Path
) -> None:
    made, results = worker(tmp_path / "out", of(repository))
    with results.journal(share_name(photos[:2])) as journal:
        for _ in range(MOST_STARTS):
            journal.started("a.jpg")
    assert made.compute(photos[:2]) == (2, 1)
    assert "the worker died 3 times" in results.outcomes()["a.jpg"]["error"]
    assert results.outcomes()["b/a.jpg"]["status"] == "ok"


def test_a_result_whose_name_is_too_long_fails_alone(repository: Path, photos: list[Photo], tmp_path: Path) -> None:
    made, results = worker(tmp_path / "out", of(repository))
    assert made.compute([Photo(f"{'long' * 62}.jpg", photos[0].place), photos[0]]) == (2, 1)
    assert [outcome["error"] for outcome in results.outcomes().values() if outcome["error"]] == [
        f"depth/{'long' * 62}.jpg.png cannot be written: File name too long"
    ]


def test_a_full_disk_ends_the_run_and_counts_against_no_photo(
    repository: Path, photos: list[Photo], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, results = worker(tmp_path / "out", of(repository))

    def full(part: Path, target: Path) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Results, "take", staticmethod(full))
    with pytest.raises(BulkError, match="out cannot be written: No space left on device"):
        made.compute(photos)
    assert results.outcomes() == {}
    assert not any((tmp_path / "out" / ".parts").iterdir())


def test_a_server_gives_the_same_bytes(triton: Triton, repository: Path, photos: list[Photo], tmp_path: Path) -> None:
    here = of(repository)
    there = Request(DEFAULT, here.parameters, through=f"127.0.0.1:{triton.grpc_port}")
    assert check(there)["options"] == check(here)["options"]
    for name, request in (("here", here), ("there", there)):
        made, _ = worker(tmp_path / name, request)
        assert made.compute(photos) == (6, 4)
    for name in ("depth/a.jpg.png", "depth/b/a.jpg.png"):
        assert (tmp_path / "here" / name).read_bytes() == (tmp_path / "there" / name).read_bytes()


def test_a_server_that_is_gone_ends_the_run(photos: list[Photo], repository: Path, tmp_path: Path) -> None:
    request = Request(DEFAULT, {}, through="127.0.0.1:1", timeout=1)
    with pytest.raises(BulkError, match=r"127\.0\.0\.1:1"):
        check(request)
    results = Results(tmp_path / "out")
    results.begin({"input": "", **check(of(repository))})
    with pytest.raises(BulkError, match=r"127\.0\.0\.1:1"):
        Worker(request, tmp_path / "out").compute(photos)
    assert "a.jpg" not in results.outcomes()
    results.end()


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"resolution": 100}, "option resolution=100: allowed are integers from 128"),
        ({"format": "png16", "colormap": "viridis"}, "colormap=viridis does not go with format=png16"),
        ({"filter": "sharp"}, "option filter='sharp': allowed are none, guided"),
    ],
)
def test_options_are_checked_before_anything_starts(repository: Path, parameters: Parameters, words: str) -> None:
    with pytest.raises(WrongUse, match=words):
        check(Request(DEFAULT, parameters, repository=str(repository)))


def test_a_network_that_is_not_there_is_named_with_those_that_are(repository: Path) -> None:
    with pytest.raises(BulkError, match=rf"no network dpt_huge in .*; there are: .*{DEFAULT}"):
        check(Request("dpt_huge", {}, repository=str(repository)))


def test_an_option_is_read_as_its_type() -> None:
    assert [option(text) for text in ("resolution=256", "guided_eps=0.5", "filter=crf")] == [
        ("resolution", 256),
        ("guided_eps", 0.5),
        ("filter", "crf"),
    ]


@pytest.mark.parametrize(("count", "workers"), [(1, 2), (5, 2), (600, 2), (10_000, 16)])
def test_shares_hold_every_photo_once_and_get_small(count: int, workers: int) -> None:
    photos = [Photo(f"{number}.jpg", "") for number in range(count)]
    made = list(shares(photos, workers))
    assert [photo for share in made for photo in share] == photos
    assert max(len(share) for share in made) <= 64
    assert len(made[-1]) <= 4
