"""Sweeps from table to tables. Needs duckdb, the extra `sweep`; skipped by name without it."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from sizeup.errors import SizeupError, Unavailable, Unreadable, UserError
from sizeup.readers import catalogue_data
from sizeup.sweep import executors
from sizeup.sweep import run as sweeping
from sizeup.sweep.rows import models
from sizeup.sweep.run import sweep
from tests.program import Run

duckdb = pytest.importorskip("duckdb", reason="the extra `sweep` is not installed")

IDS = ("Qwen/Qwen3-8B", "google/gemma-3-4b-it", "openai/gpt-oss-20b", "somebody/a-tuned-Qwen3-8B")
TUNED = {"_name_or_path": "Qwen/Qwen3-8B", "use_cache": False, "transformers_version": "5.0"}
CONFIGS = {id: catalogue_data.config(id) for id in IDS[:3]} | {IDS[3]: {**catalogue_data.config(IDS[0]), **TUNED}}
ASKED: dict[str, Any] = {"quants": ["Q4_K_M", "Q8_0"], "contexts": [4096, 32768], "machines": ["rtx-4090", "rtx-3090"], "workers": 1}


@pytest.fixture
def table(tmp_path: Path) -> Path:
    return parquet(tmp_path / "models.parquet", {id: json.dumps(config) for id, config in CONFIGS.items()})


def parquet(path: Path, rows: dict[str, str]) -> Path:
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE t (id VARCHAR, config VARCHAR)")
        connection.executemany("INSERT INTO t VALUES (?, ?)", list(rows.items()))
        connection.execute(f"COPY t TO '{path}' (FORMAT parquet)")
    return path


def rows(folder: Path, query: str = "SELECT * FROM cells ORDER BY ALL") -> list[tuple[Any, ...]]:
    with duckdb.connect() as connection:
        for name, files in (("cells", "cells/*"), ("shapes", "shapes/*"), ("models", "models"), ("machines", "machines")):
            connection.execute(f"CREATE VIEW {name} AS SELECT * FROM read_parquet('{folder}/{files}.parquet')")
        return list(connection.execute(query).fetchall())


def test_models_and_machines_join_their_cells(table: Path, tmp_path: Path) -> None:
    """Every model x mix x context x machine is one row after the joins; models of one shape share theirs."""
    found = sweep(str(table), tmp_path / "out", **ASKED)
    assert (found.models, found.shapes, found.machines) == (4, 3, 2)
    assert found.cells == found.shapes * found.classes * 4
    joined = rows(
        tmp_path / "out", "SELECT model, machine, quant, context_tokens FROM cells JOIN models USING (shape) JOIN machines USING (class)"
    )
    assert sorted(joined) == sorted(
        (id, machine, mix, context)
        for id in IDS
        for machine in ASKED["machines"]
        for mix in ASKED["quants"]
        for context in ASKED["contexts"]
    )
    assert found.cells_ungrouped == len(joined)
    assert rows(tmp_path / "out", "SELECT count(*) FROM cells WHERE fits") == [(found.fitting_cells,)]
    assert rows(tmp_path / "out", "SELECT parameters FROM shapes JOIN models USING (shape) WHERE model = 'Qwen/Qwen3-8B'") == [
        (8190735360,)
    ]


def test_every_kind_of_table_gives_the_same_rows(table: Path, tmp_path: Path) -> None:
    """Parquet, JSON lines with nested configs, and the catalogue itself."""
    lines = tmp_path / "models.jsonl"
    lines.write_text("".join(json.dumps({"id": id, "config": json.dumps(config)}) + "\n" for id, config in CONFIGS.items()))
    sweep(str(table), tmp_path / "a", **ASKED)
    sweep(str(lines), tmp_path / "b", **ASKED)
    sweep("catalogue", tmp_path / "c", models="Qwen/Qwen3-8B", **ASKED)
    assert rows(tmp_path / "a") == rows(tmp_path / "b")
    assert set(rows(tmp_path / "c")) < set(rows(tmp_path / "a"))


def test_shapes_may_be_columns_of_their_own(tmp_path: Path) -> None:
    """A CSV with one column for each key of a config, empty where a model does not have it."""
    path = tmp_path / "models.csv"
    path.write_text(
        "id,model_type,hidden_size,num_hidden_layers,num_attention_heads,num_key_value_heads,intermediate_size,vocab_size,architectures\n"
        'a,llama,2048,16,32,8,8192,128256,"[""LlamaForCausalLM""]"\n'
        "b,qwen2,896,24,14,2,4864,151936,\n"
    )
    assert [(name, json.loads(config)["hidden_size"]) for name, config in models(str(path))] == [("a", 2048), ("b", 896)]
    found = sweep(str(path), tmp_path / "out", **ASKED)
    assert (found.models, found.shapes, found.unreadable_shapes) == (2, 2, 0)


def test_a_stopped_sweep_goes_on_where_it_was(table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Finished groups are kept, unfinished ones are not, and the rows are those of one run."""
    monkeypatch.setattr(sweeping, "GROUP", 1)
    sweep(str(table), tmp_path / "whole", **ASKED)

    def stop(done: int, every: int) -> None:
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sweep(str(table), tmp_path / "parts", **ASKED, progress=stop)
    assert len(json.loads((tmp_path / "parts" / "manifest.json").read_text())["groups"]) == 2
    found = sweep(str(table), tmp_path / "parts", **ASKED)
    assert (found.groups, found.groups_kept) == (3, 2)
    assert rows(tmp_path / "parts") == rows(tmp_path / "whole")


