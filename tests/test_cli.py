"""The command line: verbs, exit codes, errors in three languages, what is printed where."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sizeup import __main__ as program
from sizeup.cli import VERBS, main_group, reordered
from sizeup.errors import EngineFailed
from sizeup.i18n import LANGUAGES, texts
from sizeup.page import cells
from tests.broken import BROKEN
from tests.ghosts import unpack
from tests.program import Run

SMALL_BOX = """
[cpu]
cores = 2
threads = 2
[ram]
memory = "1GiB"
free = "900MiB"
bandwidth = "10 GB/s"
"""


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A model file of a few KB on disk: the header of a real one."""
    return str(unpack("SmolLM2-135M-Q4_K_M", tmp_path_factory.mktemp("models")))


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(unpack("Llama-3.1-8B-Q4_K_M", tmp_path_factory.mktemp("models")))


@pytest.fixture
def small_box(tmp_path: Path) -> str:
    path = tmp_path / "box.toml"
    path.write_text(SMALL_BOX)
    return str(path)


def test_fit(sizeup: Run, model: str) -> None:
    """A model that fits: exit 0, the verdict, and the command to paste."""
    said = sizeup("fit", model)
    assert (said.code, said.err) == (0, "")
    assert said.out.splitlines()[1].endswith("  fits")
    assert f"llama-server -m {model} -c 8192" in said.out.replace(" \\\n    ", " ")


def test_a_model_without_a_verb_means_fit(sizeup: Run, model: str) -> None:
    """`sizeup MODEL` is `sizeup fit MODEL`, wherever the options stand. On a described machine, whose free memory stands still."""
    box = ("--on", "raspberry-pi-5-8gb")
    whole = sizeup("fit", model, "--context", "4096", "--lang", "zh-Hant", *box)
    assert sizeup(model, "--context", "4096", "--lang", "zh-Hant", *box) == whole
    assert sizeup("--lang", "zh-Hant", model, "--context", "4096", *box) == whole
    assert sizeup("--lang=zh-Hant", "fit", model, "--context=4096", *box) == whole


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        ([], ["home"]),
        (["--json"], ["home", "--json"]),
        (["--units", "si"], ["home", "--units", "si"]),
        (["x.gguf"], ["fit", "x.gguf"]),
        (["--lang", "en", "machine", "--json"], ["machine", "--json", "--lang", "en"]),
        (["--json", "--help"], ["--help"]),
        (["--help"], ["--help"]),
        (["fit", "--help"], ["fit", "--help"]),
    ],
)
def test_reordered(args: list[str], expected: list[str]) -> None:
    """The verb comes first; without one there is a default."""
    assert expected == reordered(args)


def test_does_not_fit_is_an_answer(sizeup: Run, large: str, small_box: str) -> None:
    """Exit 3, on standard output, with what is needed and what there is."""
    said = sizeup("fit", large, "--on", small_box)
    assert (said.code, said.err) == (3, "")
    assert said.out.splitlines()[1].endswith("does not fit")
    assert "900 MiB is free" in said.out
    again = sizeup("fit", large, "--on", small_box, "--json")
    assert (again.code, json.loads(again.out)["fits"]) == (3, False)


def test_json(sizeup: Run, model: str) -> None:
    """One document; bytes are integers and add up."""
    said = sizeup("fit", model, "--json")
    plan = json.loads(said.out)
    claims = plan["breakdown"]["claims"]
    assert (said.code, said.err, plan["fits"]) == (0, "", True)
    assert all(type(claim["bytes"]) is int for claim in claims)
    assert sum(claim["bytes"] for claim in claims) == plan["breakdown"]["total_bytes"]


