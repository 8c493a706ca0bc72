"""sizeup verify: a log beside its prediction, what is learned from it, drift, and the report that may be shared."""

from __future__ import annotations

import io
import json
import math
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sizeup import corrections, probe, report, store
from sizeup.drift import drifts, order
from sizeup.engines import engine
from sizeup.errors import NotFound
from sizeup.figure import leaf
from sizeup.hardware import Machine
from sizeup.i18n import LANGUAGES, texts
from sizeup.logs import LoggedModel, readings
from sizeup.page import cells
from sizeup.plan import Claim, Measurement
from sizeup.readers import read
from sizeup.search import make_plan
from sizeup.shortlist import listed
from sizeup.verification import Verified, box, model, verify
from tests.program import Run

FOLDER = Path(__file__).parent / "data" / "logs"
TOLD = (FOLDER / "llamacpp-2026-10-b11549-told.txt").read_bytes()
LLAMA = (FOLDER / "llamacpp-2024-10-llama-3-8b.txt").read_bytes()
VLLM = (FOLDER / "vllm-2026-0.19.0-llama.txt").read_bytes()


@pytest.fixture(scope="module")
def machine() -> Machine:
    return probe.machine("raspberry-pi-5-16gb")


def changed(build: int, compute: str, raw: bytes = TOLD) -> bytes:
    """The told log as another build's, whose compute buffer is of another size."""
    text = (
        raw.decode()
        .replace("build_info: b0-unknown", f"build_info: b{build}-abcdef12")
        .replace("build 0 (unknown)", f"build {build} (abcdef12)")
    )
    return text.replace("compute buffer size =    20.28 MiB", f"compute buffer size =    {compute} MiB").encode()


def one(raw: bytes, on: Machine | None = None, **how: Any) -> Verified:
    (found,) = verify(raw, "log", on=on, **how)
    return found


def compute_of(on: Machine) -> tuple[int, float]:
    """Bytes of the compute buffer that a plan of the log's settings has on a machine, and their band."""
    llama = engine("llama.cpp")
    settings = llama.Settings(context_tokens=2048, sequences=2, outputs=2)
    plan = make_plan(read("google/gemma-3-270m"), on, llama, "Q4_K_M", settings, timed=False)
    return int(plan.breakdown.bytes("compute")), max(claim.within for claim in plan.breakdown.claims if claim.part == "compute")


def test_a_log_of_the_version_of_our_facts_is_explained() -> None:
    """Every part of a server's log equals the prediction as far as it was printed."""
    found = one(TOLD, keep=False)
    assert (found.model, found.quant, found.verdict) == ("google/gemma-3-270m", "Q4_K_M", "explained")
    assert {(row.part, row.pool): row.verdict for row in found.rows} == {
        (part, "ram"): "equal" for part in ("weights", "repacked", "output", "cache", "compute")
    }


def test_the_same_from_the_real_file_of_another_mixture() -> None:
    """A card's log beside a model that is named, without a version: host, card and cache are equal as printed."""
    found = one(LLAMA, model=read("llama3.1:8b"), keep=False)
    assert [(row.part, row.pool, row.verdict) for row in found.rows] == [
        ("weights", "ram", "equal"),
        ("weights", "vram:0", "equal"),
        ("cache", "vram:0", "equal"),
    ]


def test_what_differs_is_named_by_what_may_explain_it() -> None:
    """Another build is a reason; our own is none, and neither is an unknown one."""
    verdicts = {build: one(changed(build, "25.35"), keep=False).verdict for build in (0, 9000, 11549)}
    assert verdicts == {0: "unexplained", 9000: "version", 11549: "unexplained"}


def test_what_follows_from_settings_that_are_not_told_is_not_predicted() -> None:
    """Of a log that is cut before its context only weights are compared; the table of a trial counts tensors, not what is mapped."""
    found = one(TOLD[: TOLD.index(b"load_tensors:")], keep=False)
    assert {row.part: row.verdict for row in found.rows} == {
        "weights": "equal",
        "repacked": "equal",
        "cache": "unpredicted",
        "compute": "unpredicted",
    }
    assert found.verdict == "explained"


