"""One machine's Envoy configuration is deploy/envoy/envoy.yaml with its addresses, and knows the rest's names."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.scale.__main__ import main
from deploy.scale.configuration import FILE, FOR_CALLERS, PHOTOS_OF_A_TRITON, Addresses, Edge, rendered
from midas_client._calls import REPEAT_HEADER
from midas_server.launch.repository_api import KEY_HEADER
from midas_server.launch.server import SHM_KEY_HEADER
from tests.networks import ROOT

EDGE = Edge("127.0.0.1", 1, 2, 3, 4, 5)
TRITONS = [Addresses("127.0.0.1", 8100 + 10 * n, 8101 + 10 * n, 8103 + 10 * n) for n in range(3)]


def without_addresses(config: dict[str, Any]) -> str:
    """A configuration without what differs between machines, as text."""
    config = json.loads(json.dumps(config))  # what an anchor names is one object otherwise
    for cluster in config["static_resources"]["clusters"]:
        cluster.get("load_assignment", {}).pop("endpoints", None)
        for breaker in cluster.get("circuit_breakers", {}).get("thresholds", ()):
            for limit in ("max_connections", "max_pending_requests", "max_requests"):
                breaker.pop(limit)
    for place in (config["admin"], *config["static_resources"]["listeners"]):
        place.pop("address")
    return json.dumps(config, sort_keys=True)


def managers(config: dict[str, Any]) -> list[dict[str, Any]]:
    """What photos go through, HTTP and gRPC of callers first."""
    listeners = config["static_resources"]["listeners"]
    return [each["filter_chains"][0]["filters"][-1]["typed_config"] for each in listeners if each["name"] != "status"]


def test_the_rules_are_those_of_the_file() -> None:
    assert without_addresses(rendered(EDGE, TRITONS)) == without_addresses(yaml.safe_load(FILE.read_text()))


def test_every_triton_is_there_with_its_ports() -> None:
    config = rendered(EDGE, TRITONS, [Addresses("10.0.0.9", 1, 2, 3)], 10)
    there = {
        cluster["name"]: [
            (
                host["endpoint"]["address"]["socket_address"]["address"],
                host["endpoint"]["address"]["socket_address"]["port_value"],
                host["endpoint"]["health_check_config"]["port_value"],
            )
            for host in cluster["load_assignment"]["endpoints"][0]["lb_endpoints"]
        ]
        for cluster in config["static_resources"]["clusters"]
        if cluster["name"] in ("http", "grpc", "canary_http", "canary_grpc")
    }
    assert there == {
        "http": [(each.host, each.http, each.health) for each in TRITONS],
        "grpc": [(each.host, each.grpc, each.health) for each in TRITONS],
        "canary_http": [("10.0.0.9", 1, 3)],
        "canary_grpc": [("10.0.0.9", 2, 3)],
    }
    assert config["layered_runtime"]["layers"][0]["static_layer"] == {"canary_percent": 10}
    assert '"triton' not in json.dumps(config["static_resources"]["clusters"])  # no name of a cluster is left


def test_envoy_takes_as_much_as_the_queues_do() -> None:
    config = (ROOT / "model_repository" / "midas_tiny_256_preprocess" / "config.pbtxt").read_text()
    queue, batch, instances = (
        int(re.search(pattern, config)[1])  # type: ignore[index]
        for pattern in (r"max_queue_size: (\d+)", r"max_batch_size: (\d+)", r"count: (\d+)")
    )
    assert queue + batch * instances == PHOTOS_OF_A_TRITON
    for cluster in rendered(EDGE, TRITONS)["static_resources"]["clusters"]:
        if cluster["name"] in ("http", "grpc"):
            assert cluster["circuit_breakers"]["thresholds"][0]["max_requests"] == 3 * PHOTOS_OF_A_TRITON


def test_what_launchers_and_clients_say_is_known_by_its_name() -> None:
    for manager in managers(rendered(EDGE, TRITONS)):
        route = manager["route_config"]
        names = {KEY_HEADER, SHM_KEY_HEADER}
        assert set(route["request_headers_to_remove"]) == names | {f"triton-grpc-protocol-{name}" for name in names}
        unless = route["virtual_hosts"][0]["retry_policy"]["retriable_request_headers"]
        assert unless == [{"name": REPEAT_HEADER, "present_match": True, "invert_match": True}]


def test_tls_and_keys_are_on_both_ports_for_callers_and_come_first() -> None:
    edge = Edge("0.0.0.0", 1, 2, 3, 4, 5, Path("/c.pem"), Path("/k.pem"), (("shop", "0123456789abcdef"),))  # noqa: S104
    config = rendered(edge, TRITONS)
    for listener in config["static_resources"]["listeners"]:
        assert ("transport_socket" in listener["filter_chains"][0]) == (listener["name"] in FOR_CALLERS)
    for manager in managers(config)[:2]:
        assert [each["name"].rpartition(".")[2] for each in manager["http_filters"]] == [
            "api_key_auth",
            "buffer",
            "router",
        ]


def test_the_command_prints_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    keys = tmp_path / "keys"
    keys.write_text("# callers\nshop 0123456789abcdef\n")
    assert main(["config", "--triton", "10.0.0.7:8000:8001:8003", "--api-keys", str(keys)]) == 0
    assert "10.0.0.7" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["config"], "--triton"),
        (["config", "--triton", "10.0.0.7"], "10.0.0.7:8000:8001:8003"),
        (["config", "--triton", "h:1:2:70000"], "from 0 to 65535"),
        (["config", "--triton", "h:1:2:3", "--canary-percent", "101"], "from 0 to 100"),
        (["config", "--triton", "h:1:2:3", "--tls-key", __file__], "go together"),
        (["config", "--triton", "h:1:2:3", "--tls-key", "/nowhere"], "there is no file /nowhere"),
        (["config", "--triton", "h:1:2:3", "--api-keys", __file__], "is not NAME KEY"),
        (["serve", "--models", "midas_tiny_256", "--count", "0"], "1 to 99"),
        (["serve", "--models", "midas_tiny_256", "--canary", "folder"], "new_repository:10"),
    ],
)
def test_a_wrong_command_line_is_told_what_is_right(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert words in capsys.readouterr().err


def test_without_envoy_it_says_how_to_get_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", "--models", "midas_tiny_256", "--envoy", "/nowhere/envoy"]) == 1
    assert "make serve-scale installs one" in capsys.readouterr().err
