"""The rules and alerts as a PrometheusRule; `python deploy/prometheus/manifest.py` writes it.

kustomize cannot put a file into a field of a manifest, so the manifest holds a copy. A test compares the two.
"""

import textwrap
from pathlib import Path

HERE = Path(__file__).parent
MANIFEST = HERE.parent / "kubernetes" / "components" / "monitoring" / "rules.yaml"
HEAD = """# Written by `python deploy/prometheus/manifest.py` from the files in deploy/prometheus: change those.
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: midas
  namespace: midas
spec:
  groups:
"""


def rule_manifest() -> str:
    """The text of the file."""
    groups = ((HERE / name).read_text().partition("\ngroups:\n")[2] for name in ("rules.yml", "alerts.yml"))
    return HEAD + textwrap.indent("".join(groups), "  ")


if __name__ == "__main__":
    MANIFEST.write_text(rule_manifest())
