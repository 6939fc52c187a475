"""Every example runs as its page says, as a process of its own, against a live server; and what it wrote is right.

Only the address is added: an example says `localhost:8001`, where a stranger's server may be.
"""

from __future__ import annotations

import ast
import json
import os
import re
import runpy
import shlex
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from signal import SIGINT

import numpy as np
import numpy.typing as npt
import pytest
import skimage
from PIL import Image

from midas_client import DepthClient, VideoReader, VideoWriter
from midas_server.launch import Triton
from tests.networks import ROOT

FOLDER = ROOT / "examples"
PROGRAMS = sorted(path.stem for path in FOLDER.glob("*.py"))
PAGE = (FOLDER / "README.md").read_text()
COMMANDS = dict(re.findall(r"`python examples/(\w+)\.py ([^`]*)`", PAGE))
KNOWN = [(300, 370, 0.25), (560, 60, 0.45), (30, 30, 0.70)]  # those of the page's command

ORIENTATION, TURN_RIGHT = 0x0112, 6


def arguments(program: str) -> list[str]:
    """What the page has behind the program's name."""
    return shlex.split(COMMANDS[program])


def run(program: str, url: str) -> subprocess.CompletedProcess[str]:
    """The page's command in the current folder, with this server."""
    command = [sys.executable, str(FOLDER / f"{program}.py"), *arguments(program), "--url", url]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert "Traceback" not in done.stderr, done.stderr
    return done


@pytest.fixture
def upright() -> npt.NDArray[np.uint8]:
    """The pixels of photo.jpg as a viewer shows them, before they became a JPEG: uint8 RGB [400, 600, 3]."""
    return np.asarray(Image.open(Path(skimage.__file__).parent / "data" / "coffee.png").convert("RGB"))


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, upright: npt.NDArray[np.uint8]) -> Path:
    """The current folder, with photo.jpg: lying on its side in the file, as phones write it."""
    monkeypatch.chdir(tmp_path)
    exif = Image.Exif()
    exif[ORIENTATION] = TURN_RIGHT
    Image.fromarray(upright).transpose(Image.Transpose.ROTATE_90).save("photo.jpg", quality=95, exif=exif)
    return tmp_path


@pytest.fixture
def client(triton: Triton) -> Iterator[DepthClient]:
    with DepthClient(triton.grpc_url) as client:
        yield client


def test_one_photo(triton: Triton, client: DepthClient, upright: npt.NDArray[np.uint8]) -> None:
    done = run("one_photo", triton.grpc_url)
    assert done.returncode == 0, done.stderr
    depth = np.load("photo_depth.npy")
    expected = client.predict("photo.jpg")
    assert (depth.shape, depth.dtype) == ((400, 600), np.float32)
    assert np.array_equal(depth, expected.depth)
    x, y = map(int, re.findall(r"[xy] = (\d+)", done.stdout))
    assert depth[y, x] == depth.max()
    both = np.asarray(Image.open("photo_depth.jpg")).astype(int)
    assert both.shape == (400, 1200, 3)
    assert np.abs(both[:, :600] - upright).mean() < 6
    assert np.abs(both[:, 600:] - expected.colorize()).mean() < 3


def test_folder(triton: Triton, client: DepthClient, upright: npt.NDArray[np.uint8]) -> None:
    Path("photos/a").mkdir(parents=True)
    Image.fromarray(upright).save("photos/a/b.jpg")
    Image.fromarray(upright[:, ::-1]).save("photos/a/b.png")
    Path("photos/broken.jpg").write_text("hello")
    Path("photos/notes.txt").write_text("not a photo, and no photo's name")

    first = run("folder", triton.grpc_url)
    assert first.returncode == 1
    assert "3 photos, 3 to do" in first.stdout
    assert "1 of 3 photos failed" in first.stderr
    assert "broken.jpg: this is not a photo" in first.stderr
    whole, again = Path("depth/a/b.jpg.png"), Path("depth/a/b.png.png")
    assert sorted(path for path in Path("depth").rglob("*") if path.is_file()) == [whole, again]
    for target, photo in ((whole, "photos/a/b.jpg"), (again, "photos/a/b.png")):
        depth = client.predict(photo).depth
        grey = np.asarray(Image.open(target)).astype(np.float64)
        assert grey.shape == (400, 600)
        stretched = 65535 * (depth - depth.min()) / (depth.max() - depth.min())
        assert np.abs(grey - stretched).max() < 65  # a thousandth: the network saw them in one batch

    kept = whole.stat()
    again.unlink()
    Image.fromarray(upright[::-1]).save("photos/broken.jpg")
    second = run("folder", f"http://{triton.http_url}")
    assert second.returncode == 0, second.stderr
    assert "3 photos, 2 to do" in second.stdout
    assert again.is_file()
    assert Path("depth/broken.jpg.png").is_file()
    assert (whole.stat().st_ino, whole.stat().st_mtime_ns) == (kept.st_ino, kept.st_mtime_ns)


