"""Pages: a template and its figures as Markdown, and that as one HTML page that needs nothing else."""

import re
import textwrap
from collections.abc import Iterable
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markdown_it import MarkdownIt
from markupsafe import Markup

from reports.palette import css
from reports.plots.sheet import Picture

WIDTH = 119
"""Of a page's lines of prose."""

_WHOLE = ("|", "#", "!", "<", "    ")  # tables, headings, pictures, folds, code
# A command in backticks is copied as one line, and a line that begins with a dash would be an item of a list.
_TOGETHER = re.compile(r"`[^`]*`| [-+*] ")
_KIT = Path(__file__).with_name("templates")
_FOLD = re.compile(r"<p>&lt;details&gt;&lt;summary&gt;(.*)&lt;/summary&gt;</p>")


def markdown(template: Path, **values: object) -> str:
    """Return a template of Markdown, filled in.

    Tables and pictures go in with `{{ table.markdown() }}` and, after `{% from "kit.md" import pictures %}`,
    `{{ pictures(list, folder) }}`. A value that the template names and that is not given is an error.

    Args:
        template: the file.
        values: what it names.
    """
    filled = _environment(template.parent).get_template(template.name).render(values)
    lines = re.sub(r"\n{3,}", "\n\n", filled).strip().splitlines()
    return "\n".join(map(_wrapped, lines)) + "\n"


def html(text: str, pictures: Iterable[Picture] = ()) -> str:
    """Return Markdown as a page without scripts and addresses that are loaded; its title is the first heading.

    Tags in the text are shown as they are, except `<details><summary>...</summary>` and `</details>`, each a
    paragraph of its own. A picture of the text is drawn where its file's name is one of `pictures`.
    """
    drawn = {picture.file: picture.svg for picture in pictures}
    reader = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = reader.parse(text)
    for token in tokens:
        for child in token.children or ():
            if child.type == "image":
                child.type, child.content = "html_inline", drawn[Path(str(child.attrs["src"])).name]
    body = reader.renderer.render(tokens, reader.options, {})
    body = body.replace("<table>", '<div class="scroll"><table>').replace("</table>", "</table></div>")
    body = body.replace("<p><svg", '<p class="charts"><svg').replace("<p>&lt;/details&gt;</p>", "</details>")
    body = _FOLD.sub(r"<details><summary>\1</summary>", body)
    title = text.partition("\n")[0].lstrip("# ")
    page = _environment(_KIT).get_template("page.html")
    # markdown-it has escaped what is not its own
    return page.render(title=title, colours=Markup(css()), body=Markup(body)) + "\n"  # noqa: S704


def _wrapped(line: str) -> str:
    """A line of prose or of a list as several of at most `WIDTH` characters; code and what must stand alone is kept."""
    if len(line) <= WIDTH or line.startswith(_WHOLE):
        return line
    whole = _TOGETHER.sub(lambda found: found[0].replace(" ", "\0"), line)
    hanging = "  " if line.startswith("- ") else ""
    wrapped = textwrap.fill(whole, WIDTH, subsequent_indent=hanging, break_long_words=False, break_on_hyphens=False)
    return wrapped.replace("\0", " ")


def _environment(folder: Path) -> Environment:
    return Environment(
        loader=FileSystemLoader([folder, _KIT]),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
