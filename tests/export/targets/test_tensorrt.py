"""The TensorRT target, with a program in trtexec's place: everything but the build of a real engine.

The stand-in prints trtexec's banner, checks its arguments as trtexec does, keeps the ONNX graph as its "plan" and runs
that with ONNX Runtime.
"""

import hashlib
import importlib
import json
import os
import re
import shlex
import sys
import textwrap
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from tritonclient.grpc import model_config_pb2

from export.__main__ import main
from export.errors import NoTensorRTError, TensorRTError
from export.graph.parity import noise
from export.repository.configs import network_config, preprocess_config
from export.repository.inventory import inventory
from export.repository.manifest import read_manifest
from export.repository.plan_config import plan_config
from export.repository.write import exported
from export.targets.builds import Build
from export.targets.common_sizes import common_sizes
from export.targets.tensorrt import build, toolkit
from export.targets.tensorrt.build import build_command, precision_flags
from export.targets.tensorrt.elsewhere import where_to_build
from export.targets.tensorrt.manifest import PlanManifest, capabilities_of, read_plan_manifest
from export.targets.tensorrt.plans import outdated
from export.targets.tensorrt.profile import largest_side, profile_of
from export.targets.tensorrt.run import PlanRunner
from export.targets.tensorrt.toolkit import PlanGpu, Toolkit, find_toolkit
from export.targets.tensorrt.trtexec import run_trtexec
from export.variants import VARIANTS
from export.variants.row import ServedNetwork
from midas_server.imaging.network_size import network_size
from midas_server.launch.plans import PlanRefused, check_plans

text_format = importlib.import_module("google.protobuf.text_format")  # it has no types

TRTEXEC = """\
    #!{python}
    import json, os, signal, sys
    words = dict(word.partition("=")[::2] for word in sys.argv[1:])
    state = json.load(open({state!r}))
    print(f"&&&& RUNNING TensorRT.trtexec [TensorRT v{{state['version']}}] [b48] # trtexec", *sys.argv[1:], flush=True)
    if "--help" in words:
        print("=== Model Options ===")
        sys.exit(0)
    with open({log!r}, "a") as log:
        log.write(json.dumps([sys.argv[1:], os.environ.get("CUDA_DEVICE_ORDER")]) + "\\n")
    known = "onnx saveEngine minShapes optShapes maxShapes timingCacheFile device skipInference noTF32 loadEngine"
    known += " shapes loadInputs exportOutput iterations warmUp duration useCudaGraph"
    known += " stronglyTyped fp16" if state["version"] < 110000 else ""
    for word in words:
        if word[2:] not in known.split():
            print("[E] Unknown option:", word)
            sys.exit(1)
    if state["fails"] == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    if state["fails"] == "status":
        print("[E] Error[4]: kaboom at node 7")
        print("&&&& FAILED TensorRT.trtexec")
        sys.exit(3)
    if "--onnx" in words:
        if state["fails"] != "no plan":
            with open(words["--onnx"], "rb") as graph, open(words["--saveEngine"], "wb") as plan:
                plan.write(graph.read())
        open(words["--timingCacheFile"], "ab").close()
    else:
        import numpy as np
        import onnxruntime as ort
        shape = [int(side) for side in words["--shapes"].removeprefix("PIXELS:").split("x")]
        if "--loadInputs" in words:
            pixels = np.fromfile(words["--loadInputs"].removeprefix("PIXELS:"), np.uint8).reshape(shape)
            session = ort.InferenceSession(words["--loadEngine"])
            depth = session.run(None, {{"PIXELS": pixels}})[0]
            if state["fails"] == "slots" and len(depth) > 1:
                depth[1] *= 1.5
            with open(words["--exportOutput"], "w") as output:
                values = ", ".join(f"{{value:.6g}}" for value in depth.ravel())
                if state["fails"] == "nan":
                    values = "nan" + values[values.index(","):]
                shape = "x".join(map(str, depth.shape))
                output.write(f'[\\n  {{{{ "name" : "INVERSE_DEPTH"\\n  , "dimensions" : "{{shape}}"\\n')
                output.write(f'  , "values" : [ {{values}} ]\\n  }}}}\\n]\\n')
        print("[I] GPU Compute Time: min = 1.1 ms, max = 1.3 ms, mean = 1.2 ms, median = 1.25 ms, percentile(90%) = 1")
    print("&&&& PASSED TensorRT.trtexec")
"""

