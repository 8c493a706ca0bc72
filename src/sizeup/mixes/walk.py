"""The quantiser on its way through the tensors of a file."""

from __future__ import annotations

from collections.abc import Sequence

from ..errors import Refused
from ..model import Tensor
from ..quant import quant
from .table import Mix, MixFacts, mix_data
from .tensors import block_of, role_of, without_block

LAYERED = ("ffn_down", "ffn_gate", "ffn_up")
"""Roles whose rules look at the block, where models with experts are concerned; all others look at a running count."""


class Walk:
    """The quantiser on its way through the tensors: what it counted so far decides the next type."""

    def __init__(self, chosen: Mix, facts: MixFacts, tensors: Sequence[Tensor]) -> None:
        self.mix = chosen
        self.facts = facts
        roles = [role_of(without_block(tensor.name)) for tensor in tensors]
        self.tied = "output" not in roles
        self.totals = dict.fromkeys(LAYERED, facts.blocks) | {"attn_v": roles.count("attn_v")}
        self.seen = dict.fromkeys(self.totals, 0)
        self.importance = chosen.needs_importance if facts.importance is None else facts.importance

    def type_of(self, tensor: Tensor) -> str:
        """The type for the next tensor; the fallback where rows are no multiple of the block."""
        plain = without_block(tensor.name)
        return fitting(self._wanted(plain, tensor), tensor.shape[0])

    def _wanted(self, plain: str, tensor: Tensor) -> str:
        facts, role = self.facts, role_of(plain)
        if any(text in plain for text in mix_data()["at_least_q8"].get(facts.architecture, ())):
            return "Q8_0"
        if role == "output" or (role == "token_embd" and self.tied):
            return self._output_type(tensor.shape[0])
        if self.mix.name == "MXFP4_MOE":
            stacked = len(tensor.shape) > 2 and tensor.shape[2] > 1
            # This architecture's latent projections are stacks too.
            return "MXFP4" if stacked and (facts.architecture != "bailingmoe3" or role in LAYERED) else "Q8_0"
        position = self._position(role, tensor.name)
        kind = self._by_rules(role, position)
        if role == "attn_v" and not self.mix.low and facts.seventy_billion:
            kind = mix_data()["seventy_billion"]["types"].get(kind, kind)
        if facts.experts == 8 and not self.mix.low:
            kind = mix_data()["eight_experts"].get(role, kind)
        if role in self.seen:
            self.seen[role] += 1
        return kind

    def _output_type(self, row: int) -> str:
        base = quant(self.mix.base)
        if self.mix.name == "MXFP4_MOE" or self.facts.architecture == "falcon" or row % base.block:
            return "Q8_0"
        return self._by_rules("output", 0, "Q8_0" if base.name == "Q8_0" else "Q6_K")

    def _position(self, role: str, name: str) -> int:
        # Experts come in any order in old files, so llama.cpp reads the block from the name; its low mixes never do.
        if role in LAYERED and self.facts.experts > 1 and not self.mix.low:
            return block_of(name)
        return self.seen.get(role, 0)

    def _by_rules(self, role: str, position: int, otherwise: str = "") -> str:
        for kind, conditions in self.mix.roles.get(role, ()):
            if all(self._holds(condition, position, self.totals.get(role, 0)) for condition in conditions):
                return kind
        return otherwise or self.mix.base

    def _holds(self, condition: str, i: int, n: int) -> bool:
        facts = self.facts
        if condition.startswith("first "):
            part, _, whole = condition[6:].partition("/")
            return i < (int(part) * n // int(whole) if whole else int(part))
        match condition:
            case "more bits":
                return i < n // 8 or i >= 7 * n // 8 or (i - n // 8) % 3 == 2
            case "middle 6/8":
                return n // 8 <= i < 7 * n // 8
            case "gqa >= 4":
                return facts.kv_heads > 0 and facts.heads // facts.kv_heads >= 4
            case "experts >= 4":
                return facts.experts >= 4
            case "8 experts":
                return facts.experts == 8
            case "falcon" | "not falcon":
                return (facts.architecture == "falcon") == (condition == "falcon")
            case "importance" | "no importance":
                return self.importance == (condition == "importance")
        raise ValueError(condition)


def fitting(kind: str, row: int) -> str:
    """`kind`, or what llama.cpp stores instead when rows of this length are no multiple of its block.

    Raises Refused where llama-quantize gives up: a long block without a shorter relative.
    """
    block = quant(kind).block
    if row % block == 0:
        return kind
    smaller = str(mix_data()["fallback"].get(kind, kind))
    if smaller == kind and block > 32:
        raise Refused(f"llama.cpp cannot store rows of {row} values as {kind}: its blocks are {block} values long.", "Q2_K or Q4_0")
    return smaller if row % quant(smaller).block == 0 else "F16"
