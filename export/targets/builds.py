"""The builds that a network can be exported in: a target (which runtime computes it) and a precision."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from export.errors import BuildError

Target = Literal["onnx", "openvino", "tensorrt"]
Precision = Literal["fp32", "fp16", "bf16", "int8"]

TARGETS: tuple[Target, ...] = get_args(Target)
PRECISIONS: tuple[Precision, ...] = get_args(Precision)

# Only OpenVINO computes in bfloat16 on a processor; a TensorRT plan in int8 would need a calibration on its own GPU.
_OFFERED: Mapping[Target, tuple[Precision, ...]] = {
    "onnx": ("fp32", "fp16", "int8"),
    "openvino": ("fp32", "fp16", "bf16", "int8"),
    "tensorrt": ("fp32", "fp16"),
}


@dataclass(frozen=True)
class Build:
    """A target and a precision.

    Attributes:
        target: "onnx" for ONNX Runtime, "openvino" or "tensorrt".
        precision: what the network computes in; its input and output are the same in all of them.

    Raises:
        BuildError: the target does not offer the precision.
    """

    target: Target = "onnx"
    precision: Precision = "fp32"

    def __post_init__(self) -> None:
        offered = _OFFERED[self.target]
        if self.precision not in offered:
            raise BuildError(
                f"target {self.target} has no precision {self.precision}: choose one of {', '.join(offered)}"
            )

    @classmethod
    def named(cls, target: str, precision: str) -> "Build":
        """The build of these names, as a manifest holds them; raises BuildError where there is none."""
        for known in TARGETS:
            for offered in _OFFERED[known]:
                if (known, offered) == (target, precision):
                    return cls(known, offered)
        raise BuildError(f"there is no build {target} {precision}")

    def __str__(self) -> str:
        return f"{self.target} {self.precision}"