NVIDIA_SMI = """\
    #!{python}
    import json, sys
    state = json.load(open({state!r}))
    fields = next(word for word in sys.argv if word.startswith("--query-gpu=")).removeprefix("--query-gpu=").split(",")
    if not state["gpus"]:
        print("NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver.")
        sys.exit(9)
    for number, (name, capability) in enumerate(state["gpus"]):
        facts = dict(index=str(number), name=name, compute_cap=capability, uuid=f"GPU-{{number}}f3e")
        print(", ".join(facts[field] for field in fields))
"""

T4, RTX_3090, H100 = ("Tesla T4", "7.5"), ("NVIDIA GeForce RTX 3090", "8.6"), ("NVIDIA H100 80GB HBM3", "9.0")
NETWORK = ServedNetwork(name="net", resolution=128, resize="minimal", max_area=1280 * 1280, max_batch_size=8)


class Machine:
    """A machine with TensorRT as far as its programs tell."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.state, self.log = folder / "state.json", folder / "log.jsonl"
        self.set()
        for name, program in [("trtexec", TRTEXEC), ("nvidia-smi", NVIDIA_SMI)]:
            text = textwrap.dedent(program).format(python=sys.executable, state=str(self.state), log=str(self.log))
            (folder / name).write_text(text)
            (folder / name).chmod(0o755)

    def set(self, *gpus: tuple[str, str], version: int = 101401, fails: str = "") -> None:
        self.state.write_text(json.dumps({"gpus": gpus or [T4], "version": version, "fails": fails}))

    def without_gpu(self) -> None:
        self.state.write_text(json.dumps({"gpus": [], "version": 101401, "fails": ""}))

    @property
    def calls(self) -> list[list[str]]:
        """Arguments of the builds and runs so far."""
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        assert {json.loads(line)[1] for line in lines} <= {"PCI_BUS_ID"}
        return [json.loads(line)[0] for line in lines]

    @property
    def builds(self) -> list[dict[str, str]]:
        """The options of each build."""
        calls = [dict(word.partition("=")[::2] for word in call) for call in self.calls]
        return [call for call in calls if "--onnx" in call]


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=os.pathsep)
    monkeypatch.delenv("TRTEXEC", raising=False)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr(build, "TIMING_CACHES", tmp_path / "timings")
    return Machine(tmp_path / "bin")


def save_network(folder: Path, height: str, width: str) -> Path:
    """A depth network that costs nothing: the mean of the channels."""
    size = f"{height}, {width}"
    text = f"""<ir_version: 8, opset_import: ["": 17]>
        g (float[b, 3, {size}] x) => (float[b, 1, {size}] y) {{ y = ReduceMean <axes = [1]> (x) }}"""
    onnx.save(onnx.parser.parse_model(text), folder / "net.onnx")
    return folder / "net.onnx"


@pytest.fixture
def net(tmp_path: Path) -> Path:
    """Of one size: no other has to be proved."""
    return save_network(tmp_path, "128", "128")


@pytest.fixture
def net_of_any_size(tmp_path: Path) -> Path:
    return save_network(tmp_path, "h", "w")


def export(net: Path, repository: Path, *options: str) -> int:
    command = ["net", "--from-onnx", str(net), "--size", "128", "--target", "tensorrt", "--repository", str(repository)]
    return main([*command, *options])


def config(path: Path) -> Any:
    return text_format.Parse(path.read_text(), model_config_pb2.ModelConfig())


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_what_an_export_writes(
    machine: Machine, net_of_any_size: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    machine.set(T4, T4, H100)
    repository = tmp_path / "repository"
    assert export(net_of_any_size, repository) == 0, capsys.readouterr().err
    out = capsys.readouterr().out
    assert "building a TensorRT 10.14.1 plan for Tesla T4, 7.5; this takes minutes" in out
    assert "model_sm90.plan, " in out
    assert "tensorrt fp32 against fp32: relative error" in out
    assert "1.2 ms an image for" in out  # the GPU's own time

    version = repository / "net_network" / "1"
    plans = {"model_sm75.plan": ("7.5", "Tesla T4"), "model_sm90.plan": ("9.0", "NVIDIA H100 80GB HBM3")}
    assert {path.name for path in version.iterdir()} == {"manifest.json", *plans, *(f"{plan}.json" for plan in plans)}
    manifest = read_manifest(version / "manifest.json")
    assert manifest is not None
    assert (manifest.target, manifest.precision) == ("tensorrt", "fp32")
    assert set(manifest.files) == {path.name for path in version.iterdir()} - {"manifest.json"}
    for plan, (capability, gpu) in plans.items():
        beside = read_plan_manifest(version / plan)
        assert beside is not None
        assert (beside.compute_capability, beside.gpu, beside.tensorrt) == (capability, gpu, "10.14.1")
        assert (beside.variant, beside.precision) == ("net", "fp32")
        assert beside.checkpoint_sha256 == hashlib.sha256(net_of_any_size.read_bytes()).hexdigest()
        assert beside.onnx_sha256 == manifest.onnx_sha256
        assert beside.plan_sha256 == hashlib.sha256((version / plan).read_bytes()).hexdigest()
        assert beside.plan_bytes == (version / plan).stat().st_size
        assert beside.profile == profile_of(NETWORK)
        assert beside.flags == ["--stronglyTyped", "--noTF32"]
    assert exported(repository, NETWORK) == manifest
    assert [(entry.name, entry.flaw) for entry in inventory(repository)] == [("net", None)]

    timings = [tmp_path / "timings" / f"tensorrt_10.14.1_sm{capability}.cache" for capability in ("75", "90")]
    assert all(path.is_file() for path in timings)
    for number, (options, device) in enumerate(zip(machine.builds, ("0", "2"), strict=True)):
        assert Path(options.pop("--onnx")).name == "model.onnx"
        assert Path(options.pop("--saveEngine")).name == list(plans)[number]
        assert options == {
            "--minShapes": "PIXELS:1x32x32x3",
            "--optShapes": "PIXELS:1x128x160x3",
            "--maxShapes": "PIXELS:8x1280x1280x3",
            "--timingCacheFile": str(timings[number]),
            "--device": device,
            "--skipInference": "",
            "--stronglyTyped": "",
            "--noTF32": "",
        }

    served = config(repository / "net_network" / "config.pbtxt")
    assert (served.name, served.platform, served.backend) == ("net_network", "tensorrt_plan", "")
    assert served.default_model_filename == ""
    assert dict(served.cc_model_filenames) == {"7.5": "model_sm75.plan", "9.0": "model_sm90.plan"}


def test_the_config_field_by_field() -> None:
    row = ServedNetwork(name="dpt_large_384", resolution=384, resize="minimal", max_area=768 * 768, max_batch_size=4)
    served = text_format.Parse(plan_config(row, ["7.5", "8.6", "9.0"]), model_config_pb2.ModelConfig())
    assert (served.name, served.platform, served.max_batch_size) == ("dpt_large_384_network", "tensorrt_plan", 4)
    assert dict(served.cc_model_filenames) == {
        "7.5": "model_sm75.plan",
        "8.6": "model_sm86.plan",
        "9.0": "model_sm90.plan",
    }
    assert [(tensor.name, tensor.data_type, list(tensor.dims)) for tensor in served.input] == [
        ("PIXELS", model_config_pb2.TYPE_UINT8, [-1, -1, 3])
    ]
    assert [(tensor.name, tensor.data_type, list(tensor.dims)) for tensor in served.output] == [
        ("INVERSE_DEPTH", model_config_pb2.TYPE_FP32, [-1, -1])
    ]
    assert [(group.kind, group.count) for group in served.instance_group] == [
        (model_config_pb2.ModelInstanceGroup.KIND_GPU, 1)
    ]
    assert served.HasField("dynamic_batching")
    assert not served.HasField("response_cache")
    assert served.optimization.cuda.graphs
    graphs = {(spec.batch_size, *spec.input["PIXELS"].dim) for spec in served.optimization.cuda.graph_spec}
    assert {(1, 384, 384, 3), (1, 384, 512, 3), (1, 512, 384, 3), (1, 384, 672, 3), (4, 384, 672, 3)} <= graphs
    profile = profile_of(row)
    assert all(
        low <= side <= high
        for shape in graphs
        for low, side, high in zip(profile.minimum, shape[:3], profile.maximum, strict=True)
    )
    # a spec without a lower bound is for exactly its shape: nothing uninitialised is ever computed on
    assert not any(spec.HasField("graph_lower_bound") for spec in served.optimization.cuda.graph_spec)
    warm = [(entry.batch_size, list(entry.inputs["PIXELS"].dims)) for entry in served.model_warmup]
    assert warm == [(1, [384, 384, 3]), (4, [384, 384, 3])]
    assert all(entry.inputs["PIXELS"].data_type == model_config_pb2.TYPE_UINT8 for entry in served.model_warmup)
    assert len({entry.name for entry in served.model_warmup}) == 2


@pytest.mark.parametrize("row", VARIANTS.values(), ids=lambda row: row.name)
def test_every_row_has_a_profile_for_what_is_asked_of_it(row: ServedNetwork) -> None:
    build = Build("tensorrt", "fp16")
    served = text_format.Parse(network_config(row, build, ["model_sm75.plan"]), model_config_pb2.ModelConfig())
    preprocess = text_format.Parse(preprocess_config(row, build), model_config_pb2.ModelConfig())
    profile = profile_of(row)
    assert served.max_batch_size == profile.maximum[0] == row.max_batch_size
    side = profile.maximum[1]
    assert side == profile.maximum[2]
    assert side**2 <= row.max_area or side == max(max(size) for size in common_sizes(row))
    assert all(a <= b <= c for a, b, c in zip(profile.minimum, profile.optimum, profile.maximum, strict=True))
    assert all(
        length % row.multiple == 0
        for shape in (profile.minimum, profile.optimum, profile.maximum)
        for length in shape[1:]
    )
    # the shapes that preprocess makes of large photos of the usual kinds
    for width, height in [(1600, 1600), (1600, 1200), (1200, 1600), (1800, 1200), (1920, 1080), (1080, 1920)]:
        wide, high = network_size(width, height, row.resolution, row.default_rule, row.multiple)
        assert profile.minimum[1] <= high <= profile.maximum[1]
        assert profile.minimum[2] <= wide <= profile.maximum[2]
        assert (high, wide) in common_sizes(row)
    if row.any_aspect:
        assert preprocess.parameters["max_side"].string_value == str(largest_side(row)) == str(profile.maximum[1])
    else:
        assert "max_side" not in preprocess.parameters
        assert profile.minimum[1:] == profile.maximum[1:] == (row.resolution, row.resolution)


@pytest.mark.parametrize(
    ("name", "batch"),
    [
        ("depth_anything_v2_vits", 3),
        ("depth_anything_v2_vitl", 1),
        ("depth_anything_v2_metric_vkitti_vits", 3),
    ],
)
def test_the_command_for_patches_of_14_pixels(name: str, batch: int) -> None:
    row = VARIANTS[name]
    there = Toolkit(Path("trtexec"), "11.4.1", [PlanGpu(0, *H100)])
    files = {"onnx": Path("model.onnx"), "plan": Path("model.plan"), "timings": Path("timings")}
    command = build_command(there, there.gpus[0], profile_of(row), **files, precision="fp16")
    assert command[3:6] == [
        "--minShapes=PIXELS:1x14x14x3",
        "--optShapes=PIXELS:1x518x686x3",
        f"--maxShapes=PIXELS:{batch}x952x952x3",
    ]
    served = text_format.Parse(plan_config(row, ["9.0"]), model_config_pb2.ModelConfig())
    shapes = {tuple(spec.input["PIXELS"].dim) for spec in served.optimization.cuda.graph_spec}
    assert {(518, 518, 3), (518, 686, 3), (686, 518, 3), (518, 924, 3), (924, 518, 3)} <= shapes
    assert all(side % 14 == 0 for shape in shapes for side in shape[:2])
    assert all(entry.inputs["PIXELS"].dims[:2] == [518, 518] for entry in served.model_warmup)


def test_a_photo_too_long_for_the_plan_passes_at_a_lower_resolution() -> None:
    """The photos of a car's camera: the ONNX graph takes them at the default, a plan does not."""
    row = VARIANTS["depth_anything_v2_metric_vkitti_vits"]
    assert network_size(1242, 375, row.resolution, row.resize, row.multiple) == (1722, 518)
    assert largest_side(row) == 952
    assert network_size(1242, 375, 280, row.resize, row.multiple) == (924, 280)