def test_a_file_of_another_recipe_is_told_apart() -> None:
    """Where the file itself is of another size than the mix gives, its weights do not count against the formula."""
    other = TOLD.replace(b"file size   = 235.16 MiB", b"file size   = 260.00 MiB").replace(
        b"CPU_Mapped model buffer size =   235.16", b"CPU_Mapped model buffer size =   260.00"
    )
    found = one(other, keep=False)
    assert {row.part: row.verdict for row in found.rows}["weights"] == "file"
    assert found.verdict == "explained"


def test_a_model_of_another_shape_is_refused() -> None:
    """A model that is named but has other layers than the log prints predicts nothing."""
    found = one(TOLD, model=read("qwen3:8b"), keep=False)
    assert (found.verdict, found.why) == ("read", "The log is of a model of another shape than Qwen/Qwen3-8B.")


@pytest.mark.parametrize(
    ("logged", "expected"),
    [
        (LoggedModel(name="Meta Llama 3.1 8B Instruct", layers=32), "NousResearch/Meta-Llama-3.1-8B-Instruct"),
        (LoggedModel(file="Qwen3-30B-A3B-Thinking-2507-UD-Q8_K_XL.gguf"), "Qwen/Qwen3-30B-A3B-Thinking-2507"),
        (LoggedModel(file="Mistral-Large-Instruct-2407-Q5_K_M-00001-of-00003.gguf", layers=88), "mistralai/Mistral-Large-Instruct-2407"),
        (LoggedModel(name="Qw14", layers=48), None),
        (LoggedModel(name="Meta Llama 3.1 8B Instruct", layers=80), None),
        (LoggedModel(), None),
    ],
)
def test_models_are_found_by_name_and_shape(logged: LoggedModel, expected: str | None) -> None:
    """A name is taken only where the layers, the width and the weights that are printed agree."""
    spec = model.found(logged)
    assert (spec.name if spec else None) == expected


@pytest.mark.parametrize(
    ("logged", "expected"),
    [
        (LoggedModel(quant="Q4_K_M"), "Q4_K_M"),
        (LoggedModel(file="a-Q5_K_S.gguf"), "Q5_K_S"),
        (LoggedModel(file="a.i1-IQ4_XS.gguf"), "IQ4_XS"),
        (LoggedModel(file="a-UD-Q8_K_XL.gguf"), None),
        (LoggedModel(file="a.gguf"), None),
    ],
)
def test_mixes_are_taken_as_known(logged: LoggedModel, expected: str | None) -> None:
    """A recipe of somebody's own has a size that no mix of ours tells."""
    assert model.quant(logged) == expected


def test_a_log_is_of_the_machine_that_it_shows(machine: Machine) -> None:
    """This machine only where its cards are this machine's; other cards are machines by name; no card says nothing."""
    (card,) = readings((FOLDER / "ollama-2025-03-version-and-card.txt").read_bytes())
    here = probe.machine("rtx-4090")
    assert box.named(card, replace(here, name="this machine")) == "this machine"
    assert box.named(card, machine) == here.kept_as
    (none,) = readings((FOLDER / "llamacpp-2024-08-quoted-slots.txt").read_bytes())
    assert box.named(none, machine) is None


def test_the_same_log_counts_once(machine: Machine) -> None:
    """Reading a log again finds it; --no-keep stores nothing."""
    assert one(TOLD, machine, keep=False).number is None
    assert store.measurements() == []
    first, again = one(TOLD, machine), one(TOLD, machine)
    assert (first.again, again.again, again.number) == (False, True, first.number)
    (row,) = store.measurements()
    assert (row.level, row.machine, row.engine, row.quant) == ("measured", machine.kept_as, "llama.cpp", "Q4_K_M")
    assert re.fullmatch(r"log sha256:[0-9a-f]{64}:1", row.source)
    assert row.difference_bytes == dict.fromkeys(("weights", "repacked", "output", "cache", "compute"), 0)


def test_an_equal_log_corrects_nothing(machine: Machine) -> None:
    """Where the log says what the formula says, the prediction stays exact."""
    before = compute_of(machine)
    one(TOLD, machine)
    assert (compute_of(machine), corrections.learned()) == (before, [])


