"""Other weights, another build, and back again, under load and with no photo lost: the steps of docs/operating.md."""

import hashlib
from pathlib import Path

import pytest
import requests
import torch

from export.weights.checkpoints import SHIPPED_FOLDER
from midas_client import DepthClient
from midas_server.repository import network_model
from tests.conftest import export
from tests.deploy.fleet import Fleet, callers, running, small_photo, until
from tests.networks import DEFAULT

pytestmark = pytest.mark.long  # it installs Envoy and starts several Tritons


def other_weights(folder: Path) -> Path:
    """A checkpoint of the user's own."""
    state = torch.load(SHIPPED_FOLDER / f"{DEFAULT}.pt", weights_only=True)
    name = next(name for name, tensor in state.items() if tensor.is_floating_point())
    torch.save({**state, name: state[name] * 1.01}, folder / "new.pt")
    return folder / "new.pt"


def link(served: Path, to: Path) -> None:
    """Let the name of the served repository stand for another folder, at once: `ln -sfn` and `mv -T`."""
    following = served.with_name("following")
    following.symlink_to(to)
    following.rename(served)


def weights_of_answers(fleet: Fleet) -> set[str]:
    with DepthClient(fleet.grpc) as client:
        return {client.predict(small_photo(), model=DEFAULT).weights for _ in range(20)}


def backends(fleet: Fleet) -> set[str]:
    urls = [f"http://127.0.0.1:{http}/v2/models/{network_model(DEFAULT)}/config" for http, *_ in fleet.tritons]
    return {requests.get(url, timeout=10).json()["backend"] for url in urls}


def test_an_upgrade_and_its_rollback_lose_no_photo(tmp_path: Path) -> None:
    old, new, served = (tmp_path / name for name in ("old", "new", "served"))
    checkpoint = other_weights(tmp_path)
    export([DEFAULT, "--repository", str(old)], [DEFAULT, "--weights", str(checkpoint), "--repository", str(new)])
    link(served, old)
    with running(tmp_path, served, count=2) as fleet, callers([fleet.grpc, fleet.http], None) as done:
        until(lambda: done.outcomes.total() > 100, "photos are answered")
        digest = hashlib.sha256(checkpoint.read_bytes()).hexdigest()
        for folder, weights in ((new, f"sha256:{digest}"), (old, "default")):
            link(served, folder)
            fleet.restart()
            assert weights_of_answers(fleet) == {weights}
        assert backends(fleet) == {"onnxruntime"}
        export([DEFAULT, "--target", "openvino", "--repository", str(served)])  # into what is served
        fleet.restart()
        assert backends(fleet) == {"openvino"}
    print(f"\nthree restarts of both: {done.failed or 'none'} of {done.outcomes.total():,} failed")
    assert not done.failed
