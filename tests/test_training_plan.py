"""Training plans: what is planned fits, what is called largest is, what was asked stays, and every reason is said in three languages."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import sizeup as package
from sizeup.errors import DOES_NOT_FIT, UserError
from sizeup.i18n import LANGUAGES, texts
from sizeup.page import cells
from sizeup.readers.config import spec_from_config
from sizeup.training.largest import largest
from sizeup.training.planned import TrainingPlan, half_precision
from tests.program import Run

CONFIGS = json.loads((Path(__file__).parent / "data" / "train_configs.json").read_text())
MODELS = {
    name: spec_from_config(CONFIGS[name], name) for name in ("SmolLM2-135M", "Qwen3-0.6B", "Llama-3.1-8B", "Qwen3-30B-A3B", "Llama-3-70B")
}
MACHINES = ("rtx-4090", "t4", "8x h100 sxm", "raspberry-pi-5-8gb")
ORDER = ("full", "lora", "qlora")

PLANS = {
    (model, on): package.plan_training(MODELS[model], on)
    for model, on in [(model, "rtx-4090") for model in MODELS] + [("Llama-3.1-8B", on) for on in MACHINES] + [("SmolLM2-135M", MACHINES[3])]
}


def changed(plan: TrainingPlan, **changes: Any) -> Any:
    """The account of a plan's step with something else."""
    return package.train(plan.training.model, machine=plan.training.machine, **{**plan.training.asked, **changes})


@pytest.mark.parametrize("which", PLANS)
def test_what_is_planned_fits_and_what_learns_most_is_first(which: tuple[str, str]) -> None:
    """Every plan fits, or there is one that says it does not; methods stand in their order, what moves weights to the host last."""
    plans = PLANS[which]
    assert plans
    assert all(plan.fits for plan in plans) or len(plans) == 1
    for plan in plans:
        assert plan.fits == (plan.training.process_bytes <= (plan.training.limit_bytes or 0))
    kept = [ORDER.index(plan.training.recipe.method) for plan in plans if not plan.training.split.offload]
    assert kept == sorted(kept)


@pytest.mark.parametrize("which", PLANS)
def test_the_largest_is_the_largest(which: tuple[str, str]) -> None:
    """The largest micro-batch and the longest sequence fit, and one more does not (or the model has no more positions)."""
    for plan in PLANS[which]:
        if not plan.fits:
            assert (plan.largest_micro_batch, plan.largest_sequence_tokens) == (0, 0)
            continue
        assert changed(plan, micro_batch=plan.largest_micro_batch).fits
        assert not changed(plan, micro_batch=plan.largest_micro_batch + 1).fits
        assert plan.training.recipe.micro_batch <= plan.largest_micro_batch
        assert changed(plan, micro_batch=1, sequence_tokens=plan.largest_sequence_tokens).fits
        if plan.largest_sequence_tokens < plan.training.model.context_tokens:
            assert not changed(plan, micro_batch=1, sequence_tokens=plan.largest_sequence_tokens + 1).fits


@given(st.integers(0, 50), st.integers(1, 9), st.integers(0, 400), st.integers(0, 100), st.integers(1, 200))
def test_halving_finds_the_largest(start: int, slope: int, limit: int, bend: int, most: int) -> None:
    """For a straight or bent rising line: the last number within the limit, 0 when there is none."""

    def needed(n: int) -> int:
        return start + slope * n + 3 * slope * max(n - bend, 0)

    assert largest(needed, limit, most) == max((n for n in range(1, most + 1) if needed(n) <= limit), default=0)


@pytest.mark.parametrize("which", PLANS)
def test_a_step_is_its_micro_batches(which: tuple[str, str]) -> None:
    """Micro-batch x accumulation x devices is the step's batch; gradients are kept where there is more than one micro-batch."""
    for plan in PLANS[which]:
        if plan.fits:
            assert plan.accumulation * plan.training.recipe.micro_batch * plan.training.split.data == plan.batch_sequences
            assert plan.accumulation == 1 or plan.training.recipe.accumulate
        if plan.speed is not None and plan.step_s is not None:
            tokens = plan.batch_sequences * plan.training.recipe.sequence_tokens
            assert plan.step_s * plan.speed.middle == pytest.approx(tokens)
            assert plan.speed.low < plan.speed.middle < plan.speed.high