def test_json_of_every_verb(sizeup: Run, model: str) -> None:
    """model, machine, explain and --why answer in JSON too."""
    assert json.loads(sizeup("model", model, "--json").out)["architecture"] == "llama"
    assert json.loads(sizeup("machine", "--json").out)["name"] == "this machine"
    listed = json.loads(sizeup("machine", "--list", "4090", "--json").out)
    assert {"GeForce RTX 4090", "GeForce RTX 4090 Laptop"} <= {device["name"] for device in listed["devices"]}
    assert json.loads(sizeup("explain", "gguf", "--json").out)["term"] == "GGUF"
    derivation = json.loads(sizeup("fit", model, "--why", "cache", "--json").out)["derivation"]
    assert sum(line["value"] for line in derivation) == 30 * 8192 * 2 * 192 * 2


def test_why_needs_no_part(sizeup: Run, model: str) -> None:
    """`--why` alone tells everything, also before the model; with a part only that one."""
    everything = sizeup("fit", "--why", model)
    assert everything == sizeup("fit", model, "--why")
    cache = sizeup("fit", model, "--why", "cache").out
    assert "keys and values of one layer" in cache
    assert len(cache) < len(everything.out)


def test_why_equals_the_answer(sizeup: Run, model: str) -> None:
    """What is explained is what was answered, part by part, to the byte."""
    answer = json.loads(sizeup("fit", model, "--json").out)["breakdown"]["claims"]
    told = json.loads(sizeup("fit", model, "--why", "--json").out)["derivation"]
    assert [(c["part"], c["bytes"]) for c in answer if c["bytes"]] == [(t["name"], t["value"]) for t in told][: len(answer)]


MISTAKES: list[tuple[list[str], int, str]] = [
    (["fit"], 2, "MODEL is missing."),
    (["fit", "x.gguf", "--contxt", "5"], 2, "There is no option --contxt."),
    (["fit", "no-such-model-anywhere"], 4, "No model is called “no-such-model-anywhere”."),
    (["fit", "./no-such-file.gguf"], 4, "There is no file no-such-file.gguf."),
    (["models", "--on", "rtx-4090", "--ram", "24G"], 2, "“24G” has two readings that differ by 7 %."),
    (["machine", "no-such-machine-9000"], 4, "No machine or device is called “no-such-machine-9000”."),
    (["explain", "quantisatoin"], 4, "The glossary has no “quantisatoin”."),
    (["machine", "--lang", "fr"], 2, "“fr” is not a language of sizeup."),
    (["machine", "--units", "metric"], 2, "--units does not take this value."),
    (["models", "--limit", "0"], 2, "--limit = 0 is below 1."),
    (["fit", "gpt-4o"], 4, "GPT-4o is closed: "),
]


@pytest.mark.parametrize(("args", "code", "message"), MISTAKES)
def test_mistakes(sizeup: Run, args: list[str], code: int, message: str) -> None:
    """One sentence, one line that begins "Try", the exit code, nothing on standard output."""
    said = sizeup(*args)
    assert (said.code, said.out) == (code, "")
    first, second = said.err.splitlines()
    assert first.startswith(message)
    assert second.startswith("Try: ")


@pytest.mark.parametrize("language", LANGUAGES[1:])
@pytest.mark.parametrize(("args", "code", "message"), [row for row in MISTAKES if "fr" not in row[0]])
def test_mistakes_in_chinese(sizeup: Run, args: list[str], code: int, message: str, language: str) -> None:
    """The same mistakes in Chinese: every sentence has a translation."""
    said = sizeup(*args, "--lang", language)
    assert said.code == code
    assert not said.err.startswith(message)
    assert said.err.splitlines()[1].startswith(texts(language)("error.try", hint=""))


def test_two_readings_are_offered(sizeup: Run) -> None:
    """An ambiguous size is refused with both readings."""
    assert sizeup("models", "--on", "rtx-4090", "--ram", "24G").err.splitlines()[1] == "Try: 24GiB (binary) or 24GB (decimal)"


