"""What instruction sets a processor of the device table has: those of its family."""

from __future__ import annotations

import re

from sizeup.facts import data_json


def instruction_sets(family: str, name: str) -> tuple[str, tuple[str, ...]]:
    """(architecture, features) of a processor of this family and name; ("", ()) where the family is unknown or mixes generations.

    Not known from this: what a firmware switches off, and virtual machines that hide what their host has.
    """
    facts = data_json("cpu_families.json")
    told = next((row["set"] for row in facts["named"] if row["family"] == family and re.search(row["pattern"], name)), None)
    features = tuple(facts["sets"].get(told or facts["families"].get(family), ()))
    return ("aarch64" if "neon" in features else "x86_64" if features else ""), features
