"""What the image's first stage does: its own commands, in an environment that has nothing but Python.

No Docker engine is needed. The stage's COPY lines are followed from the build context that .dockerignore allows, and
its RUN lines are given to a shell, with a folder in the place of the stage's root.
"""

import ast
import math
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest
import torch

from export.networks import build
from export.variants import variant_named
from export.weights.untrained import fill_untrained
from midas_client import DepthClient
from midas_server.repository import weights_of
from tests.networks import DEFAULT, ROOT, VARIANT
from tests.own_server import own_server

STAGE = "exported"


class Stage(NamedTuple):
    """One stage of a Dockerfile.

    Attributes:
        arguments: of ARG, with their defaults.
        steps: (instruction, rest) of COPY and RUN, in their order.
    """

    arguments: dict[str, str]
    steps: list[tuple[str, str]]


def stage_of(dockerfile: str, name: str) -> Stage:
    lines = "\n".join(line for line in dockerfile.splitlines() if not line.startswith("#")).replace("\\\n", " ")
    instructions = [line.split(maxsplit=1) for line in lines.splitlines() if line.strip()]
    begins = next(number for number, (word, rest) in enumerate(instructions) if rest.endswith(f" AS {name}"))
    arguments: dict[str, str] = {}
    steps: list[tuple[str, str]] = []
    for word, rest in instructions[begins + 1 :]:
        if word == "FROM":
            break
        if word == "ARG":
            key, _, value = rest.partition("=")
            arguments[key] = value
        elif word != "WORKDIR":
            steps.append((word, rest))
    assert steps
    assert {word for word, _ in steps} == {"COPY", "RUN"}, "an instruction that this test does not follow"
    return Stage(arguments, steps)


def build_context(folder: Path) -> Path:
    """The files of the checkout that a build sees: the allowed folders, as Git has them."""
    allowed = re.findall(r"^!(\S+)/$", (ROOT / ".dockerignore").read_text(), re.MULTILINE)
    git = shutil.which("git") or "git"
    listed = subprocess.run(
        [git, "ls-files", "-z", *allowed], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    for name in filter(None, listed.split("\0")):
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, target)
    return folder


def clean_environment(folder: Path) -> dict[str, str]:
    """A Python of its own, and none of this machine's variables but those that lead to packages."""
    subprocess.run([sys.executable, "-m", "venv", folder / "python"], check=True)
    kept = {name: value for name, value in os.environ.items() if name.startswith("PIP_") or name.endswith("_proxy")}
    (folder / "home").mkdir()
    return {**kept, "PATH": f"{folder}/python/bin:/usr/bin:/bin", "HOME": str(folder / "home")}


@pytest.mark.long
def test_the_stage_exports_what_a_triton_serves(tmp_path: Path, photo: bytes) -> None:
    """With the network that ships, and an official one whose checkpoint was put into weights/."""
    stage = stage_of((ROOT / "server" / "Dockerfile").read_text(), STAGE)
    context = build_context(tmp_path / "context")
    network = build(VARIANT)
    fill_untrained(network)
    torch.save(network.state_dict(), context / "weights" / variant_named(VARIANT).source.file)

    root = tmp_path / "root"
    work = root / "build"
    work.mkdir(parents=True)
    arguments = {**stage.arguments, "MODELS": f"{DEFAULT} {VARIANT}"}
    if list(Path(os.environ.get("PIP_FIND_LINKS", "/nowhere")).glob("torch-*+cpu-*")):
        arguments["TORCH_INDEX"] = ""  # a CPU build of torch is on this machine
    environment = {**clean_environment(tmp_path), **arguments}
    for word, rest in stage.steps:
        if word == "COPY":
            source, target = rest.split()
            (work / target).parent.mkdir(parents=True, exist_ok=True)
            if (context / source).is_dir():
                # as Docker does: into a folder that an earlier line has made
                shutil.copytree(context / source, work / target, dirs_exist_ok=True)
            else:
                shutil.copy(context / source, work / target)
        else:
            done = subprocess.run(
                ["/bin/sh", "-c", rest.replace(" /models", f" {root}/models")],
                cwd=work,
                env=environment,
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]

    assert weights_of(root / "models", DEFAULT) == "default"
    assert str(weights_of(root / "models", VARIANT)).startswith("sha256:")
    with own_server(root / "models", [DEFAULT, VARIANT]) as built, DepthClient(built.grpc_url) as client:
        for model in (DEFAULT, VARIANT):
            depth = client.predict(photo, model=model).depth
            assert depth.shape == (427, 640)
            assert 0 <= depth.min() < depth.mean() < depth.max() < math.inf


def test_the_image_gets_what_the_stage_exports_and_nothing_else_of_it() -> None:
    text = (ROOT / "server" / "Dockerfile").read_text()
    stage = stage_of(text, STAGE)
    (export,) = (rest for word, rest in stage.steps if word == "RUN" and "python -m export" in rest)
    assert " --repository /models " in export
    assert "--require-weights" in export
    assert re.findall(rf"^COPY --from={STAGE} (.*)$", text, re.MULTILINE) == ["/models /models"]
    assert stage.arguments["MODELS"] == DEFAULT


def test_the_stage_has_what_the_export_imports() -> None:
    stage = stage_of((ROOT / "server" / "Dockerfile").read_text(), STAGE)
    copied = {rest.split()[0].rstrip("/") for word, rest in stage.steps if word == "COPY"}
    packages = {file.parent.name for file in ROOT.glob("*/__init__.py")}
    for package in packages & copied:
        for file in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text())):
                names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
                names += [each.name for each in node.names] if isinstance(node, ast.Import) else []
                missing = {name.partition(".")[0] for name in names} & packages - copied
                assert not missing, f"{file} imports {missing}, which the stage does not copy"
