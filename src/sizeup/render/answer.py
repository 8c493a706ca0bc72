"""The answer to "does it fit": verdict, bar against the hard line, a row per part, speed, evidence, what else would do, the command."""

from __future__ import annotations

from collections.abc import Sequence

from sizeup.engines import engine as find_engine
from sizeup.figure import plain
from sizeup.hardware import Machine
from sizeup.model import ModelSpec
from sizeup.page import Page, cells, cut, indented, pad, right
from sizeup.plan import Plan
from sizeup.units import show_bandwidth, show_rate

from .bar import GLYPHS, RECLAIMABLE, memory_bar
from .names import bound, context, feeling, machine_line, pool_name, quant_name, seconds, speed_range
from .options import nearest_rows, recommendation
from .origins import origin
from .pool import left_over, pool_lines

EDGE = "  "

FIRST_TOKENS = 1000
"""The prompt whose wait is told unless another is asked for: some pages of text."""


def fit(
    page: Page,
    plan: Plan,
    others: Sequence[Plan] = (),
    nearest: Sequence[Plan] = (),
    longest_tokens: int | None = None,
    prompt_tokens: int | None = None,
) -> str:
    """The whole answer. `others` are further plans for the same model, `nearest` what fits instead when this does not.

    `prompt_tokens` is the prompt whose wait is told, FIRST_TOKENS unless said.
    """
    lines = ["", *headline(page, plan)]
    if not plan.fits:
        lines += [page.paint(line, "bad") for words in shortfall(page, plan) for line in _text(page, words)]
    lines += ["", *bars(page, plan), "", *rows(page, plan), "", *pool_lines(page, plan)]
    if plan.fits:
        # Pages that come from the disk again for every token have no speed worth a number.
        lines += [*speeds(page, plan, prompt_tokens or FIRST_TOKENS), ""]
    lines += [page.paint(line, "dim") for words in evidence(page, plan) for line in _text(page, words)]
    if plan.fits:
        advice = recommendation(page, plan, others, longest_tokens)
        lines += ["", *advice] if advice else []
        lines += ["", *command(page, plan.command)]
    elif nearest:
        lines += ["", *nearest_rows(page, plan, nearest)]
    else:
        lines += ["", *_text(page, page.texts("nearest.none"))]
    lines += doubted(page, doubts(page, plan))
    lines += ["", *hints(page, plan)]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def headline(page: Page, plan: Plan) -> list[str]:
    """What was asked at the left, the verdict at the right; the machine and the engine below."""
    t = page.texts
    verdict = t("fit.fits") if plan.fits else t("fit.no")
    asked = f"{plan.model.name}  {quant_name(page, plan)}  {t('unit.tokens', count=f'{context(plan):,}')}"
    space = page.width - len(EDGE) - cells(verdict) - 2
    shown = page.paint(verdict, "good" if plan.fits else "bad")
    head = EDGE + pad(page.paint(cut(asked, space), "strong"), space) + "  " + shown
    engine = t("machine.engine", engine=plan.engine)
    box = machine_line(page, plan.machine)
    if len(EDGE) + cells(box) + 3 + cells(engine) <= page.width:
        return [head, EDGE + pad(box, page.width - len(EDGE) - cells(engine)) + page.paint(engine, "dim")]
    return [head, *_text(page, box), EDGE + page.paint(engine, "dim")]


def shortfall(page: Page, plan: Plan) -> list[str]:
    """A sentence per pool that is too small: what is needed, what it has."""
    sentences = []
    for pool, free in plan.free_bytes.items():
        if free < 0:
            needed, name = plan.breakdown.needed_bytes(pool), pool_name(page, plan.machine, pool)
            sentences.append(page.texts("fit.needs", needed=page.bytes(needed), pool=name, free=page.bytes(needed + free)))
    return sentences


