"""The dashboards as rows of panels; `python deploy/grafana/dashboards.py` writes them as JSON beside this file.

A panel is a title, a unit, what its lines are called, and PromQL. What an operator looks at first stands on top.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
STEPS = r'model=~".+_(preprocess|network)|postprocess"'
DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}


@dataclass(frozen=True)
class Panel:
    """One chart.

    Attributes:
        title: what it shows.
        unit: as Grafana calls it.
        queries: PromQL by the legend of its lines.
        words: what to read from it.
        red: from where on its line is red; None where no value is bad by itself.
    """

    title: str
    unit: str
    queries: Mapping[str, str]
    words: str
    red: float | None = None


def quantiles(metric: str, selection: str = "") -> dict[str, str]:
    """The median and the 99th percentile of a histogram."""
    rate = f"sum by (le) (rate({metric}_bucket{selection}[5m]))"
    return {f"p{share}": f"histogram_quantile(0.{share}, {rate})" for share in (50, 99)}


MODEL = '{model="$model"}'
OF_STEPS = '{model=~"${model}_(preprocess|network)|postprocess"}'

ALERTS = Panel(
    "Alerts that fire",
    "short",
    {"{{alertname}}": 'sum by (alertname) (ALERTS{alertname=~"Midas.*", alertstate="firing"})'},
    "Each has a paragraph in docs/operating.md.",
    red=1,
)

OVERVIEW = [
    [
        ALERTS,
        Panel(
            "Depth maps a second",
            "reqps",
            {"{{model}}": "midas:photos_per_second"},
            "What the servers answer, by network.",
        ),
        Panel(
            "Lost requests a second",
            "reqps",
            {"lost": "midas:lost_requests_per_second"},
            "Full queues, deadlines that passed, dead steps. Bad photos are not among them.",
            red=0.1,
        ),
    ],
    [
        Panel(
            "Wait for each step",
            "ms",
            {"{{model}}": "midas:step_queue_milliseconds_per_request"},
            "Mean of a minute. The step with the longest wait is the one that is short of processors.",
            red=500,
        ),
        Panel(
            "Photos that wait now",
            "short",
            {"{{model}}": f"sum by (model) (nv_inference_pending_request_count{{{STEPS}}})"},
            "The first queue takes 8 to 32, the launcher says how many; what comes then is refused.",
            red=32,
        ),
        Panel(
            "Preprocess to the end of the network, p99",
            "s",
            {"{{model}}": "midas:network_seconds:p99"},
            "With the network's queue, without the wait for preprocess.",
            red=2,
        ),
    ],
    [
        Panel(
            "Steps that answer",
            "short",
            {"{{instance}} {{step}}": "midas_launcher_step_answers", "{{instance}}": "midas_launcher_server_ready"},
            "1: it answers. 0: dead, stopped, hangs; for a server: not ready.",
        ),
        Panel(
            "Replaced within the last quarter of an hour",
            "short",
            {
                "{{instance}} {{step}}": "increase(midas_launcher_step_replacements_total[15m])",
                "{{instance}} server": "increase(midas_launcher_server_starts_total[15m])",
            },
            "Now and then is normal where the machine is overbooked; again and again is not.",
            red=3,
        ),
        Panel(
            "Free in /dev/shm",
            "percentunit",
            {"{{instance}}": "midas_launcher_shm_free_bytes / midas_launcher_shm_size_bytes"},
            "Below a tenth the next large photo may fail.",
        ),
    ],
    [
        Panel(
            "Refused with status 400",
            "reqps",
            {"{{reason}}": "sum by (reason) (rate(midas_refused_requests_total[5m]))"},
            "The callers' faults: no photo, damaged, an option that does not exist.",
        ),
        Panel(
            "Processor of the machine",
            "percentunit",
            {"{{instance}}": "nv_cpu_utilization"},
            "Of everything that runs there, as Triton sees it.",
        ),
        Panel(
            "Memory of the machine",
            "percentunit",
            {"{{instance}}": "nv_cpu_memory_used_bytes / nv_cpu_memory_total_bytes"},
            "Of everything that runs there, as Triton sees it.",
            red=0.9,
        ),
    ],
]

NETWORK = [
    [
        Panel(
            "Depth maps a second",
            "reqps",
            {"answered": f"sum(rate(midas_postprocess_seconds_count{MODEL}[5m]))"},
            "Of this network.",
        ),
        Panel("To decode", "s", quantiles("midas_decode_seconds", MODEL), "Check, decode, resize; without queues."),
        Panel(
            "Preprocess to the end of the network",
            "s",
            quantiles("midas_network_seconds", MODEL),
            "With the network's queue.",
        ),
    ],
    [
        Panel(
            "Wait for each step",
            "ms",
            {
                "{{model}}": "midas:step_queue_milliseconds_per_request" + OF_STEPS,
            },
            "Mean of a minute. Postprocess serves all networks.",
            red=500,
        ),
        Panel(
            "Work of each step",
            "ms",
            {
                "{{model}}": f"sum by (model) (rate(nv_inference_compute_infer_duration_us{OF_STEPS}[5m])) / 1000"
                f" / (sum by (model) (rate(nv_inference_request_success{OF_STEPS}[5m])) > 0)"
            },
            "A photo in a batch is charged the whole batch.",
        ),
        Panel(
            "Photos in a batch",
            "short",
            {
                "{{model}}": f"sum by (model) (rate(nv_inference_count{OF_STEPS}[5m]))"
                f" / (sum by (model) (rate(nv_inference_exec_count{OF_STEPS}[5m])) > 0)"
            },
            "1 under light load, up to 8 under heavy load.",
        ),
    ],
    [
        Panel(
            "To filter and encode",
            "s",
            quantiles("midas_postprocess_seconds", MODEL),
            "Without queues. Filters and large pictures show here.",
        ),
        Panel(
            "Size of the photos, megapixels",
            "short",
            quantiles("midas_photo_megapixels", MODEL),
            "Larger photos take longer to decode.",
        ),
        Panel(
            "Refused with status 400",
            "reqps",
            {"{{reason}}": f"sum by (reason) (rate(midas_refused_requests_total{MODEL}[5m]))"},
            "The callers' faults.",
        ),
    ],
]

GATEWAY = [
    [
        Panel(
            "Answers a second, by status",
            "reqps",
            {"{{status}}": "sum by (status) (rate(midas_gateway_requests_total[5m]))"},
            "429: over the rate. 503: too busy. 502 and 504: see Triton.",
        ),
        Panel(
            "Answers with a status of 500 and above",
            "percentunit",
            {"share": "midas:gateway_failed_share"},
            "Of all answers.",
            red=0.01,
        ),
        Panel(
            "Time of POST /predict",
            "s",
            quantiles("midas_gateway_request_seconds", '{route="/predict"}'),
            "From the first byte of the request to the last of the answer: a slow caller shows here too.",
            red=5,
        ),
    ],
    [
        Panel(
            "Answers a second, by route",
            "reqps",
            {"{{route}}": "sum by (route) (rate(midas_gateway_requests_total[5m]))"},
            "`page`: the web page's files.",
        ),
        Panel(
            "Bytes of uploads under way",
            "bytes",
            {"{{instance}}": "midas_gateway_upload_bytes"},
            "What `--upload-memory` bounds, for each worker.",
        ),
        Panel(
            "Jobs that ended",
            "short",
            {"{{state}}": "sum by (state) (increase(midas_gateway_jobs_total[1h]))"},
            "Within the last hour.",
        ),
    ],
]


def dashboard(
    name: str, title: str, rows: Sequence[Sequence[Panel]], variables: Sequence[dict[str, Any]] = ()
) -> dict[str, Any]:
    """A dashboard as Grafana imports it.

    Args:
        name: its uid.
        title: its title.
        rows: of three panels each.
        variables: what one can choose on top, beside the data source.
    """
    source = {"name": "datasource", "label": "Prometheus", "type": "datasource", "query": "prometheus"}
    return {
        "uid": name,
        "title": title,
        "tags": ["midas"],
        "schemaVersion": 39,
        "editable": True,
        "refresh": "10s",
        "time": {"from": "now-1h", "to": "now"},
        "templating": {"list": [source, *variables]},
        "panels": [
            _panel(panel, 3 * row + column + 1, {"h": 8, "w": 8, "x": 8 * column, "y": 8 * row})
            for row, panels in enumerate(rows)
            for column, panel in enumerate(panels)
        ],
    }


def _panel(panel: Panel, number: int, place: dict[str, int]) -> dict[str, Any]:
    steps: list[dict[str, Any]] = [{"color": "green", "value": None}]
    if panel.red is not None:
        steps.append({"color": "red", "value": panel.red})
    return {
        "id": number,
        "type": "timeseries",
        "title": panel.title,
        "description": panel.words,
        "datasource": DATASOURCE,
        "gridPos": place,
        "fieldConfig": {
            "defaults": {
                "unit": panel.unit,
                "min": 0,
                "thresholds": {"mode": "absolute", "steps": steps},
                "custom": {"thresholdsStyle": {"mode": "off" if panel.red is None else "line"}},
            },
            "overrides": [],
        },
        "options": {"legend": {"displayMode": "list", "placement": "bottom"}, "tooltip": {"mode": "multi"}},
        "targets": [
            {"refId": chr(ord("A") + index), "datasource": DATASOURCE, "expr": query, "legendFormat": legend}
            for index, (legend, query) in enumerate(panel.queries.items())
        ],
    }


def dashboards() -> dict[str, str]:
    """The text of each file, by its name."""
    models = {
        "name": "model",
        "label": "Network",
        "type": "query",
        "datasource": DATASOURCE,
        "query": "label_values(midas_refused_requests_total, model)",
        "refresh": 2,
        "sort": 1,
    }
    made = (
        dashboard("midas-overview", "MiDaS: overview", OVERVIEW),
        dashboard("midas-network", "MiDaS: one network", NETWORK, [models]),
        dashboard("midas-gateway", "MiDaS: gateway", GATEWAY),
    )
    return {f"{each['uid'].removeprefix('midas-')}.json": json.dumps(each, indent=1) + "\n" for each in made}


if __name__ == "__main__":
    for file, text in dashboards().items():
        (HERE / file).write_text(text)
