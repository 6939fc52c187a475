"""Every example of the client runs as it is printed, against a live server: docstrings, README, tutorial, commands.

Only the addresses are changed: an example says `localhost:8001`, where a stranger's server may be.
"""

from __future__ import annotations

import ast
import doctest
import importlib
import inspect
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
import pytest
import skimage
import trustme
from PIL import Image

import midas_client
from midas_client import DepthClient, DepthMap
from midas_server.launch import Triton
from tests.networks import ROOT

PACKAGE = ROOT / "client" / "midas_client"
PAGES = ("client/README.md", "docs/client.md", "README.md")
SIZE = (640, 480)


@dataclass(frozen=True)
class Docstring:
    """A docstring with examples; of what, in which file and line."""

    name: str
    text: str
    path: Path
    line: int

    @property
    def module(self) -> str:
        parts = self.path.relative_to(PACKAGE.parent).with_suffix("").parts
        return ".".join(parts).removesuffix(".__init__")


def docstrings() -> Iterator[Docstring]:
    """All that hold examples, found without importing anything."""
    for path in sorted(PACKAGE.rglob("*.py")):
        yield from _docstrings(ast.parse(path.read_text()), path, path.stem)


def _docstrings(node: ast.AST, path: Path, name: str) -> Iterator[Docstring]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            text = ast.get_docstring(child)
            if text is not None and ">>>" in text:
                yield Docstring(f"{name}.{child.name}", text, path, child.body[0].lineno - 1)
            yield from _docstrings(child, path, f"{name}.{child.name}")


@dataclass(frozen=True)
class Block:
    """A fenced block of a page."""

    language: str
    text: str
    line: int


def blocks(page: str) -> list[Block]:
    text = (ROOT / page).read_text()
    return [
        Block(found[1], found[2], text[: found.start()].count("\n") + 2)
        for found in re.finditer(r"^```(\w*)[^\n]*\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    ]


def commands(page: str) -> list[str]:
    """The lines of its shell blocks that call midas-client or Python, for a shell with both on its PATH."""
    lines = [
        line
        for block in blocks(page)
        if block.language == "sh"
        for line in block.text.replace("\\\n", " ").splitlines()
    ]
    calls = [re.sub(r"(\.venv/bin/)?midas-client", "midas-client", line, count=1) for line in lines]
    return [call for call in calls if call.startswith(("midas-client ", "python ")) and "--url" not in call]


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the examples find in the folder where they run: photos, short videos, certificates."""
    folder = tmp_path_factory.mktemp("examples")
    with Image.open(Path(skimage.__file__).parent / "data" / "coffee.png") as coffee:
        photo = coffee.convert("RGB").resize(SIZE)
    photo.save(folder / "photo.jpg", quality=90)
    (folder / "photos").mkdir()
    for number in range(3):
        photo.rotate(5 * number).save(folder / "photos" / f"{number}.jpg")
    for name in ("video.mp4", "walk.mp4"):
        _write_video(folder / name, photo.resize((160, 120)))
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    certificate = authority.issue_cert("client")
    certificate.cert_chain_pems[0].write_to_path(str(folder / "client.pem"))
    certificate.private_key_pem.write_to_path(str(folder / "client.key"))
    return folder


def _write_video(path: Path, picture: Image.Image) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = *picture.size, "yuv420p"
        for angle in range(6):
            frame = av.VideoFrame.from_ndarray(np.asarray(picture.rotate(angle)), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


@pytest.fixture
def folder(prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of what is prepared, as the working directory."""
    here = Path(shutil.copytree(prepared, tmp_path / "here"))
    monkeypatch.chdir(here)
    return here


@pytest.fixture(scope="module")
def client(triton: Triton) -> Iterator[DepthClient]:
    with DepthClient(triton.grpc_url) as client:
        yield client


@pytest.fixture(scope="module")
def depth_map(client: DepthClient, prepared: Path) -> DepthMap:
    return client.predict(prepared / "photo.jpg")


def at(triton: Triton, text: str) -> str:
    """The text with this server's addresses in the place of those that an example has."""
    return text.replace("localhost:8001", triton.grpc_url).replace("localhost:8000", triton.http_url)


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("docstring", list(docstrings()), ids=lambda docstring: docstring.name)
def test_docstring(docstring: Docstring, client: DepthClient, depth_map: DepthMap, triton: Triton) -> None:
    names = {
        **vars(importlib.import_module(docstring.module)),
        **{name: getattr(midas_client, name) for name in midas_client.__all__},
        "client": client,
        "depth_map": depth_map,
        "url": triton.grpc_url,
    }
    test = doctest.DocTestParser().get_doctest(
        at(triton, docstring.text), names, docstring.name, str(docstring.path), docstring.line
    )
    assert "+SKIP" not in docstring.text
    report: list[str] = []
    results = doctest.DocTestRunner().run(test, out=report.append)
    assert results.attempted > 0
    assert results.failed == 0, "".join(report)


@pytest.mark.usefixtures("folder")
@pytest.mark.filterwarnings("ignore::midas_client.SharedMemoryWarning")  # the tests' server allows none
@pytest.mark.parametrize("page", PAGES)
def test_python_blocks(page: str, triton: Triton) -> None:
    """In order, as one program; each must run."""
    names: dict[str, object] = {"__name__": "page"}
    found = [block for block in blocks(page) if block.language == "python"]
    assert found
    for block in found:
        # Newlines in front make a traceback name the page's own line.
        code = compile("\n" * (block.line - 1) + at(triton, block.text), page, "exec")
        exec(code, names)  # noqa: S102 - our own documentation


@pytest.mark.parametrize(
    ("page", "command"), [(page, command) for page in PAGES for command in dict.fromkeys(commands(page))]
)
def test_command(page: str, command: str, folder: Path, triton: Triton) -> None:
    environment = {
        **os.environ,
        "MIDAS_URL": triton.grpc_url,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }
    done = subprocess.run(
        ["/bin/sh", "-c", at(triton, command)], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{page}: {command}\n{done.stdout}{done.stderr}"


def test_every_public_class_has_an_example() -> None:
    """In its own docstring, or in those of its methods. Errors, and what others have to write, are in the pages."""
    spoken_of = {docstring.name.split(".", 2)[1] for docstring in docstrings()}
    made_by_callers_or_given_to_them = {
        name
        for name in midas_client.__all__
        if inspect.isclass(value := getattr(midas_client, name))
        and not issubclass(value, BaseException)
        and not getattr(value, "_is_protocol", False)
    }
    # Their fields are shown where a client returns them; the last two are for who writes a transport.
    elsewhere = {"Health", "ModelStatistics", "StepStatistics", "Options", "InferRequest", "InferResponse"}
    assert made_by_callers_or_given_to_them - elsewhere <= spoken_of


@pytest.mark.parametrize("kind", ["DepthClient", "DepthMap", "MetricDepth", "PointCloud", "Intrinsics", "Prediction"])
def test_every_public_method_has_an_example(kind: str) -> None:
    """In a docstring of its class, as a call. What AsyncDepthClient has is shown at its twin."""
    examples = "\n".join(
        line
        for docstring in docstrings()
        if f".{kind}" in docstring.name
        for line in docstring.text.splitlines()
        if line.lstrip().startswith((">>>", "..."))
    )
    methods = [name for name, value in vars(getattr(midas_client, kind)).items() if not name.startswith("_")
               and (inspect.isfunction(value) or isinstance(value, (classmethod, staticmethod, property)))]  # fmt: skip
    assert [name for name in methods if f".{name}" not in examples] == []
