"""Three READMEs say the same things, and only what the program can do."""

from __future__ import annotations

import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

import sizeup
from sizeup.cli import VERBS, main_group, reordered
from sizeup.page import cells
from tests.test_cli_help import commands

ROOT = Path(__file__).parent.parent
ENGLISH = "README.md"
CHINESE = ("README.zh-Hant.md", "README.zh-Hans.md")
READMES = (ENGLISH, *CHINESE)

OTHER_PLACES = {
    "README.zh-Hant.md": "內存 顯存 顯卡 數據 網絡 軟件 服務器 文件夾 默認 優化器 緩存 加載 信息 程序 命令行 字節 兼容 運行",
    "README.zh-Hans.md": "记忆体 显示卡 档案 资料 网路 软体 伺服器 资料夹 预设 最佳化 快取 载入 资讯 程式 指令列 位元组 相容 执行",
}
"""Words of computing that are another place's, in the characters of this one."""

CHARACTERS = {"README.zh-Hant.md": ("big5", "简体中文"), "README.zh-Hans.md": ("gb2312", "繁體中文")}
"""The characters each is written in, and the name of the other language, which is written in its own."""

_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def blocks(name: str) -> list[tuple[str, list[str]]]:
    """The code blocks: their language and their lines."""
    return [(language, body.splitlines()) for language, body in _BLOCK.findall(text(name))]


def command(line: str) -> str:
    """A line of code without the explanation at its right."""
    return re.split(r"\s{2,}", line)[0]


def headings(name: str) -> list[str]:
    return re.findall(r"^(#+) ", _BLOCK.sub("", text(name)), re.MULTILINE)


def links(name: str) -> list[str]:
    """What links and pictures lead to, the READMEs themselves aside."""
    return sorted(target for target in re.findall(r"\]\(([^)]+)\)", text(name)) if target not in READMES)


def sections(name: str) -> list[str]:
    return re.split(r"^#+ .*$", text(name), flags=re.MULTILINE)


def rows(name: str) -> list[str]:
    return [line for line in text(name).splitlines() if line.startswith("|")]


def numbers(part: str) -> list[str]:
    """Every number in digits, in no order: languages put them in different places of a sentence."""
    return sorted(re.findall(r"\d+(?:[.,]\d+)*", part))


def inline(name: str) -> list[str]:
    """Code within sentences."""
    return re.findall(r"`([^`\n]+)`", _BLOCK.sub("", text(name)))


def typed(name: str) -> Iterator[str]:
    """Every call of the program, in blocks and within sentences."""
    lines = [command(line) for language, body in blocks(name) for line in body if not language]
    for call in (*lines, *inline(name)):
        if call.split()[0] == "sizeup" and "VERB" not in call:
            yield call


def options_named(name: str) -> set[str]:
    """Options that stand anywhere, explanations included."""
    return set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", text(name)))


@pytest.mark.parametrize("name", CHINESE)
def test_same_headings(name: str) -> None:
    """As many headings, of the same levels, in the same order."""
    assert headings(name) == headings(ENGLISH)


@pytest.mark.parametrize("name", CHINESE)
def test_same_commands(name: str) -> None:
    """Every code block has the same commands; only explanations are translated."""

    def commands(of: str) -> list[tuple[str, list[str]]]:
        return [(language, [command(line) for line in body]) for language, body in blocks(of)]

    assert commands(name) == commands(ENGLISH)


@pytest.mark.parametrize("name", READMES)
def test_explanations_are_aligned(name: str) -> None:
    """In a block of commands all explanations begin in one column, as a terminal counts cells."""
    for language, body in blocks(name):
        if not language:
            columns = {cells(line[: found.end()]) for line in body if (found := re.search(r"\s{2,}", line))}
            assert (len(columns) <= 1, body) == (True, body)


@pytest.mark.parametrize("name", CHINESE)
def test_same_links(name: str) -> None:
    """The same pages and pictures are linked."""
    assert links(name) == links(ENGLISH)


