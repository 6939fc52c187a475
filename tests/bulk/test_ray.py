"""The command on a real Ray, in the environment that `make bulk-setup` makes: killed workers, a killed run, stores."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from bulk.run import SETTINGS
from midas_server.launch import Triton
from midas_server.launch.health import ask_health
from midas_server.launch.ports import free_ports
from tests.networks import DEFAULT, ROOT

pytestmark = pytest.mark.bulk

PYTHON = ROOT / ".venv-bulk" / "bin" / "python"
SMALL = ("--option", "resolution=128", "--option", "output_size=network")


class Command:
    """`python -m bulk`, to the end or until it is killed."""

    def __init__(self, *arguments: str | Path, **environment: str) -> None:
        self.process = subprocess.Popen(
            [PYTHON, "-m", "bulk", *map(str, arguments)],
            cwd=ROOT,
            env={**os.environ, **environment},
            stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            text=True,
        )

    def end(self) -> tuple[int, str]:
        """The exit code, and what it said."""
        _, said = self.process.communicate(timeout=300)
        return self.process.returncode, said

    def workers(self) -> list[psutil.Process]:
        """The actors: Ray names them after what they do."""
        children = psutil.Process(self.process.pid).children(recursive=True)
        return [child for child in children if "MapWorker" in _title(child)]


def _title(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


def wait(for_what: Callable[[], Any]) -> Any:
    end = time.monotonic() + 120
    while not (found := for_what()):
        assert time.monotonic() < end, "it did not come in two minutes"
        time.sleep(0.05)
    return found


def finished(output: Path) -> list[str]:
    """The names of the photos that the journals have, as often as they have them."""
    lines = [line for file in output.glob("journal/*.jsonl") for line in file.read_text().splitlines()]
    return re.findall(r'"photo":"([^"]+)","status"', "\n".join(lines))


def manifest(output: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (output / "manifest.jsonl").read_text().splitlines()]


def folder_of(count: int, photo: bytes, folder: Path) -> Path:
    """So many names of one photo, and two that are none."""
    (folder / "0").mkdir(parents=True)
    (folder / "0" / "0000.jpg").write_bytes(photo)
    for number in range(1, count):
        file = folder / str(number % 7) / f"{number // 7:04}.jpg"
        file.parent.mkdir(exist_ok=True)
        os.link(folder / "0" / "0000.jpg", file)
    (folder / "broken.jpg").write_bytes(photo[:2000])
    (folder / "text.jpg").write_bytes(b"no photo")
    return folder


@pytest.fixture
def photos(tmp_path: Path, photo: bytes) -> Path:
    return folder_of(1500, photo, tmp_path / "in")


@pytest.fixture
def few_photos(tmp_path: Path, photo: bytes) -> Path:
    return folder_of(400, photo, tmp_path / "in")


def check_whole(folder: Path, output: Path) -> None:
    """Every photo has one outcome, one line in the journals, and one result if it is good; nothing else is there."""
    names = {file.relative_to(folder).as_posix() for file in folder.rglob("*.jpg")}
    lines = manifest(output)
    assert len(lines) == len(names)
    assert {line["photo"] for line in lines} == names
    assert sorted(finished(output)) == sorted(names)
    failed = {line["photo"] for line in lines if line["status"] == "failed"}
    assert failed == {"broken.jpg", "text.jpg"}
    results = {file.relative_to(output).as_posix() for file in output.glob("depth/**/*.png")}
    assert results == {line["output"] for line in lines if line["output"]}
    assert len(results) == len(names) - 2


def test_killed_workers_and_killed_runs_lose_nothing_and_repeat_nothing(
    photos: Path, repository: Path, tmp_path: Path
) -> None:
    output = tmp_path / "out"
    arguments = (photos, output, "--repository", repository, *SMALL)
    run = Command(*arguments)
    wait(lambda: len(finished(output)) > 50)
    worker = wait(run.workers)[0]
    worker.send_signal(signal.SIGKILL)
    before = len(finished(output))
    wait(lambda: len(finished(output)) > before + 200)
    run.process.kill()
    run.end()
    assert not (output / "manifest.jsonl").exists()

    run = Command(*arguments)
    before = len(finished(output))
    wait(lambda: len(finished(output)) > before + 200)
    run.process.send_signal(signal.SIGINT)
    code, said = run.end()
    assert (code, "The same command goes on from here" in said) == (130, True), said
    assert len(manifest(output)) == len(finished(output))

    code, said = Command(*arguments).end()
    assert code == 1, said
    assert "1,500 photos done, 2 failed" in said
    check_whole(photos, output)

    code, said = Command(*arguments, "--option", "filter=median").end()
    assert (code, "filter was 'none' and is now 'median'" in said) == (1, True), said


def test_ray_knows_the_settings() -> None:
    """A name that it does not know does nothing."""
    (ray,) = (ROOT / ".venv-bulk").glob("lib/python*/site-packages/ray")
    raylet = (ray / "core/src/ray/raylet/raylet").read_bytes()
    log_monitor = (ray / "_private/log_monitor.py").read_text()
    unknown = [
        name
        for name in SETTINGS
        if f"\0{name.removeprefix('RAY_')}\0".encode() not in raylet and f'"{name}"' not in log_monitor
    ]
    assert unknown == []


def test_depth_in_parquet_and_photos_from_parquet(photos: Path, photo: bytes, repository: Path, tmp_path: Path) -> None:
    """Bytes in, depth out; each row of the manifest is one row of the table that it names."""
    program = """
