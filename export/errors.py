"""What can go wrong in an export.

Each class carries the exit code of the command line: 1, or 2 where the command line itself is wrong. Each message says
what to do.

ExportError                     bad input or a step that could not be done
  UnknownVariantError           no row in the table has that name; exit code 2
  CheckpointError               a checkpoint file that cannot be used
    StateDictError              a readable checkpoint whose tensors are not the network's
  DownloadError                 the official file could not be fetched whole
  ForeignNetworkError           an ONNX file that cannot be served as a depth network
    ForeignOptionError          a name or an option that no network could have; exit code 2
  LicenceError                  --commercial, and the licence of the weights does not allow it
  BuildError                    a precision that the target does not offer; exit code 2
  NoRuntimeError                the runtime of the target is not installed
  PhotosError                   no photos to calibrate with
  RepositoryWriteError          the model repository could not be written; it is as it was
  ConfigError                   a model's config that is missing or cannot be read
  TensorRTError                 a TensorRT plan could not be built, or gives something else than its graph
    NoTensorRTError             this machine has no TensorRT or no GPU to build a plan with
  AutoError                     no build could be timed, or none is as accurate as asked
  ParityError                   the exported network differs from its source
    PrecisionError              it differs by more than its precision may
"""


class ExportError(Exception):
    """Base of every error that an export raises on purpose. `exit_code` is what the command line ends with."""

    exit_code = 1


class UnknownVariantError(ExportError):
    """A name that is not in the table of variants."""

    exit_code = 2


class CheckpointError(ExportError):
    """A file that is not a usable checkpoint: a web page, truncated, with code inside, missing."""


class StateDictError(CheckpointError):
    """Tensors that are missing, unexpected or of another shape than the network's."""


class DownloadError(ExportError):
    """The official checkpoint could not be fetched, or was not the official file."""


class ForeignNetworkError(ExportError):
    """An ONNX file that cannot be wrapped as a depth network."""


class ForeignOptionError(ForeignNetworkError):
    """A name or an option of a network of one's own that is wrong, whatever the file holds."""

    exit_code = 2


class LicenceError(ExportError):
    """--commercial was asked for, and the licence of the weights does not allow commercial use."""


class BuildError(ExportError):
    """A build that does not exist."""

    exit_code = 2


class NoRuntimeError(ExportError):
    """A target whose runtime is not installed here."""


class PhotosError(ExportError):
    """A folder with calibration photos that holds none."""


class RepositoryWriteError(ExportError):
    """The model repository could not be written."""


class ConfigError(ExportError):
    """A model has no config, or one that says too little."""


class TensorRTError(ExportError):
    """No plan could be built."""


class NoTensorRTError(TensorRTError):
    """This machine lacks what building a plan takes."""


class AutoError(ExportError):
    """No build could be chosen by measuring."""


class ParityError(ExportError):
    """The exported graph does not compute what its source computes."""


class PrecisionError(ParityError):
    """A precision below float32 costs a trained network more accuracy than it may."""
