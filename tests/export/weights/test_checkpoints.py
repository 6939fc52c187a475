"""Checkpoints: found in order, downloaded whole or not at all, read without running what is inside."""

import fcntl
import hashlib
import io
import pickle
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import torch

from export.errors import CheckpointError, DownloadError
from export.variants import VARIANTS
from export.variants.row import Variant
from export.weights import cache, checkpoints
from export.weights.checkpoints import download, find, find_local, read_state_dict


def saved(content: object, legacy: bool = False) -> bytes:
    buffer = io.BytesIO()
    torch.save(content, buffer, _use_new_zipfile_serialization=not legacy)
    return buffer.getvalue()


TENSORS = {"a.weight": torch.arange(5000.0)}
WHOLE = saved(TENSORS)
DIGEST = hashlib.sha256(WHOLE).hexdigest()
PAGE = b"\n<!DOCTYPE html><html><body>Not found</body></html>"


class Bomb:
    """Unpickling it would create a file."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (self.target,)


@pytest.fixture
def row(small: Variant) -> Variant:
    """A variant whose official file is WHOLE."""
    return replace(small, source=replace(small.source, sha256=DIGEST[:8]))


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    """The places that are searched, empty."""
    places = {name: tmp_path / name for name in ("named", "variable", "weights")}
    for place in places.values():
        place.mkdir()
    monkeypatch.setattr(checkpoints, "WEIGHTS_FOLDER", places["weights"])
    monkeypatch.setenv("MIDAS_WEIGHTS", str(places["variable"]))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return places


class Handler(BaseHTTPRequestHandler):
    """Answers as the test says: a status, what it announces as length, and the bytes that it sends."""

    def __init__(self, status: int, announced: int | None, body: bytes, silent: threading.Event, *rest: object) -> None:
        self.status, self.announced, self.body, self.silent = status, announced, body, silent
        super().__init__(*rest)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        if self.status == 0:
            self.silent.wait(10)
            return
        self.send_response(self.status)
        if self.announced is not None:
            self.send_header("Content-Length", str(self.announced))
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *_: object) -> None:
        return


@contextmanager
def serving(status: int, announced: int | None, body: bytes) -> Iterator[str]:
    done = threading.Event()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, status, announced, body, done))
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/midas_v21_small_256.pt"
    finally:
        done.set()
        server.shutdown()
        server.server_close()


def test_the_order_of_places(row: Variant, folders: dict[str, Path]) -> None:
    assert find_local(row) is None
    for place in ("weights", "variable", "named"):
        path = folders[place] / row.source.file
        path.write_bytes(place.encode())
        found = find_local(row, path if place == "named" else None)
        assert found is not None
        assert found.path == path
        assert found.weights == f"sha256:{hashlib.sha256(place.encode()).hexdigest()}"


def test_the_official_file_is_known_by_its_digest(row: Variant, folders: dict[str, Path]) -> None:
    (folders["weights"] / row.source.file).write_bytes(WHOLE)
    found = find_local(row)
    assert found is not None
    assert (found.weights, found.sha256) == ("official", DIGEST)


def test_a_path_that_is_not_there(row: Variant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(CheckpointError, match=r"there is no checkpoint .*nowhere.pt: check the path"):
        find_local(row, tmp_path / "nowhere.pt")
    monkeypatch.setenv("MIDAS_WEIGHTS", str(tmp_path / "nowhere"))
    with pytest.raises(CheckpointError, match=r"MIDAS_WEIGHTS names .*nowhere, which is not a folder"):
        find_local(row)


def test_a_whole_download_is_used(row: Variant, tmp_path: Path) -> None:
    folder = tmp_path / "weights"
    folder.mkdir()
    (folder / f"{row.source.file}.part").write_bytes(b"left by a download that was killed")
    with serving(200, len(WHOLE), WHOLE) as url:
        found = download(row, folder, url)
    assert found.official
    assert found.sha256 == DIGEST
    assert {path.name for path in folder.iterdir()} == {row.source.file, f"{row.source.file}.sha256"}
    assert torch.equal(read_state_dict(found.path)["a.weight"], TENSORS["a.weight"])  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("status", "announced", "body", "message"),
    [
        pytest.param(200, len(WHOLE), WHOLE[:9000], r"broke off after 9,000 of [\d,]+ bytes", id="partial"),
        pytest.param(200, None, WHOLE[:9000], "truncated or damaged", id="partial of unknown length"),
        pytest.param(200, len(PAGE), PAGE, "is a web page, not a checkpoint", id="web page"),
        pytest.param(200, 0, b"", "is empty", id="empty"),
        pytest.param(200, None, saved({}), "not the official file, its SHA-256 begins with", id="another file"),
        pytest.param(404, len(PAGE), PAGE, "the server answered 404", id="not found"),
        pytest.param(0, None, b"", "no answer within|timed out", id="a server that says nothing"),
    ],
)
def test_a_download_that_is_not_whole_is_never_used(
    row: Variant,
    folders: dict[str, Path],
    monkeypatch: pytest.MonkeyPatch,
    status: int,
    announced: int | None,
    body: bytes,
    message: str,
) -> None:
    monkeypatch.setattr(checkpoints, "CONNECT_SECONDS", 0.5 if status == 0 else 5.0)
    with serving(status, announced, body) as url:
        with pytest.raises(DownloadError, match=message):
            download(row, folders["weights"], url)
        assert list(folders["weights"].iterdir()) == []
        warnings: list[str] = []
        there = replace(row, source=replace(row.source, url=url))
        assert find(there, None, warnings.append) is None
    assert len(warnings) == 1
    assert "\n" not in warnings[0]


def test_a_download_is_kept_for_every_checkout(row: Variant, folders: dict[str, Path]) -> None:
    with serving(200, len(WHOLE), WHOLE) as url:
        there = replace(row, source=replace(row.source, url=url))
        warnings: list[str] = []
        assert find(there, None, warnings.append) == find_local(row)
    assert warnings == []
    assert list(folders["weights"].iterdir()) == []
    cached = cache.folder() / row.source.file
    assert cached.read_bytes() == WHOLE
    cached.write_bytes(WHOLE[:-1])
    assert find_local(row) is None  # damaged: downloaded again


def test_without_a_known_digest_the_first_download_counts(row: Variant, folders: dict[str, Path]) -> None:
    with serving(200, len(WHOLE), WHOLE) as url:
        there = replace(row, source=replace(row.source, url=url, sha256=None))
        warnings: list[str] = []
        found = find(there, None, warnings.append)
    assert found is not None
    assert (found.weights, found.sha256) == ("official", DIGEST)
    assert len(warnings) == 1
    assert "is not known here" in warnings[0]
    assert DIGEST in warnings[0]
    assert find_local(there) == found
    found.path.unlink()
    other = saved({"a.weight": torch.zeros(3)})
    with (
        serving(200, len(other), other) as url,
        pytest.raises(
            DownloadError, match=f"not the official file, its SHA-256 begins with .* instead of {DIGEST[:8]}"
        ),
    ):
        download(there, cache.folder(), url)


def test_no_server(row: Variant, tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match=r"could not download http://127.0.0.1:9/x.pt: Connection refused"):
        download(row, tmp_path, "http://127.0.0.1:9/x.pt")


def test_one_download_at_a_time(row: Variant, tmp_path: Path) -> None:
    part = tmp_path / f"{row.source.file}.part"
    with part.open("ab") as file, serving(200, len(WHOLE), WHOLE) as url:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(DownloadError, match=r"another process is downloading midas_v21_small_256.pt"):
            download(row, tmp_path, url)
        assert part.exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(PAGE, "is a web page, not a checkpoint", id="web page"),
        pytest.param(b"", "is empty", id="empty"),
        pytest.param(WHOLE[:-700], "is truncated or damaged", id="truncated"),
        pytest.param(saved(TENSORS, legacy=True)[:9000], "is truncated or damaged", id="truncated, old format"),
        pytest.param(saved(TENSORS, legacy=True)[:90], "is truncated or damaged", id="truncated at once, old format"),
        pytest.param(b"depth depth depth", "is not a PyTorch checkpoint", id="text"),
        pytest.param(saved([1, 2]), "holds a list, not a state dict", id="a list"),
    ],
)
def test_what_is_no_checkpoint(content: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / "x.pt"
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=message):
        read_state_dict(path)


@pytest.mark.parametrize("form", ["zip", "old format", "bare pickle, protocol 2", "bare pickle, protocol 4"])
@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
def test_a_checkpoint_with_code_is_refused_and_the_code_not_run(form: str, tmp_path: Path) -> None:
    path, target = tmp_path / "bomb.pt", tmp_path / "exploded"
    content = {"a": Bomb(target)}
    bare = pickle.dumps(content, protocol=int(form[-1])) if "bare" in form else b""
    path.write_bytes(bare or saved(content, legacy=form == "old format"))
    with pytest.raises(
        CheckpointError, match=r"would run code from the file, so it was refused|is not a PyTorch checkpoint"
    ):
        read_state_dict(path)
    assert not target.exists()


@pytest.mark.parametrize("legacy", [False, True])
def test_both_formats_are_read(legacy: bool, tmp_path: Path) -> None:
    path = tmp_path / "x.pt"
    path.write_bytes(saved(TENSORS, legacy))
    assert list(read_state_dict(path)) == ["a.weight"]


@pytest.mark.parametrize(
    ("variant", "other"),
    [
        ("depth_anything_v2_vits", "depth_anything_vits14"),
        ("depth_anything_v2_metric_hypersim_vits", "depth_anything_v2_vits"),
        ("depth_anything_v2_metric_vkitti_vits", "depth_anything_v2_metric_hypersim_vits"),
    ],
)
def test_a_file_with_the_name_of_a_network_that_it_cannot_be_told_from(
    variant: str, other: str, tmp_path: Path
) -> None:
    for ending in (".pth", ".safetensors"):
        path = tmp_path / f"{other}{ending}"
        path.write_bytes(WHOLE)
        with pytest.raises(CheckpointError, match=f"has the name of {other}'s weights; .*: export {other}, or rename"):
            find_local(VARIANTS[variant], path)
        assert find_local(VARIANTS[other], path) is not None
