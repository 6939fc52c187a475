"""`default` and the sizes: served beside the networks they mean, in no list of models, at no cost of a process."""

from pathlib import Path

import psutil
import pytest

from export.commands.onnx_file import export_onnx_file
from export.commands.request import ExportRequest
from export.errors import ForeignOptionError
from export.variants import VARIANTS, variant_named
from midas_client import DepthClient, ModelNotFoundError
from midas_client._statistics import FURTHER_NAMES
from midas_server.launch import StartFailed, Triton
from midas_server.served_names import RESERVED, SIZES, nearest, network_named, write_aliases
from tests.networks import DEFAULT, VARIANT
from tests.own_server import own_server


def test_sizes_are_rows_of_the_table_and_the_client_knows_them() -> None:
    assert set(SIZES.values()) <= set(VARIANTS)
    assert variant_named("small") is VARIANTS[VARIANT]
    assert network_named("large") == "dpt_large_384"
    assert network_named(DEFAULT) == DEFAULT
    assert FURTHER_NAMES == RESERVED


def test_nearest_names() -> None:
    assert nearest("midas_v21_smal_256", VARIANTS) == (
        "; did you mean midas_v21_small_256 or midas_v21_384 or midas_tiny_256?"
    )
    assert nearest("xyz", VARIANTS) == ""


def test_aliases_are_the_ensembles_under_other_names(repository: Path, tmp_path: Path) -> None:
    names = write_aliases(tmp_path / "names", repository, [DEFAULT, VARIANT])
    assert names == ["default", "small"]
    for name, network in (("default", DEFAULT), ("small", VARIANT)):
        original = (repository / network / "config.pbtxt").read_text()
        written = (tmp_path / "names" / name / "config.pbtxt").read_text()
        assert written == original.replace(f'name: "{network}"', f'name: "{name}"', 1)
    assert write_aliases(tmp_path / "none", repository, ["postprocess"]) == []


@pytest.mark.parametrize("name", RESERVED)
def test_no_network_of_ones_own_takes_such_a_name(name: str, tmp_path: Path) -> None:
    with pytest.raises(ForeignOptionError, match=f"'{name}' is another name"):
        export_onnx_file(name, tmp_path / "x.onnx", ExportRequest(repository=tmp_path))


@pytest.mark.parametrize("scheme", ["", "http://"])
def test_they_answer_and_info_names_the_network(triton: Triton, photo: bytes, scheme: str) -> None:
    with DepthClient(f"{scheme}{triton.http_url if scheme else triton.grpc_url}") as client:
        plain = client.predict(photo)
        named = client.predict(photo, model=DEFAULT)
        assert (plain.variant, plain.model) == (DEFAULT, "default")
        assert (plain.depth == named.depth).all()
        with pytest.warns(match=f"{VARIANT} has untrained weights"):
            assert client.predict(photo, model="small").variant == VARIANT
        assert set(client.models()).isdisjoint(RESERVED)
        assert client.model_statistics().requests >= 1
        with pytest.raises(ModelNotFoundError, match=f"Did you mean {DEFAULT}"):
            client.predict(photo, model="midas_tiny_265")


def test_they_cost_no_process(triton: Triton) -> None:
    commands = [" ".join(child.cmdline()) for child in psutil.Process(triton.pid).children(recursive=True)]
    assert commands
    assert not any(f"/{name}/" in command for name in RESERVED for command in commands)


def test_an_unknown_model_is_told_the_nearest(repository: Path) -> None:
    with (
        pytest.raises(StartFailed, match=f"did you mean {DEFAULT}"),
        own_server(repository, ["midas_tiny_265"]),
    ):
        pass
