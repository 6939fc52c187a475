"""How the photos are shared out: small shares come last, so that all workers end together."""

from collections.abc import Iterator, Sequence

from bulk.inputs import Photo

_LARGEST, _SMALLEST = 64, 4


def shares(photos: Sequence[Photo], workers: int) -> Iterator[Sequence[Photo]]:
    """Give all photos, a quarter of a worker's part of what is left at a time, within bounds."""
    begin = 0
    while begin < len(photos):
        size = min(_LARGEST, max(_SMALLEST, (len(photos) - begin) // (4 * workers)))
        yield photos[begin : begin + size]
        begin += size
