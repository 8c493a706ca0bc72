"""What a plan can say of itself beside its figures: its weights by number format, and its decode speed."""

from __future__ import annotations

from .derivation import Line, Walk, pool_word, value_text
from .engines import engine as find_engine
from .facts import Source
from .figure import Figure, leaf, plain
from .i18n import Texts
from .model import Tensor
from .plan import Breakdown, Plan
from .quant import Quant, quant
from .replay import model_source
from .throughput import moved_in, share_of


def format_lines(plan: Plan, t: Texts) -> list[Line]:
    """Stored bytes of all tensors, one line per number format, the largest first."""
    tensors = find_engine(plan.engine).tensors(plan.model, None if plan.model.stored == "gguf" else plan.quant)
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


def speed_lines(plan: Plan, breakdown: Breakdown, walk: Walk) -> list[Line]:
    """The decode speed: bytes that a token reads in each pool, over the share of the bandwidth that is reached.

    `breakdown` holds the plan's claims as figures, so the bytes read explain themselves.
    """
    t, decode = walk.t, plan.speed.decode
    if decode is None:
        return [
            Line(
                "decode",
                t("speed.decode"),
                0,
                "",
                t("speed.unknown_here" if plan.machine.name == "this machine" else "speed.unknown"),
                shown="?",
            )
        ]
    source = model_source(plan.model)
    active, parameters = leaf("active_parameters", plan.model.active_parameters, source), leaf("parameters", plan.model.parameters, source)
    below: list[Line] = []
    formulas = []
    for name in breakdown.by_pool():
        pool = plan.machine.pool(name)
        moved = moved_in(breakdown, name, active, parameters)
        share = None if pool is None else share_of(plan.machine, pool, plan.quant, int(plain(moved)))
        if pool is None or share is None or not pool.bytes_per_s or not plain(moved):
            continue
        where = pool_word(t, name)
        rate = f"{pool.bytes_per_s / 1e9:,.3g} GB/s"
        below.append(
            walk.line(moved if isinstance(moved, Figure) else Figure(moved, "given"), t("why.moved", pool=where), "moved_per_token")
        )
        below.append(Line("bandwidth", t("why.bandwidth", pool=where), pool.bytes_per_s, "", source=pool.bandwidth_source, shown=rate))
        reached = f"{share.low:.0%}–{share.high:.0%}"
        kind, _, said = (
            share.source.rpartition(": ") if share.source.startswith(("assumed: ", "measured: ")) else ("published", "", share.source)
        )
        how = Source("measured" if kind == "measured" else "assumed" if share.assumed else "published", said)
        below.append(Line("share", t("why.share"), share.middle, "", source=how, shown=reached))
        formulas.append(f"{value_text(int(plain(moved)), 'B', walk.units)} ÷ ({rate} × {reached})")
    shown = f"{decode.lower:.3g}–{decode.upper:.3g} tok/s"
    formula = f"1 ÷ ({' + '.join(formulas)})" if len(formulas) > 1 else "1 ÷ (" + "".join(formulas) + ")"
    return [Line("decode", t("speed.decode"), decode.tokens_per_s, "tok/s", formula, tuple(below), shown=shown)]