def bars(page: Page, plan: Plan) -> list[str]:
    """A bar for every pool that something is claimed in; named when there are several."""
    pools = [pool for pool in plan.breakdown.by_pool() if pool != "disk"]
    names = {pool: pool_name(page, plan.machine, pool) for pool in pools}
    label = max((cells(name) for name in names.values()), default=0) + 2 if len(pools) > 1 else 0
    label = min(label, page.width // 3)
    lines = []
    for pool in pools:
        limit = plan.breakdown.needed_bytes(pool) + plan.free_bytes.get(pool, 0)
        first, under = memory_bar(page, plan.breakdown, pool, limit, page.width - len(EDGE) - label)
        lines += [EDGE + pad(cut(names[pool], label - 2), label) + first if label else EDGE + first, EDGE + " " * label + under]
    return lines


def rows(page: Page, plan: Plan) -> list[str]:
    """One row per part: its glyph, its bytes per pool, where the number is from."""
    t, breakdown = page.texts, plan.breakdown
    parts = [part for part, count in breakdown.by_part().items() if plain(count)]
    pools = [pool for pool in breakdown.by_pool() if pool != "disk"]
    columns = [[pool] for pool in pools]
    titles = [pool_name(page, plan.machine, pool) for pool in pools]
    cards = [pool for pool in pools if pool.startswith("vram")]
    if len(columns) > 2 and len(cards) > 1:
        columns = [cards, *([pool] for pool in pools if pool not in cards)]
        titles = [t("pool.cards", cards=len(cards)), *(title for title, pool in zip(titles, pools, strict=True) if pool not in cards)]
    name_width = max((cells(t.named("part", part)) for part in parts), default=0) + 2
    wide = [max(10, min(cells(title), 14)) for title in titles]
    lines = []
    if len(columns) > 1:
        lines.append(EDGE + "  " + pad("", name_width) + "  ".join(right(cut(title, w), w) for title, w in zip(titles, wide, strict=True)))
    for part in parts:
        sizes = [sum(int(plain(breakdown.bytes(part, pool))) for pool in column) for column in columns]
        figures = "  ".join(right(page.bytes(size) if size else "–", w) for size, w in zip(sizes, wide, strict=True))
        start = EDGE + page.paint(GLYPHS.get(part, "■"), part) + " " + pad(t.named("part", part), name_width) + figures + "   "
        words = origin(page, plan, part)
        if page.width - cells(start) >= 24:
            lines += indented(words, page.width, start)
        else:
            lines += [start, *(page.paint(line, "dim") for line in indented(words, page.width, EDGE + "    "))]
        if words := reclaimable(page, plan, part):
            lines += indented(words, page.width, EDGE + page.paint(RECLAIMABLE, "dim") + " ")
    return lines


def reclaimable(page: Page, plan: Plan, part: str) -> str:
    """What the system may drop of a part when it needs the room; "" when nothing."""
    spare = sum(int(plain(claim.bytes)) for claim in plan.breakdown.claims if claim.part == part and claim.reclaimable)
    return page.texts("from.reclaimable", size=page.bytes(spare)) if spare else ""


def speeds(page: Page, plan: Plan, prompt_tokens: int = FIRST_TOKENS) -> list[str]:
    """Decode and prefill as ranges with their feeling and what binds them, and the time to load."""
    t, speed = page.texts, plan.speed
    name_width = max(cells(t(f"speed.{name}")) for name in ("decode", "prefill", "load")) + 2
    lines = []
    if speed.decode is not None:
        words = t("list.semicolon").join(w for w in (feeling(page, speed.decode.tokens_per_s), basis(page, plan)) if w)
        start = EDGE + pad(t("speed.decode"), name_width) + page.paint(speed_range(page, speed.decode), "strong") + "   "
        lines += indented(words, page.width, start)
        if speed.full is not None and show_rate(speed.full.tokens_per_s) != show_rate(speed.decode.tokens_per_s):
            lines += indented(speed_range(page, speed.full, "speed.at_full"), page.width, EDGE + " " * name_width)
    else:
        lines += indented(unknown_speed(page, plan), page.width, EDGE + pad(t("speed.decode"), name_width))
    if speed.prefill is not None:
        first = speed.first_token_s(prompt_tokens)
        words = t("speed.first_token", tokens=f"{prompt_tokens:,}", time=seconds(page, first[1])) if first else ""
        lines += indented(words, page.width, EDGE + pad(t("speed.prefill"), name_width) + speed_range(page, speed.prefill) + "   ")
    if speed.load_s is not None:
        lines += [EDGE + pad(t("speed.load"), name_width) + t("speed.load_from_disk", time=seconds(page, speed.load_s))]
    return lines


def unknown_speed(page: Page, plan: Plan) -> str:
    """Why no speed can be told, and what would tell it."""
    if not find_engine(plan.engine).work(plan.model, plan.asked_quant, plan.settings):
        return page.texts("speed.unknown_engine", engine=plan.engine)
    if plan.machine.name == "this machine":
        return page.texts("speed.unknown_here")
    silent = [name for name in plan.breakdown.by_pool() if (pool := plan.machine.pool(name)) is None or not pool.bytes_per_s]
    words = page.texts("list.comma").join(pool_name(page, plan.machine, name) for name in silent)
    return page.texts("speed.unknown_there", pools=words) if silent else page.texts("speed.unknown")


def basis(page: Page, plan: Plan) -> str:
    """What binds the decode speed, and the bandwidths that the range rests on."""
    t, decode = page.texts, plan.speed.decode
    if decode is None:
        return ""
    known: dict[str, list[str]] = {}
    for name, how in _known_by(plan).items():
        pool = plan.machine.pool(name) or plan.machine.pool("unified")
        if pool is not None and pool.bytes_per_s:
            stated = how == "assumed" or pool.bandwidth_source.kind == "given"
            said = t(f"kind.{pool.bandwidth_source.kind}" if stated else f"reach.{how}")
            words = t("speed.bandwidth", rate=show_bandwidth(pool.bytes_per_s), how=said)
            known.setdefault(words, []).append(pool_name(page, plan.machine, name))
    if not known:
        return bound(page, decode)
    named = [
        (t("pool.cards", cards=len(names)) if len(names) > 1 else names[0]) + f" {words}" if len(known) > 1 or len(names) > 1 else words
        for words, names in known.items()
    ]
    return t("speed.bound", bound=bound(page, decode), basis=t("list.semicolon").join(named))


def _known_by(plan: Plan) -> dict[str, str]:
    """Pool -> how the rates of its device are known; only pools that decoding reads."""
    decode = plan.speed.decode
    parts = decode.basis.split("; ") if decode is not None and decode.basis else []
    return {pool: how for pool, _, how in (part.rpartition(": ") for part in parts)}


def evidence(page: Page, plan: Plan) -> list[str]:
    """How well this is known, in sentences: the levels that were reached, else what a prediction of ours is worth."""
    t = page.texts
    sentences = []
    for proof in plan.evidence:
        parts = t("list.comma").join(t.named("part", part) for part, gap in proof.difference_bytes.items() if gap == 0)
        key = "evidence.equal" if parts else "evidence.level"
        words = t(key, level=t(f"level.{proof.level}"), engine=proof.engine, date=proof.date[:10], parts=parts)
        if proof.decode_tokens_per_s:
            words += t("list.semicolon") + t("evidence.pace", rate=show_rate(proof.decode_tokens_per_s))
        sentences.append(words)
    if not sentences:
        doubted = {claim.part for claim in plan.breakdown.claims if claim.within} | left_over(plan)
        exact = [part for part, count in plan.breakdown.by_part().items() if part not in doubted and plain(count)]
        sure = t("list.comma").join(t.named("part", part) for part in exact)
        key = "evidence.predicted_exact" if not doubted else "evidence.predicted" if exact else "evidence.predicted_band"
        said = t(key, parts=sure)
        sentences.append(t("evidence.if_assumed", said=said) if plan.model.assumed else said)
    for part, correction in plan.breakdown.corrections.items():
        values = {
            "engine": correction.engine,
            "version": correction.version or t("verify.no_version"),
            "count": correction.runs,
            "date": correction.date,
        }
        sentences.append(t("evidence.corrected", part=t.named("part", part), percent=f"{correction.factor:.1%}", **values))
    return sentences


def doubts(page: Page, plan: Plan) -> list[tuple[str, str]]:
    """What had to be assumed, what was odd, what the engine changed: (which of them, sentence), so that nobody takes a guess for a fact."""
    notes = ((page.texts("doubt.note"), note(page, sentence)) for sentence in plan.breakdown.notes)
    return [*assumed(page, plan.model, plan.machine), *notes]


def doubted(page: Page, said: Sequence[tuple[str, str]]) -> list[str]:
    """Doubts as lines below an answer; nothing where there are none."""
    lines = [page.paint(line, "warn") for kind, words in said for line in indented(words, page.width, EDGE + kind)]
    return ["", *lines] if lines else []


def assumed(page: Page, model: ModelSpec, machine: Machine) -> list[tuple[str, str]]:
    """The same of a model and a machine, whatever the plan."""
    t = page.texts
    said = [(t("doubt.assumed"), t.sentence(sentence)) for sentence in model.assumed]
    return said + [(t("doubt.warning"), t.sentence(sentence)) for sentence in (*model.warnings, *machine.warnings)]


def note(page: Page, key: str) -> str:
    """What the engine made of the settings: a message key with a number behind a colon, or a sentence."""
    name, _, value = key.partition(":")
    if page.texts.has(f"note.{name}"):
        return page.texts(f"note.{name}", value=f"{int(value):,}" if value.isdigit() else value)
    return page.texts.sentence(key)


def command(page: Page, typed: str) -> list[str]:
    """The command to paste: never broken inside a word; a shell's backslash joins its lines. A script of several lines stays as it is."""
    if "\n" in typed:
        return [page.paint(text, "command") for text in typed.splitlines()]
    words, lines, line = typed.split(" "), [], ""
    for word in words:
        if line and len(EDGE) + cells(line) + 1 + cells(word) + 2 > page.width:
            lines.append(line + " \\")
            line = "  " + word
        else:
            line = f"{line} {word}" if line else word
    return [EDGE + page.paint(text, "command") for text in [*lines, line]]


def hints(page: Page, plan: Plan) -> list[str]:
    """What to type next."""
    part = "cache" if plain(plan.breakdown.bytes("cache")) else "weights"
    return [page.paint(line, "dim") for line in _text(page, page.texts("hint.why", part=part))]


def _text(page: Page, words: str) -> list[str]:
    return indented(words, page.width, EDGE)
