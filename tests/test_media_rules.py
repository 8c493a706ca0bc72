"""How many tokens a family makes of a picture, of sound and of a film: the rows, and rules worked by hand."""

from __future__ import annotations

import pytest

from sizeup.facts import data_json
from sizeup.media.rules import families, rule

BY_HAND = [
    ("gemma3", 640, 480, 260),
    ("llava", 1, 5000, 576),
]


@pytest.mark.parametrize(("family", "width", "height", "tokens"), BY_HAND)
def test_pictures_worked_by_hand(family: str, width: int, height: int, tokens: int) -> None:
    """Tokens of a picture as its family's documents say them."""
    found = rule(family)
    assert found is not None
    assert tokens == found.picture(width, height)


def test_every_row_is_a_rule_and_stands_once() -> None:
    """Each family is described by one row, and each row can be asked."""
    names = [name for row in data_json("media_rules.json")["rules"] for name in row["model_types"]]
    assert len(names) == len(set(names))
    assert all(found.source.where and found.source.date for found in families())
    assert [found.family for found in families() if found.picture(640, 480) is None and found.audio(10) is None] == []


def test_a_family_that_nobody_wrote_down_has_no_rule() -> None:
    """Unknown is a value: no family is taken for another."""
    assert rule("llama") is None
