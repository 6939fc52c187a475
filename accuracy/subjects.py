"""What the command line asks to be measured, as a list of things that can be opened one after the other."""

import argparse
import re
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import onnxruntime as ort

from accuracy.errors import AccuracyError
from accuracy.predictors import (
    OnnxPredictor,
    Predictor,
    RampPredictor,
    RequestOptions,
    manifest_facts,
    models_at,
    models_in,
    served_at,
    served_from,
)
from export.commands.arguments import foreign_options
from export.commands.onnx_file import FOREIGN_MAX_AREA, export_onnx_file
from export.commands.request import ExportRequest
from export.errors import ExportError
from export.weights.digest import sha256_of
from midas_server.imaging.network_size import MULTIPLE
from midas_server.options import VariantRules
from midas_server.served_names import network_named


@dataclass(frozen=True)
class Subject:
    """What is measured.

    Attributes:
        label: its name in tables, such as "midas_tiny_256" or "midas_tiny_256 (int8)".
        opened: gives the predictor, or raises AccuracyError.
        model: the variant; None for the ramp.
        source: the label of the repository that it is from; empty where there is only one.
        precision: as its manifest says; "unknown" for a server elsewhere.
    """

    label: str
    opened: Callable[[], AbstractContextManager[Predictor]]
    model: str | None = None
    source: str = ""
    precision: str = "unknown"


@dataclass(frozen=True)
class Repository:
    """A model repository to measure.

    Attributes:
        label: what it is called in tables; empty where it is the only one.
        folder: where it is.
    """

    label: str
    folder: Path


def subjects(options: argparse.Namespace) -> list[Subject]:
    """All that is to be measured, in the order named; the ramp last.

    Raises:
        AccuracyError: a model or a repository is not there.
    """
    files = [Path(name) for name in options.models if name.endswith(".onnx")]
    names = [network_named(name) for name in options.models if not name.endswith(".onnx")]
    found: list[Subject] = []
    if options.url is not None:
        found += [
            Subject(name, partial(served_at, options.url, name, options.request), name)
            for name in (names if options.models else models_at(options.url))
        ]
    else:
        repositories = _repositories(options.repository)
        for repository in repositories if names or not files else []:
            for name in names or _all_models(repository.folder):
                found.append(_exported(repository, name, options, several=len(repositories) > 1))
    found += [_file(file, options) for file in files]
    if options.ramp:
        found.append(Subject("ramp", _ramp))
    labels = [subject.label for subject in found]
    for label in labels:
        if labels.count(label) > 1:
            raise AccuracyError(
                f"{label} is named twice: name each model once, and give repositories labels (int8=DIR)"
            )
    return found


def _repositories(given: Sequence[str]) -> list[Repository]:
    repositories = []
    for text in given:
        label, separator, folder = text.partition("=")
        if separator and re.fullmatch(r"[\w.+-]+", label):
            repositories.append(Repository(label, Path(folder)))
        else:
            repositories.append(Repository("", Path(text)))
    if len(repositories) > 1:
        repositories = [Repository(each.label or each.folder.name, each.folder) for each in repositories]
    return repositories


def _all_models(folder: Path) -> list[str]:
    models = models_in(folder)
    if not models:
        raise AccuracyError(f"{folder} holds no exported network: python -m export <variant> --repository {folder}")
    return models


def _exported(repository: Repository, name: str, options: argparse.Namespace, *, several: bool) -> Subject:
    folder = repository.folder
    opened: Callable[[], AbstractContextManager[Predictor]]
    if options.serve:
        opened = partial(served_from, folder, name, options.request)
    else:
        opened = partial(_loaded, folder, name, options.request)
    return Subject(
        label=f"{name} ({repository.label})" if several else name,
        opened=opened,
        model=name,
        source=repository.label,
        precision=manifest_facts(folder, name)[1],
    )


def _file(file: Path, options: argparse.Namespace) -> Subject:
    return Subject(file.name, partial(_onnx_file, file, options), file.name)


@contextmanager
def _ramp() -> Iterator[Predictor]:
    yield RampPredictor()


@contextmanager
def _loaded(repository: Path, model: str, request: RequestOptions) -> Iterator[Predictor]:
    yield OnnxPredictor.exported(repository, model, request)


@contextmanager
def _onnx_file(file: Path, options: argparse.Namespace) -> Iterator[Predictor]:
    """Any ONNX depth network: one in the form that export writes as it is, any other as export wraps it."""
    if not file.is_file():
        raise AccuracyError(f"there is no file {file}")
    with tempfile.TemporaryDirectory() as folder:
        said = foreign_options(options)
        if _in_our_form(file):
            rules = VariantRules(
                file.stem,
                said.side or 256,
                said.resize or "minimal",
                FOREIGN_MAX_AREA,
                multiple=said.multiple or MULTIPLE,
                aspect=said.aspect or "keep",
            )
            yield OnnxPredictor(file, rules, f"sha256:{sha256_of(file)}", options.request)
            return
        repository = Path(folder) / "model_repository"
        name = f"file_{re.sub(r'[^a-z0-9]+', '_', file.stem.lower())[:50]}"
        try:
            export_onnx_file(name, file, ExportRequest(repository=repository), said)
        except ExportError as error:
            raise AccuracyError(f"{file}: {error}") from None
        yield OnnxPredictor.exported(repository, name, options.request)


def _in_our_form(file: Path) -> bool:
    try:
        inputs = ort.InferenceSession(str(file), _quiet()).get_inputs()
    except Exception as error:  # noqa: BLE001  (ONNX Runtime's errors share no other base)
        raise AccuracyError(f"{file} cannot be run: {error}") from None
    return [(each.name, each.type) for each in inputs] == [("PIXELS", "tensor(uint8)")]


def _quiet() -> ort.SessionOptions:
    settings = ort.SessionOptions()
    settings.log_severity_level = 3
    return settings
