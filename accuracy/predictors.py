"""What gives depth for a photo: a served variant, an exported one, and a ramp that looks at nothing."""

import time
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray
from typing_extensions import assert_never

from accuracy.errors import AccuracyError, ServerFailedError
from accuracy.pair import LIMITS
from export.errors import ConfigError
from export.repository.served_config import read_rules
from midas_client import (
    DepthClient,
    InvalidRequestError,
    MidasClientError,
    OptionError,
    PhotoError,
    UntrainedWeightsWarning,
)
from midas_server.errors import InvalidRequest, NetworkFault
from midas_server.imaging.probe import probe
from midas_server.launch import CannotRunHere, StartFailed, Triton
from midas_server.network_output import Kind
from midas_server.options import SETTINGS, VariantRules, resolve
from midas_server.pipeline import finish, prepare
from midas_server.repository import (
    CONFIG_FILE,
    ONNX_FILE,
    ManifestError,
    manifest_file,
    names_in,
    preprocess_model,
    read_facts,
    version_folder,
)

# A network on a processor may take seconds for a large photo, and the first request compiles on a GPU.
TIMEOUT = 300.0

NEAREST_METRES = 0.01  # what a metric network puts nearer counts as this far: its inverse would outweigh all else

# The options of a request that change the depth, by their names; what is left out is the variant's.
RequestOptions = Mapping[str, int | float | str]
NO_OPTIONS: RequestOptions = {}


@dataclass(frozen=True)
class PredictedDepth:
    """A photo's depth as a predictor gave it, and how long that took.

    Attributes:
        depth: inverse depth float32 `[H, W]` at the size of the upright photo, larger is nearer: relative, or of a
            metric network in 1/metre. Scale and shift are fitted to the truth in either case.
        milliseconds: from the photo's bytes to that.
        network_size: (width, height) of the network's input; None where there is no network.
        weights: "official", "default", "untrained", "sha256:...", as INFO reports it; "none" for a ramp.
    """

    depth: NDArray[np.float32]
    milliseconds: float
    network_size: tuple[int, int] | None
    weights: str


def inverse_depth(depth: NDArray[np.float32], kind: Kind) -> NDArray[np.float32]:
    """What a network gave, `[H, W]`, as inverse depth: larger is nearer, of a metric network in 1/metre."""
    match kind:
        case "relative_inverse_depth":
            return depth
        case "metric_depth":
            return np.asarray(1 / np.maximum(depth, np.float32(NEAREST_METRES)), np.float32)
        case _:
            assert_never(kind)


class Predictor(Protocol):
    """Photo bytes to depth."""

    def predict(self, photo: bytes) -> PredictedDepth:
        """Raises AccuracyError where it gives no depth for the photo."""
        ...


class RampPredictor:
    """Near at the bottom, far at the top, whatever is in the photo: what a network must beat."""

    def predict(self, photo: bytes) -> PredictedDepth:
        """Raises AccuracyError for what is no photo."""
        started = time.perf_counter()
        try:
            header = probe(photo, LIMITS)
        except InvalidRequest as error:
            raise AccuracyError(str(error)) from None
        rows = np.linspace(0, 1, header.height, dtype=np.float32)
        depth = np.repeat(rows[:, np.newaxis], header.width, axis=1)
        return PredictedDepth(depth, (time.perf_counter() - started) * 1000, None, "none")


class OnnxPredictor:
    """A network in the form that export writes, run here by ONNX Runtime in the server's own pipeline.

    Args:
        file: ONNX: PIXELS uint8 `[B, H, W, 3]` to INVERSE_DEPTH float32 `[B, H, W]`, in any precision inside.
        rules: how photos are brought to its size.
        weights: see PredictedDepth.
        request: the options of the request that a server would get.

    Raises:
        AccuracyError: the file cannot be run, or an option is not allowed.
    """

    def __init__(self, file: Path, rules: VariantRules, weights: str, request: RequestOptions = NO_OPTIONS) -> None:
        self.rules, self.weights, self.request = rules, weights, request
        settings = ort.SessionOptions()
        settings.log_severity_level = 3
        try:
            resolve(request, rules)  # or a wrong option would be told with the first photo
            self.session = ort.InferenceSession(str(file), settings)
        except InvalidRequest as error:
            raise AccuracyError(str(error)) from None
        except Exception as error:  # noqa: BLE001  (ONNX Runtime's errors share no other base)
            raise AccuracyError(f"{file} cannot be run: {error}") from None

    @classmethod
    def exported(cls, repository: Path, model: str, request: RequestOptions = NO_OPTIONS) -> "OnnxPredictor":
        """A variant in a model repository.

        Raises:
            AccuracyError: it is not there, is no ONNX, or an option is not allowed.
        """
        rules = _rules(repository, model)
        file = version_folder(repository, model) / ONNX_FILE
        if not file.is_file():
            raise AccuracyError(
                f"{model} in {repository} has no model.onnx: export it (python -m export {model} --repository "
                f"{repository}), or measure it with --serve if it was exported for another runtime"
            )
        return cls(file, rules, manifest_facts(repository, model)[0], request)

    def predict(self, photo: bytes) -> PredictedDepth:
        """Raises AccuracyError for what is no photo, or when the network fails."""
        started = time.perf_counter()
        try:
            prepared = prepare(photo, self.request, self.rules, LIMITS)
        except InvalidRequest as error:
            raise AccuracyError(str(error)) from None
        try:
            depth = self.session.run(["INVERSE_DEPTH"], {"PIXELS": prepared.pixels[np.newaxis]})[0][0]
        except Exception as error:  # noqa: BLE001  (as above)
            raise AccuracyError(f"{self.rules.variant} failed: {error}") from None
        try:
            result = finish(np.asarray(depth, np.float32), prepared.guide, prepared.task)
        except NetworkFault as error:
            raise AccuracyError(str(error)) from None
        assert result.depth is not None  # float32 is the default
        milliseconds = (time.perf_counter() - started) * 1000
        depth = inverse_depth(result.depth, self.rules.kind)
        return PredictedDepth(depth, milliseconds, prepared.task.network, self.weights)


