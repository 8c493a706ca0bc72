"""Mixes: llama.cpp's rules for the type of every tensor in a quantised file. `Q4_K_M` is a rule over tensors, not a type.

The rules are rows (data/mixes.json) in llama.cpp's own order; this file walks the tensors as its quantiser does: sorted
by block and name, counting attention values and feed-forward parts on the way. The converter's choice of 32 or 16 bits
for tensors that are not quantised is here too.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from .errors import NotFound, Refused, close_names
from .facts import data_json
from .model import Tensor
from .quant import quant

LAYERED = ("ffn_down", "ffn_gate", "ffn_up")
"""Roles whose rules look at the block, where models with experts are concerned; all others look at a running count."""

FLOATS = ("F32", "F16", "BF16")


@dataclass(frozen=True, slots=True)
class MixFacts:
    """What the quantiser looks at beside the tensors. Counts are those of the GGUF's metadata."""

    architecture: str
    heads: int
    """Query heads of the first block."""
    kv_heads: int
    """Key/value heads of the first block; 0 when that block has no attention, 1 for latent attention."""
    blocks: int
    """Every block of the file, draft blocks included."""
    experts: int = 0
    draft_blocks: int = 0
    importance: bool | None = None
    """Whether an importance matrix was used; None: only where llama.cpp refuses to work without one."""

    @property
    def seventy_billion(self) -> bool:
        """Whether llama.cpp takes this for a 70B model: by the number of blocks of a few architectures."""
        if self.architecture == "llama" and (self.experts == 8 or self.heads == self.kv_heads):
            return False
        return bool(_data()["seventy_billion"]["blocks"].get(self.architecture) == self.blocks - self.draft_blocks)


@dataclass(frozen=True, slots=True)
class Mix:
    """One file type of llama-quantize: a base type and, per role, rules of (type, conditions): the first that holds is taken."""

    name: str
    id: int
    base: str
    low: bool
    """The very low-bit mixes have their own rules throughout: the general ones for eight experts and 70B do not apply."""
    roles: dict[str, tuple[tuple[str, tuple[str, ...]], ...]] = field(hash=False, compare=False)

    @property
    def needs_importance(self) -> bool:
        """Whether llama-quantize refuses this mix without an importance matrix."""
        given = {self.base} | {kind for role, rules in self.roles.items() if role != "token_embd" for kind, _ in rules}
        # Q2_K itself needs none, except when a whole file is made of it.
        return self.name == "Q2_K_S" or not given.isdisjoint(_data()["needs_importance"])


@functools.cache
def _data() -> dict[str, Any]:
    data: dict[str, Any] = data_json("mixes.json")
    return data


@functools.cache
def mixes() -> dict[str, Mix]:
    """Every mix by its upper-case name, in the order of data/mixes.json."""
    return {
        row["name"]: Mix(
            row["name"],
            row["id"],
            row["base"],
            row.get("low", False),
            {role: tuple((rule[0], tuple(rule[1:])) for rule in rules) for role, rules in row.get("roles", {}).items()},
        )
        for row in _data()["mixes"]
    }


@functools.cache
def mix(name: str) -> Mix:
    """The mix of this name in any case; aliases as llama-quantize knows them. Raises NotFound with the nearest names."""
    upper = name.upper()
    found = mixes().get(_data()["aliases"].get(upper, upper))
    if found is None:
        near = close_names(upper, mixes(), 3, 0.3)
        raise NotFound(f"No quantisation of llama.cpp is called “{name}”.", ", ".join(near) or "Q4_K_M, Q8_0, F16")
    return found


def block_of(name: str) -> int:
    """The block a tensor belongs to; -1 for those outside blocks."""
    found = re.match(r"blk\.(\d+)\.", name)
    return int(found[1]) if found else -1


def quantiser_order(name: str) -> tuple[int, str]:
    """Sort key of llama.cpp's quantiser, which writes tensors outside blocks first and each block by name."""
    return block_of(name), name


def _plain(name: str) -> str:
    """The name with its block number taken out: all that rules look at, and the same for equal blocks."""
    return re.sub(r"^blk\.\d+\.", "blk.#.", name, count=1)


