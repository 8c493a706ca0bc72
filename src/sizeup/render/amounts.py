"""Estimates for people: an amount of tokens, a share, a duration, each with its ends."""

from __future__ import annotations

from sizeup.interval import Interval
from sizeup.page import Page

from .names import seconds


def amount(page: Page, tokens: Interval) -> str:
    """One number when it was counted; an estimate rounded, with its ends."""
    if tokens.low == tokens.high:
        return f"{tokens.middle:,.0f}"
    return page.texts("dataset.about", middle=rounded(tokens.middle), low=rounded(tokens.low), high=rounded(tokens.high))


def rounded(count: float) -> str:
    """Three digits are as much as an estimate is worth."""
    whole = round(count)
    places = max(len(str(whole)) - 3, 0)
    return f"{round(whole, -places):,}"


def percent(share: Interval) -> str:
    """A share; small ones with a decimal."""
    return f"{share.middle:.0%}" if share.middle >= 0.095 else f"{share.middle:.1%}"


def duration(page: Page, least: float, likely: float, most: float) -> str:
    """A duration with its ends."""
    return page.texts("dataset.about", middle=seconds(page, likely), low=seconds(page, least), high=seconds(page, most))