def test_the_next_prediction_on_that_machine_is_what_was_measured(machine: Machine, sizeup: Run) -> None:
    """A part that was measured differently there is predicted so there, says so, and nowhere else."""
    elsewhere = probe.machine("raspberry-pi-5-8gb")
    before, far = compute_of(machine), compute_of(elsewhere)
    one(changed(9000, "25.35"), machine)
    (lesson,) = corrections.learned()
    assert (lesson.version, lesson.part, lesson.side, lesson.runs) == ("b9000", "compute", "ram", 1)
    assert compute_of(machine) == (math.ceil(before[0] * lesson.factor), lesson.factor - 1)
    assert abs(compute_of(machine)[0] - 25.35 * 2**20) <= 0.005 * 2**20 + 1
    assert compute_of(elsewhere) == far
    said = sizeup("fit", "google/gemma-3-270m", "--on", "raspberry-pi-5-16gb", "--quant", "Q4_K_M")
    assert "compute as this machine's own logs have it: 125.0% of the formula (1 under llama.cpp b9000" in " ".join(said.out.split())


def test_three_logs_tell_their_spread(machine: Machine) -> None:
    """Of three the middle counts, and half the distance between the outer ones is the band."""
    before = compute_of(machine)[0]
    for mib in ("24.00", "25.00", "26.00"):
        one(changed(9000, mib), machine)
    count, within = compute_of(machine)
    assert abs(count - 25 * 2**20) <= 2
    assert abs(within - 1 / 25) < 1e-6
    one(changed(9500, "21.00"), machine)
    assert abs(compute_of(machine)[0] - 21 * 2**20) <= 2  # the newest version's alone
    assert before < compute_of(machine)[0]


def test_why_tells_what_was_measured(machine: Machine, sizeup: Run) -> None:
    """The derivation of a corrected part is the formula's, times the factor with its runs, spread, version and day; int == Figure."""
    for mib in ("24.00", "25.00", "26.00"):
        one(changed(9000, mib), machine)
    (lesson,) = corrections.learned()
    ask = ("plan", "google/gemma-3-270m", "--on", "raspberry-pi-5-16gb", "--quant", "Q4_K_M", "--context", "2048")
    plan = json.loads(sizeup(*ask, "--json").out)
    (claim,) = [claim for claim in plan["breakdown"]["claims"] if claim["part"] == "compute"]
    (line,) = json.loads(sizeup(*ask, "--why", "compute", "--json").out)["derivation"]
    assert line["value"] == claim["bytes"]
    (factor,) = [below for below in line["below"] if below["name"] == "measured_factor"]
    assert (factor["value"], factor["source"]["kind"]) == (lesson.factor, "measured")
    assert (factor["source"]["where"], factor["source"]["date"]) == ("3 logs of llama.cpp b9000, ± 4.0%", lesson.date)
    said = sizeup(*ask, "--why", "compute", "--lang", "zh-Hant").out
    assert "實測除以預測" in said
    assert "llama.cpp b9000 的 3 份紀錄檔" in said


def test_a_measured_part_is_one_rule_for_numbers_figures_and_columns(machine: Machine) -> None:
    """int == Figure == column, band and needed bytes too."""
    numpy = pytest.importorskip("numpy")
    one(changed(9000, "25.35"), machine)
    known = corrections.lessons(machine.kept_as, "llama.cpp")
    counts = [1, 20 * 2**20 + 1, 3 * 2**30]
    plain = [corrections.as_measured(Claim("compute", "ram", count, 0.02), known) for count in counts]
    column = corrections.as_measured(Claim("compute", "ram", numpy.array(counts), 0.02), known)
    assert [corrections.as_measured(Claim("compute", "ram", leaf("x", count), 0.02), known) for count in counts] == plain
    assert (column.bytes.tolist(), column.needed_bytes.tolist()) == ([c.bytes for c in plain], [c.needed_bytes for c in plain])
    assert {c.within for c in plain} == {column.within}


