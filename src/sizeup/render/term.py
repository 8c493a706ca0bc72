"""A term of the field as a page: three sentences, the example worked out, where to go next; and the list of terms by theme."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

from sizeup.hardware import Machine
from sizeup.i18n.glossary import SENTENCES, Entry, Glossary, glossary
from sizeup.page import Page, indented
from sizeup.units import show_bandwidth, show_rate

from .answer import EDGE
from .names import parameters, pool_name

if TYPE_CHECKING:
    from sizeup.examples import Example
    from sizeup.examples.scene import Told

MOST_NAMES = 4
"""Other names of a term that are shown beside it."""
STEPS_S = (("us", 1e-6, 1e-3), ("ms", 1e-3, 1.0), ("s", 1.0, 120.0), ("min", 60.0, 7200.0), ("h", 3600.0, float("inf")))
"""Units of time: how they are called, how long they are, up to where they are used."""


def term(page: Page, entry: Entry, example: Example | None, command: str) -> str:
    """One term: its names, what it is, what it does, what to do; its example; related terms and the command."""
    t, words = page.texts, glossary(page.texts.language)
    also = [name for name in entry.also if name != entry.name][:MOST_NAMES]
    head = page.paint(entry.name, "strong") + (f"  ({t('list.comma').join(also)})" if also else "")
    lines = ["", *indented(head, page.width, EDGE), ""]
    for name in SENTENCES:
        lines += indented(getattr(entry, name), page.width, EDGE)
    if example is not None:
        key = "term.example" if "model" in example.figures else "term.example_here"
        named = t(key, machine=machine_name(page, example.machine), model=example.model.name)
        lines += ["", *(page.paint(line, "dim") for line in indented(spaced(page, named), page.width, EDGE))]
        lines += indented(sentence(page, words, example), page.width, EDGE)
    see = t("list.comma").join(words.entry(key).name for key in entry.see)
    lines += ["", *indented(t("term.see", terms=see), page.width, EDGE), *indented(t("term.shows", command=command), page.width, EDGE)]
    return "\n".join(lines) + "\n"


def terms(page: Page) -> str:
    """All terms that are explained, under their themes."""
    words = glossary(page.texts.language)
    lines = ["", EDGE + page.paint(page.texts("term.list"), "strong")]
    for theme, entries in words.by_theme().items():
        lines += ["", EDGE + page.paint(words.themes[theme], "strong")]
        lines += indented(page.texts("list.comma").join(entry.name for entry in entries), page.width, EDGE + "  ")
    return "\n".join(lines) + "\n"


def sentence(page: Page, words: Glossary, example: Example) -> str:
    """The example's rule with its figures; before it, why a named machine or model stands in."""
    values = {name: shown(page, example.machine, told) for name, told in example.figures.items()}
    from sizeup.examples.work_out import OF_MACHINES

    machine, model = machine_name(page, example.machine), example.model.name.rpartition("/")[2]
    why = []
    for lack in example.instead:
        own = machine_name(page, example.own_machine) if lack in OF_MACHINES else example.own_model
        why.append(words.lacks[lack].format(own=own, machine=machine, model=model))
    return spaced(page, " ".join([*why, words.examples[example.key].format(**values)]))


def spaced(page: Page, text: str) -> str:
    """Chinese with a space between its characters and Latin words or numbers, as the rest of it is set."""
    if page.texts.language == "en":
        return text
    text = re.sub(r"(?<=[A-Za-z0-9%)])(?=[\u4e00-\u9fff])", " ", text)
    return re.sub(r"(?<=[\u4e00-\u9fff])(?=[A-Za-z0-9])", " ", re.sub(r"(?<=[。，；：（）、]) ", "", text))


def machine_name(page: Page, machine: Machine) -> str:
    """What the machine is called."""
    return page.texts("machine.this") if machine.name == "this machine" else machine.name


def command(entry: Entry, example: Example | None, on: str | None) -> str:
    """What to type to see the term for real, about the example's model and machine."""
    text = entry.shows.replace("{model}", shlex.quote(example.typed) if example else "llama3.1:8b")
    own = example is None or example.machine is example.own_machine
    if on and own and " --on " not in text and text.split()[1] in ("fit", "train", "models"):
        text += f" --on {shlex.quote(on)}"
    return text


def shown(page: Page, machine: Machine, told: Told) -> str:
    """A figure in its unit, an interval as two numbers."""
    t, value = page.texts, told.value
    if isinstance(value, str):
        return pool_name(page, machine, value) if told.unit == "pool" else value
    low, high = value if isinstance(value, tuple) else (value, value)
    if told.unit == "bytes":
        return page.bytes(low)
    if told.unit == "bytes_per_s":
        return show_bandwidth(low) + " GB/s"
    if told.unit == "tokens_per_s":
        return t("speed.rate", range=_pair(show_rate(low), show_rate(high)))
    if told.unit == "s":
        return _time(page, low, high)
    if told.unit in ("flops", "flops_per_s"):
        return _scaled(low) + ("FLOP" if told.unit == "flops" else "FLOP/s")
    if told.unit == "share":
        return _pair(f"{100 * low:.0f}", f"{100 * high:.0f}") + "%"
    if told.unit == "parameters" or (isinstance(value, tuple) and high >= 1e9):
        return _pair(parameters(round(low)), parameters(round(high)))
    return _pair(f"{round(low):,}", f"{round(high):,}")


def _pair(low: str, high: str) -> str:
    return low if low == high else f"{low}–{high}"


def _time(page: Page, low: float, high: float) -> str:
    name, long, _ = next(step for step in STEPS_S if high < step[2])
    digits = 1 if high / long < 10 else 0
    return page.texts(f"time.{name}", count=_pair(f"{low / long:.{digits}f}", f"{high / long:.{digits}f}"))


def _scaled(number: float) -> str:
    """A count of operations before its unit: "330 T", "16.1 G"."""
    scale, letter = next((pair for pair in ((1e21, "Z"), (1e18, "E"), (1e15, "P"), (1e12, "T")) if number >= pair[0]), (1e9, "G"))
    return f"{number / scale:.3g} {letter}"
