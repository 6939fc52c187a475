"""The builds that this machine can run, in the order in which they are tried: those first that tend to be fast."""

import shutil
from collections.abc import Mapping
from importlib.util import find_spec

from export.errors import NoTensorRTError
from export.targets.builds import Build
from export.targets.tensorrt.toolkit import find_toolkit
from reports.processor import features

ONNX = Build("onnx", "fp32")
"""The first: the others are compared with it, and it is what there is where time is up."""

BF16 = Build("openvino", "bf16")
ON_PROCESSOR = (BF16, Build("openvino", "int8"), Build("onnx", "int8"), Build("openvino", "fp32"))
"""fp16 is left out: on a processor it is slower than fp32. So is bf16 on one that has no instructions for it."""

PLANS = (Build("tensorrt", "fp16"), Build("tensorrt", "fp32"))


def candidates() -> tuple[list[Build], Mapping[str, str]]:
    """Return what can be tried here, and why the builds of a target cannot, by its name."""
    gpu, cuda = shutil.which("nvidia-smi") is not None, _cuda()
    builds, left_out = [ONNX], {}
    if cuda:
        builds.append(Build("onnx", "fp16"))
        left_out["openvino"] = "it computes on the processor, and there is a GPU"
    else:
        builds += [build for build in ON_PROCESSOR if build.target == "onnx" or find_spec("openvino")]
        if gpu:
            left_out["onnx on the GPU"] = "onnxruntime-gpu is not installed: it is the extra `gpu` of server/"
        if not find_spec("openvino"):
            left_out["openvino"] = "it is not installed"
        elif "bf16" not in features():
            builds.remove(BF16)
            left_out[str(BF16)] = "this processor has no instructions for bfloat16, which makes it slower than fp32"
    if gpu:
        try:
            find_toolkit()
            builds += PLANS
        except NoTensorRTError as error:
            left_out["tensorrt"] = str(error)
    return builds, left_out


def _cuda() -> bool:
    import onnxruntime  # noqa: PLC0415 - takes part of a second, and is needed here alone

    return "CUDAExecutionProvider" in onnxruntime.get_available_providers() and shutil.which("nvidia-smi") is not None
