"""Every metric of the rules and dashboards is on a page of a real server; the dashboards are as their rows say."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
import yaml

from deploy.grafana.dashboards import HERE, dashboards
from midas_server.launch import Triton
from midas_server.launch.health import serve_health
from tests.deploy.series import ALERTS, RULES, metric_names, read_page
from tests.gateway.conftest import Gateway, until
from tests.networks import DEFAULT
from tests.server.calls import post

PROMETHEUS_OWN = {"up", "ALERTS"}
ENVOYS = {"envoy_server_days_until_first_cert_expiring"}
"""Tried on a real Envoy by the test of its alert."""

RECORDED = {rule["record"] for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]}


@pytest.fixture(scope="module")
def there(triton: Triton, photo: bytes, tmp_path_factory: pytest.TempPathFactory) -> Iterator[set[str]]:
    """The names on the pages of Triton, the launcher and the gateway."""
    assert post(triton, photo, DEFAULT).ok
    gateway = Gateway(tmp_path_factory.mktemp("gateway"), "--triton", triton.grpc_url)
    try:
        assert requests.post(f"{gateway.url}/predict", photo, headers={"Content-Type": "image/jpeg"}, timeout=60).ok
        assert requests.post(f"{gateway.url}/jobs", files={"image": photo}, timeout=60).ok
        until(lambda: "midas_gateway_jobs_total{" in requests.get(f"{gateway.url}/metrics", timeout=60).text)
        with serve_health("127.0.0.1", 0, triton.health) as health:
            pages = (triton.metrics_url, f"127.0.0.1:{health}", gateway.url.removeprefix("http://"))
            texts = [requests.get(f"http://{page}/metrics", timeout=60).text for page in pages]
    finally:
        gateway.stop()
    yield {name.partition("{")[0] for text in texts for name in read_page(text)}


def rule_expressions() -> list[str]:
    return [
        rule["expr"]
        for file in (RULES, ALERTS)
        for group in yaml.safe_load(file.read_text())["groups"]
        for rule in group["rules"]
    ]


def dashboard_expressions() -> list[str]:
    boards = [json.loads(text) for text in dashboards().values()]
    expressions = [target["expr"] for board in boards for panel in board["panels"] for target in panel["targets"]]
    variables = [variable["query"] for board in boards for variable in board["templating"]["list"]]
    return expressions + [
        found[1] for query in variables if (found := re.fullmatch(r"label_values\((\w+), \w+\)", query))
    ]


@pytest.mark.parametrize("expressions", [rule_expressions, dashboard_expressions])
def test_every_name_is_on_a_real_page(expressions: object, there: set[str]) -> None:
    assert callable(expressions)
    names = set().union(*map(metric_names, expressions()))
    assert len(names) > 5
    assert names - there - RECORDED - PROMETHEUS_OWN - ENVOYS == set()


def test_names_are_found_in_expressions() -> None:
    expression = 'sum by (le, a) (rate(one_total{b="two"}[5m])) / (max(three:four) > 0) or vector(0) unless on (c) five'
    assert metric_names(expression) == {"one_total", "three:four", "five"}


@pytest.mark.parametrize("name", sorted(dashboards()))
def test_the_dashboards_are_written(name: str) -> None:
    """Written by `python deploy/grafana/dashboards.py`."""
    assert (HERE / name).read_text() == dashboards()[name]


def test_no_other_dashboard_lies_there() -> None:
    assert {file.name for file in Path(HERE).glob("*.json")} == set(dashboards())
