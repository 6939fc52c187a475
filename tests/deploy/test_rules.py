"""The rules against what real Tritons said: a recorded overload fires, recorded idle and light load never do."""

import subprocess
from pathlib import Path

import pytest
import yaml

from tests.deploy.record import BEFORE
from tests.deploy.series import ALERTS, INTERVAL, RULES, prometheus_program, recording
from tests.networks import ROOT
from tests.test_documents import anchors

ALERT_RULES = [rule for group in yaml.safe_load(ALERTS.read_text())["groups"] for rule in group["rules"]]


def check(folder: Path, series: dict[str, list[float]], expected: dict[int, set[str]]) -> None:
    """Have promtool replay the series, and compare which alerts fire.

    Args:
        folder: for promtool's file.
        series: values every `INTERVAL` seconds.
        expected: by time in seconds the names of all alerts that fire then.
    """
    test = {
        "interval": f"{INTERVAL}s",
        "input_series": [{"series": name, "values": " ".join(map(str, values))} for name, values in series.items()],
        "promql_expr_test": [
            {
                "expr": 'count by (alertname) (ALERTS{alertstate="firing"})',
                "eval_time": f"{time}s",
                "exp_samples": [{"labels": f'{{alertname="{name}"}}', "value": 1} for name in firing],
            }
            for time, firing in expected.items()
        ],
    }
    tests = {"rule_files": [str(RULES), str(ALERTS)], "evaluation_interval": f"{INTERVAL}s", "tests": [test]}
    file = folder / "rules_test.yml"
    file.write_text(yaml.safe_dump(tests))
    done = subprocess.run(
        [prometheus_program("promtool"), "test", "rules", file], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]


def silent(pages: int) -> dict[int, set[str]]:
    return {number * INTERVAL: set() for number in range(pages)}


@pytest.mark.long
@pytest.mark.parametrize("name", ["idle", "light"])
def test_a_recorded_quiet_time_fires_nothing(name: str, tmp_path: Path) -> None:
    series = recording(name)
    pages = len(next(iter(series.values())))
    answered = series['midas_postprocess_seconds_count{model="midas_tiny_256"}']
    assert answered[-1] - answered[0] >= (0 if name == "idle" else 0.2 * INTERVAL * (pages - BEFORE - 2))
    check(tmp_path, series, silent(pages))


@pytest.mark.long
def test_a_recorded_overload_fires_within_a_minute(tmp_path: Path) -> None:
    series = recording("overload")
    pages = len(next(iter(series.values())))
    begin = (BEFORE - 1) * INTERVAL  # the page before the load
    all_three = {"MidasOverload", "MidasRefusals", "MidasLatency"}
    check(
        tmp_path,
        series,
        {**silent(BEFORE), begin + 60: {"MidasOverload"}, begin + 150: all_three, (pages - 1) * INTERVAL: all_three},
    )


@pytest.mark.long
def test_bad_photos_are_no_lost_requests(tmp_path: Path) -> None:
    """Triton counts a status 400 twice at the ensemble; our steps count it once."""
    pages = [float(number) for number in range(24)]
    series = {
        'nv_inference_request_failure{model="default",reason="OTHER"}': [20 * each for each in pages],
        'nv_inference_request_failure{model="midas_tiny_256",reason="OTHER"}': [0.0] * 24,
        'midas_refused_requests_total{model="midas_tiny_256",reason="header"}': [10 * each for each in pages],
        'midas_postprocess_seconds_count{model="midas_tiny_256"}': pages,
    }
    check(tmp_path, series, silent(24))


@pytest.mark.long
def test_prometheus_takes_the_configuration() -> None:
    config = ROOT / "deploy" / "prometheus" / "prometheus.yml"
    subprocess.run([prometheus_program("promtool"), "check", "config", config], check=True)


def test_each_alert_leads_to_its_paragraph() -> None:
    page = ROOT / "docs" / "operating.md"
    there = anchors(page)
    for rule in ALERT_RULES:
        path, _, anchor = rule["annotations"]["runbook"].partition("#")
        assert (path, anchor) == ("docs/operating.md", rule["alert"].lower())
        assert anchor in there, f"docs/operating.md has no paragraph for {rule['alert']}"
        assert rule["annotations"]["summary"]
        assert rule["labels"]["severity"] in {"page", "ticket"}


def test_no_rule_hides_light_load() -> None:
    assert "clamp" not in RULES.read_text() + ALERTS.read_text()
