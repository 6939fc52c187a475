"""The page on paper: a PDF by WeasyPrint (`pip install "room-report[pdf]"`, and the system's Pango).

A browser prints the same page: it has a style for paper.
"""

from __future__ import annotations

from room_report.errors import PaperError


def pdf(html: str) -> bytes:
    """The report's page as a PDF of A4 sheets.

    Args:
        html: as `page.make_report` writes it; it loads nothing.

    Raises:
        PaperError: WeasyPrint or a library that it needs is not installed.
    """
    try:
        from weasyprint import HTML, URLFetcher  # noqa: PLC0415 - it takes a second, and few need it
    except (ImportError, OSError) as error:
        raise PaperError(
            f'A PDF needs WeasyPrint and Pango ({error}). Install them: pip install "room-report[pdf]", and on Debian '
            "apt-get install libpango-1.0-0 libpangoft2-1.0-0. Or print the page from a browser."
        ) from None
    # only what the page holds itself
    return bytes(HTML(string=html, url_fetcher=URLFetcher(allowed_protocols=["data"])).write_pdf())