def test_a_table_that_grew_leaves_no_row_twice(table: Path, tmp_path: Path) -> None:
    """Only what is new is worked on, and the rows are those of one run over the table as it is now; also when it shrinks again."""
    some = parquet(tmp_path / "some.parquet", {id: json.dumps(CONFIGS[id]) for id in IDS[:2]})
    sweep(str(some), tmp_path / "out", **ASKED)
    found = sweep(str(table), tmp_path / "out", **ASKED)
    assert (found.groups, found.groups_kept, found.shapes) == (2, 1, 3)
    sweep(str(table), tmp_path / "fresh", **ASKED)
    assert rows(tmp_path / "out") == rows(tmp_path / "fresh")
    assert sweep(str(some), tmp_path / "out", **ASKED).groups_kept == 1
    sweep(str(some), tmp_path / "few", **ASKED)
    assert rows(tmp_path / "out") == rows(tmp_path / "few")


def test_several_workers_write_the_same_rows(table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What runs where changes nothing."""
    monkeypatch.setattr(sweeping, "GROUP", 4)
    sweep(str(table), tmp_path / "one", **ASKED)
    sweep(str(table), tmp_path / "two", **{**ASKED, "workers": 2})
    assert rows(tmp_path / "one") == rows(tmp_path / "two")


def ended(*_: object) -> None:
    """A worker that is killed."""
    os._exit(9)


def test_a_worker_that_is_killed_is_a_sentence(table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No traceback, and what was finished stays."""
    monkeypatch.setattr(sweeping, "GROUP", 1)
    monkeypatch.setattr(executors, "one", ended)
    with pytest.raises(Unavailable, match="ended from outside"):
        sweep(str(table), tmp_path / "out", **{**ASKED, "workers": 2})
    monkeypatch.undo()
    assert sweep(str(table), tmp_path / "out", **ASKED).groups_kept == 0


def test_processes_are_replaced(table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """More groups than the first processes work on come to an end too."""
    monkeypatch.setattr(sweeping, "GROUP", 1)
    monkeypatch.setattr(executors, "GROUPS_A_PROCESS", 1)
    found = sweep(str(table), tmp_path / "out", **{**ASKED, "workers": 2})
    assert (found.groups, found.shapes) == (3, 3)


def test_rows_without_a_config_are_counted(tmp_path: Path) -> None:
    """A table of the whole hub has holes: they are told, and the rest is worked on."""
    path = parquet(tmp_path / "m.parquet", {"a": "", "b": "not json", "c": '{"model_type": "?"}', "d": json.dumps(CONFIGS[IDS[0]])})
    found = sweep(str(path), tmp_path / "out", **ASKED)
    assert (found.models, found.without_config, found.shapes, found.unreadable_shapes) == (2, 2, 2, 1)
    assert rows(tmp_path / "out", "SELECT count(*) FROM shapes WHERE error <> ''") == [(1,)]


def test_without_machines_fits_is_unknown(table: Path, tmp_path: Path) -> None:
    """Bytes for both placements, no verdict."""
    sweep(str(table), tmp_path / "out", **{**ASKED, "machines": ()})
    assert rows(tmp_path / "out", "SELECT DISTINCT class, fits, room_bytes FROM cells ORDER BY ALL") == [
        ("card", None, None),
        ("host", None, None),
    ]


@pytest.mark.parametrize(
    ("content", "error"),
    [(b"", Unreadable), (b"PAR1 and then nothing", Unreadable), (None, SizeupError)],
)
def test_a_broken_table_is_a_sentence(tmp_path: Path, content: bytes | None, error: type[SizeupError]) -> None:
    """Empty, torn or missing: one sentence, and no folder is left behind."""
    path = tmp_path / "m.parquet"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(error):
        sweep(str(path), tmp_path / "out", **ASKED)
    assert not (tmp_path / "out").exists()


def test_a_folder_of_another_sweep_is_left_alone(table: Path, tmp_path: Path) -> None:
    """Neither other options nor other files are written over."""
    sweep(str(table), tmp_path / "out", **ASKED)
    before = rows(tmp_path / "out")
    with pytest.raises(UserError, match="other options"):
        sweep(str(table), tmp_path / "out", **{**ASKED, "contexts": [512]})
    assert rows(tmp_path / "out") == before
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").touch()
    with pytest.raises(UserError, match="no sweep"):
        sweep(str(table), tmp_path / "mine", **ASKED)


def test_without_duckdb_the_extra_is_named(table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The way out is the extra that brings it."""
    monkeypatch.setitem(sys.modules, "duckdb", None)
    with pytest.raises(Unavailable, match="duckdb") as raised:
        sweep(str(table), tmp_path / "out", **ASKED)
    assert ".[sweep]" in raised.value.hint


@pytest.mark.parametrize("language", ["en", "zh-Hant", "zh-Hans"])
def test_the_verb_tells_what_it_wrote(sizeup: Run, table: Path, tmp_path: Path, language: str) -> None:
    """Models, shapes, classes, cells and the folder, within 80 columns; as JSON the same numbers."""
    args = (
        "sweep",
        str(table),
        str(tmp_path / "out"),
        "--quants",
        "Q4_K_M",
        "--contexts",
        "4K",
        "--machines",
        "rtx-4090",
        "--workers",
        "1",
    )
    said = sizeup(*args, "--lang", language)
    assert said.code == 0
    assert "3" in said.out
    told = json.loads(sizeup(*args, "--json").out)
    assert (told["models"], told["shapes"], told["cells"], told["groups_kept"]) == (4, 3, 3, 1)


def test_a_wrong_number_of_workers_is_a_sentence(sizeup: Run, table: Path, tmp_path: Path) -> None:
    """Exit 2 and a way out."""
    said = sizeup("sweep", str(table), str(tmp_path / "out"), "--workers", "0")
    assert (said.code, "Try" in said.err) == (2, True)