def test_which_plans_there_are() -> None:
    files = ["model_sm121.plan", "model_sm75.plan", "model_sm75.plan.json", "manifest.json", "model_sm100.plan"]
    assert capabilities_of(files) == ["7.5", "10.0", "12.1"]


@pytest.mark.parametrize(
    ("version", "name", "flags"),
    [
        (101401, "10.14.1", ["--stronglyTyped", "--noTF32"]),
        (100300, "10.3.0", ["--stronglyTyped", "--noTF32"]),
        (110401, "11.4.1", ["--noTF32"]),
    ],
)
def test_what_each_version_needs(version: int, name: str, flags: list[str], machine: Machine) -> None:
    machine.set(RTX_3090, version=version)
    found = find_toolkit()
    assert found.version == name
    assert found.trtexec == machine.folder / "trtexec"
    assert [(gpu.index, gpu.name, gpu.capability) for gpu in found.gpus] == [(0, *RTX_3090)]
    assert precision_flags(found.major, "fp32") == flags
    assert precision_flags(found.major, "fp16") == flags[:-1]  # half precision is in the graph


def test_a_graph_in_half_precision_on_tensorrt_11(machine: Machine, net: Path, tmp_path: Path) -> None:
    machine.set(H100, version=110401)
    repository = tmp_path / "repository"
    assert export(net, repository, "--precision", "fp16") == 0
    (options,) = machine.builds
    assert not {"--fp16", "--stronglyTyped", "--noTF32"} & set(options)
    plan = onnx.load(repository / "net_network" / "1" / "model_sm90.plan")  # the stand-in's plan is its graph
    casts = {node.attribute[0].i for node in plan.graph.node if node.op_type == "Cast"}
    assert onnx.TensorProto.FLOAT16 in casts
    assert plan.graph.input[0].type.tensor_type.elem_type == onnx.TensorProto.UINT8
    assert plan.graph.output[0].type.tensor_type.elem_type == onnx.TensorProto.FLOAT