@functools.cache
def _role(plain: str) -> str:
    for role, how, text in _data()["roles"]:
        if plain == text if how == "=" else text in plain:
            return str(role)
    return "other"


@functools.cache
def _kept(plain: str, architecture: str) -> bool:
    kept = _data()["kept"]
    if not plain.endswith("weight") or plain in kept["="]:
        return True
    return any(text in plain for text in (*kept["in"], *kept.get(architecture, ())))


def dimensions(shape: Sequence[int]) -> int:
    """ggml's count of dimensions: sides of length one at the end do not count."""
    return max((i + 1 for i, side in enumerate(shape) if side > 1), default=1)


def is_quantised(tensor: Tensor, architecture: str) -> bool:
    """Whether llama-quantize may change this tensor's type: matrices of weights that are neither norms nor small helpers."""
    return dimensions(tensor.shape) >= 2 and not _kept(_plain(tensor.name), architecture)


@functools.cache
def _stays_f32(plain: str, architecture: str) -> bool:
    rules = _data()["converter"]
    stem, _, suffix = plain.removeprefix("blk.#.").rpartition(".")
    if suffix != "weight" or plain.endswith("_norm.weight") or stem in rules["f32"]:
        return True
    return any(text in plain for text in rules["f32_by_architecture"].get(architecture, ()))


def converted_type(tensor: Tensor, mix_name: str = "F16", architecture: str = "") -> str:
    """Type that the converter gives: 32 bits for vectors, norms and a few small matrices, the asked type for the rest."""
    return "F32" if len(tensor.shape) <= 1 or _stays_f32(_plain(tensor.name), architecture) else mix(mix_name).base


def assign(tensors: Sequence[Tensor], mix_name: str, facts: MixFacts, source: str = "F16") -> tuple[str, ...]:
    """The stored type of each tensor, in the order given, in a file of this mix.

    Tensors without a type count as converted to `source` first; a type that is there is what the quantiser reads.
    """
    chosen = mix(mix_name)
    first = chosen.base if chosen.base in FLOATS else source
    stored = [tensor.type or converted_type(tensor, first, facts.architecture) for tensor in tensors]
    if chosen.base in FLOATS:
        return tuple(
            chosen.base if tensor.type and is_quantised(tensor, facts.architecture) else kind
            for tensor, kind in zip(tensors, stored, strict=True)
        )
    walk = _Walk(chosen, facts, tensors)
    for index in sorted(range(len(tensors)), key=lambda i: quantiser_order(tensors[i].name)):
        if is_quantised(tensors[index], facts.architecture):
            stored[index] = walk.type_of(tensors[index])
    return tuple(stored)


class _Walk:
    """The quantiser on its way through the tensors: what it counted so far decides the next type."""

    def __init__(self, chosen: Mix, facts: MixFacts, tensors: Sequence[Tensor]) -> None:
        self.mix = chosen
        self.facts = facts
        roles = [_role(_plain(tensor.name)) for tensor in tensors]
        self.tied = "output" not in roles
        self.totals = dict.fromkeys(LAYERED, facts.blocks) | {"attn_v": roles.count("attn_v")}
        self.seen = dict.fromkeys(self.totals, 0)
        self.importance = chosen.needs_importance if facts.importance is None else facts.importance

    def type_of(self, tensor: Tensor) -> str:
        """The type for the next tensor; the fallback where rows are no multiple of the block."""
        plain = _plain(tensor.name)
        return fitting(self._wanted(plain, tensor), tensor.shape[0])

    def _wanted(self, plain: str, tensor: Tensor) -> str:
        facts, role = self.facts, _role(plain)
        if any(text in plain for text in _data()["at_least_q8"].get(facts.architecture, ())):
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
            kind = _data()["seventy_billion"]["types"].get(kind, kind)
        if facts.experts == 8 and not self.mix.low:
            kind = _data()["eight_experts"].get(role, kind)
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
    smaller = str(_data()["fallback"].get(kind, kind))
    if smaller == kind and block > 32:
        raise Refused(f"llama.cpp cannot store rows of {row} values as {kind}: its blocks are {block} values long.", "Q2_K or Q4_0")
    return smaller if row % quant(smaller).block == 0 else "F16"
