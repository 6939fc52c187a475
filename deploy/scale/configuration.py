"""The Envoy configuration of one machine: deploy/envoy/envoy.yaml with its addresses. The rules stay in that file."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

FILE = Path(__file__).resolve().parent.parent / "envoy" / "envoy.yaml"
LOOPBACK = "127.0.0.1"
# A Triton takes at most this many photos before it refuses: preprocess works on 2 batches of 2, and up to 32 wait.
PHOTOS_OF_A_TRITON = 36
FOR_CALLERS = ("http", "grpc")
DOWNSTREAM_TLS = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext"
API_KEYS = "type.googleapis.com/envoy.extensions.filters.http.api_key_auth.v3.ApiKeyAuth"


@dataclass(frozen=True)
class Addresses:
    """Where one Triton listens: its host, and the ports of HTTP, gRPC and the launcher's health."""

    host: str
    http: int
    grpc: int
    health: int


@dataclass(frozen=True)
class Edge:
    """Where Envoy listens, and whom it lets in.

    Attributes:
        host: the address for callers; they have the ports `http` and `grpc`.
        http, grpc, inside, status, admin: ports. The last three are on loopback.
        certificate, key: PEM files, for TLS on HTTP and gRPC; None for none.
        api_keys: name of a caller to its key, which it sends as `Authorization: Bearer KEY`; empty for none.
    """

    host: str
    http: int
    grpc: int
    inside: int
    status: int
    admin: int
    certificate: Path | None = None
    key: Path | None = None
    api_keys: tuple[tuple[str, str], ...] = ()


def rendered(
    edge: Edge, tritons: Sequence[Addresses], canaries: Sequence[Addresses] = (), canary_percent: int = 0
) -> dict[str, Any]:
    """The configuration as Envoy takes it, in YAML or JSON.

    Args:
        edge: Envoy's own side.
        tritons: those that serve.
        canaries: the second set, which gets a share of the photos.
        canary_percent: that share, 0 to 100.
    """
    # By way of JSON, because what an anchor names is one object in all its places otherwise.
    config: dict[str, Any] = json.loads(json.dumps(yaml.safe_load(FILE.read_text())))
    resources = config["static_resources"]
    config["layered_runtime"]["layers"][0]["static_layer"]["canary_percent"] = canary_percent
    config["admin"]["address"] = _address(LOOPBACK, edge.admin)
    for listener in resources["listeners"]:
        name = listener["name"]
        for_callers = name in FOR_CALLERS
        listener["address"] = _address(edge.host if for_callers else LOOPBACK, getattr(edge, name))
        if for_callers:
            _secure(listener["filter_chains"][0], edge, "h2" if name == "grpc" else "http/1.1")
    for cluster in resources["clusters"]:
        name = cluster["name"]
        if name == "admin":
            cluster["load_assignment"]["endpoints"] = [
                {"lb_endpoints": [{"endpoint": {"address": _address(LOOPBACK, edge.admin)}}]}
            ]
        elif "load_assignment" in cluster:
            of_canary, protocol = name.startswith("canary_"), name.removeprefix("canary_")
            hosts = canaries if of_canary else tritons
            cluster["load_assignment"]["endpoints"] = [{"lb_endpoints": list(_endpoints(hosts, protocol))}]
            limits = cluster["circuit_breakers"]["thresholds"][0]
            for limit in ("max_connections", "max_pending_requests", "max_requests"):
                limits[limit] = PHOTOS_OF_A_TRITON * max(1, len(hosts))
    return config


def _endpoints(tritons: Iterable[Addresses], protocol: str) -> Iterator[dict[str, Any]]:
    for triton in tritons:
        yield {
            "endpoint": {
                "address": _address(triton.host, triton.http if protocol == "http" else triton.grpc),
                "health_check_config": {"port_value": triton.health},
            }
        }


def _secure(chain: dict[str, Any], edge: Edge, protocol: str) -> None:
    if edge.certificate is not None and edge.key is not None:
        files = {"certificate_chain": {"filename": str(edge.certificate)}, "private_key": {"filename": str(edge.key)}}
        chain["transport_socket"] = {
            "name": "envoy.transport_sockets.tls",
            "typed_config": {
                "@type": DOWNSTREAM_TLS,
                "common_tls_context": {"alpn_protocols": [protocol], "tls_certificates": [files]},
            },
        }
    if edge.api_keys:
        manager = chain["filters"][-1]["typed_config"]
        credentials = [{"client": client, "key": key} for client, key in edge.api_keys]
        check = {
            "@type": API_KEYS,
            "credentials": credentials,
            "key_sources": [{"header": "authorization"}],
            "forwarding": {"hide_credentials": True},
        }
        manager["http_filters"].insert(0, {"name": "envoy.filters.http.api_key_auth", "typed_config": check})


def _address(host: str, port: int) -> dict[str, Any]:
    return {"socket_address": {"address": host, "port_value": port}}