def test_the_ranking_uses_what_was_measured(machine: Machine, sizeup: Run) -> None:
    """Rankings of that machine have the corrected bytes of every model, to the byte of its plan, and say so; others do not."""
    before = sizeup("models", "--on", "raspberry-pi-5-16gb", "--json")
    one(changed(9000, "40.00"), machine)
    known = corrections.lessons(machine.kept_as, "llama.cpp")
    llama = engine("llama.cpp")
    for row in (listed()[7], listed()[300]):
        context = min(2048, row.facts["context"])
        settings = llama.Settings(context_tokens=context, repack=False, cpu_features=())
        spec = read(row.id)
        plan = corrections.corrected(llama.account(spec, row.mixes()[0], settings), machine.kept_as, "llama.cpp")
        formula = llama.account(spec, row.mixes()[0], settings)
        changed_by = plan.needed_bytes("ram") - formula.needed_bytes("ram")
        assert row.beside_weights(context, "cuda", known)[2] - row.beside_weights(context, "cuda")[2] == changed_by > 0
    after = sizeup("models", "--on", "raspberry-pi-5-16gb", "--json")
    rows = [{one["model"]: one["needed_bytes"] for one in json.loads(said.out)["models"]} for said in (before, after)]
    both = rows[0].keys() & rows[1].keys()
    assert both
    assert all(rows[1][name] > rows[0][name] for name in both)
    assert [one["part"] for one in json.loads(after.out)["corrections"]] == ["compute"]
    assert json.loads(before.out)["corrections"] == json.loads(sizeup("models", "--on", "rtx-4090", "--json").out)["corrections"] == []
    said = " ".join(sizeup("models", "--on", "raspberry-pi-5-16gb").out.split())
    assert "own logs say: compute 197.3% of the formula (1 under llama.cpp b9000" in said


def test_versions_have_an_order() -> None:
    assert sorted(["b11549", "b4701", "b9000"], key=order) == ["b4701", "b9000", "b11549"]
    assert sorted(["0.19.0", "0.9.2", "0.10.1"], key=order) == ["0.9.2", "0.10.1", "0.19.0"]


def test_drift_is_noticed(machine: Machine, sizeup: Run) -> None:
    """A newer version that takes more for the same settings is told in the answer, and by the doctor."""
    assert one(changed(11549, "20.28"), machine).drifts == ()
    found = one(changed(12000, "25.35"), machine).drifts
    assert [(d.part, d.older, d.newer) for d in found] == [("compute", "", "b12000"), ("compute", "b11549", "b12000")]
    assert [(d.before_bytes, d.after_bytes) for d in found][1] == (round(20.28 * 2**20), round(25.35 * 2**20))
    said = " ".join(sizeup("doctor").out.split())
    assert "drift in 2 parts: compute of google/gemma-3-270m takes 25.4 MiB under llama.cpp b12000" in said


def test_what_printing_rounds_away_is_no_drift(machine: Machine) -> None:
    for build, mib in ((11000, "20.27"), (11100, "20.28")):
        one(changed(build, mib), machine)
    assert [d for d in drifts(store.measurements()) if d.older] == []


def test_vllm_is_explained_to_the_block_and_the_printed_digit() -> None:
    """Weights within their band, the cache to a block, tokens and concurrency as printed; the card's own share is not predicted."""
    found = one(VLLM)
    assert (found.model, found.verdict, found.facts_version) == ("codellama/CodeLlama-7b-hf", "explained", "0.33.0")
    assert {row.part: row.verdict for row in found.rows} == {"weights": "equal", "cache": "band", "compute": "unpredicted"}
    assert [(count.name, count.logged, count.predicted) for count in found.counts] == [
        ("kv_cache_tokens", 126256, 126256),
        ("max_concurrency", 15.41, 15.41),
    ]
    (row,) = store.measurements()
    assert (row.engine, row.version, row.model) == ("vllm", "0.19.0", "codellama/CodeLlama-7b-hf")


def test_a_count_that_differs_is_not_explained() -> None:
    """A server that prints fewer tokens than its blocks hold differs, whatever its buffers say."""
    assert one(VLLM.replace(b"126,256 tokens", b"126,240 tokens"), keep=False).verdict == "version"


SGLANG = """
[2025-06-01 10:00:00] server_args=ServerArgs(model_path='Qwen/Qwen3-14B', tp_size=4, context_length=40960, mem_fraction_static=0.8, dtype='auto')
[2025-06-01 10:00:30 TP0] Load weight end. type=Qwen3ForCausalLM, dtype=torch.bfloat16, avail mem=15.00 GB, mem usage=7.08 GB.
[2025-06-01 10:00:31 TP0] KV Cache is allocated. #tokens: 298447, K size: 5.69 GB, V size: 5.69 GB
"""
"""A run of four ranks with the figures of a published log."""


