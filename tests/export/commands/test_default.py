"""`python -m export default`: the official network where it can be had, else the shipped one and one sentence why."""

import hashlib
import io
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import torch

from export.commands import default
from export.commands.default import OFFICIAL, SHIPPED, export_default
from export.commands.request import ExportRequest
from export.commands.variant import export_variant
from export.networks import build
from export.repository.manifest import read_manifest
from export.variants import VARIANTS
from export.weights import cache, checkpoints
from export.weights.untrained import fill_untrained
from midas_server.repository import manifest_file
from tests.networks import ROOT

PAGE = b"<!DOCTYPE html><html><body>Sign in to this network</body></html>"


def saved(tensors: dict[str, torch.Tensor]) -> bytes:
    buffer = io.BytesIO()
    torch.save(tensors, buffer)
    return buffer.getvalue()


@pytest.fixture(scope="module")
def right() -> bytes:
    """A checkpoint of the official network's tensors."""
    network = build(OFFICIAL)
    fill_untrained(network)
    return saved(network.state_dict())


class Release(BaseHTTPRequestHandler):
    """Sends `body` of the `announced` length; then, if that was not all, nothing more until the test is over."""

    def __init__(self, body: bytes | None, announced: int, over: threading.Event, *rest: object) -> None:
        self.body, self.announced, self.over = body, announced, over
        super().__init__(*rest)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        if self.body is None:
            self.over.wait(60)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(self.announced))
        self.end_headers()
        self.wfile.write(self.body)
        if len(self.body) < self.announced:
            self.wfile.flush()
            self.over.wait(60)

    def do_CONNECT(self) -> None:
        self.over.wait(60)

    def log_message(self, *_: object) -> None:
        return


@contextmanager
def release(body: bytes | None, announced: int | None = None) -> Iterator[str]:
    over = threading.Event()
    handler = partial(Release, body, len(body or b"") if announced is None else announced, over)
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/{OFFICIAL}.pt"
    finally:
        over.set()
        server.shutdown()
        server.server_close()


