"""Jobs: photos, a zip and a video, progress, the same one twice, and what becomes of them after a kill."""

from __future__ import annotations

import io
import json
import secrets
import threading
import zipfile
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
import requests

from midas_gateway.jobs.store import JobStore
from tests.gateway import http
from tests.gateway.conftest import Gateway, StartGateway, until
from tests.gateway.test_archive import zipped
from tests.gateway.test_predict import refused

ENDED = ("finished", "failed", "cancelled", "lost")


def ended(document: dict[str, Any]) -> dict[str, Any]:
    """The job's document when it has ended."""

    def state() -> dict[str, Any] | None:
        found: dict[str, Any] = http.get(document["status_url"]).json()
        return found if found["state"] in ENDED else None

    last: dict[str, Any] = until(state, 120)
    return last


def result(document: dict[str, Any]) -> zipfile.ZipFile:
    answer = http.get(document["result_url"])
    assert answer.headers["content-type"] == "application/zip"
    return zipfile.ZipFile(io.BytesIO(answer.content))


def video(frames: int, size: tuple[int, int] = (160, 120)) -> bytes:
    """An MP4 of a square that moves."""
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        for number in range(frames):
            picture = np.full((size[1], size[0], 3), 40, np.uint8)
            picture[20:80, number % 100 : number % 100 + 40] = 200
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
    return file.getvalue()


def test_photos_and_one_that_is_none(gateway: Gateway, photo: bytes) -> None:
    files = [("image", ("a b.jpg", photo)), ("image", ("../../evil.jpg", photo)), ("image", ("notes.txt", b"notes"))]
    answer = http.post(f"{gateway.url}/jobs", files=files, data={"output_size": "network"})
    assert answer.status_code == 202
    assert answer.headers["location"] == answer.json()["status_url"]
    last = ended(answer.json())
    assert (last["state"], last["total"], last["done"], last["failed"]) == ("finished", 3, 3, 1)
    archive = result(last)
    assert archive.namelist() == ["00000_a_b.png", "00001_evil.png", "report.json"]
    assert archive.testzip() is None
    report = json.loads(archive.read("report.json"))
    assert "text" in report[2]["error"]
    levels = cv2.imdecode(np.frombuffer(archive.read("00000_a_b.png"), np.uint8), cv2.IMREAD_UNCHANGED)
    size = report[0]["info"]["output"]
    assert levels.dtype == np.uint16
    assert levels.shape == (size["height"], size["width"])


def test_put_twice_is_one_job_and_its_events_resume(gateway: Gateway, photo: bytes) -> None:
    url = f"{gateway.url}/jobs/{secrets.token_hex(8)}"
    archive = zipped(("one.jpg", photo), ("two.jpg", photo))
    headers = {"Content-Type": "application/zip"}
    first = http.put(f"{url}?format=png8", data=archive, headers=headers)
    again = http.put(f"{url}?format=png8", data=archive, headers=headers)
    assert (first.status_code, again.status_code) == (202, 202)
    assert first.json()["id"] == again.json()["id"]
    refused(http.put(f"{url}?format=png16", data=archive, headers=headers), 409)
    ended(first.json())
    whole = http.get(f"{url}/events")
    assert whole.headers["content-type"].startswith("text/event-stream")
    numbers = [int(line[4:]) for line in whole.text.splitlines() if line.startswith("id: ")]
    assert numbers == list(range(1, 6))  # queued, running, two photos, finished
    rest = http.get(f"{url}/events", headers={"Last-Event-ID": "3"})
    assert [line for line in rest.text.splitlines() if line.startswith("id: ")] == ["id: 4", "id: 5"]
    assert '"state": "finished"' in rest.text
    assert http.delete(url).json()["state"] == "finished"
    refused(http.get(url), 404)


@pytest.mark.parametrize(
    ("format", "media_type", "kind"), [("", "video/mp4", "yuv420p"), ("png16", "video/x-matroska", "gray16le")]
)
def test_a_video(gateway: Gateway, format: str, media_type: str, kind: str) -> None:
    answer = http.post(f"{gateway.url}/jobs", files={"file": ("v.mp4", video(8))}, data={"format": format})
    last = ended(answer.json())
    assert (last["state"], last["done"], last["total"]) == ("finished", 8, 8), last
    depth = http.get(last["result_url"])
    assert depth.headers["content-type"] == media_type
    with av.open(io.BytesIO(depth.content)) as container:
        frames = list(container.decode(video=0))
    assert [(frame.width, frame.height, frame.format.name) for frame in frames] == [(160, 120, kind)] * 8


def test_a_video_that_is_too_long_or_none(gateway: Gateway) -> None:
    long = http.post(f"{gateway.url}/jobs", data=video(650, (16, 16)), headers={"Content-Type": "video/mp4"})
    last = ended(long.json())
    assert (last["state"], last["success"]) == ("failed", False)
    assert "at most 60 s" in last["message"]
    broken = http.post(f"{gateway.url}/jobs", data=video(8)[:900], headers={"Content-Type": "video/mp4"})
    last = ended(broken.json())
    assert last["state"] == "failed"
    assert str(gateway.folder) not in last["message"]


