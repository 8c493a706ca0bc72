"""Rows of published runs: what a dynamic file's step reads, and by how much runs of the same thing differ."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from tools.speed import replicates
from tools.speed.cases import Case, cases
from tools.speed.errors import Guess, spread, spreads
from tools.speed.rows import Row, row, sized, usable

from sizeup.facts import data_json
from sizeup.rates import branch, kinds_of_chip
from sizeup.roofline import Load, Reads

PAGE = Path(__file__).parents[1] / "docs" / "speed.md"


def case(**changes: object) -> Case:
    """A decode run of llama-bench."""
    base = Case(
        "Card",
        "NVIDIA Ada",
        "cuda",
        1e12,
        1e14,
        "decode",
        "maker/model",
        "Q4_K_M",
        False,
        None,
        128,
        0,
        1,
        512,
        None,
        100.0,
        "A",
        True,
        "a",
        "",
    )
    return base._replace(**changes)  # type: ignore[arg-type]


def test_a_dynamic_file_keeps_all_but_experts_at_8_bits() -> None:
    """Experts share what the rest leaves of the file; in a file of 8 bits the rest is what is wider, up to 16 bits."""
    experts, others = Reads("k", 40, 100, 1, True), Reads("k", 50, 100, 1, False)
    mixed = Load((experts, others), 0, 0, 1, 1, 1)
    kept = Load((experts._replace(kind="q8", bytes=80), others._replace(kind="q8", bytes=100)), 0, 0, 1, 1, 1)

    def read(load: Load) -> list[tuple[str, float]]:
        return [(part.kind, float(part.bytes)) for part in load.reads]

    # 1,100 bytes: 100 are the rest, so 1,000 are experts of which the mix has 800.
    assert read(sized(case(file_bytes=1100.0), mixed, kept, 800, 100)) == [("k", 50.0), ("q8", 100.0)]
    assert read(sized(case(), mixed, kept, 800, 100)) == [("k", 40.0), ("q8", 100.0)]
    assert read(sized(case(mix="Q8_0", file_bytes=950.0), kept, kept, 800, 100)) == [("q8", 80.0), ("q8", 150.0)]
    # As wide as can be; what is left are wider experts.
    wide = read(sized(case(mix="Q8_0", file_bytes=800 + 16 / 8.5 * 100 + 80), kept, kept, 800, 100))
    assert wide == [("q8", pytest.approx(88.0)), ("q8", pytest.approx(16 / 8.5 * 100))]


def test_dynamic_rows_read_more_than_their_mix() -> None:
    """Qwen3.6 35B A3B in UD-Q4_K_XL reads attention, shared experts and head at 8 bits."""
    found = next(c for c in cases() if c.dynamic and c.model == "Qwen/Qwen3.6-35B-A3B" and c.mix == "Q4_K_M" and c.metric == "decode")
    plain = row(found._replace(dynamic=False))
    dynamic = row(found)
    assert {part.kind for part in dynamic.load.reads if not part.routed} == {"q8", "f16"}
    assert 1.2 < sum(p.bytes for p in dynamic.load.reads) / sum(p.bytes for p in plain.load.reads) < 1.6


def test_replicates_are_held_against_other_sources() -> None:
    """Two sources at 100 and 80 tokens/s are off by a quarter and a fifth; a source is not held against itself."""
    load = Load((), 0, 0, 1, 0, 1)
    rows = [Row(case(source=source), load, seconds) for source, seconds in (("a", 0.01), ("b", 0.0125), ("b", 0.0125))]
    found = replicates.floor(rows)
    assert found is not None
    assert (found.runs, found.same, found.farthest) == (3, 1, "Card, cuda, model Q4_K_M")
    assert found.median == pytest.approx(0.25)
    assert replicates.floor(rows[1:]) is None
    assert replicates.floor([rows[0], Row(case(source="b", mix="Q8_0"), load, 1.0)]) is None


def test_the_page_tells_how_far_replicates_lie_apart() -> None:
    """`python -m tools.speed` would write the table that is on the page; the floor of dense decoding is above the aim of 17 %."""
    rows = usable(Counter(), replicates.repeated(cases()))
    assert replicates.section(rows) in PAGE.read_text()
    clean = next(found for what, name, found in replicates.floors(rows) if (what, name) == ("decode, dense", "llama-bench, short"))
    assert clean.p90 > 0.17


def test_few_devices_widen_an_interval() -> None:
    """A kind with devices of its own keeps its interval; one that borrows from others is widened by how few devices it has itself."""
    loads = (Load((), 0, 0, 1, 0, 1), Load((), 0, 0, 1, 1, 1))
    known = [Guess(Row(case(device=f"d{n}"), loads[0], 1.0), 1 + (n - 2) / 10, "family") for n in range(5)]
    alone = Guess(known[0].row._replace(case=case(device="e")), 1.0, "far")
    both = [guess._replace(row=guess.row._replace(load=load)) for guess in (*known, alone) for load in loads]
    prompts = [guess._replace(row=guess.row._replace(case=guess.row.case._replace(metric="prefill"))) for guess in both]
    own = spreads([*both, *prompts])
    low, high = own["decode/family/dense"]
    assert 0 < low < 1 < high
    assert own["decode/far/dense"][1] > high
    assert spread(known, 1)[1] == pytest.approx(spread(known, 5)[1] ** (2 / 1.2))


def test_chips_lean_on_their_line_of_designs() -> None:
    """Strix Halo is RDNA 3 with other memory, RDNA 3 a generation of RDNA, which is not GCN."""
    assert kinds_of_chip("AMD Strix Halo") == ["AMD RDNA 3.0", "AMD RDNA"]
    assert kinds_of_chip("NVIDIA Ada") == []
    shared = set(branch("d", "AMD RDNA 4.0", "vulkan")) & set(branch("e", "AMD Strix Halo", "vulkan"))
    assert shared == {"", "vulkan", "AMD", "vulkan/AMD", "AMD RDNA", "vulkan/AMD RDNA"}
    assert not set(data_json("speed_rates.json")["chips"].values()) & {"", "AMD"}
