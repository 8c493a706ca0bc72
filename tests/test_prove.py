"""Proofs: ghosts are sound files, and the engine plans what was predicted, on every architecture that it can be asked about."""

from __future__ import annotations

import functools
import json
import os
import resource
from pathlib import Path

import pytest
from gguf import GGUFReader

import sizeup
from sizeup.engines.llamacpp import ENGINE, refusals
from sizeup.engines.llamacpp.tensors import gguf_tensors
from sizeup.errors import EngineFailed, Refused, Unavailable
from sizeup.facts import data_json
from sizeup.ghost import room
from sizeup.ghost.census import Row, census
from sizeup.ghost.prove import prove
from sizeup.ghost.write import write_sparse
from sizeup.plan import Plan
from sizeup.probe import machine
from sizeup.search import make_plan
from tests import truth
from tests.architectures import others
from tests.test_cli import Run

MODELS = ("Qwen/Qwen3-8B", "google/gemma-3-4b-it", "deepseek-ai/DeepSeek-V3", "ibm-granite/granite-4.0-h-tiny", "LiquidAI/LFM2-1.2B")

OTHERS_NOT_EQUAL = {
    "bitnet": "the ghost has an output projection of its own, which the engine does not take",
    "bailingmoe3": "the ghost does not state all that it needs",
    "minimax-01": "lightning attention's graph is not written down: a rough band",
}
"""Architectures that no catalogue model has whose plan differs from the engine's, with the reason."""


def plan_of(name: str, **settings: object) -> Plan:
    spec = sizeup.read(name)
    return make_plan(spec, machine(), ENGINE, "Q4_K_M", ENGINE.on(ENGINE.Settings(**settings), machine(), settings))


@pytest.mark.parametrize("name", MODELS)
def test_a_ghost_is_a_sound_file(name: str, tmp_path: Path) -> None:
    """Law: the gguf package reads it, our reader gets the same layers from it, and on disk it takes its header alone."""
    spec, path = sizeup.read(name), tmp_path / "ghost.gguf"
    tensors = gguf_tensors(spec, "Q4_K_M")
    size = write_sparse(path, spec, tensors)
    theirs = {t.name: (tuple(map(int, t.shape)), t.tensor_type.name, t.n_bytes) for t in GGUFReader(path).tensors}
    assert theirs == {t.name: (t.shape, t.type, t.bytes) for t in tensors}
    ours = sizeup.read(str(path))
    assert (ours.stored_parameters, ours.warnings) == (sum(t.elements for t in tensors), ())
    assert [group.positions for group in ours.groups] == [group.positions for group in spec.groups]
    assert path.stat().st_size == size
    assert path.stat().st_blocks * 512 < 1 << 20


@pytest.mark.engine
@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize(
    "settings",
    [
        {"context_tokens": 4096},
        {"context_tokens": 32768, "sequences": 4},
        {"context_tokens": 8192, "flash_attention": False},
        {"context_tokens": 8192, "sequences": 3, "unified_cache": True, "micro_batch_tokens": 128},
        {"context_tokens": 8192, "outputs": "library", "repack": False},
    ],
    ids=lambda given: "-".join(f"{key}={value}" for key, value in given.items()),
)
def test_the_engine_plans_what_was_predicted(name: str, settings: dict[str, object]) -> None:
    """Weights, repacked weights, cache with state, compute and output: no part differs by a byte."""
    assert set(prove(plan_of(name, **settings)).difference_bytes.values()) == {0}


@functools.cache
def counted() -> list[Row]:
    return list(census(most=1))


@pytest.mark.engine
def test_a_census_of_architectures() -> None:
    """One model of every architecture of the catalogue: the engine plans each as predicted, in every part."""
    rows = counted()
    print(f"\n{sum(row.equal for row in rows)} of {len(rows)} equal in every part")
    for row in rows:
        if not row.equal:
            print(f"  {row.architecture:16}{row.model:48}{row.refused or row.differences}")
    assert sum(row.equal for row in rows) >= 70
    assert [row for row in rows if row.differences] == []
    assert [row for row in rows if row.refused and "has no architecture" not in row.refused] == []


