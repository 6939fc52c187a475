"""Licences of networks' weights, and whether they allow commercial use."""

FOR_BUSINESS = ("MIT", "Apache-2.0")
NOT_FOR_BUSINESS = ("CC-BY-NC-4.0",)
NOT_STATED = "not stated"
"""The owners do not say. What nobody allows is treated as not allowed, as is a licence in neither list."""


def allows_business(licence: str | None) -> bool:
    """Whether weights under `licence` may be used commercially; None is a network of the user's own, who knows."""
    return licence is None or licence in FOR_BUSINESS


def why_not(licence: str | None) -> str:
    """What to tell about a licence that does not allow it."""
    if licence == NOT_STATED:
        return "the licence of its weights is not stated by their owners, so nothing allows commercial use"
    if licence in NOT_FOR_BUSINESS:
        return f"its weights are under {licence}, which does not allow commercial use"
    known = ", ".join(FOR_BUSINESS)
    return f"its weights are under {licence}, which is none of the licences that are known to allow it: {known}"
