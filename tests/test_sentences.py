"""Whatever an error can say exists in every language."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from sizeup import i18n
from sizeup.browser.audience import HEADER
from sizeup.facts import data_json
from sizeup.fleet import kubernetes_scan, nodes_file, slurm_scan
from sizeup.probe.table import ALONE, parts
from sizeup.readers.local import KINDS
from tests.raised import raised, warned

TYPED = {
    "frozen",
    "none",
    "expert_parallel=on",
    '--on "4x h100-sxm" --count 3',
    '--on "4x h100-sxm" --count 3 --on "8x l40s" --count 1',
    "--model qwen3:8b --users 100",
    "--users 100",
    'model = "Qwen/Qwen3-32B"',
    "none, 1-node",
    "vllm, sglang, llama.cpp",
    "2s, 50ms",
    "--emit args",
    "--emit compose",
    "--engine vllm",
    "count = 8",
    "free_cards = {}",
    "labels = { zone = “a” }",
    "machine = “8x h100-sxm nvlink”",
    "kubectl get nodes",
    "kubectl get nodes -o json",
    "scontrol ping",
    "--model qwen3:8b",
    "http://127.0.0.1:8080",
    "https://ollama.com/download",
    "sizeup models --installed --context 32K",
    "--layers {}",
    "GET /api/{}?…",
    "POST /api/{}",
    '{"model": "qwen3:8b", "users": 20, "on": ["4x h100-sxm"]}',
    "ram = “2TiB”",
    "{} = “…”",
    "--share-layers all",
    "--tensor-parallel {} --pipeline-parallel {}",
    "--replicas {}",
    "sizeup fleet status",
    "sizeup fleet plan … --json > plan.json",
    "sizeup fleet plan … --emit deployment --to FOLDER",
    "sizeup fleet scan --save inventory.json",
    "--algorithm sft",
    "--emit trl",
    "--method lora",
    "--targets all-linear",
    "--assume llama",
    "--machines rtx-4090",
    "--ram 32GiB",
    "--why Qwen/Qwen3-8B",
    "llama.cpp",
    "auto, bfloat16, float16, float32",
    "bf16, fp8, awq, gptq, w4a16",
    "--engine llama.cpp",
    "permissive, apache-2.0, mit",
    "vision, audio, text",
    "--why {}",
    "2x {} nvlink",
    "True",
    "all",
    "bandwidth = “1008 GB/s”",
    "bandwidth = “32 GB/s”",
    "chmod u+r {}",
    "ends = [“vram:0”, “vram:1”]",
    "ollama pull {}",
    "iconv -t UTF-8",
    "pip install xllamacpp=={}",
    "sizeup --help",
    "--batches 1,2,4",
    "--depths 0,4K",
    "--depths 0,4K --batches 1,2",
    "sizeup bench --help",
    "sizeup compare qwen3:8b gemma3:4b",
    "sizeup compare {}@{} {}@",
    "sizeup explain",
    "sizeup fit MODEL",
    "sizeup fit qwen3:8b gemma3:4b --together",
    "sizeup ghost MODEL --to FOLDER",
    "sizeup machine",
    "sizeup models --help",
    "sizeup pretrain --parameters 8B",
    "sizeup prove --all",
    "sizeup pull {} --for {}",
    "sizeup prove --help",
    "sizeup rehearse --help",
    "sizeup run FILE.gguf --serve",
    "sizeup serve --allow-files",
    "sizeup serve --allow-run",
    "sizeup serve --cors ORIGIN",
    "sizeup {} --help",
    "{} = “24GiB”",
    "{}={}",
    "kv_bits=0",
    "{}=64",
    "{}=0.9",
    "--context",
    "{}-00001-of-{}.gguf",
    "{}/FILE.gguf",
    "{}/NAME.toml",
}
"""Hints to be typed as they stand: nothing in them to translate."""

VALUES = {
    "fleet/nodes_file.py: error.hint": "a hint that stands elsewhere",
    "fleet/nodes_file.py: (close_names(state, STATES, 1) or STATES)[0]": "a state",
    "engines/vllm/release.py: newest()": "a version",
    "engines/asked.py: ', '.join(near or known)": "words of a setting",
    "training/emit/__init__.py: near[0] if near else ', '.join(TOOLS)": "names",
    "quality.py: near[0] if near else ', '.join(tasks())": "names of tasks",
    "training/recipe.py: near[0] if near else ', '.join(known)": "names",
    "training/check.py: near[0] if near else ', '.join(known)": "names",
    "training/companions.py: near[0] if near else ', '.join(ALGORITHMS)": "names",
    "training/optimizers.py: near[0] if near else ', '.join(rows)": "names",
    "training/splits.py: near[0] if near else ', '.join(kinds)": "names",
    "trace/proof.py: near[0] if near else ', '.join(known)": "names",
    "training/parallel.py: _divisor(number, ranks)": "a number",
    "drive/lmstudio.py: load_line(plan, key)": "a command",
    "cli/mistakes.py: _near(error) or helped": "names of options",
    "cli/mistakes.py: error.format_message()": "click's own words",
    "cli/mcp.py: INSTALL": "a command",
    "net/client.py: INSTALL": "a command",
    "pulls/run.py: error.message": "an error raised elsewhere",
    "readers/__init__.py: error.message": "an error raised elsewhere",
    "readers/online.py: error.hint": "the hint of an error raised elsewhere",
    "cli/serve.py: INSTALL": "a command",
    "tokens/whole.py: first.hint": "the hint of an error raised elsewhere",
    "tokens/whole.py: first.message": "an error raised elsewhere",
    "web/failures.py: error.hint": "the hint of an error raised elsewhere",
    "web/failures.py: error.message": "an error raised elsewhere",
    "datasets/tokenizer.py: INSTALL": "a command",
    "engines/children.py: event['hint'] or 'sizeup fit for a plan that fits'": "the hint of an error raised in the engine's process",
    "engines/children.py: install": "a command",
    "engines/llamacpp/settings.py: near[0] if near else ', '.join(kinds())": "names of backends",
    "engines/llamacpp/settings.py: near[0] if near else ', '.join(CACHE_TYPES)": "names of formats",
    "engines/llamacpp/settings.py: example": "a number, or all",
    "settable.py: ', '.join(close_names(name, names, 1) or names)": "names of settings",
    "probe/described.py: text.strip()": "what was asked for, without its link",
    "probe/machine_values.py: error.hint": "the hint of an error raised elsewhere",
    "probe/table.py: _sold(candidates)": "sizes",
    "readers/names.py: _most_used_of(nearest)": "ids of models",
    "readers/names.py: _most_used_of(numbers)": "ids of models",
    "readers/__init__.py: error.hint": "the hint of an error raised elsewhere",
    "readers/json_pieces.py: str(error) if isinstance(error, NotJson) else 'one of its entries is not JSON'": "an error raised elsewhere",
}
"""Arguments that hold no words of their own -> what they hold."""

FOREIGN = (*(f"{{}} is {what}." for _, what, _ in KINDS), "{} is all zeros at its start, as a download that never finished.")
FOREIGN_HINTS = (*(hint for _, _, hint in KINDS if hint != "git lfs pull"), "download it again")
NO_MODEL = "{} is no model file: it begins with “{}”, not with “GGUF”."
BECOMES = {
    "fleet/kubernetes_scan.py: TYPED": (kubernetes_scan.TYPED,),
    "fleet/slurm_scan.py: TYPED": (slurm_scan.TYPED,),
    "fleet/nodes_file.py: FORMAT": (nodes_file.FORMAT,),
    "browser/audience.py: HEADER": (HEADER,),
    "budget.py: _EXAMPLE": ("--budget 1e23FLOP, --budget 50000h or --budget $200k",),
    "datasets/count.py: FORMATS": ("a .jsonl, .json, .txt or .parquet file",),
    "media/look.py: FORMATS": ("a PDF, PNG, JPEG, GIF, WebP, TIFF, MP3, WAV, FLAC, OGG, MP4, MKV or WebM file",),
    "datasets/rows.py: FORMATS": ("a .jsonl, .json, .txt or .parquet file",),
    "probe/table.py: nearest(name)": ("rtx-4090, m3-max-64gb, raspberry-pi-5-8gb or a TOML file",),
    "readers/gguf.py: hint": ("download it again",),
    "readers/gguf.py: f'it claims {count:,} {what} in {show_bytes(self.cursor.source.size)}'": (
        "it claims {} tensors in {}",
        "it claims {} metadata keys in {}",
    ),
    "readers/gguf.py: f'{what} claims {length:,} bytes'": (
        "a key claims {} bytes",
        "a tensor's name claims {} bytes",
        "an element of {} claims {} bytes",
    ),
    "readers/local.py: _nearby(path)": ("the path of a .gguf, a config.json or a folder, or a model's name",),
    "readers/local.py: f'{path} is {what}.'": (*FOREIGN, NO_MODEL),
    "readers/local.py: way_out": (*FOREIGN_HINTS, "a .gguf, a .safetensors, a config.json or a folder of them"),
    "readers/local.py: f'{path} is {what[0]}.'": FOREIGN,
    "readers/local.py: what[1]": FOREIGN_HINTS,
    "readers/safetensors.py: f'{source.name} is {what}.'": FOREIGN,
    "readers/safetensors.py: way_out": FOREIGN_HINTS,
    "readers/safetensors.py: hint": ("download it again",),
    "tokens/document.py: _UNPACK": ("the same document saved as .txt, .html or .pdf",),
}
"""Arguments whose words are chosen elsewhere -> all that they become."""

KINDS_OF_VALUES = ("a text", "true or false", "a list", "a table", "something else")
"""What a field of a config may hold, in place of what it should."""


def words(text: str) -> bool:
    """Whether a text has a word of English beside names, options, paths and values."""
    return bool(re.search(r"[a-z]{3,}|\b(or|is)\b", re.sub(r"--[\w-]+|\S*=\S*|\{\}/\S+|\{\}|\.(gguf|toml)\b", " ", text)))


EXTRAS = {row["name"] for row in data_json("install.json")["extras"]}
"""Names of what pip installs beside: the same in every language."""


def translated(text: str, language: str) -> bool:
    """Whether a text is translated whole: nothing of its own is taken for the value of a place."""
    if text in i18n._content(language)["sentences"]:
        return True
    match = next((found for pattern, _, _ in i18n._patterns(language) if (found := pattern.fullmatch(text))), None)
    return match is not None and all(not words(place) or place in EXTRAS or translated(place, language) for place in match.groups())


def sentences() -> Iterator[str]:
    """Every text with words that an error can have."""
    yield from KINDS_OF_VALUES
    for where, text in raised():
        if where in BECOMES:
            yield from filter(words, BECOMES[where])
        elif words(text) and text not in TYPED:
            yield text


@pytest.mark.parametrize("language", i18n.LANGUAGES[1:])
def test_every_error_is_translated(language: str) -> None:
    """Each sentence and each hint of each error that the package can raise has a translation."""
    assert sorted({text for text in sentences() if text not in TYPED and not translated(text, language)}) == []


def test_no_words_hide_in_values() -> None:
    """An argument that the source alone does not tell is a list of names, or stands above with what it holds."""
    unknown = {where for where, text in raised() if text == "{}" and ": ', '.join(" not in where}
    assert sorted(unknown - VALUES.keys() - BECOMES.keys()) == []


def test_nothing_is_excused_that_is_not_raised() -> None:
    """The lists above name what is in the source, and nothing else."""
    found = list(raised())
    assert sorted((VALUES.keys() | BECOMES.keys()) - {where for where, _ in found}) == []
    assert sorted(TYPED - {text for _, text in found}) == []


def test_a_sentence_is_not_taken_for_another() -> None:
    """A text of which a vaguer sentence would swallow a part counts as not translated."""
    assert translated("There is no file {}.", "zh-Hant")
    assert not translated("There is no file {} in the folder of these.", "zh-Hant")


LIMITS = (
    "iOS lets one app hold {} of {} with the increased-memory-limit entitlement, {} without",
    "Android is supposed to leave one app {} of {} (low-memory killer)",
    "cgroup {} of {}: {} of {}",
    "cgroup {} of {}: {} cores of {} threads",
    "“{}” is taken as {}; it could be {} or {}.",
    "“{}” is taken as {}; it could be {} or {} or {}.",
)
"""Sentences about a machine that code puts together from several places."""


@pytest.mark.parametrize("language", i18n.LANGUAGES[1:])
def test_every_warning_is_translated(language: str) -> None:
    """What a machine or a model warns of, and every limit that it names, has a translation as errors have."""
    errors = {text for _, text in raised()}
    said = {*LIMITS, *(text for _, text in warned() if words(text) and text not in errors)}
    assert len(said) > 40
    assert sorted(text for text in said if not translated(text, language)) == []


@pytest.mark.parametrize("language", i18n.LANGUAGES[1:])
def test_what_accelerators_need_is_translated(language: str) -> None:
    """The notes of devices that are no GPUs, and of those that are refused, are shown as they stand in the table."""
    notes = {part.notes for part in parts() if part.kind in ("accelerator", *ALONE) and part.notes}
    assert notes
    assert sorted(note for note in notes if i18n.texts(language).sentence(note) == note) == []