@pytest.mark.engine
@pytest.mark.parametrize("settings", [{}, {"sequences": 4, "flash_attention": False}, {"outputs": "library"}], ids=str)
def test_architectures_outside_the_catalogue(settings: dict[str, object]) -> None:
    """Models of architectures that no catalogue model has are planned as predicted; the table names each that is not."""
    apart, equal = {}, 0
    for spec in others({row.architecture for row in counted()}):
        asked = ENGINE.on(ENGINE.Settings(context_tokens=4096, **settings), machine(), settings)
        try:
            found = prove(make_plan(spec, machine(), ENGINE, "Q4_K_M", asked)).difference_bytes
        except (EngineFailed, Refused) as error:
            apart[spec.architecture] = error.message
            continue
        if gaps := {part: gap for part, gap in found.items() if gap}:
            apart[spec.architecture] = str(gaps)
        else:
            equal += 1
    print(f"\n{equal} equal in every part; not: {apart}")
    assert set(apart) == set(OTHERS_NOT_EQUAL)
    assert equal >= 26


@pytest.mark.engine
@pytest.mark.parametrize(
    "settings",
    [
        {"context_tokens": 32768, "sequences": 4},
        {"flash_attention": False},
        {"unified_cache": True, "sequences": 3, "micro_batch_tokens": 128},
    ],
    ids=lambda given: "-".join(f"{key}={value}" for key, value in given.items()),
)
def test_graphs_that_claim_to_be_exact_are(settings: dict[str, object]) -> None:
    """Every architecture whose compute buffer is said to be exact is proved so, with other settings than the defaults."""
    given = dict(settings)
    context = int(str(given.pop("context_tokens", 4096)))
    said = data_json("llamacpp_graphs.json")["architectures"]
    rows = [row for row in census(most=1, context_tokens=context, **given) if said.get(row.architecture, {}).get("compared")]
    assert len(rows) >= 65
    assert [row for row in rows if row.differences] == []


@pytest.mark.engine
def test_a_header_that_is_here_is_proved_as_it_is(tmp_path: Path) -> None:
    """A local file's own header is the ghost: its tensors, its hyper-parameters, its formats."""
    from tests.ghosts import unpack

    plan = sizeup.fit(str(unpack("gpt-oss-20b-MXFP4", tmp_path)), context_tokens=16384)[0]
    assert set(prove(plan).difference_bytes.values()) == {0}


@pytest.mark.engine
def test_a_proof_costs_little() -> None:
    """DeepSeek V3 in Q4_K_M, 400 GB: no process that takes part holds 80 MB, and nothing is written to a disk."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_oublock
    found = prove(plan_of("deepseek-ai/DeepSeek-V3", context_tokens=8192))
    assert found.buffers["weights"] + found.buffers["repacked"] > 380 * 10**9
    assert found.peak_resident_bytes is not None
    assert found.peak_resident_bytes < 80 * 10**6
    assert resource.getrusage(resource.RUSAGE_SELF).ru_oublock - before < 64


@pytest.mark.engine
@pytest.mark.parametrize("system", ["linux", "darwin"])
def test_a_proof_without_files_in_memory(system: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the system has none the ghost lies on a disk as a hole, without a name where it can; it proves the same and is gone."""
    plan = plan_of("Qwen/Qwen3-8B", context_tokens=4096)
    expected = prove(plan).buffers
    monkeypatch.setattr(room, "sys", type("elsewhere", (), {"platform": system}))
    monkeypatch.delattr(os, "memfd_create")
    names: list[list[str]] = []
    real = room.write_all
    monkeypatch.setattr(room, "write_all", lambda *given: (real(*given), names.append([p.name for p in room.folder().iterdir()])))
    assert prove(plan).buffers == expected
    assert [len(seen) for seen in names] == [1 if system == "darwin" else 0]
    assert list(room.folder().iterdir()) == []


def test_a_disk_without_holes_is_not_filled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the ghost would really take its size nothing is written, and the size is said; real disks here do have holes."""
    assert room.has_holes(room.folder())
    plan = plan_of("Qwen/Qwen3-8B", context_tokens=4096)
    monkeypatch.setattr(room, "sys", type("elsewhere", (), {"platform": "darwin"}))
    monkeypatch.setattr(room, "has_holes", lambda where: False)
    with pytest.raises(Unavailable, match=r"would really take 4\.\d+ GiB"):
        prove(plan)
    assert list(room.folder().iterdir()) == []


def test_devices_that_are_not_here_cannot_be_proved() -> None:
    """The embedded engine has no GPU: that is said, not guessed."""
    with pytest.raises(Unavailable):
        prove(plan_of("Qwen/Qwen3-8B", gpu_layers="all"))


ABORTS = "moonshotai/Kimi-Linear-48B-A3B-Base"
"""Three sequences of their own make the engine abort, which we refuse before it is asked."""


def test_what_the_engine_would_abort_on_is_refused() -> None:
    """The rule names a micro batch that can be cut, and with that one there is a plan."""
    with pytest.raises(Refused) as caught:
        plan_of(ABORTS, sequences=3)
    assert "micro_batch_tokens=510" in caught.value.hint
    assert plan_of(ABORTS, sequences=3, micro_batch_tokens=510).breakdown.bytes("compute")


@pytest.mark.engine
def test_an_engine_that_aborts(monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine's own assertion is in the log; our process lives."""
    monkeypatch.setattr(refusals, "_one_sequence", lambda model, settings: None)
    with pytest.raises(EngineFailed) as caught:
        prove(plan_of(ABORTS, sequences=3))
    assert (caught.value.exit_code, "GGML_ASSERT" in caught.value.log) == (6, True)


