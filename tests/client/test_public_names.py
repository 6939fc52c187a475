"""The names that other programs may rely on, and what importing them costs."""

import subprocess
import sys
import types
from importlib.metadata import version

import pytest

import midas_client

PUBLIC = {
    "SETTINGS",
    "AccessDeniedError",
    "AddressError",
    "AnswerError",
    "Aspect",
    "AsyncDepthClient",
    "AsyncTransport",
    "ClientClosedError",
    "Colormap",
    "ConnectError",
    "ConnectionLostError",
    "DeadlineExceededError",
    "DepthClient",
    "DepthMap",
    "Equalize",
    "Filter",
    "Format",
    "Health",
    "InferRequest",
    "InferResponse",
    "Intrinsics",
    "InvalidRequestError",
    "KnownPoints",
    "MetricDepth",
    "MetricFitError",
    "MidasClientError",
    "ModelDescription",
    "ModelNotFoundError",
    "ModelStatistics",
    "OptionError",
    "Options",
    "OutputSize",
    "Photo",
    "PhotoError",
    "PointCloud",
    "Prediction",
    "Progress",
    "ServerBusyError",
    "ServerError",
    "SharedMemoryWarning",
    "StepRestartingError",
    "StepStatistics",
    "Timeout",
    "Tls",
    "Transport",
    "TransportError",
    "UntrainedWeightsWarning",
    "UsageError",
    "VideoReader",
    "VideoWriter",
    "__version__",
    "probe_photo",
    "upright_rgb",
}


def test_exported_names() -> None:
    assert set(midas_client.__all__) == PUBLIC
    assert len(midas_client.__all__) == len(PUBLIC)
    visible = {
        name
        for name, value in vars(midas_client).items()
        if not name.startswith("_") and not isinstance(value, types.ModuleType)
    }
    assert visible == PUBLIC - {"__version__"}


def test_version_is_the_installed_one() -> None:
    assert version("midas-client") == midas_client.__version__


def test_import_loads_no_protocol() -> None:
    """Importing the package is quick: protocols, Pillow and colours are loaded when they are needed."""
    code = (
        "import sys, midas_client; "
        "heavy = {'tritonclient', 'grpc', 'gevent', 'PIL', 'cmap', 'aiohttp', 'http.client'} & set(sys.modules); "
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_each_protocol_loads_only_itself() -> None:
    code = (
        "import sys; from midas_client import DepthClient; DepthClient('{url}').close(); "
        "assert '{other}' not in sys.modules, '{other}'"
    )
    for url, other in (("localhost:8001", "gevent"), ("http://localhost:8000", "grpc")):
        subprocess.run([sys.executable, "-c", code.format(url=url, other=other)], check=True)


@pytest.mark.parametrize("url", ["localhost:8001", "http://localhost:8000"])
def test_a_plain_client_loads_nothing_of_shared_memory(url: str) -> None:
    code = (
        "import sys; from midas_client import DepthClient; DepthClient({url!r}, shared_memory={shared}).close(); "
        "loaded = [name for name in sys.modules if name.endswith(('.region', '.shared_memory'))]; "
        "assert len(loaded) == {count}, loaded"
    )
    for shared, count in ((False, 0), (True, 2)):
        subprocess.run([sys.executable, "-c", code.format(url=url, shared=shared, count=count)], check=True)
