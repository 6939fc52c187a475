"""What a user asks of an export, whatever it is that is exported."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from export.auto.choice import Wish
from export.commands.progress import Say, silent
from export.repository.write import DEFAULT_REPOSITORY, refuse_unwritable
from export.targets.builds import Build, Precision, Target

if TYPE_CHECKING:
    from export.targets.tensorrt.toolkit import Toolkit


@dataclass(frozen=True, kw_only=True)
class ExportRequest:
    """What a user asks of an export.

    Attributes:
        repository: the model repository; created if needed.
        precision: of the build, "fp32" where it is None.
        target: of the build, "onnx" where it is None. A build replaces any other of the network.
        auto: choose the build by measuring, instead of a precision and a target.
        calibration: folder of photos that int8 calibrates with and every build is judged on; scikit-image's where it is
            None.
        if_needed: do nothing if the network is there, made from the same weights and options. Nothing is downloaded
            then, and a precision or target that is None may be any that is there.
        say: takes one line about a step.
        warn: takes one line about what the user should know.
    """

    repository: Path = DEFAULT_REPOSITORY
    precision: Precision | None = None
    target: Target | None = None
    auto: Wish | None = None
    calibration: Path | None = None
    if_needed: bool = False
    say: Say = silent
    warn: Say = silent

    @property
    def build(self) -> Build:
        """Raises BuildError where the target does not offer the precision."""
        return Build(self.target or "onnx", self.precision or "fp32")

    @cached_property
    def toolkit(self) -> "Toolkit":
        """TensorRT on this machine; raises NoTensorRTError where there is none."""
        from export.targets.tensorrt.toolkit import find_toolkit  # noqa: PLC0415  (it starts programs)

        return find_toolkit()

    def check(self) -> None:
        """Find out before the work what would fail after it.

        Raises:
            BuildError: see `build`.
            RepositoryWriteError: the repository cannot be written.
            NoTensorRTError: the target is TensorRT, which is not here.
        """
        build = self.build
        refuse_unwritable(self.repository)
        if build.target == "tensorrt":
            _ = self.toolkit
