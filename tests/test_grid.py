"""The grid: every cell is a plan of its own."""

from __future__ import annotations

import json

import pytest

from sizeup.errors import UserError
from sizeup.grid import grid
from sizeup.probe import machine
from sizeup.readers import read
from sizeup.search import exactly, searched
from tests.program import Run


@pytest.mark.parametrize(("model", "box"), [("qwen3:8b", "rtx-4090"), ("qwen3:32b", "rtx-3060"), ("gemma3:27b", "m3-max-64gb")])
def test_a_cell_is_a_plan(model: str, box: str) -> None:
    """Total bytes, free bytes and verdict of each cell are those of its settings accounted alone; every mix and context has one."""
    found = grid(read(model), machine(box), quants=["Q8_0", "Q4_K_M"], contexts=[4096, 65536])
    assert [(cell.quant, cell.context_tokens) for cell in found.cells] == [(q, c) for q in ("Q8_0", "Q4_K_M") for c in (4096, 65536)]
    for cell in found.cells:
        assert cell.plan is not None
        s = cell.plan.settings
        where = {"gpu_layers": s.gpu_layers, "cpu_moe_layers": s.cpu_moe_layers}
        alone = exactly(found.model, found.machine, quant=cell.quant, context_tokens=cell.context_tokens, **where)
        assert (alone.breakdown.total_bytes, alone.free_bytes) == (cell.plan.breakdown.total_bytes, cell.plan.free_bytes)
        assert (cell.verdict != "no") == alone.fits


def test_no_cell_is_missed() -> None:
    """A cell says no only where the search finds no placement either."""
    spec, box = read("qwen3:30b-a3b"), machine("rtx-3060")
    for cell in grid(spec, box, quants=["Q8_0", "Q4_K_M"], contexts=[8192, 32768]).cells:
        assert cell.plan is not None
        best = searched(spec, box, _engine(), cell.quant, cell.context_tokens, None, {}, varied=False).best()
        assert (cell.verdict in ("fits", "tight")) == (best is not None)


def _engine():
    from sizeup.engines import engine

    return engine("llama.cpp")


def test_tight() -> None:
    """A plan on a card alone is tight when it leaves less than a twentieth of it; a card that is filled beside RAM is not."""
    full = grid(read("qwen3:8b"), machine("rtx-4090"), quants=["Q4_K_M"], contexts=[8192]).cells[0]
    assert full.plan is not None
    needed = full.plan.machine.pool("vram:0").bytes - full.plan.free_bytes["vram:0"]
    from sizeup.probe.given import with_given

    just = with_given(
        machine("rtx-4090"),
        vram=int(needed * 1.03) + (machine("rtx-4090").pool("vram:0").bytes - machine("rtx-4090").pool("vram:0").free_bytes),
    )
    assert grid(read("qwen3:8b"), just, quants=["Q4_K_M"], contexts=[8192]).cells[0].verdict == "tight"
    split = grid(read("qwen3:32b"), machine("rtx-3060"), quants=["Q4_K_M"], contexts=[8192]).cells[0]
    assert (split.verdict, split.tightest and split.tightest[0]) == ("fits", "ram")


def test_too_many_cells() -> None:
    """Nobody looks at a thousand cells."""
    with pytest.raises(UserError, match="cells"):
        grid(read("qwen3:8b"), machine("rtx-4090"), contexts=range(256, 256 * 100, 256))


@pytest.mark.parametrize("language", ["en", "zh-Hant", "zh-Hans"])
def test_in_the_terminal(sizeup: Run, language: str) -> None:
    """`fit --grid` draws a row a mix and a column a context within 80 columns."""
    from sizeup.page import cells

    said = sizeup("fit", "qwen3:32b", "--on", "rtx-3060", "--grid", "--lang", language)
    assert said.code == 0
    assert max(map(cells, said.out.splitlines())) <= 80
    assert [line.split()[0] for line in said.out.splitlines() if line.startswith(("  Q", "  IQ"))][1:] == [
        "Q8_0",
        "Q6_K",
        "Q5_K_M",
        "Q4_K_M",
        "IQ4_XS",
        "Q3_K_M",
        "Q2_K",
        "IQ2_XXS",
    ]


def test_an_axis_alone(sizeup: Run) -> None:
    """--quants without --grid is a mistake, not silence."""
    said = sizeup("fit", "qwen3:8b", "--on", "rtx-4090", "--quants", "Q8_0")
    assert (said.code, said.err.splitlines()[0]) == (2, "--quants is an axis of --grid.")


def test_one_plan_searches_nothing(sizeup: Run) -> None:
    """`sizeup plan` answers for the settings as given, also where another would fit."""
    said = json.loads(sizeup("plan", "qwen3:32b", "--on", "rtx-3060", "--quant", "Q8_0", "--gpu-layers", "all", "--json").out)
    assert (said["fits"], said["quant"], said["settings"]["gpu_layers"]) == (False, "Q8_0", "all")
