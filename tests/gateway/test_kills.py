"""What SIGKILL leaves of a gateway: nothing that runs on, and nothing that holds its port."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest

from tests.gateway import http
from tests.gateway.conftest import StartGateway, until
from tests.gateway.test_jobs import video
from tests.networks import DEFAULT
from tests.processes import still_there


def family(process: subprocess.Popen[str]) -> list[psutil.Process]:
    """A process and all that it has started."""
    leader = psutil.Process(process.pid)
    return [leader, *leader.children(recursive=True)]


def test_workers_of_a_killed_gateway_finish_and_leave_the_port(
    start_gateway: StartGateway, photo: bytes, tmp_path: Path
) -> None:
    with start_gateway("--workers", "2", folder=tmp_path) as killed, socket.socket() as connection:
        target = urlsplit(killed.url)
        address = (str(target.hostname), int(target.port or 0))
        connection.connect(address)
        head = f"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: image/jpeg\r\nContent-Length: {len(photo)}\r\n\r\n"
        connection.sendall(head.encode() + photo[:1000])
        until(lambda: http.get(f"{killed.url}/readyz").ok)
        processes = family(killed.process)
        killed.process.kill()
        killed.process.wait()
        until(lambda: _is_free(address))
        # What was begun is finished.
        connection.sendall(photo[1000:])
        assert connection.makefile("rb").readline().startswith(b"HTTP/1.1 200")
        connection.close()
        assert not still_there(processes, 30)
    counts = tmp_path / f"metrics-{address[1]}"
    assert counts.is_dir()
    with start_gateway("--workers", "2", "--port", str(address[1]), folder=tmp_path) as after:
        # What the killed one had counted is not added to what this one counts.
        assert 'route="/predict",status="200"' not in http.get(f"{after.url}/metrics").text
        assert after.stop() == 0
    assert not counts.exists()


@pytest.mark.long
def test_the_decoder_of_a_killed_gateways_video_ends(start_gateway: StartGateway) -> None:
    with start_gateway() as killed:
        job = http.post(f"{killed.url}/jobs", data=video(500), headers={"Content-Type": "video/mp4"}).json()
        until(lambda: http.get(job["status_url"]).json()["done"])
        processes = family(killed.process)
        assert any("midas_gateway.jobs.video" in process.cmdline() for process in processes)
        killed.process.kill()
        killed.process.wait()
        assert not still_there(processes, 30)


@pytest.mark.long
def test_triton_and_the_gateway_end_with_a_killed_launcher(repository: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "midas_gateway.with_triton", "--repository", str(repository), "--models", DEFAULT]
    collector = "http://127.0.0.1:9/v1/traces"
    command += ["--", "--port", "0", "--folder", str(tmp_path), "--otlp", collector]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as launcher:
        try:
            assert launcher.stdout is not None
            # They come in any order.
            words = launcher.stdout.readline() + launcher.stdout.readline()
            assert "The gateway serves" in words
            assert "Triton is ready" in words
            processes = family(launcher)
            # Both send their spans there.
            commands = [process.cmdline() for process in processes[1:]]
            assert sum(collector in each for each in commands) == 2  # of the gateway and of Triton's launcher
            assert sum(f"--trace-config=opentelemetry,url={collector}" in each for each in commands) == 1
        finally:
            launcher.kill()
            launcher.wait()
        assert not still_there(processes, 60)


def _is_free(address: tuple[str, int]) -> bool:
    try:
        socket.create_server(address).close()
    except OSError:
        return False
    return True