def test_sglang_pools_are_explained() -> None:
    """Its GB are GiB: 298,447 tokens of four ranks are 11.38 of them on each."""
    found = one(SGLANG.encode(), keep=False)
    assert {row.part: row.verdict for row in found.rows}["cache"] == "equal"


@pytest.mark.parametrize("language", LANGUAGES[1:])
def test_reasons_are_translated(language: str) -> None:
    """Why nothing was predicted is said in each language."""
    reasons = [one((FOLDER / f"{name}.txt").read_bytes(), keep=False).why for name in ("llamacpp-2026-02-ik", "ollama-2025-08-projector")]
    reasons.append(one(TOLD, model=read("qwen3:8b"), keep=False).why)
    assert [reason for reason in reasons if texts(language).sentence(reason) == reason] == []


PERSONAL = ("alice", "secret-corp", "192.168.7.9", "10.1.2.3", "hf_abcdefghijklmnop", "sk-1234567890", "alice@example.org", "ALICE-PC", "/home/", "C:\\Users", "my-private-model", "00:11:22:33:44:55", "::1", "alices-laptop")  # fmt: skip


def planted(raw: bytes) -> bytes:
    """The log with personal things wherever an engine prints what a person chose."""
    text = raw.decode()
    text = text.replace("Gemma 3 270m", "alice secret-corp my-private-model").replace(
        "/models/", "/home/alice/secret-corp/my-private-model/"
    )
    text = text.replace("AMD EPYC", "alices-laptop 10.1.2.3")
    head = (
        "alice@ALICE-PC:~$ HF_TOKEN=hf_abcdefghijklmnop llama-server -m /home/alice/my-private-model.gguf --api-key sk-1234567890 --host 192.168.7.9\n"
        "ggml_cuda_init: found 1 CUDA devices:\n  Device 0: alice@example.org ALICE-PC 00:11:22:33:44:55, compute capability 8.9, VMM: yes\n"
    )
    return (head + text.replace("ggml_cuda", "ggml_old")).encode()


def test_the_report_names_nobody(machine: Machine, sizeup: Run) -> None:
    """Nothing that a person, a host, a network or a folder is called by leaves, wherever it was planted; figures do."""
    one(planted(TOLD), replace(machine, name="ALICE-PC secret-corp"))
    one((FOLDER / "llamacpp-2026-05-rpc-table.txt").read_bytes().replace(b"8060S Graphics", b"alices-laptop"))
    row = Measurement(
        "measured", "alice-engine", "my-private-model", {"alice": "secret-corp"}, {"alice": 1}, quant="alice", machine="ALICE-PC", version="sk-1234567890", source="/home/alice/x"
    )  # fmt: skip
    hardware = {"cpu": "Intel of alice@example.org", "cards": [{"name": "NVIDIA alices-laptop", "bytes": 1, "driver": "alice 192.168.7.9"}]}
    settings = {"k": "secret-corp", "context_tokens": 4096, "/home/alice": 1, "v": "q8_0"}
    compared = ({"part": "alice", "pool": "ram", "measured_bytes": 1}, {"part": "cache", "pool": "ALICE-PC", "measured_bytes": 1})
    store.keep(row, {})
    store.keep(replace(row, engine="vllm", settings=settings, hardware=hardware, compared=compared, text="alice", date="alice"), {})
    text = sizeup("report", "--show").out
    assert [word for word in PERSONAL if word.lower() in text.lower()] == []
    made = json.loads(text)
    assert (made["schema"], made["schema_version"]) == ("sizeup-report", report.SCHEMA_VERSION)
    assert {measurement["engine"] for measurement in made["measurements"]} == {"llama.cpp", "vllm"}
    assert made["measurements"][0]["settings"] == {"context_tokens": 4096, "v": "q8_0"}
    assert "235.16" in TOLD.decode()
    assert any(part["measured_bytes"] == round(235.16 * 2**20) for measurement in made["measurements"] for part in measurement["parts"])