@pytest.mark.parametrize("context", ["0", "-5", "1000000000000", "abc"])
def test_impossible_contexts(sizeup: Run, model: str, context: str) -> None:
    """A context that nobody can mean is a mistake, not a crash."""
    said = sizeup("fit", model, f"--context={context}")
    assert (said.code, len(said.err.splitlines())) == (2, 2)


@pytest.mark.parametrize("name", BROKEN)
@pytest.mark.parametrize("verb", ["fit", "model", "run"])
def test_a_broken_file(sizeup: Run, verb: str, name: str, tmp_path: Path) -> None:
    """Every verb that reads a file says in one sentence what is wrong with it, with a way out and exit code 4."""
    path = tmp_path / "model.gguf"
    path.write_bytes(BROKEN[name][0])
    said = sizeup(verb, str(path))
    assert (said.code, said.out) == (4, "")
    first, second = said.err.splitlines()
    assert "model.gguf" in first
    assert second.startswith("Try: ")


def test_errors_as_json(sizeup: Run) -> None:
    """With --json a mistake is one document on standard output."""
    said = sizeup("fit", "no-such-model-anywhere", "--json")
    error = json.loads(said.out)["error"]
    assert (said.code, said.err) == (4, "")
    assert (error["kind"], error["message"], error["exit_code"]) == ("NotFound", "No model is called “no-such-model-anywhere”.", 4)


def raising(error: BaseException) -> Callable[..., Any]:
    def fail(*args: Any, **options: Any) -> Any:
        raise error

    return fail


