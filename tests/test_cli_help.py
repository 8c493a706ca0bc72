"""Help, completion and the glossary: every verb, every option, every language."""

from __future__ import annotations

import os
from collections.abc import Iterator

import click
import pytest

from sizeup.cli import main_group
from sizeup.i18n import LANGUAGES, texts
from sizeup.i18n.glossary import glossary
from sizeup.page import cells
from tests.program import Run
from tests.test_cli_process import program_run


def commands(group: click.Group) -> Iterator[tuple[str, click.Command]]:
    """Every verb as it is typed, those within a group of verbs too."""
    for name in group.list_commands(click.Context(group)):
        found = group.get_command(click.Context(group), name)
        assert found is not None
        yield name, found
        if isinstance(found, click.Group):
            yield from ((f"{name} {inner}", command) for inner, command in commands(found))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("verb", ["", *(name for name, _ in commands(main_group()))])
def test_help(sizeup: Run, verb: str, language: str) -> None:
    """Every verb has help with examples, in every language, within 80 columns."""
    said = sizeup(*verb.split(), "--help", "--lang", language)
    assert (said.code, said.err) == (0, "")
    assert texts(language)("help.examples") in said.out
    assert max(map(cells, said.out.splitlines())) <= 80


def test_every_option_is_worded() -> None:
    """No option of any verb lacks its help text."""
    group = main_group()
    missing = [
        f"{verb} {option.opts[0]}"
        for verb, command in commands(group)
        for option in command.params
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
    [
        ("sizeup mac", "1", "plain,machine"),
        ("sizeup fit x --quan", "3", "plain,--quant"),
        ("sizeup fit gemma2:2", "2", "plain,gemma2:2b"),
        ("sizeup explain 上下", "2", "plain,上下文"),
    ],
)
def test_completion(words: str, word: str, expected: str) -> None:
    """The shell completes verbs, options and names of the catalogue."""
    environment = {**os.environ, "LC_ALL": "zh_TW.UTF-8", "_SIZEUP_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": word}
    said = program_run(env=environment)
    assert expected in said.stdout.splitlines()


@pytest.mark.parametrize("language", LANGUAGES)
def test_explain(sizeup: Run, language: str) -> None:
    """Terms are found by any of their names, in English or in the language spoken; alone it lists them all."""
    words = glossary(language)
    options = ("--lang", language, "--on", "raspberry-pi-5-8gb")
    by_key = sizeup("explain", "kv", "cache", *options)
    assert by_key.code == 0
    assert by_key == sizeup("explain", "KV-Cache", *options)
    assert by_key == sizeup("explain", words.entry("kv cache").name, *options)
    listed = "".join(sizeup("explain", "--lang", language).out.split())
    assert [entry.key for entry in words.by_theme()["model"] if "".join(entry.name.split()) not in listed] == []
