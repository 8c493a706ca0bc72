"""What all verbs share: the common options, the page to draw on, help in three languages."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import click

from sizeup.i18n import Texts, language, texts
from sizeup.page import WIDEST, WIDTH, Page, cells, cut, harmless, indented, one_line, pad

WHY_ALL = "all"

REDRAW_S = 0.3
"""Progress is not drawn more often."""

BROKEN_PIPE = 141
"""Exit code when nobody reads the answer any more, as shells have it."""


@dataclass(frozen=True)
class Asked:
    """How the answer is wanted; every verb gets it first."""

    page: Page
    json: bool = False
    why: str | None = None
    """The part to derive, WHY_ALL for everything, None when nobody asked."""
    offline: bool = False
    online: bool = False
    """Read on the hub also what the shipped catalogue has."""
    sink: list[str] = field(default_factory=list)
    told_at: list[float] = field(default_factory=list)
    """When progress was told last; empty before."""

    def tell(self, done: int, coming: str) -> None:
        """How much of long work is done and what comes next, on one line of a terminal that is drawn anew; nothing in the first moment.

        An empty `coming` ends it. Silent where no person looks.
        """
        if not sys.stderr.isatty():
            return
        now = time.monotonic()
        if not coming:
            sys.stderr.write("\r\x1b[K" if self.told_at else "")
        elif not self.told_at:
            self.told_at.append(now)
        elif now - self.told_at[0] >= REDRAW_S:
            self.told_at[0] = now
            sys.stderr.write("\r\x1b[K" + cut(f"  {done:,}  {one_line(coming)}", self.page.width - 1))
        sys.stderr.flush()

    def say(self, text: str) -> None:
        """Print a finished answer; names in it may not steer the terminal."""
        write(harmless(text, colours=True))

    def say_json(self, content: Any) -> None:
        """Print the answer for programs: one JSON document, UTF-8, integers as integers."""
        write(json.dumps(content, ensure_ascii=False, indent=2) + "\n")


def write(text: str) -> None:
    """Text to standard output; on a terminal that cannot show a character, the nearest plain one."""
    encoding = sys.stdout.encoding or "utf-8"
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        text = text.translate(_PLAIN).encode(encoding, "replace").decode(encoding)
    sys.stdout.write(text)
    sys.stdout.flush()


def stream(text: str) -> None:
    """A piece of what a model wrote: as it is into a file or pipe, and before a person without what would steer the terminal."""
    write(harmless(text) if sys.stdout.isatty() else text)


_PLAIN = str.maketrans({
    "█": "#", "▓": "=", "▒": "-", "░": ".", "▚": "%", "■": "*", "▞": "+", "◆": "@", "▙": "&", "▪": "o", "▫": "o", "▤": "=", "▥": "+", "▦": "%", "▧": "~", "▨": "*", "▩": "&", "╱": "/", "│": "|",
    "×": "x", "±": "~", "–": "-", "−": "-", "…": ".", "·": ".", "“": '"', "”": '"', "÷": "/", "↑": "^", "≥": ">", "✓": "+", "✗": "x",
})  # fmt: skip


class Option(click.Option):
    """An option whose help is the text `option.KEY` of the language in use."""

    def __init__(self, names: Sequence[str], key: str = "", **rest: Any) -> None:
        super().__init__(names, **rest)
        self.key = key or (self.name or "")

    def shown(self, t: Texts) -> tuple[str, str]:
        """The option as it is typed, and what it does."""
        names = ", ".join(sorted(self.opts, key=len)) + (" / " + ", ".join(self.secondary_opts) if self.secondary_opts else "")
        metavar = "" if self.is_flag and self.flag_value is not WHY_ALL else f" {self.metavar or 'TEXT'}"
        return names + metavar, t(f"option.{self.key}")


def common_options() -> list[click.Parameter]:
    """Options that every verb has."""
    return [
        Option(["--json", "as_json"], "json", is_flag=True),
        Option(["--why"], is_flag=False, flag_value=WHY_ALL, metavar="[PART]"),
        Option(["--lang"], metavar="LANGUAGE"),
        Option(["--units"], type=click.Choice(["iec", "si"]), default="iec", metavar="iec|si"),
        Option(["--offline"], is_flag=True),
        Option(["--online"], is_flag=True),
        Option(["--no-color", "--no-colour", "no_colour"], "no_color", is_flag=True),
    ]


class Verb(click.Command):
    """A command with the common options; its callback gets an `Asked` and then its own arguments by name."""

    def __init__(self, name: str, callback: Callable[..., Any], params: Sequence[click.Parameter]) -> None:
        super().__init__(
            name, callback=callback, params=[*params, *common_options()], context_settings={"help_option_names": ["--help", "-h"]}
        )

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if ctx.resilient_parsing:
            return super().parse_args(ctx, args)
        self._list_settings(ctx, args)
        return super().parse_args(ctx, why_alone(args))

    def _list_settings(self, ctx: click.Context, args: list[str]) -> None:
        """Answer `--set help`, which needs nothing else of what the verb needs, and end."""
        if not {"help", "--set=help"} & set(args):
            return
        given, _, _ = self.make_parser(ctx).parse_args(why_alone(args))
        if "help" in given.get("set", ()):
            from .settings import list_settings

            page = make_page(given.get("lang"), colour="no_colour" not in given)
            list_settings(Asked(page, "as_json" in given), given.get("engine"))
            ctx.exit()

    def invoke(self, ctx: click.Context) -> Any:
        values = dict(ctx.params)
        asked = Asked(
            make_page(values.pop("lang"), values.pop("units"), not values.pop("no_colour")),
            values.pop("as_json"),
            values.pop("why"),
            values.pop("offline"),
            values.pop("online"),
        )
        assert self.callback is not None
        try:
            return self.callback(asked, **values)
        except BrokenPipeError:
            # click would turn it into exit code 1, which says that something is wrong.
            return BROKEN_PIPE

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        formatter.write(verb_help(texts_of(ctx), self))


def why_alone(args: list[str]) -> list[str]:
    """`--why` before something that is no part means everything: `sizeup fit --why qwen3:8b` keeps its model."""
    if "--why" not in args:
        return args
    from sizeup.derivation import PARTS_TO_ASK

    result = []
    for index, arg in enumerate(args):
        following = args[index + 1] if index + 1 < len(args) else ""
        result.append(f"--why={WHY_ALL}" if arg == "--why" and following not in PARTS_TO_ASK else arg)
    return result


def make_page(lang: str | None, units: str = "iec", colour: bool = True) -> Page:
    """The page of this terminal: its width, and colours only where a person looks and has not refused them."""
    wanted = colour and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb" and sys.stdout.isatty()
    return Page(texts(language(lang)), terminal_width(), wanted, units)


def terminal_width() -> int:
    """Cells in a line: COLUMNS, else the terminal's own, else 80; never wider than is pleasant to read."""
    given = os.environ.get("COLUMNS", "")
    if given.isdigit() and int(given) > 0:
        return max(20, min(int(given), WIDEST))
    try:
        return max(20, min(os.get_terminal_size(sys.stdout.fileno()).columns, WIDEST)) or WIDTH
    except (OSError, ValueError, AttributeError):
        return WIDTH


