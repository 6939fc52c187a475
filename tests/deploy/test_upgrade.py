"""Other weights, another build, another Triton, and back again, under load: the steps of docs/operating.md."""

import hashlib
import importlib.util
import signal
from pathlib import Path

import pytest
import requests
import torch

from benchmarks.environment import environment
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
    with running(tmp_path, served, count=2) as fleet, callers([fleet.grpc, fleet.http]) as done:
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


def releases(fleet: Fleet) -> set[str]:
    """What the Tritons say of themselves."""
    return {requests.get(f"http://127.0.0.1:{http}/v2", timeout=10).json()["version"] for http, *_ in fleet.tritons}


def test_another_release_of_triton_and_the_way_back_lose_no_photo(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (old,) = environment("triton-24.09", ["nvidia-pytriton==0.5.12"], dependencies=False).glob("lib/*/site-packages")
    wheel = importlib.util.find_spec("pytriton")
    assert wheel is not None and wheel.origin is not None
    new, broken, served = Path(wheel.origin).parent.parent, tmp_path / "broken", tmp_path / "triton"
    (broken / "pytriton").mkdir(parents=True)
    (broken / "pytriton" / "__init__.py").touch()
    link(served, old)
    export([DEFAULT, "--repository", str(tmp_path / "models")])
    monkeypatch.setenv("PYTHONPATH", str(served))
    with running(tmp_path, tmp_path / "models") as fleet, callers([fleet.grpc, fleet.http]) as done:
        assert releases(fleet) == {"2.50.0"}
        for folder, release in ((new, "2.51.0"), (old, "2.50.0")):
            answered = done.outcomes.total()
            until(lambda answered=answered: done.outcomes.total() > answered + 100, "photos are answered")  # type: ignore[misc]
            link(served, folder)
            fleet.restart()
            assert releases(fleet) == {release}
        # One that does not start costs no photo either: the others stay, and it comes when the link is right again.
        link(served, broken)
        fleet.process.send_signal(signal.SIGUSR1)
        until(lambda: "the others are left as they are" in fleet.said(), "the first one did not come back", 180)
        link(served, old)
        until(fleet.all_healthy, "it is back")
        assert releases(fleet) == {"2.50.0"}
    print(f"\nup, back, and one that does not start: {done.failed or 'none'} of {done.outcomes.total():,} failed")
    assert not done.failed