@pytest.fixture
def online(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A user who may download, with an empty cache and no weights of his own."""
    for name in (
        "CI",
        "MIDAS_DOWNLOAD",
        "MIDAS_WEIGHTS",
        "http_proxy",
        "https_proxy",
        "no_proxy",
        "NO_PROXY",
        "HTTP_PROXY",
        "HTTPS_PROXY",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(checkpoints, "WEIGHTS_FOLDER", tmp_path / "weights")
    monkeypatch.setattr(default, "CONNECT_SECONDS", 0.5)


def official_is(body: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    row = VARIANTS[OFFICIAL]
    source = replace(row.source, sha256=hashlib.sha256(body).hexdigest())
    monkeypatch.setattr(default, "variant_named", lambda _: replace(row, source=source))


def falls_back(repository: Path, url: str) -> str:
    """Why, in the one line that says so."""
    said: list[str] = []
    assert export_default(repository, say=said.append, url=url) == SHIPPED
    reasons = [line for line in said if line.startswith(f"{SHIPPED}, the network that ships with the project, is used")]
    assert len(reasons) == 1
    assert "\n" not in reasons[0]
    return reasons[0]


@pytest.mark.usefixtures("online")
@pytest.mark.parametrize(
    ("body", "announced", "reason"),
    [
        pytest.param(PAGE, None, "is a web page, not a checkpoint", id="web page"),
        pytest.param(saved({"a": torch.ones(99999)})[:9000], None, "truncated or damaged", id="truncated"),
        pytest.param(
            saved({"a": torch.ones(3)}), None, "not the official file, its SHA-256 begins with", id="other file"
        ),
        pytest.param(b"PK", 80_000_000, "timed out", id="stalled"),
        pytest.param(None, None, "no answer within 0.5 s|timed out", id="silent"),
    ],
)
def test_what_is_not_the_official_file(
    repository: Path, body: bytes | None, announced: int | None, reason: str
) -> None:
    with release(body, announced) as url:
        why = falls_back(repository, url)
    assert any(part in why for part in reason.split("|")), why
    assert list(cache.folder().iterdir()) == []


@pytest.mark.usefixtures("online")
def test_nobody_there(repository: Path) -> None:
    assert "Connection refused" in falls_back(repository, "http://127.0.0.1:9/x.pt")


@pytest.mark.usefixtures("online")
def test_a_proxy_that_hangs(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with release(None) as proxy:
        monkeypatch.setenv("https_proxy", proxy.rpartition("/")[0])
        monkeypatch.setattr("urllib.request._opener", None)  # it remembers which proxies there were at its first use
        why = falls_back(repository, "https://example.invalid/x.pt")
    assert "no answer within 0.5 s" in why or "timed out" in why


@pytest.mark.usefixtures("online")
def test_names_that_are_never_resolved(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    over, resolve = threading.Event(), socket.getaddrinfo

    def never(host: Any, *arguments: Any, **named: Any) -> Any:
        if host == "example.invalid":  # the servers of other tests are asked meanwhile
            over.wait(60)
        return resolve(host, *arguments, **named)

    monkeypatch.setattr("socket.getaddrinfo", never)
    try:
        assert "no answer within 0.5 s" in falls_back(repository, "https://example.invalid/x.pt")
    finally:
        over.set()


@pytest.mark.usefixtures("online")
def test_wrong_tensors_are_not_kept(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = saved({"pretrained.layer1.0.weight": torch.ones(32, 3, 3, 3)})
    official_is(wrong, monkeypatch)
    before = read_manifest(manifest_file(repository, OFFICIAL))
    with release(wrong) as url:
        assert f"{OFFICIAL}.pt: " in falls_back(repository, url)
    assert list(cache.folder().iterdir()) == []
    assert read_manifest(manifest_file(repository, OFFICIAL)) == before


@pytest.mark.usefixtures("online")
def test_a_folder_that_cannot_be_written(repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert "Not a directory" in falls_back(repository, "http://127.0.0.1:9/x.pt")


@pytest.mark.long
@pytest.mark.usefixtures("online")
def test_the_right_file_is_served_and_downloaded_once(
    tmp_path: Path, right: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    official_is(right, monkeypatch)
    said: list[str] = []
    with release(right) as url:
        assert export_default(tmp_path / "first", say=said.append, url=url) == OFFICIAL
    assert cache.folder().joinpath(f"{OFFICIAL}.pt").read_bytes() == right
    manifest = read_manifest(manifest_file(tmp_path / "first", OFFICIAL))
    assert manifest is not None
    assert manifest.checkpoint_sha256 == hashlib.sha256(right).hexdigest()
    # another clone, and no release to be reached: nothing is asked for
    assert export_default(tmp_path / "second", say=said.append, url="http://127.0.0.1:9/x.pt") == OFFICIAL
    assert sum("Looking for the official" in line for line in said) == 1


@pytest.mark.long
@pytest.mark.usefixtures("online")
def test_weights_of_ones_own_are_not_replaced(tmp_path: Path, right: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    official_is(right, monkeypatch)
    network = build(OFFICIAL)
    fill_untrained(network, encoder_gain=1.1)
    (tmp_path / "own.pt").write_bytes(saved(network.state_dict()))
    request = ExportRequest(repository=tmp_path / "models", say=print, warn=print)
    own = export_variant(OFFICIAL, request, weights=tmp_path / "own.pt").manifest
    said: list[str] = []
    with release(right) as url:
        assert export_default(tmp_path / "models", say=said.append, url=url) == OFFICIAL
    assert read_manifest(manifest_file(tmp_path / "models", OFFICIAL)) == own
    assert len(said) == 1
    assert "own.pt" in said[0]


@pytest.mark.parametrize(("name", "value"), [("CI", "true"), ("MIDAS_DOWNLOAD", "no")])
def test_tests_and_ci_never_try(repository: Path, tmp_path: Path, name: str, value: str) -> None:
    given = {key: text for key, text in os.environ.items() if key not in ("CI", "MIDAS_DOWNLOAD", "MIDAS_WEIGHTS")}
    command = [sys.executable, "-m", "export", "default", "--repository", str(repository)]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**given, name: value, "XDG_CACHE_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert (done.returncode, done.stdout) == (0, f"{SHIPPED}\n"), done.stderr
    assert "says not to download it" in done.stderr
    assert "Looking for" not in done.stderr
