"""What a report is made of, before it becomes Markdown or HTML.

Texts may hold ``**bold**``, ``*slanted*``, ```code``` and ``[links](address)``, which both forms know;
everything else in them is taken literally.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True)
class Heading:
    """A heading; the report's title has level 1."""

    level: int
    text: str


@dataclass(frozen=True)
class Paragraph:
    """A paragraph of plain sentences."""

    text: str


@dataclass(frozen=True)
class Bullets:
    """A list of points."""

    items: Sequence[str]


@dataclass(frozen=True)
class Table:
    """A table; the first ``words`` columns hold words and stand to the left, the others figures and to the right.

    ``folded`` is the line to click on for a table that is too long to be shown at once.
    """

    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    words: int = 1
    folded: str | None = None


@dataclass(frozen=True)
class Picture:
    """A chart: ``body`` is what stands between ``<svg>`` and ``</svg>``, sizes are in pixels.

    ``name`` is its file's name without a suffix, ``words`` say what it shows to who cannot see it.
    """

    name: str
    words: str
    width: int
    height: int
    body: str


@dataclass(frozen=True)
class Pictures:
    """Charts that belong together; the page sets them side by side where there is room."""

    pictures: Sequence[Picture]


Block: TypeAlias = Heading | Paragraph | Bullets | Table | Pictures
