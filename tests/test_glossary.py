"""Terms of the field: three sentences in three languages, an example that is computed, and where to go next."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from typing import Any

import pytest
from tools import glossary as pages

import sizeup as library
from sizeup.cli import main_group
from sizeup.examples import work_out
from sizeup.examples.work_out import HAS, IS, KINDS, kind
from sizeup.facts import data_json
from sizeup.hardware import Machine
from sizeup.i18n import LANGUAGES, places, texts
from sizeup.i18n.glossary import SENTENCES, glossary
from sizeup.i18n.glossary import _content as content
from sizeup.page import Page
from sizeup.probe import machine
from sizeup.readers import read
from sizeup.render.term import sentence
from sizeup.web.app import app
from tests.client import Client
from tests.program import Run

FACTS: dict[str, Any] = data_json("glossary.json")
TERMS: list[str] = list(FACTS["terms"])
MACHINES = ("rtx-4090", "raspberry-pi-5-2gb", "m3-max-64gb", "2x rtx-3090 nvlink", "tpu-v5e")


@pytest.mark.parametrize("language", LANGUAGES)
def test_languages_have_the_same_terms(language: str) -> None:
    """Every term, theme and sentence of an example exists in every language, with the same places, and in the facts."""
    words, english = content(language), content("en")
    assert list(words["terms"]) == list(english["terms"])
    assert sorted(words["terms"]) == sorted(TERMS)
    assert list(words["themes"]) == list(dict.fromkeys(row["theme"] for row in FACTS["terms"].values()))
    for group in ("examples", "lacks"):
        assert {key: sorted(places(text)) for key, text in words[group].items()} == {
            key: sorted(places(text)) for key, text in english[group].items()
        }
    assert {*HAS, *IS, "runs", "model"} == set(words["lacks"])


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_term_is_three_sentences(language: str) -> None:
    """What it is, what it does, what to do: one sentence each, ended as the language ends it."""
    end, inner = (".", re.compile(r"[.!?] [A-Z]")) if language == "en" else ("。", re.compile("[。！？]."))
    wrong = [
        f"{key}.{name}"
        for key, words in content(language)["terms"].items()
        for name in SENTENCES
        if not words[name].endswith(end) or inner.search(words[name])
    ]
    assert wrong == []


@pytest.mark.parametrize("language", LANGUAGES[1:])
def test_no_sentence_is_left_in_english(language: str) -> None:
    """Every Chinese sentence has more Chinese characters than English words, and the two Chinese languages differ."""
    for key, words in content(language)["terms"].items():
        for name in SENTENCES:
            chinese, latin = len(re.findall("[\u4e00-\u9fff]", words[name])), len(re.findall("[A-Za-z][A-Za-z-]+", words[name]))
            assert chinese > latin, f"{key}.{name}"
            assert words[name] != content("en")["terms"][key][name]


def test_characters_of_the_other_script_are_absent() -> None:
    """Words that only one side of the strait uses stay there."""
    hant, hans = (json.dumps(content(language)["terms"], ensure_ascii=False) for language in LANGUAGES[1:])
    assert [word for word in ("内存", "显存", "软件", "服务器", "浏览器", "带宽", "缓存") if word in hant] == []
    assert [word for word in ("記憶體", "顯示卡", "檔案", "軟體", "伺服器", "瀏覽器", "頻寬", "快取") if word in hans] == []


def test_ways_lead_somewhere() -> None:
    """Every term sends one to at least one other that exists."""
    lost = [key for key, row in FACTS["terms"].items() if not row["see"] or set(row["see"]) - set(TERMS) or key in row["see"]]
    assert lost == []
    assert len(TERMS) >= 60


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_name_means_two_terms(language: str) -> None:
    """A name finds one term, whichever of its spellings is used."""
    words = glossary(language)
    for key in TERMS:
        entry = words.entry(key)
        found = [words.find(name) for name in (key, entry.name, *entry.also, entry.name.upper())]
        assert [one.key for one in found if one is not None] == [key] * len(found)


@pytest.mark.parametrize("word", ["上下文", "量化", "顯存", "显存", "視訊記憶體", "kv-cache", "KV 快取", "缓存", "投机解码"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_names_of_every_language_are_understood(word: str, language: str) -> None:
    """Somebody who reads English may still paste a Chinese term, and the other way round."""
    assert glossary(language).find(word) is not None


def test_near_names_are_offered(sizeup: Run) -> None:
    """An unknown term is refused with those that look like it."""
    said = sizeup("explain", "quantisatoin")
    assert (said.code, "quantization" in said.err) == (4, True)
    assert sizeup("explain", "快取記憶").code == 4


@pytest.mark.parametrize("key", TERMS)
def test_the_command_can_be_typed(key: str) -> None:
    """What a term sends one to is a verb with options that exist."""
    words = shlex.split(FACTS["terms"][key]["shows"].replace("{model}", "llama3.1:8b"))
    group = main_group()
    verb = group.get_command(None, words[1])
    assert words[0] == "sizeup"
    verb.make_context(words[1], words[2:], parent=None)


def told(key: str, box: Machine, language: str = "en", model: str | None = None) -> str:
    """The example of a term as its sentence."""
    words = glossary(language)
    found = work_out(words.entry(key).example, box, model, read, language)
    return sentence(Page(texts(language)), words, found)


@pytest.mark.parametrize("name", MACHINES)
def test_every_term_is_worked_out_on_every_machine(name: str) -> None:
    """No term lacks its example, whatever the machine lacks; what stands in is named."""
    box = machine(name)
    for key in TERMS:
        found = work_out(glossary("en").entry(key).example, box, None, read)
        assert found.figures, key
        assert (found.machine is box) or bool(found.instead), key
        assert found.machine.name in told(key, box) if found.instead else found.own_machine is box


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_example_is_a_sentence(language: str) -> None:
    """All places of an example's sentence are filled, in every language."""
    box = machine("rtx-3060-12gb")
    for key in TERMS:
        said = told(key, box, language)
        assert not set("{}") & set(said), key
        assert said.endswith("." if language == "en" else "。"), key


