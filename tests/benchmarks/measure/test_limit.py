"""The limit in this process: it answers what the server answers, and measures."""

from pathlib import Path

import numpy as np
import pytest
from tritonclient.grpc import InferenceServerClient, InferInput

from benchmarks.errors import BenchmarkError
from benchmarks.measure.in_process import InProcess
from benchmarks.measure.limit import LimitRun, Sharing, measure_limit, sharings
from benchmarks.measure.series import PARAMETERS
from midas_server.launch import Triton
from tests.networks import DEFAULT, VARIANT


def served(triton: Triton, photo: bytes, parameters: dict[str, str], output: str) -> bytes:
    """The bytes of one output of the server's answer."""
    image = InferInput("IMAGE", [1, 1], "BYTES")
    image.set_data_from_numpy(np.array([[photo]], dtype=np.object_))
    with InferenceServerClient(triton.grpc_url) as client:
        tensor = client.infer(DEFAULT, [image], parameters=parameters, client_timeout=60).as_numpy(output)
    return tensor.item() if output == "ENCODED" else tensor.tobytes()  # type: ignore[no-any-return]


@pytest.mark.parametrize("result", ["network", "photo", "png16"])
def test_one_process_answers_the_same_bytes_as_the_server(
    triton: Triton, repository: Path, photo: bytes, result: str
) -> None:
    pipeline = InProcess(repository, DEFAULT)
    parameters = PARAMETERS[result]  # type: ignore[index]
    (network,) = pipeline.networks(1, threads=1)
    answer = pipeline.answer(photo, parameters, network)
    expected = served(triton, photo, parameters, "ENCODED" if result == "png16" else "DEPTH")
    if result == "png16":
        assert answer[:8] == expected[:8] == b"\x89PNG\r\n\x1a\n"
        assert abs(len(answer) - len(expected)) < 0.01 * len(expected)
    else:
        # not bit for bit: other threads may add up in another order
        mine, theirs = np.frombuffer(answer, np.float32), np.frombuffer(expected, np.float32)
        np.testing.assert_allclose(mine, theirs, rtol=1e-3, atol=1e-3 * float(np.ptp(theirs)))


def test_cores_are_shared_out_from_one_photo_to_one_a_core() -> None:
    assert sharings(1) == [Sharing(1, 1)]
    assert sharings(2) == [Sharing(1, 2), Sharing(2, 1), Sharing(2, 2)]
    assert sharings(6) == [Sharing(1, 6), Sharing(2, 3), Sharing(4, 2), Sharing(6, 1), Sharing(2, 6)]


def test_limit_is_measured_and_belongs_to_what_was_asked(repository: Path, photo: bytes) -> None:
    said: list[str] = []
    limit = measure_limit(repository, DEFAULT, photo, "photo", seconds=0.1, round=3, announce=said.append)
    assert (limit.model, limit.build, limit.photo, limit.result) == (DEFAULT, "onnx fp32", "640x427", "photo")
    assert limit.round == 3
    assert limit.photos_per_second > 0
    assert limit.one_ms > 0
    assert limit.workers and limit.threads
    assert Sharing(limit.workers, limit.threads) in LimitRun(repository, DEFAULT, photo).sharings
    assert "1 thread" in said[0]


def test_callers_at_a_time_get_each_their_answer(repository: Path, photo: bytes) -> None:
    run = LimitRun(repository, VARIANT, photo, cores=2)
    for sharing in run.sharings:
        assert run.photos_per_second(sharing, seconds=0.01) > 0


def test_what_cannot_be_run_is_told(repository: Path, tmp_path: Path) -> None:
    with pytest.raises(BenchmarkError, match=r"there is no .*dpt_nothing_network/config\.pbtxt: export the network"):
        InProcess(repository, "dpt_nothing")
    with pytest.raises(BenchmarkError, match="the photo is refused: this is not a photo"):
        LimitRun(repository, DEFAULT, b"not a photo")
    for name in (f"{DEFAULT}_network", f"{DEFAULT}_preprocess"):
        (tmp_path / name).mkdir()
        text = (repository / name / "config.pbtxt").read_text()
        (tmp_path / name / "config.pbtxt").write_text(text.replace('"onnxruntime"', '"tensorrt"'))
    with pytest.raises(BenchmarkError, match="backend 'tensorrt', which no Python package runs"):
        InProcess(tmp_path, DEFAULT).networks(1, threads=1)
