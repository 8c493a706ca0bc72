"""What a plan says of itself: its claims part by part, its weights by number format, and its decode speed."""

from __future__ import annotations

from .derivation_line import Line, value_text
from .derivation_walk import Walk
from .engines import engine as find_engine
from .errors import UserError
from .facts import Source
from .figure import Figure, plain
from .i18n import Texts
from .model import Tensor
from .plan import Breakdown, Plan, Speed
from .quant import Quant, quant
from .replay import model_source
from .throughput import run_of
from .units import show_bandwidth, show_rate

LEAST_S = 5e-6
"""Times of a step below this are left out of its formula: they move none of its digits."""


def breakdown_lines(breakdown: Breakdown, part: str | None, walk: Walk) -> list[Line]:
    """One tree per claim of the part that was asked for."""
    known = [name for name, count in breakdown.by_part().items() if plain(count)]
    if part is not None and part not in known:
        raise UserError(f"This answer has no part “{part}”.", "--why " + " | ".join(known))
    t, lines = walk.t, []
    for claim in breakdown.claims:
        if plain(claim.bytes) and part in (None, claim.part):
            words = [t.named("part", claim.part)]
            words += [t.named("label", claim.label)] if claim.label else []
            words += [pool_word(t, claim.pool)] if len(breakdown.by_pool()) > 1 else []
            figure = claim.bytes if isinstance(claim.bytes, Figure) else Figure(claim.bytes, "given", (), claim.part)
            lines.append(walk.line(figure, t("list.comma").join(words), claim.part))
    return lines


def pool_word(t: Texts, pool: str) -> str:
    """A pool in words, without the machine's own name for it."""
    kind, _, number = pool.partition(":")
    return t("pool.gpu", number=number) if kind == "vram" else t.named("pool", kind)


def room_lines(plan: Plan, t: Texts) -> list[Line]:
    """What is free of a memory of which the system lets one program hold a part."""
    words = t("list.comma").join(t.sentence(limit) for limit in plan.machine.limits)
    limited = [pool for pool in plan.machine.pools if pool.free_source is not None and words]
    return [
        Line("free", t("why.free", pool=pool_word(t, pool.name)), pool.free_bytes, "B", words, source=pool.free_source) for pool in limited
    ]


def format_lines(plan: Plan, t: Texts) -> list[Line]:
    """Stored bytes of all tensors, one line per number format, the largest first."""
    tensors = find_engine(plan.engine).tensors(plan.model, plan.asked_quant)
    by_type: dict[str, list[Tensor]] = {}
    for tensor in tensors:
        if tensor.type:
            by_type.setdefault(tensor.type, []).append(tensor)
    lines = []
    for name, same in by_type.items():
        form = quant(name)
        values, stored = sum(tensor.elements for tensor in same), sum(tensor.bytes for tensor in same)
        label = t("why.tensors", type=form.name, tensors=f"{len(same):,}")
        lines.append(Line(f"tensors_{form.name}", label, stored, "B", _blocks(form, values, stored), (), form.source))
    lines.sort(key=lambda line: -line.value)
    whole = sum(int(line.value) for line in lines)
    return [Line("tensors", t("why.by_format"), whole, "B", "", tuple(lines))] if lines else []


def _blocks(form: Quant, values: int, stored: int) -> str:
    """The product behind the bytes of a format, where every row is a whole number of blocks."""
    if values % form.block or values // form.block * form.block_bytes != stored:
        return ""
    return f"{values:,} × {form.block_bytes} B" if form.block == 1 else f"{values:,} ÷ {form.block} × {form.block_bytes} B"


def speed_lines(plan: Plan, walk: Walk) -> list[Line]:
    """The decode speed over an empty context: what a token moves on each device, over what the device reaches."""
    t, decode = walk.t, plan.speed.decode
    if decode is None:
        timed = find_engine(plan.engine).work(plan.model, plan.asked_quant, plan.settings)
        key = "speed.unknown_here" if plan.machine.name == "this machine" else "speed.unknown"
        unknown = t(key) if timed else t("speed.unknown_engine", engine=plan.engine)
        return [Line("decode", t("speed.decode"), 0, "", unknown, shown="?")]
    if hasattr(find_engine(plan.engine), "paced"):
        return [Line("decode", t("speed.decode"), decode.tokens_per_s, "tok/s", t("why.server_step"), shown=_rates(decode))]
    below: list[Line] = []
    formulas = []
    for work, reach, found in run_of(plan).parts(int(plan.settings.sequences)):
        pool = plan.machine.pool(work.pool) or plan.machine.pool("unified")
        if pool is None or not pool.bytes_per_s:
            continue
        where, moved = pool_word(t, pool.name), int(plain(work.moved_bytes))
        share, rate = float(work.moved_bytes) / float(found.memory) / pool.bytes_per_s, f"{show_bandwidth(pool.bytes_per_s)} GB/s"
        source = Source(
            "measured" if reach.how == "here" else "assumed" if reach.how == "assumed" else "published",
            f"{t(f'reach.{reach.how}')} ({t.sentence(reach.source.partition(': ')[2])})",
        )
        below.append(Line("moved", t("why.moved", pool=where), moved, "B", source=model_source(plan.model)))
        if reach.kinds:
            # Each format was timed by itself: a rate, not a share of one.
            net = share * pool.bytes_per_s
            formulas.append(f"{value_text(moved, 'B', walk.units)} ÷ {show_bandwidth(net)} GB/s")
            below.append(Line("read_rate", t("why.read_rate"), net, "", source=source, shown=f"{show_bandwidth(net)} GB/s"))
        else:
            formulas.append(f"{value_text(moved, 'B', walk.units)} ÷ ({rate} × {share:.0%})")
            below.append(Line("bandwidth", t("why.bandwidth", pool=where), pool.bytes_per_s, "", source=pool.bandwidth_source, shown=rate))
            below.append(Line("share", t("why.share"), share, "", source=source, shown=f"{share:.0%}"))
        for name, seconds, words in (
            ("compute", float(found.compute), t("why.computed")),
            ("fixed", float(found.fixed), t("why.layers_fixed", layers=work.layers)),
        ):
            if seconds >= LEAST_S:
                shown = f"{seconds * 1e3:.3g} ms"
                below.append(Line(name, words, seconds, "s", source=source, shown=shown))
                formulas.append(shown)
        below.append(Line("interval", t("why.interval"), reach.low, "", source=source, shown=f"× {reach.low:.2f}–{reach.high:.2f}"))
    shown = _rates(decode)
    tokens = int(plan.settings.sequences)
    return [
        Line("decode", t("speed.decode"), decode.tokens_per_s, "tok/s", f"{tokens} ÷ ({' + '.join(formulas)})", tuple(below), shown=shown)
    ]


def _rates(speed: Speed) -> str:
    return f"{show_rate(speed.lower)}–{show_rate(speed.upper)} tok/s"