import sys, pyarrow as pa, pyarrow.parquet as pq
data = open(sys.argv[1], "rb").read()
rows = [data] * 150 + [b"no photo", None]
pq.write_table(pa.table({"id": range(152), "image": rows}), sys.argv[2], row_group_size=40)
"""
    subprocess.run([PYTHON, "-c", program, photos / "0/0000.jpg", tmp_path / "photos.parquet"], check=True)
    output = tmp_path / "out"
    arguments = (tmp_path / "photos.parquet", output, "--repository", repository, "--store", "parquet", *SMALL)
    run = Command(*arguments)
    wait(lambda: len(finished(output)) >= 20)
    run.process.kill()
    run.end()
    code, said = Command(*arguments).end()
    assert code == 1, said
    assert "150 photos done, 2 failed" in said
    program = """
import collections, json, sys, pathlib, pyarrow.parquet as pq
out = pathlib.Path(sys.argv[1])
rows = [{**row, "file": f"depth/{file.name}"}
        for file in sorted(out.glob("depth/*.parquet")) for row in pq.read_table(file).to_pylist()]
assert all(row["depth"].startswith(b"\\x89PNG") for row in rows)
print(json.dumps([[row["photo"], row["file"]] for row in rows]))
"""
    read = subprocess.run([PYTHON, "-c", program, output], check=True, capture_output=True, text=True)
    wanted = sorted([line["photo"], line["output"]] for line in manifest(output) if line["status"] == "ok")
    assert sorted(json.loads(read.stdout)) == wanted
    assert len(wanted) == 150


@pytest.fixture
def store(photo: bytes) -> Iterator[dict[str, str]]:
    """The environment of an S3 server with a bucket of five photos."""
    program = """
import os, sys, boto3
from moto.server import ThreadedMotoServer
server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
server.start()
address = "http://%s:%d" % server.get_host_and_port()
s3 = boto3.client("s3", endpoint_url=address, region_name="us-east-1")
s3.create_bucket(Bucket="photos")
data = sys.stdin.buffer.read()
for number in range(5):
    s3.put_object(Bucket="photos", Key=f"shoes/{number}/front.jpg", Body=data)
print(address, flush=True)
server._thread.join()
"""
    keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    process = subprocess.Popen(
        [PYTHON, "-c", program],
        env={**os.environ, **keys},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    with process:
        assert process.stdin
        assert process.stdout
        with process.stdin:
            process.stdin.write(photo)
        # moto says something of its own first
        address = next(line for line in process.stdout if line.startswith(b"http")).decode().strip()
        yield {**keys, "AWS_ENDPOINT_URL": address}
        process.kill()


def test_photos_of_an_object_store(store: dict[str, str], repository: Path, tmp_path: Path) -> None:
    output = tmp_path / "out"
    code, said = Command("s3://photos/shoes", output, "--repository", repository, *SMALL, **store).end()
    assert code == 0, said
    assert [line["photo"] for line in manifest(output)] == [f"{number}/front.jpg" for number in range(5)]
    assert (output / "depth/4/front.jpg.png").is_file()


def test_a_killed_run_through_a_server_goes_on(photos: Path, triton: Triton, tmp_path: Path) -> None:
    output = tmp_path / "out"
    arguments = (photos, output, "--through", triton.grpc_url, "--model", DEFAULT, *SMALL)
    run = Command(*arguments)
    wait(lambda: len(finished(output)) > 100)
    run.process.kill()
    run.end()
    code, said = Command(*arguments).end()
    assert (code, "1,500 photos done, 2 failed" in said) == (1, True), said
    check_whole(photos, output)


@contextmanager
def served(repository: Path, grpc_port: int) -> Iterator[psutil.Process]:
    """A launcher with a Triton that it starts again when it has died; yields the launcher when it is ready."""
    (health,) = free_ports(1)
    command = [sys.executable, "-m", "midas_server", "serve", "--repository", str(repository), "--models", DEFAULT]
    command += ["--http-port", "0", "--grpc-port", str(grpc_port), "--metrics-port", "0", "--health-port", str(health)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as launcher:
        try:
            wait(lambda: ask_health(f"http://127.0.0.1:{health}")[0])
            yield psutil.Process(launcher.pid)
        finally:
            launcher.send_signal(signal.SIGTERM)


def test_a_server_that_dies_in_the_middle_is_waited_for(few_photos: Path, repository: Path, tmp_path: Path) -> None:
    output = tmp_path / "out"
    (port,) = free_ports(1)
    with served(repository, port) as launcher:
        run = Command(few_photos, output, "--through", f"127.0.0.1:{port}", "--model", DEFAULT, *SMALL)
        for _ in range(2):
            before = len(finished(output))
            wait(lambda before=before: len(finished(output)) > before + 100)  # type: ignore[misc]
            (triton,) = (child for child in launcher.children() if child.name() == "tritonserver")
            triton.send_signal(signal.SIGABRT)  # after kill -9 its launcher would end too
        code, said = run.end()
    assert (code, "400 photos done, 2 failed" in said) == (1, True), said
    check_whole(few_photos, output)


def test_a_server_that_stays_away_ends_the_run_and_counts_against_no_photo(
    photos: Path, repository: Path, tmp_path: Path
) -> None:
    output = tmp_path / "out"
    (port,) = free_ports(1)
    address = f"127.0.0.1:{port}"
    arguments = (photos, output, "--through", address, "--model", DEFAULT, "--timeout", "5", *SMALL)
    with served(repository, port) as launcher:
        run = Command(*arguments)
        wait(lambda: len(finished(output)) > 100)
        (triton,) = (child for child in launcher.children() if child.name() == "tritonserver")
        triton.kill()  # and its launcher ends
    code, said = run.end()
    assert (code, address in said, "the same command goes on" in said) == (1, True, True), said
    assert all(line["status"] == "ok" for line in manifest(output))
    with served(repository, port):
        code, said = Command(*arguments).end()
    assert (code, "1,500 photos done, 2 failed" in said) == (1, True), said
    check_whole(photos, output)
