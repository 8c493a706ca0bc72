"""What training keeps beside the model that learns: reference, reward, value and teacher models, a generation's cache. `derived`."""

from __future__ import annotations

from sizeup.errors import UserError, close_names
from sizeup.facts import Source
from sizeup.figure import Number, step
from sizeup.model import ModelSpec
from sizeup.plan import Claim
from sizeup.quant import quant

from .recipe import Recipe
from .towers import left_out

DERIVED = Source("derived", "what preference, reward and distillation trainers keep beside the traced step; never traced", "2026-11-21")
ALGORITHMS = ("sft", "dpo", "grpo", "ppo", "distill")

COPIES = {"sft": 0, "dpo": 1, "grpo": 1, "ppo": 3, "distill": 0}
"""Further models as large as this one: a reference; for PPO also a reward and a value model. With adapters the reference is
the same base with its adapters switched off."""


@step("frozen_model")
def frozen_bytes(parameters: Number, width: int) -> Number:
    """A model that only answers."""
    return parameters * width


@step("teacher_logits")
def teacher_logits(rows: Number, vocabulary: Number) -> Number:
    """The teacher's logits in fp32, kept for the divergence, and the divergence's own temporaries of the same size."""
    return 2 * 4 * rows * vocabulary


def sequences(algorithm: str, recipe: Recipe) -> int:
    """Sequences that go through the model at once: preference pairs are two."""
    if algorithm not in ALGORITHMS:
        near = close_names(algorithm, ALGORITHMS, 1, 0.4)
        raise UserError(f"“{algorithm}” is no algorithm that is known here.", near[0] if near else ", ".join(ALGORITHMS))
    return 2 * recipe.micro_batch if algorithm == "dpo" else recipe.micro_batch


def claims(algorithm: str, model: ModelSpec, recipe: Recipe, teacher: ModelSpec | None, generations: int, pool: str) -> tuple[Claim, ...]:
    """Claims beside those of the step."""
    width = 4 if recipe.dtype == "fp32" else 2
    copies = COPIES[algorithm] - (1 if recipe.ranked and COPIES[algorithm] else 0)
    copied = frozen_bytes(model.parameters - left_out(model, recipe), width)
    found = [Claim("weights", pool, copies * copied, label="reference")] if copies else []
    if algorithm in ("grpo", "ppo"):
        cells = recipe.sequence_tokens * recipe.micro_batch * (generations if algorithm == "grpo" else 1)
        f16 = quant("f16")
        found.append(Claim("cache", pool, cells * model.cache_row_bytes(f16, f16), label="generation"))
    if algorithm == "distill":
        if teacher is None:
            raise UserError("Distillation has no teacher.", "teacher=…, a larger model of the same vocabulary")
        if teacher.vocabulary != model.vocabulary:
            raise UserError(
                f"The teacher has {teacher.vocabulary} tokens of vocabulary, the student {model.vocabulary}.", "models of one family"
            )
        rows = recipe.micro_batch * recipe.sequence_tokens
        found.append(Claim("weights", pool, frozen_bytes(teacher.parameters, width), label="teacher"))
        found.append(Claim("logits", pool, teacher_logits(rows, model.vocabulary), label="teacher"))
    return tuple(found)
