"""sizeup shrink as people see it: what is known of quality and work, what reaches a size, and words in three languages."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import pytest
from tools.shrink_docs import FILE, document

import sizeup as sizeup_package
from sizeup.page import cells
from sizeup.shrinking import shrink
from sizeup.shrinking.evidence import nearest, rows
from sizeup.shrinking.labour import LEVELS
from tests.program import Run

GIB = 1 << 30


def test_the_page_is_generated() -> None:
    """`python -m tools.shrink_docs` would change nothing."""
    assert FILE.read_text(encoding="utf-8") == document()


def test_every_measurement_is_sourced() -> None:
    """A row says whose model before and after, by whom and when; a share is between nothing and everything."""
    assert [row for row in rows() if not (row.source.where and row.source.date and row.model and 0 < row.removed < 1)] == []
    assert [row for row in rows() if row.share is not None and not 0 < row.share <= 1] == []


def test_unknown_where_nobody_measured() -> None:
    """Law: a row speaks for its own size and strength, never for another technique, a far size, or experts for dense models."""
    (row,) = (row for row in rows() if row.method == "ShortGPT")
    assert nearest("depth", 0.25, row.parameters) == row
    assert nearest("depth", 0.25, row.parameters * 20) is None
    assert nearest("depth", 0.37, row.parameters) is None
    assert nearest("depth", 0.25, row.parameters, routed=True) is None
    assert nearest("heads", 0.25, row.parameters) is None


def test_the_public_name_answers() -> None:
    """`sizeup.shrink` weighs each technique alone and all together; the shares of independent steps multiply."""
    found = sizeup_package.shrink("Qwen/Qwen3-8B", "rtx-3060", layers=27, quant="Q4_K_M")
    depth, mix = found.alone
    assert found.together is not None
    assert found.best is found.together
    assert found.together.cost.known_share < min(depth.cost.known_share, mix.cost.known_share)
    assert found.together.stored_bytes < min(depth.stored_bytes, mix.stored_bytes)
    assert (depth.cost.labour.level, mix.cost.labour.level) == ("hours", "minutes")


def test_healing_is_told_in_device_hours() -> None:
    """Half of the layers as Minitron did it: 94 billion tokens, forward and backward of what is left, forward of the whole."""
    work = shrink("Qwen/Qwen3-8B", "rtx-3060", layers=18).best.cost.labour
    assert (work.level, work.tokens) == ("retrain", 94_000_000_000)
    assert work.device_hours is not None
    assert 1_000 < work.device_hours.low < work.device_hours.high < 20_000


@pytest.mark.parametrize("to", [3, 6, 9])
def test_what_reaches_a_size_runs_in_it(to: int) -> None:
    """Law: every combination needs no more than was asked for; known losses come first, the least of them at the top."""
    found = shrink("Qwen/Qwen3-8B", "rtx-3060", to=to * GIB)
    assert found.met
    assert all(outcome.memory_bytes is not None and outcome.memory_bytes <= to * GIB for outcome in found.reached)
    shares = [outcome.cost.share for outcome in found.reached]
    known = [share for share in shares if share is not None]
    assert shares[: len(known)] == known
    assert all(first >= second - 0.005 for first, second in itertools.pairwise(known))


def test_more_room_loses_no_more() -> None:
    """Law: the gentlest combination for a larger size keeps at least as much."""
    kept = [shrink("Qwen/Qwen3-8B", "rtx-3060", to=to * GIB).best.cost.known_share for to in (4, 6, 9, 12)]
    assert all(first <= second + 0.005 for first, second in itertools.pairwise(kept))


def test_a_size_that_nothing_reaches(sizeup: Run) -> None:
    """“Does not fit” is an answer: exit 3, with the least that was found."""
    said = sizeup("shrink", "qwen3:8b", "--to", "100MiB", "--on", "rtx-3060", "--json")
    content = json.loads(said.out)
    assert (said.code, content["reached"]) == (3, [])
    assert content["smallest_bytes"] > 100 << 20
    assert "Nothing that was tried runs in 100 MiB" in sizeup("shrink", "qwen3:8b", "--to", "100MiB", "--on", "rtx-3060").out


def test_what_llamacpp_does_not_read_reaches_no_size(sizeup: Run) -> None:
    """No memory is told for it, so none can be aimed at."""
    said = sizeup("shrink", "qwen3:8b", "--sparsity", "0.5", "--to", "6GiB", "--on", "rtx-3060")
    assert (said.code, said.err.splitlines()[0]) == (2, "llama.cpp has no file for what these techniques store.")


@pytest.mark.parametrize("language", ["en", "zh-Hant", "zh-Hans"])
@pytest.mark.parametrize("asked", [["openai/gpt-oss-20b"], ["qwen3:8b", "--to", "5GiB"], ["qwen3:8b", "--layers", "27", "--rank", "512"]])
def test_words_fit_the_page(sizeup: Run, language: str, asked: list[str]) -> None:
    """80 columns in every language; nothing of another language but names and sources."""
    said = sizeup("shrink", *asked, "--on", "rtx-3060", "--lang", language)
    assert said.code == 0
    assert max(map(cells, said.out.splitlines())) <= 80
    assert "shrink." not in said.out


@pytest.mark.parametrize("width", [60, 80])
@pytest.mark.parametrize(
    "asked",
    [
        ["--layers", "10", "--tie", "--quant", "Q2_K", "--share-layers", "4", "--rank", "64", "--sparsity", "0.5"],
        ["--to", "6GiB", "--on", "rtx-3060"],
        [],
    ],
)
def test_a_long_combination_takes_lines(sizeup: Run, monkeypatch: pytest.MonkeyPatch, width: int, asked: list[str]) -> None:
    """Neither does a table leave the page nor is the name of a combination cut."""
    monkeypatch.setenv("COLUMNS", str(width))
    lines = sizeup("shrink", "qwen3:8b", *asked).out.splitlines()
    assert [line for line in lines if cells(line) > width] == []
    assert [line for line in lines if "…" in line] == []
    assert "64 + 50% zeros" in " ".join(" ".join(lines).split()) or "--rank" not in asked


def test_what_runs_as_it_is(sizeup: Run) -> None:
    """A size that the model has room in already is answered with that, and the model stands in the table once."""
    said = sizeup("shrink", "qwen3:8b", "--to", "10TiB").out
    assert ("nothing has to be made smaller" in said, said.count("as it is  ")) == (True, 1)


def test_levels_of_work_add_up() -> None:
    """Law: together the harder work counts."""
    found = shrink("Qwen/Qwen3-8B", "rtx-3060", hidden=3072, kv_type="q8_0", quant="Q8_0")
    assert found.together is not None
    levels = [LEVELS.index(one.cost.labour.level) for one in found.alone]
    assert LEVELS.index(found.together.cost.labour.level) == max(levels)


def test_a_sibling_is_smaller_and_of_the_family(sizeup: Run) -> None:
    """Another maker's model, a larger one and one that nobody knows are refused, each with a way out."""
    for name, code in (("gemma3:1b", 2), ("qwen3:14b", 2), ("no-such-model-anywhere", 4)):
        said = sizeup("shrink", "Qwen/Qwen3-8B", "--on", "rtx-3060", "--sibling", name)
        assert (said.code, said.err.splitlines()[-1].startswith("Try: ")) == (code, True)
    rows = json.loads(sizeup("shrink", "Qwen/Qwen3-8B", "--on", "rtx-3060", "--sibling", "qwen3:4b", "--layers", "27", "--json").out)
    assert [step["technique"] for step in rows["together"]["steps"]] == ["sibling", "depth"]
    assert rows["together"]["steps"][1]["strength"] == {"left": 27, "of": 36}