def test_a_bug_is_one_line(sizeup: Run, model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Our own mistake is said to be ours, in one line with the way to see more, exit 70; SIZEUP_DEBUG=1 lets it through."""
    monkeypatch.setattr("sizeup.search.fit", raising(ValueError("odd")))
    said = sizeup("fit", model)
    assert said == (70, "", "This is a bug in sizeup (ValueError: odd). SIZEUP_DEBUG=1 shows the traceback.\n")
    monkeypatch.setenv("SIZEUP_DEBUG", "1")
    with pytest.raises(ValueError, match="odd"):
        program.main(["fit", model])


def test_interrupt(sizeup: Run, model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C ends quietly with 130."""
    monkeypatch.setattr("sizeup.search.fit", raising(KeyboardInterrupt()))
    assert sizeup("fit", model) == (130, "", "\n")


def test_an_engine_that_fails_shows_its_log(sizeup: Run, model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit 6, the sentence, the hint and the engine's own last lines."""
    monkeypatch.setattr("sizeup.search.fit", raising(EngineFailed("The engine failed: no.", "sizeup fit", "line 1\nline 2")))
    assert sizeup("fit", model) == (6, "", "The engine failed: no.\nTry: sizeup fit\nline 1\nline 2\n")


def program_run(*args: str, **options: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "sizeup", *args], capture_output=True, text=True, check=False, **options)


def test_nobody_reads(model: str) -> None:
    """A closed pipe is no error that anybody has to read about."""
    child = subprocess.Popen([sys.executable, "-m", "sizeup", "fit", model], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert child.stdout is not None
    assert child.stderr is not None
    child.stdout.close()
    said = child.stderr.read()
    child.stderr.close()
    assert (child.wait(), said) == (141, "")


HEAVY = ("numpy", "rich", "httpx", "httpx2", "xllamacpp", "pynvml", "sqlite3", "asyncio", "email", "importlib.metadata", "sizeup.recommend")


@pytest.mark.parametrize("extra", [[], ["--json"], ["--lang", "zh-Hant"]])
def test_cold_start_imports_nothing_heavy(model: str, extra: list[str]) -> None:
    """An answer from a local file imports none of the heavy packages, and no verb but its own."""
    code = "import sys; from sizeup.__main__ import main; code = main(sys.argv[1:]); print('\\n' + ' '.join(sys.modules)); sys.exit(code)"
    found = subprocess.run([sys.executable, "-c", code, "fit", model, *extra], capture_output=True, text=True, check=True)
    loaded = set(found.stdout.splitlines()[-1].split())
    assert sorted(loaded & set(HEAVY)) == []
    assert sorted(name for name in loaded if name.startswith("sizeup.cli.")) == [
        "sizeup.cli.fit",
        "sizeup.cli.settings",
        "sizeup.cli.verb",
    ]


def test_a_locale_that_cannot_show_it(model: str) -> None:
    """Where standard output is ASCII the answer is still one, drawn with plain characters."""
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "SIZEUP_LANG": "en"}
    said = program_run("fit", model, env=environment)
    assert (said.returncode, said.stderr) == (0, "")
    assert "#" in said.stdout
    assert said.stdout.isascii()


@pytest.mark.parametrize(
    ("variables", "options", "coloured"), [({}, [], True), ({"NO_COLOR": "1"}, [], False), ({}, ["--no-color"], False)]
)
def test_colours_only_where_a_person_looks(model: str, variables: dict[str, str], options: list[str], coloured: bool) -> None:
    """A terminal gets colours unless it refuses them."""
    parent, child = pty.openpty()
    environment = {name: value for name, value in os.environ.items() if name != "NO_COLOR"} | {"TERM": "xterm", **variables}
    subprocess.run([sys.executable, "-m", "sizeup", "fit", model, *options], stdout=child, env=environment, check=True)
    os.close(child)
    said = b""
    try:
        while chunk := os.read(parent, 65536):
            said += chunk
    except OSError:
        pass  # how a terminal says that its other end is closed
    os.close(parent)
    assert (b"\x1b[" in said) == coloured


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("verb", ["", *VERBS])
def test_help(sizeup: Run, verb: str, language: str) -> None:
    """Every verb has help with examples, in every language, within 80 columns."""
    said = sizeup(*filter(None, (verb, "--help", "--lang", language)))
    assert (said.code, said.err) == (0, "")
    assert texts(language)("help.examples") in said.out
    assert max(map(cells, said.out.splitlines())) <= 80


def test_every_option_is_worded() -> None:
    """No option of any verb lacks its help text."""
    group = main_group()
    missing = [
        f"{verb} {option.opts[0]}"
        for verb in VERBS
        for option in group.get_command(None, verb).params
        if hasattr(option, "key") and not texts("en").has(f"option.{option.key}")
    ]
    assert missing == []


def test_version(sizeup: Run) -> None:
    """`--version` names the program."""
    assert sizeup("--version").out.startswith("sizeup ")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_script(sizeup: Run, shell: str) -> None:
    """Each shell gets its script."""
    said = sizeup("completion", shell)
    assert said.code == 0
    assert "_SIZEUP_COMPLETE" in said.out


@pytest.mark.parametrize(
    ("words", "word", "expected"),
    [("sizeup mac", "1", "plain,machine"), ("sizeup fit x --quan", "3", "plain,--quant"), ("sizeup fit gemma2:2", "2", "plain,gemma2:2b")],
)
def test_completion(words: str, word: str, expected: str) -> None:
    """The shell completes verbs, options and names of the catalogue."""
    environment = {**os.environ, "_SIZEUP_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": word}
    said = program_run(env=environment)
    assert expected in said.stdout.splitlines()


@pytest.mark.parametrize("language", LANGUAGES)
def test_explain(sizeup: Run, language: str) -> None:
    """Terms are found by any of their names, in English or in the language spoken; alone it lists them all."""
    t = texts(language)
    by_key = sizeup("explain", "kv", "cache", "--lang", language)
    assert by_key.code == 0
    assert by_key == sizeup("explain", "KV-Cache", "--lang", language)
    assert by_key == sizeup("explain", str((t.term("kv cache") or {})["name"]), "--lang", language)
    listed = "".join(sizeup("explain", "--lang", language).out.split())
    assert "".join(str((t.term("MoE") or {})["name"]).split()) in listed
