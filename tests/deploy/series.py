"""Prometheus' text format, recordings of it, and what promtool makes of them."""

import json
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path

from tests.networks import ROOT

INTERVAL = 10
"""Seconds from page to page, as deploy/prometheus/prometheus.yml has it."""

RECORDINGS = Path(__file__).with_name("recordings")
PROMETHEUS = ROOT / "deploy" / "prometheus"
ALERTS = PROMETHEUS / "alerts.yml"
RULES = PROMETHEUS / "rules.yml"


def read_page(text: str) -> dict[str, float]:
    """The samples of a metrics page, by name and labels as they stand there."""
    samples = (line.rsplit(" ", 1) for line in text.splitlines() if line and not line.startswith("#"))
    return {name: float(value) for name, value in samples}


def recording(name: str) -> dict[str, list[float]]:
    """Values by series, one every `INTERVAL` seconds."""
    values: dict[str, list[float]] = json.loads((RECORDINGS / f"{name}.json").read_text())
    return values


@cache
def prometheus_program(name: str) -> Path:
    """`prometheus` or `promtool`: the system's, or Debian's package unpacked into build/prometheus."""
    found = shutil.which(name)
    if found:
        return Path(found)
    folder = ROOT / "build" / "prometheus"
    program = folder / "usr" / "bin" / name
    if not program.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        advice = f"{name} is not installed, and cannot be fetched by `apt-get download prometheus`: install Prometheus"
        apt = shutil.which("apt-get")
        assert apt, advice
        fetched = subprocess.run([apt, "download", "prometheus"], cwd=folder, capture_output=True, check=False)
        assert fetched.returncode == 0, f"{advice} ({fetched.stderr.decode()[-200:]})"
        (package,) = folder.glob("prometheus_*.deb")
        subprocess.run([str(shutil.which("dpkg")), "-x", package, folder], check=True)
    return program


def metric_names(expression: str) -> set[str]:
    """The metrics that a PromQL expression reads; names of recorded series, with a colon, are among them."""
    expression = re.sub(r"\$\{\w+\}", "", expression)  # a dashboard's variable
    without = re.sub(r"\{[^}]*\}|\[[^\]]*\]|\"[^\"]*\"|by \([^)]*\)|on \([^)]*\)", " ", expression)
    words = re.findall(r"[a-zA-Z_][\w:]*(?!\w*\s*\()", without)
    calls = set(re.findall(r"([a-zA-Z_]\w*)\s*\(", without))
    return {word for word in words if word not in calls | {"or", "and", "unless", "by", "on", "ignoring", "bool"}}