@pytest.mark.engine
@pytest.mark.parametrize("name", ["deepseek-ai/DeepSeek-V3.2", "zai-org/GLM-5.2", "deepseek-ai/DeepSeek-V4-Flash", "MiniMaxAI/MiniMax-M3"])
@pytest.mark.parametrize(
    "settings", [{"context_tokens": 1536}, {"context_tokens": 65536, "sequences": 2}, {"sequences": 4, "micro_batch_tokens": 4}], ids=str
)
def test_sparse_attention_at_several_contexts(name: str, settings: dict[str, object]) -> None:
    """What picks tokens or blocks is sized as the engine does: below and above the number it picks, and with a token a sequence."""
    assert set(prove(plan_of(name, **settings)).difference_bytes.values()) == {0}


@pytest.mark.engine
@pytest.mark.parametrize(
    "name", ["ibm-granite/granite-embedding-english-r2", "BAAI/bge-small-en-v1.5", "Qwen/Qwen3-Embedding-0.6B", "Qwen/Qwen3-0.6B"]
)
def test_embeddings_are_proved(name: str) -> None:
    """Pooled and per-token embeddings: the compute buffer and the output rows that they add."""
    assert set(prove(plan_of(name, embeddings=True, context_tokens=2048)).difference_bytes.values()) == {0}


def test_windows_are_named_by_architectures_that_exist() -> None:
    """A rule under a name that the engine does not have would never be used."""
    known = set(data_json("llamacpp_architectures.json")["architectures"])
    assert set(data_json("gguf_architectures.json")["windows"]) - known == {"what"}
    assert set(data_json("llamacpp_graphs.json")["architectures"]) - known == set()


@pytest.mark.engine
def test_the_verb(sizeup: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """`prove` prints both figures and stores the proof; --json gives them as integers; a failure still shows the prediction."""
    said = sizeup("prove", "qwen3:8b", "--context", "4096")
    assert (said.code, said.err) == (0, "")
    assert said.out.count("equal") == 5
    parts = json.loads(sizeup("prove", "qwen3:8b", "--json").out)["parts"]
    assert {part["difference_bytes"] for part in parts.values()} == {0}
    monkeypatch.setattr(refusals, "_one_sequence", lambda model, settings: None)
    failed = sizeup("prove", ABORTS, "--sequences", "3")
    assert (failed.code, "weights" in failed.out, "GGML_ASSERT" in failed.err) == (6, True, True)


@pytest.mark.engine
def test_fit_is_proved_when_asked(sizeup: Run) -> None:
    """The proof's line follows the answer; in a pipe only when asked."""
    assert "proved: llama.cpp" in sizeup("fit", "qwen3:8b", "--prove").out
    assert "proved: llama.cpp" not in sizeup("fit", "qwen3:8b").out


def test_metadata_from_a_config_is_what_real_files_state() -> None:
    """What decides memory in a real header is derived alike from the config: heads, widths, experts, windows, ranks, states."""
    from sizeup.engines.llamacpp.hyper import hyper
    from tests.test_llamacpp_tensors import KNOWN, published

    free = ("context_length", "epsilon", "scale", "finetuned", "original_context_length", "pooling_type", "causal", "rope.dimension_count")
    wrong = {}
    for name in KNOWN:
        spec, real = published(name), truth.spec(name)
        assert spec is not None
        derived = hyper(spec)
        apart = {k: (derived.get(k), v) for k, v in real.hyper.items() if not k.endswith(free) and derived.get(k) != v}
        # One width beside experts is stated and never read; zero shared layers may be left out.
        apart = {k: pair for k, pair in apart.items() if not (k == "feed_forward_length" and real.hyper.get("expert_count")) and pair[1]}
        if apart:
            wrong[name] = apart
    assert wrong == {}
