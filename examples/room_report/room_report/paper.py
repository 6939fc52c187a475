"""The page on paper: a PDF by WeasyPrint (`pip install "room-report[pdf]"`, and the system's Pango).

A browser prints the same page: it has a style for paper.
"""

from __future__ import annotations

from typing import Any

from room_report.errors import PaperError


def pdf(html: str) -> bytes:
    """The report's page as a PDF of A4 sheets.

    Args:
        html: as `page.make_report` writes it; it loads nothing.

    Raises:
        PaperError: WeasyPrint or a library that it needs is not installed.
    """
    try:
        from weasyprint import HTML  # noqa: PLC0415 - it takes a second, and few need it
    except (ImportError, OSError) as error:
        raise PaperError(
            f'A PDF needs WeasyPrint and Pango ({error}). Install them: pip install "room-report[pdf]", and on Debian '
            "apt-get install libpango-1.0-0 libpangoft2-1.0-0. Or print the page from a browser."
        ) from None
    return bytes(HTML(string=html, url_fetcher=_refused).write_pdf())


def _refused(url: str, *_: Any, **__: Any) -> Any:
    """Give what a data URL holds; nothing else is loaded.

    Raises:
        PaperError: the page names another place.
    """
    from weasyprint import default_url_fetcher  # noqa: PLC0415

    if not url.startswith("data:"):
        raise PaperError(f"The page asks for {url[:80]}. It must hold all that it shows.")
    return default_url_fetcher(url)
