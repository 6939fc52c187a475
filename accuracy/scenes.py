"""`python -m accuracy.scenes FOLDER --models a b`: which network suits photos of which no true depth is known.

Exit status: 0 judged, 1 something is missing or cannot be judged, 2 bad usage.
"""

import shlex
import sys
from collections import defaultdict
from html import escape
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import Progress

from accuracy.arguments import parsed
from accuracy.aspects import ASPECTS, Finding, View
from accuracy.errors import AccuracyError
from accuracy.pair import decode_photo
from accuracy.scene_kinds import KINDS, OTHER, kinds_of
from accuracy.subjects import subjects
from accuracy.views import predicted, small
from accuracy.worst_spots import worst_spot
from reports.page import html, markdown
from reports.plots.sheet import Picture
from reports.tables import Table

PROGRAM = "python -m accuracy.scenes"
DESCRIPTION = "Scores for depth networks on folders of photos without ground truth; docs/accuracy.md tells what of."
_TEMPLATE = Path(__file__).with_name("scenes.md")

Found = dict[str, list[dict[str, Finding]]]
"""By network and photo: what was found, by aspect."""


def main(arguments: list[str] | None = None) -> int:
    """Judge what the command line asks for; return the exit status."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    options = parsed(given, PROGRAM, DESCRIPTION, Path("out/scenes"))
    try:
        kinds = kinds_of(options.data)
        if options.limit is not None:
            kept = list(kinds)[:: max(1, -(-len(kinds) // options.limit))]
            kinds = {photo: kinds[photo] for photo in kept}
        photos = [small(decode_photo(photo)) for photo in kinds]
        chosen = subjects(options)
        with Progress(transient=True, console=Console(stderr=True)) as progress:
            task = progress.add_task("photos", total=len(photos) * len(chosen))
            views, weights = predicted(chosen, photos, lambda _: progress.advance(task))
        found = {label: [_findings(view) for view in each] for label, each in views.items()}
        means = mean_scores(found, list(kinds.values()))
        text_of = {
            "count": len(photos),
            "means": means,
            "kinds": [f"{kind}: {KINDS[kind]}" for kind in KINDS if kind in kinds.values()],
            "untrained": ", ".join(label for label, origin in weights.items() if origin == "untrained"),
            "command": shlex.join([*PROGRAM.split(), *given]),
        }
        spots = _spots(found, views, [photo.name for photo in kinds])
        options.out.mkdir(parents=True, exist_ok=True)
        page = options.out / "scenes.html"
        page.write_text(html(markdown(_TEMPLATE, spots=spots, **text_of), spots))
    except AccuracyError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"error: {error.filename or options.out}: {error.strerror or error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    console = Console(highlight=False)
    console.width = max(console.width, 120)
    console.print(means.rich("Scores out of five"))
    if text_of["untrained"]:
        console.print(f"UNTRAINED weights, the depth means nothing: {text_of['untrained']}", style="red")
    console.print(f"Report with the worst spots: {page}", markup=False, soft_wrap=True)
    return 0


def mean_scores(found: Found, kinds: list[str]) -> Table:
    """One row a kind of scene and network; a dash where no photo shows the aspect."""
    rows = []
    for kind in (*KINDS, OTHER):
        for label, photos in found.items():
            own = [findings for findings, each in zip(photos, kinds, strict=True) if each == kind]
            if not own:
                continue
            scores: dict[str, list[float]] = defaultdict(list)
            for findings in own:
                for name, finding in findings.items():
                    scores[name].append(ASPECTS[name].score(finding.value))
            cells = [f"{np.mean(scores[name]):.1f}" if scores[name] else "-" for name in ASPECTS]
            rows.append([kind, label, *cells])
    return Table(["scene", "network", *ASPECTS], rows, words=2)


def _findings(view: View) -> dict[str, Finding]:
    return {name: finding for name, aspect in ASPECTS.items() if (finding := aspect.find(view)) is not None}


def _spots(found: Found, views: dict[str, list[View]], names: list[str]) -> list[Picture]:
    """For each network and aspect the photo with the lowest score below 4, and there the worst spot."""
    spots = []
    for number, (label, photos) in enumerate(found.items()):
        for name, aspect in ASPECTS.items():
            scores = {
                index: aspect.score(findings[name].value) for index, findings in enumerate(photos) if name in findings
            }
            index = min(scores, key=lambda each: scores[each], default=None)
            if index is not None and scores[index] < 4:
                words = escape(f"{label}, {name} {scores[index]:.1f} of 5: {names[index]}")
                spots.append(worst_spot(f"{number}_{name}", words, views[label][index], photos[index][name]))
    return spots


if __name__ == "__main__":
    sys.exit(main())