def test_every_format_is_listed(sizeup: Run) -> None:
    """`--formats` lists every mix that stores less than the model does, each once."""
    content = json.loads(sizeup("shrink", "Qwen/Qwen3-0.6B", "--on", "rtx-3060", "--formats", "--json").out)
    mixes = [row["steps"][0]["strength"]["mix"] for row in content["outcomes"]]
    assert len(mixes) == len(set(mixes)) > 25
    assert all(row["stored_bytes"] < content["base"]["stored_bytes"] for row in content["outcomes"])
    assert {row["engine"] for row in content["formats"]} == {"mlx", "transformers", "vLLM"}
    (mlx,) = (row for row in content["formats"] if row["format"] == "mlx-4bit-g64")
    assert mlx["stored_bytes"] == sizeup_account("mlx", "mlx-4bit-g64")


def sizeup_account(engine: str, quant: str) -> int:
    """What the engine's own accounting says of its weights."""
    return int(sizeup_package.account("Qwen/Qwen3-0.6B", engine, quant, context_tokens=8192).bytes(part="weights"))


def test_what_is_assumed_is_told(sizeup: Run, tmp_path: Path) -> None:
    """A card of which there are two, and a model of another's architecture, are no facts: shrink and tokens say so as fit does."""
    config = {
        "model_type": "zork", "hidden_size": 512, "num_hidden_layers": 4, "num_attention_heads": 8, "num_key_value_heads": 4,
        "intermediate_size": 1024, "vocab_size": 32000, "max_position_embeddings": 8192, "torch_dtype": "bfloat16",
    }  # fmt: skip
    (tmp_path / "config.json").write_text(json.dumps(config))
    text = tmp_path / "mud.txt"
    text.write_text("mud and sand\n")
    asked = ["--assume", "llama", "--on", "rtx-3060"]
    for said in (sizeup("shrink", str(tmp_path), "--quant", "Q8_0", *asked), sizeup("tokens", str(text), "--model", str(tmp_path), *asked)):
        told = " ".join(said.out.split())
        assert (said.code, "assumed: " in told, "“rtx-3060” is taken as" in told) == (0, True, True)


@pytest.mark.parametrize(("model", "told"), [("qwen2.5vl:7b", True), ("qwen3:8b", False)])
def test_an_encoder_beside_the_model(sizeup: Run, model: str, told: bool) -> None:
    """What the table leaves out of a model that sees is said, and of no other."""
    said = " ".join(sizeup("shrink", model, "--quant", "Q8_0").out.split())
    assert ("of the vision or audio encoder beside the model" in said) is told