def test_speed_is_unknown_where_nobody_measured() -> None:
    """A processor has no published run, and offload's transfers are not modelled: None, never a guess."""
    assert all(plan.tokens_per_s is None and plan.step_s is None for plan in PLANS["SmolLM2-135M", "raspberry-pi-5-8gb"])
    moved = [plan for plans in PLANS.values() for plan in plans if plan.training.split.offload]
    assert all(plan.tokens_per_s is None for plan in moved)


def test_what_was_asked_stays() -> None:
    """A method, a sequence, a rank, a micro-batch or a split that is given is in every plan."""
    plans = package.plan_training(MODELS["Llama-3.1-8B"], "rtx-4090", method="qlora", sequence_tokens=1024, rank=64)
    assert [(plan.training.recipe.method, plan.training.recipe.sequence_tokens, plan.training.recipe.rank) for plan in plans] == [
        ("qlora", 1024, 64)
    ]
    for plan in package.plan_training(MODELS["Qwen3-0.6B"], "rtx-4090", micro_batch=3, checkpointing=True):
        assert (plan.training.recipe.micro_batch, plan.training.recipe.checkpointing) == (3, True)
    ranked = package.plan_training(MODELS["Qwen3-0.6B"], "rtx-4090", rank=8)
    assert {plan.training.recipe.method for plan in ranked} == {"lora", "qlora"}
    with pytest.raises(UserError, match="9999"):
        package.plan_training(MODELS["Qwen3-0.6B"], "rtx-4090", rank=9999)
    with pytest.raises(UserError, match="longer than"):
        package.plan_training(MODELS["Qwen3-0.6B"], "rtx-4090", sequence_tokens=10**6)


def test_old_devices_train_in_fp16() -> None:
    """A Turing card has no bf16: no plan keeps weights in bf16 alone, and its half precision is fp16."""
    plans = package.plan_training(MODELS["Qwen3-0.6B"], "t4")
    assert all(plan.training.recipe.dtype == "amp" for plan in plans)
    assert (half_precision(plans[0].training.machine), half_precision(package.machine("rtx-4090"))) == ("fp16", "bf16")


def test_larger_memory_never_plans_worse() -> None:
    """With more devices or more memory the best method learns as much or more."""
    best = [ORDER.index(PLANS["Llama-3.1-8B", on][0].training.recipe.method) for on in ("rtx-4090", "8x h100 sxm")]
    assert best == sorted(best, reverse=True)


@pytest.mark.parametrize("language", LANGUAGES[1:])
def test_every_reason_has_words(language: str) -> None:
    """What a plan says for itself is translated."""
    reasons = {reason for plans in PLANS.values() for plan in plans for reason in plan.reasons}
    assert len(reasons) > 5
    assert [reason for reason in reasons if texts(language).sentence(reason) == reason] == []


@pytest.fixture
def config(tmp_path: Path) -> str:
    path = tmp_path / "config.json"
    path.write_text(json.dumps(CONFIGS["Llama-3.1-8B"]))
    return str(path)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_verb_plans_for_a_machine(sizeup: Run, config: str, language: str) -> None:
    """Without a method: the best plan, the others, and the command that writes it down, within 80 cells."""
    said = sizeup("train", config, "--on", "8x h100 sxm", "--lang", language)
    assert (said.code, said.err) == (0, "")
    assert "--emit trl" in said.out
    assert "qlora" in said.out or "lora amp" in said.out
    assert max(cells(line) for line in said.out.splitlines() if config not in line) <= 80


def test_a_plan_as_json(sizeup: Run, config: str) -> None:
    """The account of the best plan, the plan itself, and the others with theirs."""
    found = json.loads(sizeup("train", config, "--on", "rtx-4090", "--json").out)
    assert found["plan"]["training"]["peak_bytes"] == found["peak_bytes"]
    assert found["plan"]["largest_micro_batch"] >= found["recipe"]["micro_batch"]
    assert all(other["fits"] for other in found["others"])


def test_nothing_that_fits_is_an_answer(sizeup: Run, tmp_path: Path) -> None:
    """A 70B on 24 GB: exit 3 and what comes nearest."""
    path = tmp_path / "config.json"
    path.write_text(json.dumps(CONFIGS["Llama-3-70B"]))
    said = sizeup("train", str(path), "--on", "rtx-4090", "--json")
    assert said.code == DOES_NOT_FIT
    assert json.loads(said.out)["plan"]["fits"] is False
