"""Furniture in a database: SQLite in a file or in memory, or any other that SQLAlchemy knows, such as PostgreSQL.

The table is plain SQL, `products`; a shop's own database needs a view of that name with these columns.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from sqlalchemy import Column, Engine, Float, MetaData, String, Table, create_engine, insert, select
from sqlalchemy.pool import StaticPool

from room_report.errors import CatalogueError

EXAMPLE = Path(__file__).parent / "example_catalogue.csv"
"""Sixty pieces of furniture that do not exist: their names, sizes and prices are invented."""


@dataclass(frozen=True)
class Product:
    """A piece of furniture; sizes in metres as it stands, its back to a wall.

    Attributes:
        number: the shop's own.
        name, kind: as a customer reads them.
        width, depth, height: outer sizes.
        price: in the catalogue's currency.
        swing: metres before it that its doors or drawers need; 0 without any.
    """

    number: str
    name: str
    kind: str
    width: float
    depth: float
    height: float
    price: float
    swing: float = 0.0


_METADATA = MetaData()
_PRODUCTS = Table(
    "products",
    _METADATA,
    Column("number", String, primary_key=True),
    Column("name", String, nullable=False),
    Column("kind", String, nullable=False, index=True),
    *(Column(name, Float, nullable=False) for name in ("width", "depth", "height", "price", "swing")),
)


class Catalogue:
    """The products of a database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @classmethod
    def at(cls, url: str) -> Catalogue:
        """The catalogue of a database, such as `sqlite:///shop.db` or `postgresql+psycopg://...`."""
        return cls(create_engine(url))

    @classmethod
    def from_csv(cls, file: Path = EXAMPLE, url: str = "sqlite://") -> Catalogue:
        """Fill a database with the rows of a CSV file, whose columns are named as in `Product`.

        Raises:
            CatalogueError: a row is not a product; with its line.
        """
        # a database in memory belongs to its connection, so there must be one
        engine = create_engine(url, poolclass=StaticPool) if url == "sqlite://" else create_engine(url)
        _METADATA.create_all(engine)
        rows = [asdict(product) for product in read_csv(file)]
        with engine.begin() as connection:
            connection.execute(_PRODUCTS.delete())
            connection.execute(insert(_PRODUCTS), rows)
        return cls(engine)

    def find(self, kind: str | None = None, widest: float | None = None, price: float | None = None) -> list[Product]:
        """The products, cheapest first.

        Args:
            kind: of that kind only.
            widest: no wider than that, in metres.
            price: no dearer than that.
        """
        query = select(_PRODUCTS).order_by(_PRODUCTS.c.price, _PRODUCTS.c.number)
        if kind is not None:
            query = query.where(_PRODUCTS.c.kind == kind)
        if widest is not None:
            query = query.where(_PRODUCTS.c.width <= widest)
        if price is not None:
            query = query.where(_PRODUCTS.c.price <= price)
        with self._engine.connect() as connection:
            return [Product(**row) for row in connection.execute(query).mappings()]


def read_csv(file: Path) -> Sequence[Product]:
    """The products of a CSV file.

    Raises:
        CatalogueError: a column is missing, a number is none, or a size is not above 0.
    """
    with file.open(newline="", encoding="utf-8") as text:
        table = csv.DictReader(text)
        missing = {field.name for field in fields(Product)} - {"swing"} - set(table.fieldnames or ())
        if missing:
            raise CatalogueError(f"{file.name} has no column {', '.join(sorted(missing))}.")
        products: list[Product] = []
        for row in table:
            where = f"{file.name}, line {table.line_num}"
            try:
                numbers = {name: float(row.get(name) or 0) for name in ("width", "depth", "height", "price", "swing")}
            except ValueError as error:
                raise CatalogueError(f"{where}: {error}. Sizes are metres, such as 1.85.") from None
            for name in ("width", "depth", "height"):
                if not (math.isfinite(numbers[name]) and 0 < numbers[name] < 10):
                    raise CatalogueError(
                        f"{where}: the {name} is {numbers[name]:g}. It must be metres above 0, below 10."
                    )
            products.append(Product(row["number"], row["name"], row["kind"], **numbers))
        return products
