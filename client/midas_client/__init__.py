"""Depth from a photo, from a Triton server that serves MiDaS: a typed client over gRPC and HTTP.

    from midas_client import DepthClient

    with DepthClient("localhost:8001") as client:
        depth_map = client.predict("photo.jpg")
    depth_map.depth          # float32 [H, W]: relative inverse depth, larger is nearer
    depth_map.save("photo_depth.png")

The public names are the ones in `__all__`; every module whose name begins with an underscore may change.
"""

from midas_client._async_client import AsyncDepthClient
from midas_client._client import DepthClient
from midas_client._colormap import Colormap
from midas_client._depth_map import DepthMap
from midas_client._errors import (
    AccessDeniedError,
    AddressError,
    AnswerError,
    ClientClosedError,
    ConnectError,
    ConnectionLostError,
    DeadlineExceededError,
    InvalidRequestError,
    MetricFitError,
    MidasClientError,
    ModelNotFoundError,
    OptionError,
    PhotoError,
    ServerBusyError,
    ServerError,
    SharedMemoryWarning,
    StepRestartingError,
    TransportError,
    UntrainedWeightsWarning,
    UsageError,
)
from midas_client._health import Health
from midas_client._intrinsics import Intrinsics
from midas_client._many import Prediction
from midas_client._metric_depth import KnownPoints, MetricDepth
from midas_client._model_description import ModelDescription
from midas_client._options import SETTINGS, Aspect, Equalize, Filter, Format, Options, OutputSize
from midas_client._photo import Photo, probe_photo, upright_rgb
from midas_client._point_cloud import PointCloud
from midas_client._progress import Progress
from midas_client._security import Tls
from midas_client._statistics import ModelStatistics, StepStatistics
from midas_client._timeout import Timeout
from midas_client._transport import AsyncTransport, InferRequest, InferResponse, Transport
from midas_client._video_files import VideoReader, VideoWriter

__version__ = "0.2.0"

__all__ = [
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
]

# So that a traceback shows the name to catch: midas_client.PhotoError, not midas_client._errors.PhotoError.
for _name in __all__:
    if isinstance(globals()[_name], type):
        globals()[_name].__module__ = __name__