def test_video(triton: Triton, client: DepthClient, upright: npt.NDArray[np.uint8]) -> None:
    small = np.asarray(Image.fromarray(upright).resize((300, 200)))
    with VideoWriter("video.mp4", fps=10) as film:
        for left in range(0, 24, 4):
            film.write(small[:, left : left + 240])
    done = run("video", triton.grpc_url)
    assert done.returncode == 0, done.stderr
    with VideoReader("video.mp4") as video, VideoReader("fog.mp4") as film_read:
        frames, foggy = list(video), list(film_read)
        assert film_read.size == video.size == (240, 200)
        assert film_read.times == video.times
    assert len(foggy) == len(frames) == 6
    fog = np.array([225, 228, 232])
    maps = list(client.predict_video(frames))
    for frame, picture, depth in ((frames[i], foggy[i].astype(int), maps[i].depth) for i in (0, -1)):
        near, far = depth > np.percentile(depth, 95), depth < np.percentile(depth, 3)
        assert np.abs(picture - frame)[near].mean() < 12
        assert np.abs(picture - fog)[far].mean() < 12
        assert np.abs(fog - frame)[near].mean() > 60  # so that the two can be told apart
        assert np.abs(fog - frame)[far].mean() > 60


def test_metres(triton: Triton, client: DepthClient, upright: npt.NDArray[np.uint8]) -> None:
    done = run("metres", triton.grpc_url)
    assert done.returncode == 0, done.stderr
    metric = client.predict("photo.jpg").to_metric(KNOWN)
    millimetres = np.asarray(Image.open("photo_millimetres.png")).astype(np.float64)
    assert millimetres.shape == (400, 600)
    assert np.abs(millimetres - (1000 * metric.depth).clip(1, 65535)).max() <= 0.51

    cloud = metric.point_cloud(fov=60, edge=0.02, max_metres=100)
    header, _, body = Path("photo.ply").read_bytes().partition(b"end_header\n")
    assert header.startswith(b"ply\nformat binary_little_endian 1.0\n")
    assert f"element vertex {len(cloud)}\n".encode() in header
    assert 100_000 < len(cloud) < 400 * 600
    vertices = np.frombuffer(body, dtype=[("point", "<f4", 3), ("color", "u1", 3)])
    assert np.array_equal(vertices["point"], cloud.points)
    # The colours are those of the upright photo: each point falls on its own pixel.
    x = np.rint(vertices["point"][:, 0] / vertices["point"][:, 2] * (300 / np.tan(np.pi / 6)) + 299.5).astype(int)
    y = np.rint(vertices["point"][:, 1] / vertices["point"][:, 2] * (300 / np.tan(np.pi / 6)) + 199.5).astype(int)
    assert np.abs(vertices["color"].astype(int) - upright[y, x]).mean() < 6

    assert f"{len(cloud)} points in metres; typical error {metric.residual:.3f} m" in done.stdout
    assert "(300, 370) is 0.25 m away" in done.stdout


def test_plain_http(triton: Triton, client: DepthClient) -> None:
    done = run("plain_http", f"http://{triton.http_url}")
    assert done.returncode == 0, done.stderr
    assert "photo_depth.png: 600 x 400" in done.stdout
    low, high = json.loads(done.stdout[done.stdout.index("[") :])
    depth = client.predict("photo.jpg").depth
    grey = np.asarray(Image.open("photo_depth.png")).astype(np.float64)
    assert np.abs(low + grey / 65535 * (high - low) - depth).max() <= 0.51 * (high - low) / 65535 + 1e-6


@contextmanager
def web_service(url: str, *options: str) -> Iterator[str]:
    """The service on a free port; gives its address, and ends it as Ctrl-C does. Its log is in service.log."""
    command = [sys.executable, str(FOLDER / "web_service.py"), *arguments("web_service"), "--port", "0", "--url", url]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with (
        Path("service.log").open("w") as log,
        subprocess.Popen(
            [*command, *options], stdout=subprocess.PIPE, stderr=log, text=True, env=environment
        ) as process,
    ):
        try:
            assert process.stdout is not None
            found = re.search(r"http://\S+", process.stdout.readline())
            assert found is not None
            yield found[0]
        finally:
            process.send_signal(SIGINT)
            code = process.wait(30)
    assert code == 0


def post(address: str, photo: bytes) -> tuple[int, bytes, str | None]:
    """The status, the body, and when to try again."""
    try:
        with urllib.request.urlopen(f"{address}/depth", photo, timeout=60) as answer:  # noqa: S310
            return answer.status, answer.read(), None
    except urllib.error.HTTPError as error:
        return error.code, error.read(), error.headers["Retry-After"]


def test_web_service(triton: Triton, client: DepthClient) -> None:
    photo = Path("photo.jpg").read_bytes()
    with web_service(triton.grpc_url) as address:
        assert post(address, photo) == (200, client.predict(photo, format="color_jpeg").encoded, None)
        status, body, _ = post(address, b"hello")
        assert status == 400
        assert body.startswith(b"this is not a photo that can be read: expected a JPEG, PNG or WebP file")
        assert post(address, b"")[0] == 400
        with pytest.raises(urllib.error.HTTPError, match="404"):
            urllib.request.urlopen(address, timeout=60)  # noqa: S310