def asked_language(args: Sequence[str]) -> str | None:
    """The language named on the command line, before anything was parsed; None when there is none."""
    for index, arg in enumerate(args):
        if arg.startswith("--lang="):
            return arg.partition("=")[2]
        if arg == "--lang" and index + 1 < len(args):
            return args[index + 1]
    return None


def texts_of(ctx: click.Context) -> Texts:
    """The words for help: the language of the command line that is being parsed."""
    return texts(language(asked_language(ctx.find_root().obj or ())))


def verb_help(t: Texts, verb: click.Command) -> str:
    """Help of one verb: how it is typed, what it does, examples, its options, the common ones."""
    own = {option.name for option in common_options()}
    arguments = [str(p.metavar or p.name).upper() for p in verb.params if isinstance(p, click.Argument)]
    width = terminal_width()
    lines = ["", f"  sizeup {' '.join([str(verb.name), *arguments])} [--…]", "", *indented(t(f"verb.{verb.name}"), width, "  "), ""]
    lines += [f"  {t('help.examples')}", *(f"    {line}" for line in t(f"example.{verb.name}").split("\n")), ""]
    options = [p for p in verb.params if isinstance(p, Option)]
    for title, chosen in (
        ("help.options", [o for o in options if o.name not in own]),
        ("help.common", [o for o in options if o.name in own]),
    ):
        if chosen:
            lines += [f"  {t(title)}", *_options(t, chosen, width), ""]
    return "\n".join(lines)


def _options(t: Texts, options: Sequence[Option], width: int) -> list[str]:
    shown = [option.shown(t) for option in options]
    column = min(max(cells(left) for left, _ in shown), 30) + 2
    lines = []
    for left, words in shown:
        first = f"    {pad(left, column)}"
        if cells(left) + 2 > column:
            lines.append(f"    {left}")
            first = " " * (column + 4)
        lines += indented(words, width, first)
    return lines


def help_text(t: Texts, verbs: Sequence[str]) -> str:
    """Help of everything: what sizeup is for, the verbs, examples."""
    width = terminal_width()
    lines = ["", "  sizeup [VERB] [THING] [--…]", "", *indented(t("help.sizeup"), width, "  "), "", f"  {t('help.verbs')}"]
    for verb in verbs:
        lines += indented(t(f"verb.{verb}"), width, f"    {verb:<12}")
    lines += ["", f"  {t('help.examples')}", *(f"    {line}" for line in t("example.sizeup").split("\n"))]
    lines += ["", *indented(t("help.more"), width, "  "), ""]
    return "\n".join(lines)
