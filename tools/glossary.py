"""Writes docs/glossary*.md: every term with its three sentences and its example on one machine. Run: python -m tools.glossary."""

from __future__ import annotations

from pathlib import Path

from sizeup.examples import work_out
from sizeup.i18n import LANGUAGES, texts
from sizeup.i18n.glossary import Entry, Glossary, glossary
from sizeup.page import Page
from sizeup.probe import machine
from sizeup.readers import read
from sizeup.render.term import command, sentence

FOLDER = Path(__file__).resolve().parent.parent / "docs"
MACHINE = "rtx-4090"
HEADS = {
    "en": (
        "The words of the field",
        f"Every term in three sentences: what it is, what it does to memory or speed, what to do. The examples are worked out for an {MACHINE} "
        "in a PC with 32 GiB; `sizeup explain TERM` works them out for the machine that it runs on, `--on` and `--model` for others. "
        "Made by `python -m tools.glossary`.",
        "Example", "Go on with", "See it for real",
    ),
    "zh-Hant": (
        "這一行的術語",
        f"每個術語三句話：是什麼、對記憶體或速度有什麼影響、該怎麼做。例子以 32 GiB 主記憶體、{MACHINE} 的電腦算出；"
        "`sizeup explain 術語` 會改用你的電腦來算，`--on` 與 `--model` 可換機器與模型。由 `python -m tools.glossary` 產生。",
        "例子", "接著看", "親自看看",
    ),
    "zh-Hans": (
        "行话手册",
        f"每个术语三句话：是什么、怎样影响内存或速度、该怎么做。例子按配 {MACHINE}、32 GiB 主内存的电脑来算；"
        "`sizeup explain 术语` 会换成你的电脑，`--on` 和 `--model` 换别的机器和模型。由 `python -m tools.glossary` 生成。",
        "例子", "接着看", "实际看看",
    ),
}  # fmt: skip
"""Title, introduction, and what the three lines under a term are called."""


def file(language: str) -> Path:
    """The page of this language."""
    return FOLDER / ("glossary.md" if language == "en" else f"glossary.{language}.md")


def page(language: str, terms: int | None = None) -> str:
    """The whole page; only the first `terms` of each theme for a quick look."""
    words = glossary(language)
    title, introduction, *_ = HEADS[language]
    others = " · ".join(f"[{name}]({file(name).name})" for name in LANGUAGES if name != language)
    lines = [f"# {title}", "", introduction, "", others, ""]
    for theme, entries in words.by_theme().items():
        lines += [f"## {words.themes[theme]}", ""]
        for entry in entries[:terms]:
            lines += section(words, entry)
    return "\n".join(lines).rstrip() + "\n"


def section(words: Glossary, entry: Entry) -> list[str]:
    """One term."""
    *_, example_title, see_title, command_title = HEADS[words.language]
    found = work_out(entry.example, machine(MACHINE), None, read, words.language)
    colon, comma, gap = (": ", ", ", " ") if words.language == "en" else ("：", "、", "")
    names = comma.join(name for name in entry.also if name != entry.name)
    see = comma.join(words.entry(key).name for key in entry.see)
    return [
        f"### {entry.name}", "", *([f"*{names}*", ""] if names else []), gap.join((entry.what, entry.effect, entry.advice)), "",
        f"{example_title}{colon}{sentence(Page(texts(words.language)), words, found)}", "",
        f"{see_title}{colon}{see}  ", f"{command_title}{colon}`{command(entry, found, MACHINE)}`", "",
    ]  # fmt: skip


def main() -> None:
    for language in LANGUAGES:
        file(language).write_text(page(language), encoding="utf-8")


if __name__ == "__main__":
    main()
