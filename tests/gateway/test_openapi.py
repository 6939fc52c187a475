"""The API is what its OpenAPI document says, whatever is sent."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import hypothesis
import pytest
import requests
import schemathesis
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from midas_gateway import pages
from midas_gateway.options import SCHEMA
from tests.gateway import http
from tests.gateway.conftest import Gateway
from tests.networks import ROOT

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
# /readyz says 503 where that is so, and the events of a job that has not ended do not end.
FEW, MANY = 6, 170


def test_the_options_are_those_of_the_server() -> None:
    assert json.loads((ROOT / "docs" / "options.schema.json").read_text()) == SCHEMA


def test_every_route_has_words_and_tells_its_failures(gateway: Gateway) -> None:
    document = http.get(f"{gateway.url}/openapi.json").json()
    assert document["openapi"] == "3.1.0"
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            assert operation["description"], (method, path)
            for status, answer in operation["responses"].items():
                if status[0] in "45" and path != "/readyz":
                    assert list(answer["content"]) == ["application/problem+json"], (method, path, status)


def test_the_documentation_loads_nothing_from_elsewhere(gateway: Gateway) -> None:
    page = http.get(f"{gateway.url}/docs")
    assert page.ok
    loaded = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert len(loaded) == 3
    for path in loaded:
        assert path.startswith("/docs/")
        assert http.get(f"{gateway.url}{path}").ok
    assert (Path(pages.__file__).parent / "swagger" / "LICENSE").is_file()
    # A source map is a request that a browser's tools would make.
    assert "sourceMappingURL" not in http.get(f"{gateway.url}/docs/swagger-ui-bundle.js").text


def operations(gateway: Gateway) -> list[Any]:
    schema = schemathesis.openapi.from_url(f"{gateway.url}/openapi.json")
    found: list[Any] = list(schema.get_all_operations())
    return [operation.ok() for operation in found]


def answers_as_described(gateway: Gateway, examples: int) -> int:
    """Send so many made-up requests to each route. Returns how many were sent in all."""
    sent = 0
    for operation in operations(gateway):

        @hypothesis.given(case=operation.as_strategy())
        @hypothesis.settings(
            max_examples=examples,
            deadline=None,
            database=None,
            derandomize=True,
            suppress_health_check=list(hypothesis.HealthCheck),
        )
        def ask(case: Any) -> None:
            nonlocal sent
            sent += 1
            response = case.call(timeout=60)
            case.validate_response(response, checks=CHECKS)
            if response.status_code >= 400:
                assert response.headers["content-type"][0] == "application/problem+json"
                assert response.json()["success"] is False
                assert response.json()["request_id"] == response.headers["x-request-id"][0]

        ask()
    return sent


def test_made_up_requests(gateway: Gateway) -> None:
    assert answers_as_described(gateway, FEW) > 5 * FEW


@pytest.mark.long
def test_two_thousand_made_up_requests(gateway: Gateway, photo: bytes) -> None:
    sent = 0
    while sent < 2000:
        sent += answers_as_described(gateway, MANY)
    assert requests.post(f"{gateway.url}/predict", files={"image": photo}, timeout=60).ok
    print(f"{sent} made-up requests")