@pytest.mark.parametrize("name", READMES)
def test_links_to_the_other_languages(name: str) -> None:
    """Each leads to the other two at its top."""
    top = text(name).split("\n")[2]
    assert re.findall(r"\]\(([^)]+)\)", top) == [other for other in READMES if other != name]


def test_links_lead_somewhere() -> None:
    """Every linked file and picture exists."""
    assert [target for target in links(ENGLISH) if "://" not in target and not (ROOT / target).exists()] == []


@pytest.mark.parametrize("name", READMES)
def test_links_are_called_what_they_are(name: str) -> None:
    """A link whose text is a path leads to that path."""
    paths = re.findall(r"\[([\w./-]+\.md)\]\(([^)]+)\)", text(name))
    assert [label for label, _ in paths] == [target for _, target in paths]


@pytest.mark.parametrize("name", CHINESE)
def test_same_figures_in_tables(name: str) -> None:
    """Row by row the tables hold the same numbers."""
    assert [numbers(row) for row in rows(name)] == [numbers(row) for row in rows(ENGLISH)]


@pytest.mark.parametrize("name", CHINESE)
def test_same_numbers(name: str) -> None:
    """Section by section no number is missing, added or changed."""
    assert [numbers(part) for part in sections(name)] == [numbers(part) for part in sections(ENGLISH)]


@pytest.mark.parametrize("name", CHINESE)
def test_same_code_within_sentences(name: str) -> None:
    """What is set as code within sentences is typed, so it is the same."""
    assert sorted(inline(name)) == sorted(inline(ENGLISH))


@pytest.mark.parametrize("call", sorted(set(typed(ENGLISH))))
def test_the_program_takes_what_is_typed(call: str) -> None:
    """Every call that is shown names a verb that exists, with options, arguments and values that it takes."""
    words = reordered(shlex.split(call)[1:])
    verb: click.Command | None = main_group()
    while isinstance(verb, click.Group):
        verb, words = verb.get_command(click.Context(verb), words[0]), words[1:]
    assert verb is not None
    assert verb.make_context(verb.name, words).command is verb


def test_every_verb_is_shown() -> None:
    """No verb is left out."""
    shown = {reordered(shlex.split(call)[1:])[0] for call in typed(ENGLISH)}
    assert set(VERBS) - shown == set()


@pytest.mark.parametrize("name", READMES)
def test_options_exist(name: str) -> None:
    """Every option named anywhere is one of some verb, or the help that all have."""
    group = main_group()
    known = {"--help"}
    for _, verb in commands(group):
        known |= {option for parameter in verb.params for option in (*parameter.opts, *parameter.secondary_opts)}
    assert options_named(name) - known == set()


def test_targets_and_extras_exist() -> None:
    """`make` has the targets that are shown, and what pip is told to install is an extra of the package."""
    targets = {command(line).split()[1] for _, body in blocks(ENGLISH) for line in body if line.startswith("make ")}
    assert {target for target in targets if f"\n{target}:" not in text("Makefile")} == set()
    extras = tomllib.loads(text("pyproject.toml"))["project"]["optional-dependencies"]
    named = {extra for found in re.findall(r'"\.\[([\w,-]+)\]"', text(ENGLISH)) for extra in found.split(",")}
    assert (bool(named), named - set(extras)) == (True, set())


def test_python_names_exist() -> None:
    """Every name of the package that the Python example uses is public."""
    code = "\n".join(line for language, body in blocks(ENGLISH) if language == "python" for line in body)
    assert {name for name in re.findall(r"\bsizeup\.(\w+)", code) if name not in sizeup.__all__} == set()


@pytest.mark.parametrize("name", CHINESE)
def test_words_and_characters_of_the_place(name: str) -> None:
    """Each is written in its own characters and with the words of its place."""
    encoding, other_name = CHARACTERS[name]
    own = text(name).replace(other_name, "")
    assert [word for word in OTHER_PLACES[name].split() if word in own] == []
    assert {letter for letter in own if "一" <= letter <= "鿿" and not letter.encode(encoding, "ignore")} == set()