def test_what_is_no_job(gateway: Gateway, photo: bytes) -> None:
    url = f"{gateway.url}/jobs"
    refused(http.post(url, data=b"x", headers={"Content-Type": "text/plain"}), 415)
    refused(http.post(url, files={"image": photo}, data={"filter": "x"}), 422)
    refused(http.post(url, files={"file": ("v.mp4", video(2))}, data={"equalize": "clahe"}), 422)
    refused(http.post(url, files=[("image", photo), ("image", zipped(("a", b"1")))]), 400)
    refused(http.post(url, data=zipped(("../a", b"1")), headers={"Content-Type": "application/zip"}), 400)
    refused(http.put(f"{url}/short", files={"image": photo}), 422)
    refused(http.get(f"{url}/{'a' * 22}"), 404)
    # Nothing of what was refused is kept.
    assert not [path for path in (gateway.folder / "jobs").iterdir() if path.name.startswith(".")]


def test_a_job_is_its_owners(start_gateway: StartGateway, photo: bytes, tmp_path: Path) -> None:
    (tmp_path / "keys").write_text("one first-key-of-the-two\ntwo second-key-of-the-two\n")
    with start_gateway("--keys", str(tmp_path / "keys"), "--jobs", "1") as guarded:
        one, two = ({"X-API-Key": f"{name}-key-of-the-two"} for name in ("first", "second"))
        job = http.post(f"{guarded.url}/jobs", files={"image": photo}, headers=one).json()
        refused(http.get(job["status_url"], headers=two), 404)
        refused(http.delete(job["status_url"], headers=two), 404)
        refused(http.get(job["status_url"]), 401)
        assert http.get(job["status_url"], headers=one).ok


def test_a_cancelled_job_stops_and_leaves_room(start_gateway: StartGateway, photo: bytes) -> None:
    with start_gateway("--jobs", "1") as small:
        many = [("image", (f"{number}.jpg", photo)) for number in range(200)]
        job = http.post(f"{small.url}/jobs", files=many).json()
        refused(http.post(f"{small.url}/jobs", files={"image": photo}), 503)
        until(lambda: http.get(job["status_url"]).json()["done"] > 0)
        refused(http.get(f"{job['status_url']}/result"), 409)
        assert http.delete(job["status_url"]).json()["state"] == "cancelled"
        refused(http.get(f"{job['status_url']}/result"), 404)
        after = http.post(f"{small.url}/jobs", files={"image": photo})
        assert ended(after.json())["state"] == "finished"


def test_after_a_kill_a_job_is_finished(start_gateway: StartGateway, photo: bytes, tmp_path: Path) -> None:
    many = [("image", (f"{number}.jpg", photo)) for number in range(40)]
    with start_gateway(folder=tmp_path) as first:
        job = http.post(f"{first.url}/jobs", files=many, data={"output_size": "network"}).json()
        until(lambda: http.get(job["status_url"]).json()["done"] > 2)
        first.process.kill()
        first.process.wait()
    with start_gateway(folder=tmp_path) as second:
        last = ended({"status_url": f"{second.url}/jobs/{job['id']}"})
        assert (last["state"], last["done"]) == ("finished", 40)
        assert len(result(last).namelist()) == 41


def test_what_brings_its_worker_down_twice_is_lost(start_gateway: StartGateway, tmp_path: Path) -> None:
    store = JobStore(tmp_path / "jobs.sqlite")
    wish: dict[str, Any] = {"model": None, "options": {}}
    for identity in ("without-files", "twice-begun"):
        store.add(
            identity, owner="127.0.0.1", digest="", kind="photos", wish=wish, total=1, most=9, settle=lambda: None
        )
        store.claim("a-worker-that-is-gone")
    (tmp_path / "jobs" / "twice-begun" / "inputs").mkdir(parents=True)
    store.requeue("twice-begun")
    store.claim("another-one")
    store.close()
    with start_gateway(folder=tmp_path) as gateway:
        for identity in ("without-files", "twice-begun"):
            last = ended({"status_url": f"{gateway.url}/jobs/{identity}"})
            assert (last["state"], last["success"]) == ("lost", False)


def test_two_callers_put_the_same_job_at_once(gateway: Gateway, photo: bytes) -> None:
    url = f"{gateway.url}/jobs/{secrets.token_hex(8)}"
    answers: list[requests.Response] = []

    def put() -> None:
        answers.append(http.put(url, files={"image": photo}))

    threads = [threading.Thread(target=put) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [answer.status_code for answer in answers] == [202] * 4
    assert ended(answers[0].json())["state"] == "finished"
