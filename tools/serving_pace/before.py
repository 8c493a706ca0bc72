"""What was said before there was a load: 2.17 ms + 1.31 x bytes / bandwidth of one sequence alone, prompts at 60 % of the arithmetic.

Kept to show what the fit gained.
"""

from __future__ import annotations

from sizeup.engines.serving.load import Replica, Request
from sizeup.engines.serving.step_work import Step, dense_flops, mixing_flops, moved_bytes, routed_flops

FIXED_S, READ, SPLIT_LAYER_S, COMPUTE_SHARE, LINK_BYTES_PER_S = 2.17e-3, 1.31, 6e-6, 0.6, 25e9


def itl_s(replica: Replica, request: Request) -> float:
    """Seconds of a token: whoever else is there did not count."""
    return _step_s(replica, Step(1, request.depth))


def ttft_s(replica: Replica, request: Request) -> float:
    """Seconds of the prompt, the cache of prefixes not known, and of one token."""
    return _step_s(replica, Step(0, 0, request.prompt_tokens)) + itl_s(replica, request)


def _step_s(replica: Replica, step: Step) -> float:
    seconds = FIXED_S
    for stage, rates in replica.stages:
        reading = bool(step.chunk)
        memory = READ * moved_bytes(stage, step) / rates.bytes_per_s + SPLIT_LAYER_S * stage.layers * (stage.ranks > 1)
        flops = dense_flops(stage, step) + routed_flops(stage, step) + mixing_flops(stage, step)
        told = 4 * stage.layers * (stage.ranks - 1) / stage.ranks * step.tokens * stage.hidden * 2 / LINK_BYTES_PER_S if reading else 0.0
        seconds += max(memory, flops / (rates.flops_per_s * COMPUTE_SHARE)) + told
    return float(seconds)
