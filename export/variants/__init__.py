"""The table of variants: one row for each network that can be exported. All but midas_tiny_256 are official."""

from collections.abc import Mapping

from export.errors import LicenceError, UnknownVariantError
from export.variants import depth_anything, midas
from export.variants.row import ServedNetwork, Variant
from midas_server.licences import allows_business, why_not
from midas_server.served_names import SIZES, nearest, network_named

VARIANTS: Mapping[str, Variant] = {row.name: row for row in (*midas.ROWS, *depth_anything.ROWS)}


def variant_named(name: str) -> Variant:
    """Return the row of `name`, which may be a size such as "small".

    Raises:
        UnknownVariantError: no such row; the message lists those there are, and those that are close to `name`.
    """
    try:
        return VARIANTS[network_named(name)]
    except KeyError:
        known = (*SIZES, *VARIANTS)
        raise UnknownVariantError(
            f"unknown variant '{name}'{nearest(name, known) or '.'} Known: {', '.join(known)}"
        ) from None


def refuse_for_business(network: ServedNetwork) -> None:
    """Raises LicenceError where the licence of the weights does not allow commercial use."""
    if not allows_business(network.licence):
        allowed = ", ".join(row.name for row in VARIANTS.values() if allows_business(row.licence))
        raise LicenceError(
            f"{network.name} is refused by --commercial: {why_not(network.licence)}. Variants that it does not refuse: "
            f"{allowed}"
        )