def test_the_report_tells_the_class_of_the_machine() -> None:
    """Cards by name and memory, the processor by its kind."""
    (card,) = readings((FOLDER / "ollama-2025-03-version-and-card.txt").read_bytes())
    verify(
        (FOLDER / "ollama-2025-03-version-and-card.txt").read_bytes().replace(b"level", b"level")
        + (FOLDER / "ollama-2025-08-load-request.txt").read_bytes()
    )
    (made,) = report.report()["measurements"]
    assert made["machine"]["cards"] == [{"name": card.cards[0].name, "memory_bytes": card.cards[0].total_bytes, "driver": "12.4"}]


def test_the_report_is_written_where_it_is_wanted(sizeup: Run, tmp_path: Path) -> None:
    """Without a name into sizeup's own folder; empty when nothing was measured."""
    said = sizeup("report", "--to", str(tmp_path / "r.json"))
    assert said.code == 0
    assert json.loads((tmp_path / "r.json").read_bytes())["measurements"] == []


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    "name",
    ["llamacpp-2026-10-b11549-told", "ollama-2025-08-projector", "vllm-2025-02-does-not-fit", "llamacpp-2025-12-b7406-draft-context"],
)
def test_answers_fit_the_page(sizeup: Run, name: str, language: str) -> None:
    """In every language, within 80 columns, without a key that nobody worded."""
    said = sizeup("verify", str(FOLDER / f"{name}.txt"), "--lang", language)
    assert (said.code, said.err) == (0, "")
    assert max(map(cells, said.out.splitlines())) <= 80
    assert "verify." not in said.out


def test_json_says_all_of_it(sizeup: Run) -> None:
    """Several logs, every start with its line, null for what is not told."""
    said = sizeup(
        "verify", str(FOLDER / "llamacpp-2025-02-llamasharp.txt"), str(FOLDER / "sglang-2026-06-counts.txt"), "--json", "--no-keep"
    )
    starts = json.loads(said.out)["starts"]
    assert [(start["engine"], start["version"], start["line"]) for start in starts] == [
        ("llama.cpp", None, 1),
        ("llama.cpp", "b4701", 12),
        ("sglang", None, 1),
    ]
    assert starts[2]["ram_bytes"] is None
    assert starts[0]["parts"][0] == {
        "part": "cache", "pool": "vram:0", "measured_bytes": 144 << 20, "rounding_bytes": 5243, "predicted_bytes": None,
        "within": 0.0, "difference_bytes": None, "verdict": "unpredicted",
    }  # fmt: skip


def test_a_log_may_be_piped_in(sizeup: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    class Piped:
        buffer = io.BytesIO(TOLD)

    monkeypatch.setattr("sys.stdin", Piped())
    assert json.loads(sizeup("verify", "-", "--json").out)["starts"][0]["verdict"] == "explained"


@pytest.mark.parametrize(
    ("name", "message"),
    [("missing.log", "There is no log missing.log."), ("pyproject.toml", "pyproject.toml is no log of an engine that sizeup knows.")],
)
def test_what_is_no_log_ends_with_a_sentence(sizeup: Run, name: str, message: str) -> None:
    said = sizeup("verify", name)
    assert said.code == NotFound.exit_code
    assert message.replace(" ", "") in said.err.replace("\n", "").replace(" ", "")


def test_a_server_reads_logs_only_where_files_are_allowed_and_keeps_nothing() -> None:
    """403 without --allow-files; with it the same answer, and the store stays empty."""
    pytest.importorskip("starlette", reason="needs the extra `web`")
    from sizeup.errors import NotAllowed
    from sizeup.operations.operation import ask
    from sizeup.operations.verify import VERIFY, Logs
    from sizeup.web.world import ServedWorld

    values = {"logs": (str(FOLDER / "llamacpp-2026-10-b11549-told.txt"),), "model": None, "on": None, "no_keep": False}
    with pytest.raises(NotAllowed):
        VERIFY.answer(ask(ServedWorld()), values)
    answer = VERIFY.answer(ask(ServedWorld(allow_files=True)), values)
    assert isinstance(answer, Logs)
    assert (answer.starts[0].verdict, store.measurements()) == ("explained", [])
    with pytest.raises(NotFound):
        VERIFY.answer(ask(ServedWorld(allow_files=True)), {**values, "logs": ("-",)})
