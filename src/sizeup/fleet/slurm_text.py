"""What `scontrol show node` prints, of any release: fields of each node; cards by type; amounts of trackable resources."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

FIELD = re.compile(r"([A-Za-z]\w*)=(.*?)(?=\s+[A-Za-z]\w*=|\s*$)", re.DOTALL)
"""A value may hold spaces (OS, Reason) and more signs of equality (CfgTRES)."""
NOTHING = ("", "(null)", "none", "N/A", "n/a")


class Gres(NamedTuple):
    """Cards of one type; "" for cards that nobody named."""

    type: str
    cards: int


def nodes(text: str) -> Iterator[dict[str, str]]:
    """The fields of every node, one line a node (`-o`) or many."""
    for block in re.split(r"(?m)^(?=NodeName=)", text):
        if block.startswith("NodeName="):
            # What follows an empty line is of somebody else (sinfo, a prompt).
            yield dict(FIELD.findall(" ".join(re.split(r"\n\s*\n", block)[0].split())))


def cards(gres: str) -> list[Gres]:
    """Types and counts of `gpu:h100:8(S:0-1),gpu:2,mps:800`: cards alone, in their order."""
    found = []
    for name in re.sub(r"\(.*?\)", "", gres).split(","):
        parts = name.strip().split(":")
        if parts[0] == "gpu" and len(parts) > 1 and parts[-1].isdigit():
            found.append(Gres(":".join(parts[1:-1]), int(parts[-1])))
        elif parts[0] == "gpu" and len(parts) < 3:
            # `gpu` alone is one card, `gpu:h100` one of that type.
            found.append(Gres(parts[1] if len(parts) > 1 else "", 1))
    return found


def tracked(tres: str) -> dict[str, str]:
    """`cpu=64,mem=512G,gres/gpu:h100=4` by name."""
    return {name: value for name, _, value in (part.partition("=") for part in tres.split(",")) if value}


def megabytes(text: str | None) -> int:
    """Bytes of a count that Slurm calls MB and means MiB by; 0 for what is none."""
    return int(text) * 2**20 if text and text.isdigit() else 0


def said(fields: Mapping[str, str], name: str) -> str:
    """A field's value; "" where Slurm says that there is nothing."""
    value = fields.get(name, "").strip()
    return "" if value in NOTHING else value


def words(text: str) -> list[str]:
    """Names in a list as Slurm writes it: a,b,node[1-3] stays as it is."""
    return [word for word in re.split(r",(?![^\[]*\])", text) if word]
