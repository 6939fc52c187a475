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
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from signal import SIGINT
from types import SimpleNamespace

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
SHELF = Path(__file__).with_name("shelf")  # made by `python -m training.scenes.shelves`: number 5 of seed 0
KNOWN = [(300, 370, 0.25), (560, 60, 0.45), (30, 30, 0.70)]  # those of the page's command

ORIENTATION, TURN_RIGHT = 0x0112, 6


def arguments(program: str) -> list[str]:
    """What the page has behind the program's name."""
    return shlex.split(COMMANDS[program])


def run(program: str, url: str, *options: str) -> subprocess.CompletedProcess[str]:
    """The page's command in the current folder, with this server and more options."""
    command = [sys.executable, str(FOLDER / f"{program}.py"), *arguments(program), *options, "--url", url]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert "Traceback" not in done.stderr, done.stderr
    return done


@pytest.fixture
def upright() -> npt.NDArray[np.uint8]:
    """The pixels of photo.jpg as a viewer shows them, before they became a JPEG: uint8 RGB [400, 600, 3]."""
    return np.asarray(Image.open(Path(skimage.__file__).parent / "data" / "coffee.png").convert("RGB"))


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, upright: npt.NDArray[np.uint8]) -> Path:
    """The current folder, with photo.jpg: lying on its side in the file, as phones write it; and a shelf's files."""
    monkeypatch.chdir(tmp_path)
    for file in SHELF.iterdir():
        shutil.copy(file, tmp_path)
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


def test_parallax(triton: Triton) -> None:
    done = run("parallax", triton.grpc_url, "--seconds", "0.4", "--side", "300")
    assert done.returncode == 0, done.stderr
    with VideoReader("parallax.mp4") as film:
        frames = [frame.astype(int) for frame in film]
    assert len(frames) == 10
    assert frames[0].shape == frames[5].shape == (182, 282, 3)  # 300 x 200 without the 9 pixels at each edge
    assert np.abs(frames[0] - frames[5]).mean() > 3  # opposite ends of the round


def test_parallax_tears_no_gap_open_and_leaves_no_rim() -> None:
    """A red square before a blue ground with a step between them: each pixel is one of the two."""
    functions = runpy.run_path(str(FOLDER / "parallax.py"))
    near = np.zeros((120, 160), np.float32)
    near[40:80, 60:100] = 1
    ground, square = np.array([20, 40, 200], np.float32), np.array([200, 30, 20], np.float32)
    colors = np.where(near[..., np.newaxis] > 0, square, ground)
    layers = functions["Layers"](colors, near, reach=8.0)
    for shift in ((8.0, 0.0), (-8.0, 0.0), (6.0, 4.0), (-5.0, -3.0)):
        assert not np.isnan(functions["moved"](layers.back, shift)[9:-9, 9:-9]).any()
        frame = layers.frame(shift)[9:-9, 9:-9]
        red = np.abs(frame - square).max(-1) < 60
        blue = np.abs(frame - ground).max(-1) < 60
        assert (red | blue).mean() > 0.99
        assert abs(int(red.sum()) - 40 * 40) < 200  # nothing of the square is left behind or stretched


def test_shelf(triton: Triton) -> None:
    done = run("shelf", triton.grpc_url)
    assert done.returncode == 0, done.stderr
    layers = json.loads(Path("shelf_layers.json").read_text())["layers"]
    truth = json.loads(Path("truth.json").read_text())
    assert len(layers) == len(truth["boards"])
    assert max(np.abs(np.subtract([layer["board"] for layer in layers], truth["boards"])).ravel()) < 8  # pixels
    assert sum(layer["products"] for layer in layers) >= 0.9 * len([b for b in truth["boxes"] if b[3] < 478])
    said = [(number, *gap) for number, layer in enumerate(layers) for gap in layer["gaps"]]

    def overlap(one: list[float], other: tuple[int, ...]) -> float:
        """Shared over joint width; 0 on different boards."""
        shared = min(one[2], other[2]) - max(one[1], other[1])
        return max(0.0, shared / (max(one[2], other[2]) - min(one[1], other[1]))) if one[0] == other[0] else 0.0

    found = [gap for gap in truth["gaps"] if any(overlap(gap, other) > 0.5 for other in said)]
    assert len(found) >= 5  # of 7
    assert all(any(overlap(gap, other) > 0.5 for gap in truth["gaps"]) for other in said)  # none is invented
    assert Image.open("shelf_layers.jpg").size == (640, 480)


def test_shelf_with_exact_depth_finds_every_gap_and_what_is_wrong_with_boxes() -> None:
    functions = runpy.run_path(str(FOLDER / "shelf.py"))
    boards = np.array([[100.0, 102.0], [200.0, 198.0]])
    deep = np.full((240, 320), 0.1)
    deep[:, 60:120] = 0.9  # empty, but a box says otherwise on the lower board
    boxes = np.array(
        [[0, 40, 59, 101], [121, 40, 200, 101], [0, 140, 59, 199], [60, 140, 119, 199], [120, 140, 319, 199]]
    )
    upper, lower = functions["layers_of"](deep, boards, boxes.astype(float))
    assert [upper["gaps"], lower["gaps"]] == [[(60, 119)], []]
    assert upper["without_box"] == [(201, 319)]  # near, and no box: the detector missed it
    assert lower["pushed_back"] == [[60, 140, 119, 199]]
    assert (upper["products"], lower["products"]) == (2, 3)