@pytest.mark.parametrize("model", ["BAAI/bge-small-en", "gpt-oss:20b", "state-spaces/mamba-2.8b", "gemma3:4b"])
def test_every_model_may_be_asked_about(model: str) -> None:
    """Where a model lacks what a term is about, another stands in and is named; nothing fails."""
    box = machine("rtx-4090")
    for key in TERMS:
        found = work_out(glossary("en").entry(key).example, box, model, read)
        assert bool(found.instead) or found.typed == model, key


def test_no_kind_is_left_over() -> None:
    """Every kind of example exists as a function, and some term uses it."""
    named = {name for names in KINDS.values() for name in names}
    assert named == {row["example"]["kind"] for row in FACTS["terms"].values()}
    assert all(callable(kind(name)) for name in named)
    spoken = {key.partition(".")[0] for key in content("en")["examples"]}
    assert spoken == named


def test_figures_are_those_of_the_answers() -> None:
    """An example's figures are what the other functions answer for the same model and machine."""
    box, model = machine("rtx-4090"), library.read("qwen3:8b")
    breakdown = library.account(model, quant="Q4_K_M", context_tokens=8192)

    def figure(key: str, name: str) -> Any:
        return work_out(glossary("en").entry(key).example, box, "qwen3:8b", read).figures[name].value

    assert figure("kv cache", "bytes") == breakdown.bytes("cache")
    assert figure("Q4_K_M", "bytes") == breakdown.bytes("weights")
    assert figure("FP8", "bytes") == library.account(model, "vllm", "fp8", context_tokens=8192).bytes("weights")
    plan = library.fit(model, box, quant="Q4_K_M", context_tokens=8192)[0]
    assert plan.speed.decode is not None
    assert figure("decode", "pace") == (plan.speed.decode.lower, plan.speed.decode.upper)
    assert figure("LoRA", "bytes") == library.train(model, "lora", sequence_tokens=2048).process_bytes
    assert figure("GQA", "full") == 4 * library.account(model, quant="Q4_K_M", context_tokens=32768).bytes("cache")


def test_what_a_machine_lacks_is_said() -> None:
    """A board without a card explains VRAM on a named card, and says so; the figures are the card's."""
    found = work_out(glossary("en").entry("VRAM").example, machine("raspberry-pi-5-8gb"), None, read)
    assert (found.machine.name, found.instead) == ("rtx-4090", ("card",))
    assert told("VRAM", machine("raspberry-pi-5-8gb")).startswith("There is no graphics card in Raspberry Pi 5, 8 GB, so")


def test_json_has_figures_with_evidence(sizeup: Run) -> None:
    """Programs get every figure with its unit and how it is known."""
    found = json.loads(sizeup("explain", "decode", "--on", "rtx-4090", "--json").out)
    figures = found["example"]["figures"]
    assert figures["rate"] == {"value": 1008e9, "unit": "bytes_per_s", "evidence": "published"}
    assert figures["pace"]["unit"] == "tokens_per_s"
    assert figures["pace"]["evidence"] == "predicted"
    assert found["text"] == " ".join(found[name] for name in SENTENCES)
    assert found["command"].startswith("sizeup fit ")


def test_a_server_names_no_files() -> None:
    """Over REST a term is worked out for machines and models by name; a path is refused as everywhere."""
    client = Client(app())
    assert client.get("/api/explain?word=decode&on=rtx-4090").status == 200
    assert client.get("/api/explain?word=decode&on=./box.toml").status == 403
    assert client.get("/api/explain?word=decode&model=/etc/passwd").status == 403


def test_the_list_loads_no_formulas() -> None:
    """Listing terms needs the words alone, and a term about bytes loads neither training nor the search."""
    code = "import sys; from sizeup.__main__ import main; code = main(sys.argv[1:]); print('\\n' + ' '.join(sys.modules)); sys.exit(code)"

    def loaded(*words: str) -> set[str]:
        said = subprocess.run([sys.executable, "-c", code, "explain", *words], capture_output=True, text=True, check=True)
        return set(said.stdout.splitlines()[-1].split())

    assert sorted(loaded() & {"sizeup.examples", "sizeup.search", "sizeup.probe.here", "numpy"}) == []
    assert sorted(loaded("kv", "cache", "--on", "rtx-4090") & {"sizeup.training", "sizeup.search", "numpy", "sqlite3", "rich"}) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_pages_are_what_the_tool_makes(language: str) -> None:
    """docs/glossary*.md are generated."""
    assert pages.file(language).read_text(encoding="utf-8") == pages.page(language)
