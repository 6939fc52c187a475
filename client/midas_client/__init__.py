"""Depth from a photo, from a Triton server that serves MiDaS: a typed client over gRPC and HTTP.

    from midas_client import DepthClient

    with DepthClient("localhost:8001") as client:
        depth_map = client.predict("photo.jpg")
    depth_map.depth          # float32 [H, W]: relative inverse depth, larger is nearer
    depth_map.save("photo_depth.png")

The public names are the ones in `__all__`; every module whose name begins with an underscore may change.
"""

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
    MidasClientError,
    ModelNotFoundError,
    OptionError,
    PhotoError,
    ServerBusyError,
    ServerError,
    StepRestartingError,
    TransportError,
    UntrainedWeightsWarning,
    UsageError,
)
from midas_client._health import Health
from midas_client._options import Aspect, Equalize, Filter, Format, OutputSize
from midas_client._photo import Photo
from midas_client._timeout import Timeout
from midas_client._transport import InferRequest, InferResponse, Transport

__version__ = "0.1.0"

__all__ = [
    "AccessDeniedError",
    "AddressError",
    "AnswerError",
    "Aspect",
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
    "InvalidRequestError",
    "MidasClientError",
    "ModelNotFoundError",
    "OptionError",
    "OutputSize",
    "Photo",
    "PhotoError",
    "ServerBusyError",
    "ServerError",
    "StepRestartingError",
    "Timeout",
    "Transport",
    "TransportError",
    "UntrainedWeightsWarning",
    "UsageError",
    "__version__",
]