def test_shelf_finds_boards_without_boxes() -> None:
    truth = json.loads((SHELF / "truth.json").read_text())["boards"]
    photo = np.asarray(Image.open(SHELF / "shelf.jpg"))
    boards = runpy.run_path(str(FOLDER / "shelf.py"))["boards_of_photo"](photo)
    assert all(min(np.abs(boards - each).max(1)) < 16 for each in truth)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[]", "is not {"),
        ('{"boxes": [{"box": [1, 2, 3]}]}', "is not {"),
        (json.dumps({"boxes": 4 * [{"box": [1, 2, 3, 4, 5]}]}), "is not {"),
        ('{"boxes": [{"box": [9, 2, 3, 4]}]}', "left < right"),
        ('{"boxes": [{"box": [9, 2, 900, 4]}]}', "leaves the photo of 640 x 480"),
    ],
)
def test_shelf_refuses_boxes(text: str, said: str, triton: Triton, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("boxes.json").write_text(text)
    message = leave("shelf", [*arguments("shelf"), "--url", triton.grpc_url], monkeypatch)
    assert isinstance(message, str)
    assert said in message


def short_video(count: int = 12) -> None:
    """video.mp4, with a camera that moves along the photo."""
    small = np.asarray(Image.open("photo.jpg").transpose(Image.Transpose.ROTATE_270).resize((300, 200)))
    with VideoWriter("video.mp4", fps=10) as film:
        for left in range(count):
            film.write(small[:, left : left + 240])


def test_obstacles(triton: Triton, client: DepthClient) -> None:
    short_video()
    done = run("obstacles", triton.grpc_url, "--stale", "30")
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    came, used, dropped = map(int, re.findall(r"(\d+) (?:frames|used|dropped)", done.stderr))
    assert came == 12
    assert used == len(lines) == 12 - dropped
    assert re.search(r"0 times stale; age of the answers: p50 \d+ ms, p95 \d+ ms", done.stderr)
    assert [line["frame"] for line in lines] == sorted({line["frame"] for line in lines})
    assert lines[-1]["frame"] == 11  # the newest is never dropped
    with VideoReader("video.mp4") as video:
        depth = client.predict(list(video)[-1], output_size="network").depth
    band = depth[int(0.2 * len(depth)) : int(0.7 * len(depth))]
    nearest = [np.percentile(part, 98) for part in np.array_split(band, 3, axis=1)]
    assert lines[-1]["rank"].index(1) == int(np.argmax(nearest))
    assert lines[-1]["obstacle"] is None  # an order is no distance
    assert {line["state"] for line in lines} == {"ok"}


def test_obstacles_in_metres(triton: Triton) -> None:
    short_video(3)
    known = ["--known", "120,190,0.5", "--known", "10,10,4", "--stop", "1", "--stale", "30"]
    done = run("obstacles", triton.grpc_url, *known)
    assert done.returncode == 0, done.stderr
    last = json.loads(done.stdout.splitlines()[-1])
    assert last["state"] == "ok"
    for metres, obstacle in zip(last["metres"], last["obstacle"], strict=True):
        assert obstacle == (metres < 1) or metres == pytest.approx(1, abs=0.01)  # it is rounded


def test_obstacles_takes_an_unknown_distance_for_an_obstacle() -> None:
    sectors_of = runpy.run_path(str(FOLDER / "obstacles.py"))["sectors_of"]
    depth = np.full((10, 30), 3.0, np.float32)
    depth[:, :10], depth[:, 10:20] = np.nan, np.inf
    metric = SimpleNamespace(unit="metres", to_metric=lambda known: SimpleNamespace(depth=depth))
    given = SimpleNamespace(known=[], top=0.0, bottom=1.0, sectors=3, stop=1.0)
    assert sectors_of(metric, given) == {"obstacle": [True, False, False], "metres": [None, None, 3.0]}


def test_obstacles_uses_the_newest_frame_and_drops_those_before() -> None:
    """The first answer takes until the whole video has been played: the next frame is the last one."""
    short_video()
    functions = runpy.run_path(str(FOLDER / "obstacles.py"))

    class SlowClient:
        """Answers the first frame when the last one has come."""

        def predict(self, photo: bytes, **options: object) -> object:
            while watch.came < 12:
                time.sleep(0.01)
            return photo

    watch = functions["Watch"](SlowClient(), "video.mp4", None)
    watch.start()
    numbers = [answer[0] for answer in iter(lambda: watch.answers.get(timeout=60), None)]
    assert numbers[-1] == 11
    assert len(numbers) <= 3  # the first, perhaps the one that waited as the last came, the last
    assert watch.dropped == 12 - len(numbers)


def test_obstacles_when_no_answer_comes() -> None:
    """The depth server takes requests and does not answer: each sector is an obstacle until the program gives up."""
    short_video(1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        done = run("obstacles", f"http://127.0.0.1:{silent.getsockname()[1]}", "--stale", "0.5")
    assert done.returncode == 1
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert lines
    assert all(line == {"state": "stale", "obstacle": [True, True, True]} for line in lines)
    assert done.stderr.startswith("obstacles: ")


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
    brought = set() if program == "plain_http" else {"midas_client", "numpy", "PIL", "aiohttp", "av"}
    assert imported - set(sys.stdlib_module_names) <= brought