def test_web_service_in_trouble() -> None:
    """The depth server is a socket that takes a request and does not answer, or answers as no depth server does."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(60)
        silent_port = silent.getsockname()[1]
        with web_service(f"http://127.0.0.1:{silent_port}", "--limit", "1") as address:
            host, port = address.removeprefix("http://").split(":")

            @contextmanager
            def request_under_way() -> Iterator[tuple[socket.socket, socket.socket]]:
                """A caller who waits for the service, and the service that waits for the depth server."""
                with socket.create_connection((host, int(port)), timeout=60) as caller:
                    caller.sendall(b"POST /depth HTTP/1.1\r\nHost: depth\r\nContent-Length: 5\r\n\r\nphoto")
                    with silent.accept()[0] as request:
                        request.settimeout(60)
                        yield caller, request

            for _ in range(2):  # the second caller finds the place of the first free again
                with request_under_way() as (caller, request):
                    assert post(address, b"photo") == (503, b"Too many photos at once\n", "1")
                    caller.close()
                    while request.recv(65536):
                        pass  # until the service has hung up, too
            assert Path("service.log").read_text() == ""  # and not because its own time was up

            with request_under_way() as (caller, request):
                request.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
                answer = caller.recv(65536)
            assert answer.startswith(b"HTTP/1.1 502 ")
            assert str(silent_port).encode() not in answer
            assert str(silent_port) in Path("service.log").read_text()


@pytest.mark.parametrize("program", PROGRAMS)
def test_help(program: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert leave(program, ["--help"], monkeypatch) == 0
    text = capsys.readouterr().out
    assert "--url" in text
    assert "localhost:800" in text


def leave(program: str, given: list[str], monkeypatch: pytest.MonkeyPatch) -> object:
    """Run the program in this process, which is quick; returns what it leaves with: a code or a message."""
    monkeypatch.setattr(sys, "argv", [program, *given])
    with pytest.raises(SystemExit) as left:
        runpy.run_path(str(FOLDER / f"{program}.py"), run_name="__main__")
    return left.value.code


@pytest.mark.parametrize("program", [name for name in PROGRAMS if name != "web_service"])
def test_errors_are_one_line(program: str, triton: Triton, monkeypatch: pytest.MonkeyPatch) -> None:
    with VideoWriter("video.mp4", fps=10) as film:
        film.write(np.zeros((64, 64, 3), np.uint8))
    Path("photos").mkdir()
    Path("photos/photo.jpg").write_bytes(Path("photo.jpg").read_bytes())
    not_triton = f"http://{triton.host}:{triton.metrics_port}"
    message = leave(program, [*arguments(program), "--url", not_triton], monkeypatch)
    assert isinstance(message, str)
    assert message.startswith(f"{program}: ")
    # the one that does without the client passes on what the port says
    assert ("Method Not Allowed" if program == "plain_http" else "is it the port of Triton's metrics?") in message
    if program != "folder":
        given = [*arguments(program), "--url", not_triton]
        missing = leave(program, ["missing.bin", *given[1:]], monkeypatch)
        assert isinstance(missing, str)
        assert "missing.bin" in missing


@pytest.mark.parametrize(
    ("program", "given", "said"),
    [
        ("folder", ["missing", "depth"], "missing is not a folder"),
        ("folder", [".", "depth"], "depth lies in ."),
        ("metres", ["photo.jpg", "--known", "300,370"], "'300,370' is not X,Y,METRES, such as 300,370,0.25"),
        ("one_photo", [], "required: photo"),
    ],
)
def test_a_wrong_command_line(
    program: str, given: list[str], said: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert leave(program, given, monkeypatch) == 2
    assert said in capsys.readouterr().err


def test_the_page_has_each_program_and_its_own_command() -> None:
    assert sorted(COMMANDS) == PROGRAMS
    for program in PROGRAMS:
        documentation = ast.get_docstring(ast.parse((FOLDER / f"{program}.py").read_text()))
        assert documentation is not None
        assert f"    python examples/{program}.py {COMMANDS[program]}\n" in documentation


@pytest.mark.parametrize("program", PROGRAMS)
def test_it_needs_nothing_but_the_client(program: str) -> None:
    """And what the client's package brings; plain_http not even that."""
    tree = ast.parse((FOLDER / f"{program}.py").read_text())
    imported = {
        name.split(".")[0]
        for node in ast.walk(tree)
        for name in (
            [node.module or "." * node.level]
            if isinstance(node, ast.ImportFrom)
            else [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else []
        )
    }
    brought = set() if program == "plain_http" else {"midas_client", "numpy", "PIL", "aiohttp"}
    assert imported - set(sys.stdlib_module_names) <= brought
