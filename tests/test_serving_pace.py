"""Speeds that a plan states for a serving engine. How they are measured against runs: tests/test_serving_load.py."""

from __future__ import annotations

import pytest

import sizeup


@pytest.mark.parametrize("machine", ["h100", "rtx-4090", "mi300x"])
def test_known_cards_have_narrower_intervals(machine: str) -> None:
    """The interval on the card that was measured is narrower than on others, and always holds its middle."""
    plan = sizeup.fit("Qwen/Qwen3-8B", machine, engine="vllm", quant="bf16")[0]
    decode = plan.speed.decode
    assert decode is not None
    assert decode.lower < decode.tokens_per_s < decode.upper
    assert (decode.upper / decode.lower < 1.6) == (machine == "h100")


def test_a_batch_writes_more_and_each_of_it_slower() -> None:
    """64 sequences together are faster than one, and less than 64 times as fast."""
    one, many = (sizeup.fit("Qwen/Qwen3-8B", "h100", engine="vllm", quant="bf16", users=users)[0].speed.decode for users in (1, 64))
    assert one is not None
    assert many is not None
    assert one.tokens_per_s < many.tokens_per_s < 64 * one.tokens_per_s
