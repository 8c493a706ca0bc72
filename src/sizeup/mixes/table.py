"""The mixes as llama.cpp lists them (data/mixes.json), and what decides between their rules beside the tensors."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from typing import Any

from ..errors import NotFound, close_names
from ..facts import data_json

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
        return bool(mix_data()["seventy_billion"]["blocks"].get(self.architecture) == self.blocks - self.draft_blocks)


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
        return self.name == "Q2_K_S" or not given.isdisjoint(mix_data()["needs_importance"])


@functools.cache
def mix_data() -> dict[str, Any]:
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
        for row in mix_data()["mixes"]
    }


@functools.cache
def mix(name: str) -> Mix:
    """The mix of this name in any case; aliases as llama-quantize knows them. Raises NotFound with the nearest names."""
    upper = name.upper()
    found = mixes().get(mix_data()["aliases"].get(upper, upper))
    if found is None:
        near = close_names(upper, mixes(), 3, 0.3)
        raise NotFound(f"No quantisation of llama.cpp is called “{name}”.", ", ".join(near) or "Q4_K_M, Q8_0, F16")
    return found
