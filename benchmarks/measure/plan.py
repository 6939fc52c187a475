"""What is measured: series of loads on one network in one build, with one kind of photo and result."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from benchmarks.record import Result, Row

PhotoSize = tuple[int, int]
"""Width and height in pixels."""

VGA: PhotoSize = (640, 480)
FULL_HD: PhotoSize = (1920, 1080)
TWELVE_MEGAPIXELS: PhotoSize = (4000, 3000)

_MANY = 8
"""Requests under way at a time, at most, where only few loads are measured."""


@dataclass(frozen=True, kw_only=True)
class Series:
    """Loads that belong together: the closed loops first, since the open loops' rates are shares of their peak.

    `concurrencies` are requests under way at a time; `shares` are rates over the highest throughput that those
    reached; `limit` is whether the same is measured in one process without a server, too. The bare network and HTTP
    have one kind of result: a network's output, and the default, float depth at the photo's size, as request
    parameters exist over gRPC only.
    """

    model: str
    target: Literal["ensemble", "network"]
    protocol: Literal["grpc", "http"]
    photo: PhotoSize
    result: Result
    concurrencies: tuple[int, ...]
    shares: tuple[float, ...] = ()
    limit: bool = False
    round: int = 1

    @property
    def photo_text(self) -> str:
        """For instance "1920x1080"."""
        return f"{self.photo[0]}x{self.photo[1]}"

    def holds(self, row: Row) -> bool:
        """Return whether a row is one of this series, in whatever build."""
        mine = (self.model, self.target, self.protocol, self.photo_text, self.result, self.round)
        return mine == (row.model, row.target, row.protocol, row.photo, row.result, row.round)

    def __str__(self) -> str:
        what = self.model if self.target == "ensemble" else f"{self.model}'s network alone"
        result = {"network": "depth at the network's size", "photo": "depth at the photo's size", "png16": "16-bit PNG"}
        sizes = "pixels" if self.target == "network" else f"{self.photo_text}, {result[self.result]}"
        return f"{what}, {sizes}, {'gRPC' if self.protocol == 'grpc' else 'HTTP'}"


def quick_plan(
    models: Sequence[str],
    *,
    photos: Sequence[PhotoSize],
    results: Sequence[Result],
    concurrencies: Sequence[int],
    shares: Sequence[float],
    limit: bool,
    rounds: int = 1,
) -> list[Series]:
    """Return every model with every photo and kind of result over gRPC; the rounds outermost, one after the other."""
    return [
        Series(
            model=model,
            target="ensemble",
            protocol="grpc",
            photo=photo,
            result=result,
            concurrencies=tuple(concurrencies),
            shares=tuple(shares),
            limit=limit,
            round=number,
        )
        for number in range(1, rounds + 1)
        for model in models
        for photo in photos
        for result in results
    ]


def full_plan(
    model: str,
    *,
    photos: Sequence[PhotoSize],
    results: Sequence[Result],
    concurrencies: Sequence[int],
    shares: Sequence[float],
    limit: bool,
    http: bool,
    rounds: int = 1,
) -> list[Series]:
    """Return what the matrix measures of one model.

    The first photo size and kind of result get every load. The other combinations of the two, and the default result
    over HTTP, show what sizes, results and protocols cost: one photo at a time, and the most but not more than
    eight. The bare network, over gRPC and HTTP, shows what the pipeline around it costs.
    """
    most = max((each for each in concurrencies if each <= _MANY), default=min(concurrencies))
    main = Series(
        model=model,
        target="ensemble",
        protocol="grpc",
        photo=photos[0],
        result=results[0],
        concurrencies=tuple(concurrencies),
        shares=tuple(shares),
        limit=limit,
    )
    brief = replace(main, concurrencies=tuple(sorted({min(concurrencies), most})), shares=(), limit=False)
    planned = [main, replace(brief, target="network", result="network", concurrencies=main.concurrencies)]
    planned += [replace(brief, photo=photo, result=result) for photo in photos for result in results][1:]
    if http:
        planned.append(replace(brief, protocol="http", result="photo"))
        planned.append(replace(brief, protocol="http", target="network", result="network"))
    return [replace(series, round=number) for number in range(1, rounds + 1) for series in planned]
