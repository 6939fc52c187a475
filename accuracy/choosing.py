"""`python -m accuracy.choosing`: the table of docs/choosing.md, from what is known of each network.

Size and licence are of export's table, time and error of docs/export_report.json, the accuracy is MiDaS's own. Networks
that the report does not have get the multiples of `accuracy.relative_time`.
"""

import argparse
import json
import sys
from collections import defaultdict
from pathlib import Path

from accuracy.relative_time import TIMES
from export.variants import VARIANTS
from midas_server.served_names import SIZES
from reports.published import IMPROVEMENT_PERCENT

REPORT = Path(__file__).resolve().parents[1] / "docs" / "export_report.json"


def table() -> str:
    """Return the table as Markdown, the smallest network first; what was not measured is a dash."""
    builds: dict[str, list[str]] = defaultdict(list)
    for row in json.loads(REPORT.read_text())["rows"]:
        builds[row["name"]].append(f"{row['form']} {row['milliseconds']:,.0f} ms, {row['error']:.0e}")
    reported = set(builds)
    for row in json.loads(TIMES.read_text()):
        if row["name"] not in reported:
            builds[row["name"]].append(f"{row['form']} {row['ratio']:.2g} x, {row['error']:.0e}")
    sizes = {network: f" (`{size}`)" for size, network in SIZES.items()}
    lines = [
        "| network | million parameters | licence of the weights | error against `large` "
        "| our time and error by build |",
        "|---|--:|---|--:|---|",
    ]
    for variant in sorted(VARIANTS.values(), key=lambda each: each.weight_count):
        measured = "; ".join(builds[variant.name])
        change = IMPROVEMENT_PERCENT.get(variant.name)
        lines.append(
            f"| `{variant.name}`{sizes.get(variant.name, '')} | {variant.weight_count / 1e6:.1f} "
            f"| {variant.source.licence} | {'-' if change is None else f'{_signed(-change)} %'} | {measured or '-'} |"
        )
    return "\n".join(lines) + "\n"


def _signed(percent: int) -> str:
    return f"{percent:+d}" if percent else "0"


if __name__ == "__main__":
    argparse.ArgumentParser(prog="python -m accuracy.choosing", description=__doc__).parse_args()
    sys.stdout.write(table())
