"""Lines and branches that the tests reach, by package: of the JSON report of `make coverage`."""

import json
import sys
from collections import defaultdict
from pathlib import Path


def main() -> None:
    found: dict[str, list[int]] = defaultdict(lambda: [0] * 4)
    for name, file in json.loads(Path(sys.argv[1]).read_text())["files"].items():
        summary = file["summary"]
        counts = [summary[key] for key in ("covered_lines", "num_statements", "covered_branches", "num_branches")]
        for package in (Path(name).parts[0], "all"):
            found[package] = [one + more for one, more in zip(found[package], counts, strict=True)]
    print(f"{'package':<12}{'lines':>8}{'of':>8}{'branches':>10}{'of':>8}")
    for package in sorted(found, key=lambda name: (name == "all", name)):
        lines, all_lines, branches, all_branches = found[package]
        share = f"{100 * branches / all_branches:.0f} %" if all_branches else "-"
        print(f"{package:<12}{100 * lines / all_lines:>6.0f} %{all_lines:>8}{share:>10}{all_branches:>8}")


if __name__ == "__main__":
    main()
