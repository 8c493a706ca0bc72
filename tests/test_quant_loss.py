"""What quantising costs: the fit reproduces its rows, small models lose more, and what nobody measured says so."""

from __future__ import annotations

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tools.quality import quant_loss, rows

import sizeup
from sizeup.errors import NotFound
from sizeup.facts import data_json
from sizeup.figure import leaf, plain
from sizeup.mixes import mixes
from sizeup.quality import kept
from sizeup.quant_loss import kept_share, mix_loss, share_kept, size_factor

TABLE = data_json("quality/quant_loss.json")
SIZES = st.integers(100_000_000, 3_000_000_000_000)


def test_the_fit_is_what_the_rows_give():
    """quant_loss.json is generated: the tool makes the same from the shipped rows."""
    assert {**TABLE, **quant_loss.fitted()} == TABLE


def test_every_shipped_row_has_a_source_a_date_and_a_grade():
    """Nothing ships without where it is from; what may not be redistributed is not there."""
    for row in [*rows.scores(), *rows.losses()]:
        assert row["source"]
        assert row["date"]
        assert row["quality"] in ("A", "B")
    assert not any(row["benchmark"].startswith(rows.WITHHELD) for row in rows.scores())


@pytest.mark.parametrize("name", sorted(TABLE["mixes"]))
def test_a_measured_mix_is_its_own_kin(name):
    """A row of the table is used for its own mix, and lies in its own interval."""
    loss = mix_loss(name)
    assert (loss.nats, loss.kin) == (TABLE["mixes"][name]["nats"], name)
    assert loss.low <= loss.nats <= loss.high


@given(SIZES, SIZES, st.sampled_from(sorted(mixes())))
def test_small_models_lose_more(one, other, mix):
    """The larger of two dense models keeps at least as much in the same mix; every interval holds its figure."""
    small, large = sorted((one, other))
    less, more = kept_share(small, small, mix), kept_share(large, large, mix)
    assert less.share <= more.share
    for each in (less, more):
        assert 0 <= each.lower <= each.share <= each.upper <= 1


@given(SIZES, st.sampled_from(["q8_0", "q5_1", "q5_0", "q4_1", "q4_0", "iq4_nl"]))
def test_a_quantised_cache_never_helps(size, kind):
    """A quantised cache costs something on top of the mix; a type that nobody measured is marked and has the wider interval."""
    plain, quantised = kept_share(size, size, "Q4_K_M"), kept_share(size, size, "Q4_K_M", kind, kind)
    assert quantised.share < plain.share
    assert (quantised.basis == "cache_kin") == (kind != "q8_0")


def test_weights_published_in_four_bits_lose_nothing_in_them():
    """gpt-oss is published as MXFP4: that file is the model; a smaller mix of it does lose."""
    model = sizeup.read("openai/gpt-oss-20b")
    assert kept(model, "MXFP4_MOE") == (1.0, 1.0, 1.0, "kept", "", 0.0)
    assert kept(model, "Q2_K").share < 0.95


@pytest.mark.parametrize(("name", "basis"), [("BF16", "kept"), ("Q4_K_M", "scaled"), ("MXFP4_MOE", "kin"), ("NVFP4", "kin")])
def test_the_basis_says_what_was_measured(name, basis):
    """A mix of the table is scaled; any other takes its nearest kin and says which; 16 bits and more lose nothing."""
    found = kept_share(8_000_000_000, 8_000_000_000, name)
    assert found.basis == basis
    assert bool(found.kin) == (basis != "kept")


def test_a_name_nobody_knows_is_refused():
    """An unknown mix is an error with the nearest names, not a default."""
    with pytest.raises(NotFound):
        kept_share(8_000_000_000, 8_000_000_000, "Q9_Z")


@given(st.integers(10**8, 10**12), st.integers(0, 40))
def test_number_equals_figure_equals_column(size, hundredths):
    """Both formulas give the same for plain numbers, figures and columns."""
    for formula, numbers in ((size_factor, (size, 8_030_261_248, 0.39)), (share_kept, (hundredths / 100, 0.67))):
        expected = formula(*numbers)
        assert plain(formula(*(leaf(str(i), n) for i, n in enumerate(numbers)))) == pytest.approx(expected)
        assert formula(*(numpy.array([n]) for n in numbers)).tolist() == pytest.approx([expected])
