"""The colours of pages and plots, on light and on dark paper."""

LIGHT = {"paper": "#fcfcfa", "ink": "#23272b", "faint": "#dcdcd6", "soft": "#60686f", "card": "#ffffff"}
DARK = {"paper": "#15181b", "ink": "#e4e6e8", "faint": "#373d43", "soft": "#a0a9b1", "card": "#1c2024"}

# Told apart by people who see fewer colours, as far as eight can be; markers and labels help them further.
SERIES = ("#1f6fb2", "#c9560f", "#23854f", "#8450bb", "#b52f66", "#7d7404", "#0a8592", "#5b6770")
_DARK_SERIES = ("#6db5ee", "#f3955a", "#62c890", "#be9af0", "#f081aa", "#cfc645", "#4bd0de", "#aab5be")

VARIABLES = {colour: f"--{name}" for name, colour in LIGHT.items()} | {
    colour: f"--s{number}" for number, colour in enumerate(SERIES)
}
"""The CSS variable that takes the place of each colour of light paper."""


def css() -> str:
    """Return the CSS that sets the variables to what the reader prefers, light or dark."""
    dark = dict(zip(VARIABLES.values(), (*DARK.values(), *_DARK_SERIES), strict=True))
    light = dict(zip(VARIABLES.values(), VARIABLES, strict=True))
    return (
        f":root {{ color-scheme: light dark; {_set(light)} }}\n"
        f"@media (prefers-color-scheme: dark) {{ :root {{ {_set(dark)} }} }}\n"
    )


def _set(colours: dict[str, str]) -> str:
    return " ".join(f"{name}: {colour};" for name, colour in colours.items())
