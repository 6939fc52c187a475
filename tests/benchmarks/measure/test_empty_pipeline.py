"""The pipeline whose steps do nothing: the same ensemble, queues and tensors, without the work."""

from pathlib import Path

import pytest

from benchmarks.load.photo import jpeg
from benchmarks.measure.empty_pipeline import MODEL, SIZE, write_empty_pipeline
from benchmarks.measure.server import Server
from export.repository.configs import network_config, preprocess_config
from export.variants import variant_named
from midas_server.launch import Triton


def declared(config: str) -> list[str]:
    """The lines of a config that say which tensors there are, and how requests wait and merge."""
    kept = ("TYPE_", "max_batch_size", "max_queue_size", "count:", "timeout")
    lines = [line.strip() for line in config.splitlines() if "dims: [ 1 ] input_data_file" not in line]
    return [line for line in lines if any(word in line for word in kept) and "zero_data" not in line]


def test_the_steps_are_declared_as_a_networks_are(tmp_path: Path) -> None:
    write_empty_pipeline(tmp_path)
    network = variant_named(MODEL)
    for step, config in (("preprocess", preprocess_config(network)), ("network", network_config(network))):
        written = (tmp_path / f"{MODEL}_{step}" / "config.pbtxt").read_text()
        assert declared(written) == declared(config)
        assert 'backend: "python"' in written
        assert "model_warmup" not in written


def test_a_network_that_takes_one_photo_at_a_time(tmp_path: Path) -> None:
    write_empty_pipeline(tmp_path, instances=3, one_by_one_ms=100)
    folder = tmp_path / f"{MODEL}_network"
    config = (folder / "config.pbtxt").read_text()
    assert "max_batch_size: 1\n" in config
    assert "count: 3 " in config
    assert "time.sleep(0.1)" in (folder / "1" / "model.py").read_text()
    write_empty_pipeline(tmp_path / "several", one_by_one_ms=100, taken=4)
    assert "max_batch_size: 4\n" in (tmp_path / "several" / f"{MODEL}_network" / "config.pbtxt").read_text()


@pytest.mark.long
def test_it_answers(tmp_path: Path) -> None:
    write_empty_pipeline(tmp_path)
    with (
        Triton(tmp_path, [MODEL], http_port=0, grpc_port=0, metrics_port=0) as triton,
        Server(triton.grpc_url) as server,
    ):
        answer = server.ask(MODEL, jpeg(640, 480), {"output_size": "network"})
    assert answer.output == SIZE
