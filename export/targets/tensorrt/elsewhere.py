"""What to run, and where, when no plan can be built on this machine."""

import shlex
from collections.abc import Sequence
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[3]
# docker-compose.yml builds it. What serves a plan must also build it, or their TensorRT versions differ.
IMAGE = "midas-on-triton"

# What an export takes beside what is in that image, whose numpy must stay.
_PACKAGES = ("torch==2.13.0", "onnx", "onnxruntime", "rich", "scikit-image", "numpy==1.26.4")
_PATHS = ("--weights", "--from-onnx", "--calibration")


def where_to_build(words: Sequence[str], repository: Path) -> str:
    """Return the commands that do in the container, on a machine with the GPU, what was asked for here.

    Args:
        words: the arguments of `python -m export`. Files that they name are mounted into the container.
        repository: the model repository that they name, or the default.
    """
    repository = repository.resolve()
    export, mounted = ["python3", "-m", "export"], [(PROJECT, "/midas"), (repository.parent, "/repositories")]
    rest = iter(words)
    for word in rest:
        option, equals, value = word.partition("=")
        if option in _PATHS:
            path = Path(value if equals else next(rest, "")).resolve()
            mounted.append((path, f"/given/{path.name}"))
            export += [option, f"/given/{path.name}"]
        elif option == "--repository":
            _ = value or next(rest, "")
        else:
            export.append(word)
    export += ["--repository", f"/repositories/{repository.name}"]
    install = ["python3", "-m", "pip", "install", "--user", "--break-system-packages", "--quiet", *_PACKAGES]
    volumes = " \\\n".join(f"    --volume {shlex.quote(str(path))}:{shlex.quote(place)}" for path, place in mounted)
    return f"""\
A plan runs only on the kind of GPU and with the TensorRT that built it. So, on the machine that will serve it:
  cd {shlex.quote(str(PROJECT))}
  docker compose --profile gpu build
  mkdir -p {shlex.quote(str(repository))}
  docker run --rm --gpus all --user $(id -u):$(id -g) --env HOME=/tmp --workdir /midas \\
{volumes} \\
    {IMAGE} bash -c {shlex.quote(f"{shlex.join(install)} && {shlex.join(export)}")}"""