class ServerPredictor:
    """A variant that a running server serves.

    Args:
        client: connected to it.
        model: the variant.
        request: the options of the request.
    """

    def __init__(self, client: DepthClient, model: str, request: RequestOptions = NO_OPTIONS) -> None:
        self.client, self.model = client, model
        self.settings: dict[str, Any] = {name: value for name, value in request.items() if name in SETTINGS}
        self.request: dict[str, Any] = {name: value for name, value in request.items() if name not in SETTINGS}

    def predict(self, photo: bytes) -> PredictedDepth:
        """Raises AccuracyError with the server's message when it refuses the photo, ServerFailedError when it fails."""
        started = time.perf_counter()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UntrainedWeightsWarning)  # the report says it
                result = self.client.predict(photo, model=self.model, settings=self.settings, **self.request)
        except (InvalidRequestError, OptionError, PhotoError) as error:
            raise AccuracyError(str(error)) from None
        except MidasClientError as error:
            raise ServerFailedError(str(error)) from None
        milliseconds = (time.perf_counter() - started) * 1000
        depth = inverse_depth(result.depth, result.kind)
        return PredictedDepth(depth, milliseconds, result.network_size, result.weights)


@contextmanager
def served_at(url: str, model: str, request: RequestOptions = NO_OPTIONS) -> Iterator[ServerPredictor]:
    """A variant of the server at `url` (see midas_client); raises AccuracyError if there is none."""
    try:
        client = DepthClient(url, timeout=TIMEOUT)
    except MidasClientError as error:
        raise AccuracyError(str(error)) from None
    with client:
        yield ServerPredictor(client, model, request)


@contextmanager
def served_from(repository: Path, model: str, request: RequestOptions = NO_OPTIONS) -> Iterator[ServerPredictor]:
    """A variant of a repository, on a Triton that is started for it and stopped afterwards; raises AccuracyError."""
    try:
        triton = Triton(repository, [model], http_port=0, grpc_port=0, metrics_port=0).__enter__()
    except (CannotRunHere, StartFailed) as error:
        raise AccuracyError(str(error)) from None
    try:
        with served_at(triton.grpc_url, model, request) as network:
            yield network
    finally:
        triton.stop()


def models_at(url: str) -> list[str]:
    """The depth models that a server serves; raises AccuracyError."""
    try:
        with DepthClient(url) as client:
            return [*client.models()]
    except MidasClientError as error:
        raise AccuracyError(str(error)) from None


def models_in(repository: Path) -> list[str]:
    """The variants whose network is in a model repository, sorted; raises AccuracyError where there is no folder."""
    if not repository.is_dir():
        raise AccuracyError(f"there is no model repository at {repository}: export a variant into it first")
    return sorted(
        name
        for name in names_in(repository)
        if (repository / preprocess_model(name) / CONFIG_FILE).is_file()
        and any(version_folder(repository, name).glob("model.*"))
    )


def manifest_facts(repository: Path, model: str) -> tuple[str, str]:
    """Weights and precision of a network, as export noted them beside it; "unknown" where it did not.

    Raises:
        AccuracyError: the manifest cannot be read.
    """
    try:
        facts = read_facts(manifest_file(repository, model)) or {}
    except ManifestError as error:
        raise AccuracyError(str(error)) from None
    return str(facts.get("weights", "unknown")), str(facts.get("precision", "unknown"))


def _rules(repository: Path, model: str) -> VariantRules:
    """What the preprocess step's config says about the variant."""
    file = repository / preprocess_model(model) / CONFIG_FILE
    if not file.is_file():
        there = ", ".join(models_in(repository)) or "none"
        raise AccuracyError(
            f"there is no {model} in {repository}; there are: {there}. An official variant is exported with: "
            f"python -m export {model} --repository {repository}"
        )
    try:
        return read_rules(repository, model)
    except ConfigError as error:
        raise AccuracyError(str(error)) from None