def test_plans_of_other_gpus_stay_while_they_are_of_the_same_graph(
    machine: Machine, net: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    repository = tmp_path / "repository"
    version = repository / "net_network" / "1"
    machine.set(T4)
    assert export(net, repository) == 0
    first = contents(version)
    machine.set(RTX_3090)
    assert export(net, repository) == 0
    assert "model_sm75.plan for Tesla T4, 7.5, is kept" in capsys.readouterr().out
    both = contents(version)
    assert {"model_sm75.plan", "model_sm86.plan"} <= set(both)
    assert both["model_sm75.plan.json"] == first["model_sm75.plan.json"]
    assert dict(config(repository / "net_network" / "config.pbtxt").cc_model_filenames) == {
        "7.5": "model_sm75.plan",
        "8.6": "model_sm86.plan",
    }
    assert [entry.flaw for entry in inventory(repository)] == [None]
    builds = len(machine.builds)
    assert export(net, repository, "--if-needed") == 0
    assert "net is up to date" in capsys.readouterr().out
    assert len(machine.builds) == builds

    machine.set(RTX_3090, version=101402)
    assert export(net, repository, "--if-needed") == 0
    assert "model_sm75.plan is left out: it was built with TensorRT 10.14.1" in capsys.readouterr().out
    assert "model_sm75.plan" not in contents(version)
    assert dict(config(repository / "net_network" / "config.pbtxt").cc_model_filenames) == {"8.6": "model_sm86.plan"}


@pytest.mark.parametrize(
    ("fails", "message"),
    [
        ("status", r"trtexec failed with status 3: .*--saveEngine=.*(\n.*)*kaboom at node 7"),
        ("killed", r"trtexec was ended by SIGKILL. Where the machine ran out of memory"),
        ("no plan", r"trtexec ended without an error but wrote no plan"),
        ("slots", r"the plan for Tesla T4 gives a photo in a batch of 8 another depth than alone: relative error 5"),
        ("nan", r"another depth than alone: relative error inf"),
    ],
)
def test_a_build_that_fails_leaves_the_repository_as_it_was(
    fails: str, message: str, machine: Machine, net: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    repository = tmp_path / "repository"
    assert export(net, repository, "--target", "onnx") == 0
    before = contents(repository)
    machine.set(T4, fails=fails)
    capsys.readouterr()
    assert export(net, repository) == 1
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert re.search(message, error), error
    assert "Traceback" not in error
    assert contents(repository) == before


def test_an_option_that_trtexec_does_not_know(machine: Machine) -> None:
    with pytest.raises(TensorRTError, match=r"failed with status 1: .*--best\n(.*\n)*.*Unknown option: --best"):
        run_trtexec([str(machine.folder / "trtexec"), "--best"])


def test_where_there_is_no_tensorrt(
    machine: Machine, net: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (machine.folder / "trtexec").unlink()
    monkeypatch.setattr(toolkit, "CONTAINER_PLACES", ())
    repository = tmp_path / "a repository"
    assert export(net, repository, "--precision", "fp16") == 1
    error = capsys.readouterr().err
    assert "error: TensorRT's trtexec is not on this machine" in error
    assert not repository.exists()

    command = error[error.index("docker run") :].replace("$(id -u):$(id -g)", "1:1")
    words = shlex.split(command)
    assert words[:3] == ["docker", "run", "--rm"]
    assert words[words.index("--gpus") + 1] == "all"
    volumes = [words[at + 1] for at, word in enumerate(words) if word == "--volume"]
    assert volumes[1:] == [f"{tmp_path}:/repositories", f"{net}:/given/net.onnx"]
    assert words[-4:-1] == ["midas-on-triton", "bash", "-c"]
    inside = words[-1].split(" && ")[1]
    assert shlex.split(inside) == [
        *("python3", "-m", "export", "net", "--from-onnx", "/given/net.onnx", "--size", "128"),
        *("--target", "tensorrt", "--precision", "fp16", "--repository", "/repositories/a repository"),
    ]
    assert "--weights /given/w.pt" in where_to_build(["a", "--weights=/x/w.pt", "--repository=y"], repository)


def test_what_else_may_be_missing(machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    machine.without_gpu()
    with pytest.raises(NoTensorRTError, match=r"no GPU to build for: nvidia-smi says NVIDIA-SMI has failed"):
        find_toolkit()
    machine.set(T4, version=8501)
    with pytest.raises(NoTensorRTError, match=r"is of TensorRT 8.5.1: 10 or newer is needed"):
        find_toolkit()
    monkeypatch.setenv("TRTEXEC", str(tmp_path / "nowhere"))
    with pytest.raises(NoTensorRTError, match=r"TRTEXEC names .*nowhere, which is not a program"):
        find_toolkit()
    monkeypatch.setenv("TRTEXEC", "/bin/false")
    with pytest.raises(NoTensorRTError, match=r"does not say its TensorRT version \(exit status 1\)"):
        find_toolkit()


def test_plans_of_another_graph_or_for_other_shapes_do_not_stay() -> None:
    profile = profile_of(NETWORK)
    manifest = PlanManifest(
        variant="net",
        precision="fp16",
        checkpoint_sha256=None,
        onnx_sha256="1f",
        plan_sha256="2e",
        plan_bytes=1,
        tensorrt="11.4.1",
        compute_capability="7.5",
        gpu="Tesla T4",
        minimum=profile.minimum,
        optimum=profile.optimum,
        maximum=profile.maximum,
        flags=[],
    )
    there = Toolkit(Path("trtexec"), "11.4.1", [])
    assert outdated(manifest, NETWORK, there, "fp16", "1f") is None
    assert outdated(manifest, NETWORK, there, "fp16", "1e") == "from another graph"
    assert outdated(manifest, NETWORK, there, "fp32", "1f") == "from another graph"
    assert outdated(manifest, NETWORK, replace(there, version="11.5.0"), "fp16", "1f") == "with TensorRT 11.4.1"
    assert outdated(manifest, replace(NETWORK, max_batch_size=4), there, "fp16", "1f") == "for other shapes"


def test_the_server_takes_what_was_exported_for_its_machine(
    machine: Machine, net_of_any_size: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = tmp_path / "repository"
    machine.set(T4, RTX_3090)
    assert export(net_of_any_size, repository) == 0
    monkeypatch.setenv("TRT_VERSION", "10.14.1.48")
    check_plans(repository, ["net"])
    machine.set(RTX_3090)
    check_plans(repository, ["net"])
    machine.set(H100)
    with pytest.raises(PlanRefused, match=r"plans for compute capability 7.5, 8.6; GPU 0 of this machine has 9.0"):
        check_plans(repository, ["net"])

    # the stand-in computes what the graph does: the plans' output was read the right way round above
    machine.set(T4)
    found = find_toolkit()
    pixels = noise((2, 32, 64))
    plan = (repository / "net_network" / "1" / "model_sm75.plan").read_bytes()
    depth = PlanRunner(found, found.gpus[0], plan)(pixels)
    np.testing.assert_allclose(depth, pixels.mean(axis=-1) / 255, rtol=1e-5)
