"""Published training runs: their GPU-hours lie within the MFU interval that the other runs give."""

from __future__ import annotations

import pytest

from sizeup import read
from sizeup.prices import price, prices
from sizeup.probe import table
from sizeup.training_flops import token_flops
from sizeup.training_runs import TrainingRun, family, mfu, stated_mfu, training_runs

WITH_HOURS = [run for run in training_runs() if run.mfu]

# Catalogue model of the same layers, and the length of its training sequences.
LAYERED = {
    "Llama-3-8B": ("meta-llama/Llama-3.1-8B", 8192),
    "Llama-3-70B": ("meta-llama/Llama-3.1-70B", 8192),
    "Llama-3.1-405B": ("meta-llama/Llama-3.1-405B", 8192),
    "DeepSeek-V3": ("deepseek-ai/DeepSeek-V3", 4096),
    "SmolLM3-3B": ("HuggingFaceTB/SmolLM3-3B", 4096),
}


def hours(run: TrainingRun, share: float, flops: float | None = None) -> float:
    assert run.tokens is not None
    assert run.peak_flops_per_s is not None
    return (flops or 6 * run.active_parameters * run.tokens) / (run.peak_flops_per_s * share * 3600)


def within(run: TrainingRun) -> tuple[bool, float, float]:
    """Whether the run's hours lie in the interval that all other publications give, and its ends."""
    share = mfu(run.device, [other for other in training_runs() if other.publication != run.publication])
    low, high = hours(run, share.high), hours(run, share.low)
    return low <= (run.device_hours or 0) <= high, low, high


def test_published_hours_lie_within_the_interval(capsys: pytest.CaptureFixture[str]) -> None:
    """Of all rows with a known device and hours at least 80 % lie within the 90 % interval made without their own publication.

    None is left out of the count: rows whose hours hold ablations or a teacher count as misses when they are.
    """
    found = [(run, *within(run)) for run in WITH_HOURS]
    with capsys.disabled():
        print(f"\n{'run':18}{'device':12}{'MFU':>6}{'published h':>13}{'from':>12}{'to':>12}")
        for run, good, low, high in found:
            print(
                f"{run.model:18}{family(run.device) or run.device:12}{run.mfu:6.2f}{run.device_hours:13,.0f}{low:12,.0f}{high:12,.0f}"
                f"  {'' if good else 'outside'} {run.includes}"
            )
        good = [run for run, inside, _, _ in found if inside]
        bare = [run for run in WITH_HOURS if run.includes not in ("ablations", "distillation")]
        print(f"{len(good)} of {len(found)} within; of {len(bare)} without ablations or a teacher {sum(run in good for run in bare)}")
    assert len(WITH_HOURS) >= 33
    assert len(good) >= 0.8 * len(found)
    assert sum(run in good for run in bare) >= 0.85 * len(bare)


@pytest.mark.parametrize("name", LAYERED)
def test_layers_and_the_rule_of_six_are_near(name: str) -> None:
    """FLOPs from the layers are the rule of six and at most a sixth more, for the attention that it leaves out."""
    run = next(run for run in WITH_HOURS if run.model == name)
    model, sequence = LAYERED[name]
    flops = token_flops(read(model), sequence)
    assert flops.rule == pytest.approx(6 * run.active_parameters, rel=0.03)
    assert 1.0 < flops.model / flops.rule < 7 / 6


def test_a_stated_mfu_is_above_the_paid_one() -> None:
    """What authors state for the time that a run ran is no lower than what the paid hours gave."""
    for run in WITH_HOURS:
        if run.mfu_high:
            assert run.mfu_high >= 0.9 * (run.mfu or 0)
    stated = stated_mfu("H100 SXM5 80GB HBM3")
    assert stated is not None
    assert stated.middle > mfu("H100 SXM5 80GB HBM3").middle
    assert stated_mfu("GeForce RTX 4090") is None


def test_a_device_without_runs_is_assumed() -> None:
    """A family with few publications takes all runs, and says that it is assumed; the interval never exceeds the peak."""
    here, elsewhere = mfu("A100 SXM4 80GB"), mfu("GeForce RTX 4090")
    assert (here.source.kind, elsewhere.source.kind) == ("published", "assumed")
    assert 0 < elsewhere.low < elsewhere.middle < elsewhere.high <= 1


def test_every_row_has_a_source_and_a_known_device() -> None:
    """Rows of both tables name where they are from and a device of the device table."""
    known = {part.name for part in table.parts()}
    assert {run.device for run in training_runs()} - known == {""}
    assert {offer.device for offer in prices()} <= known
    assert all(run.source.where and run.source.date for run in training_runs())
    assert all(offer.source.where and offer.source.date and offer.grade in "AB" for offer in prices())
    assert all(0.01 < (offer.usd_per_device_hour or offer.spot_usd_per_device_hour or 0) < 50 for offer in prices())


def test_an_unknown_price_is_unknown() -> None:
    """Nobody's offer is no zero."""
    assert price("Apple M3 Max (40-core GPU)") is None
    rate = price("H100 SXM5 80GB HBM3")
    assert rate is not None
    assert 1 < rate.low < rate.middle < rate.high < 20
