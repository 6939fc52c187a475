"""The colours of the charts and of the page, on light and on dark paper."""

LIGHT = {"paper": "#fcfcfa", "ink": "#23272b", "faint": "#dcdcd6", "soft": "#60686f", "card": "#ffffff"}
DARK = {"paper": "#15181b", "ink": "#e4e6e8", "faint": "#373d43", "soft": "#a0a9b1", "card": "#1c2024"}

# Told apart by people who see fewer colours, as far as eight can be; markers and labels help them further.
LIGHT_SERIES = ("#1f6fb2", "#c9560f", "#23854f", "#8450bb", "#b52f66", "#7d7404", "#0a8592", "#5b6770")
DARK_SERIES = ("#6db5ee", "#f3955a", "#62c890", "#be9af0", "#f081aa", "#cfc645", "#4bd0de", "#aab5be")

SERIES = len(LIGHT_SERIES)


def variables() -> str:
    """Return the CSS that sets ``--paper``, ``--ink``, ... and ``--s0`` to ``--s7`` for the reader's preference."""
    return (
        f":root {{ color-scheme: light dark; {_set(LIGHT, LIGHT_SERIES)} }}\n"
        f"@media (prefers-color-scheme: dark) {{ :root {{ {_set(DARK, DARK_SERIES)} }} }}\n"
    )


def chart_style() -> str:
    """Return the CSS of what the charts draw; it needs :func:`variables`."""
    series = "\n".join(
        f".l{number} {{ stroke: var(--s{number}); fill: none }} .f{number} {{ fill: var(--s{number}) }} "
        f".h{number} {{ stroke: var(--s{number}); fill: var(--card); stroke-width: 1.6 }}"
        for number in range(SERIES)
    )
    return (
        ".chart { font-family: system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif; font-size: 13px }\n"
        ".paper { fill: var(--card) } .chart text { fill: var(--ink) } .chart text.soft { fill: var(--soft) }\n"
        ".chart text.small { font-size: 11.5px } .chart text.title { font-size: 14px; font-weight: 600 }\n"
        ".grid { stroke: var(--faint); stroke-width: 1 } .mark { stroke: var(--soft); stroke-dasharray: 2 4 }\n"
        ".line { stroke-width: 2.2; stroke-linejoin: round } .dash { stroke-dasharray: 6 4; stroke-width: 1.6 }\n"
        f"{series}\n"
    )


def _set(names: dict[str, str], series: tuple[str, ...]) -> str:
    numbered = {f"s{number}": colour for number, colour in enumerate(series)}
    return " ".join(f"--{name}: {colour};" for name, colour in {**names, **numbered}.items())
