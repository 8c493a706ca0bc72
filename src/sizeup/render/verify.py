"""One start of an engine out of its log: what it is, a row for each part beside its prediction, and what the differences mean."""

from __future__ import annotations

from sizeup.corrections import PARTS
from sizeup.drift import Drift
from sizeup.logs import Reading
from sizeup.page import Page, indented
from sizeup.units import show_rate
from sizeup.verification import Compared, Verified

from .tables import EDGE, Column, pairs, table

SHOWN = ("context_tokens", "sequences", "batch_tokens", "micro_batch_tokens", "k", "v", "flash_attention", "gpu_layers", "cpu_moe_layers")
"""Settings in this order; engines with others tell them by their own names."""
COUNTS = ("kv_cache_tokens", "kv_cache_blocks", "max_concurrency")
PAINT = {"explained": "good", "version": "warn", "unexplained": "bad", "read": "dim"}


def start(page: Page, one: Verified) -> str:
    """The whole start."""
    t, reading = page.texts, one.reading
    title = t("verify.title", engine=f"{reading.engine} {reading.version or t('verify.no_version')}", log=one.log, line=reading.line)
    lines = ["", *(page.paint(line, "strong") for line in indented(title, page.width, EDGE)), "", *pairs(page, _known(page, one))]
    if reading.failed:
        lines += ["", *(page.paint(line, "bad") for line in indented(t(f"verify.failed.{reading.failed}"), page.width, EDGE))]
    if one.rows:
        lines += ["", *_table(page, one.rows)]
    if estimated := _estimates(page, reading):
        lines += ["", *indented(estimated, page.width, EDGE)]
    words = t(
        f"verify.{one.verdict}",
        version=reading.version or t("verify.no_version"),
        facts=one.facts_version,
        tool="llama.cpp" if reading.engine == "ollama" else reading.engine,
        why=t.sentence(one.why),
    )
    lines += ["", *(page.paint(line, PAINT[one.verdict]) for line in indented(words, page.width, EDGE))]
    for drift in one.drifts:
        lines += [page.paint(line, "warn") for line in indented(drifted(page, drift), page.width, EDGE)]
    if one.number is not None:
        taught = any(row.part in PARTS and row.verdict in ("band", "differs") for row in one.rows)
        key = "verify.again" if one.again else "verify.kept_nowhere" if not one.machine else "verify.taught" if taught else "verify.kept"
        lines += [page.paint(line, "dim") for line in indented(t(key, number=one.number, machine=_machine(page, one)), page.width, EDGE)]
    return "\n".join(lines) + "\n"


def drifted(page: Page, drift: Drift) -> str:
    """A drift in one sentence."""
    t = page.texts
    values = {
        "engine": drift.engine, "model": drift.model, "part": t.named("part", drift.part), "older": drift.older, "newer": drift.newer,
        "before": page.bytes(drift.before_bytes), "after": page.bytes(drift.after_bytes),
    }  # fmt: skip
    return t("verify.drift" if drift.older else "verify.drift_formula", **values)


def _machine(page: Page, one: Verified) -> str:
    return page.texts("verify.here") if one.machine == "this machine" else one.machine or ""


def _known(page: Page, one: Verified) -> list[tuple[str, str]]:
    t, reading, model = page.texts, one.reading, one.reading.model
    comma = t("list.comma")
    size = page.bytes(model.file_bytes) if model.file_bytes else ""
    count = f"{model.parameters / 1e9:,.2f} B" if model.parameters else ""
    said = comma.join(filter(None, (model.name or model.file, model.architecture, count, model.quant, size)))
    cards = comma.join(_card(page, card.name or card.backend, card.total_bytes, card.free_bytes) for card in reading.cards)
    ordered = [*(name for name in SHOWN if name in reading.settings), *(name for name in reading.settings if name not in SHOWN)]
    settings = comma.join(f"{name} {_value(reading.settings[name])}" for name in ordered)
    counts = comma.join(f"{name} {_value(reading.facts[name])}" for name in COUNTS if reading.facts.get(name) is not None)
    rates = comma.join(
        t(f"verify.{what}", rate=show_rate(rate))
        for what, rate in (("prefill", reading.prefill_tokens_per_s), ("decode", reading.decode_tokens_per_s))
        if rate
    )
    if rates and reading.facts.get("rates_of"):
        rates += f" ({t('verify.together')})"
    return [
        (t("verify.model"), said),
        (t("verify.predicted_as"), comma.join(filter(None, (one.model, one.quant))) if one.verdict != "read" else ""),
        (t("verify.cards"), cards),
        (t("verify.ram"), page.bytes(reading.ram_bytes) if reading.ram_bytes else ""),
        (t("verify.settings"), settings),
        (t("verify.counts"), counts),
        (t("verify.counts_predicted"), comma.join(f"{count.name} {_value(count.predicted)}" for count in one.counts)),
        (t("verify.rates"), rates),
    ]


def _card(page: Page, name: str, total: int | None, free: int | None) -> str:
    sizes = [page.bytes(total)] if total else []
    sizes += [page.texts("verify.free", size=page.bytes(free))] if free else []
    return f"{name} ({', '.join(sizes)})" if sizes else name


def _value(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def _estimates(page: Page, reading: Reading) -> str:
    """What the server expected before it loaded, where the log tells that."""
    t = page.texts
    said = [f"{t.named('part', b.part)} {page.bytes(b.bytes)}" for b in reading.buffers if b.estimated]
    return t("verify.estimated", parts=t("list.comma").join(said)) if said else ""


def _table(page: Page, rows: tuple[Compared, ...]) -> list[str]:
    t = page.texts
    differences = ["" if row.difference_bytes is None else _signed(page, row) for row in rows]
    return table(
        page,
        [
            Column("", [t.named("part", row.part) for row in rows], least=8),
            Column("", [_pool(page, row.pool) for row in rows], least=4),
            Column(t("verify.measured"), [page.bytes(row.measured_bytes) for row in rows], right=True),
            Column(
                t("verify.predicted"), ["" if row.predicted_bytes is None else page.bytes(row.predicted_bytes) for row in rows], right=True
            ),
            Column(t("verify.difference"), differences, right=True),
            Column("", [t(f"verify.outcome.{row.verdict}") for row in rows], least=8, rank=1),
        ],
    )


def _pool(page: Page, pool: str) -> str:
    if pool == "vram":
        return page.texts("verify.cards")
    return page.texts("pool.gpu", number=pool.partition(":")[2]) if pool.startswith("vram:") else page.texts.named("pool", pool)


def _signed(page: Page, row: Compared) -> str:
    if row.verdict == "equal":
        return "="
    difference = row.difference_bytes or 0
    return ("+" if difference > 0 else "−") + page.bytes(abs(difference))
