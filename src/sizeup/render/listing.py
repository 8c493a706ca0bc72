"""What was found: this machine, what was read of one model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sizeup.facts import Source
from sizeup.figure import plain
from sizeup.hardware import Device, Machine, Pool
from sizeup.model import ModelSpec
from sizeup.page import Page, indented
from sizeup.quant import quant
from sizeup.units import show_bandwidth

from .answer import EDGE
from .hardware import device_words, disk_words, more
from .names import machine_line, parameters, pool_name, short_device
from .tables import pairs


def machine(page: Page, box: Machine) -> str:
    """Everything that was found of a machine, each with where it is from."""
    t = page.texts
    name = t("machine.this") if box.name == "this machine" else box.name
    found: list[tuple[str, str]] = []
    if box.cpu is not None:
        cpu = box.cpu
        words = [cpu.name, t("machine.cores_threads", cores=cpu.cores, threads=cpu.threads)]
        if cpu.usable < cpu.threads:
            words.append(t("machine.usable", cores=f"{cpu.usable:g}"))
        found += [(t("machine.cpu"), t("list.comma").join(words)), (t("machine.features"), " ".join(cpu.features))]
    for device in box.devices:
        found.append((t("machine.device"), _device(page, box, device)))
    for pool in box.pools:
        found.append((pool_name(page, box, pool.name), _pool(page, pool)))
    for disk in box.disks:
        words = [t("machine.disk_free", path=disk.path, total=page.bytes(disk.bytes), free=page.bytes(disk.free_bytes))]
        words += disk_words(page, disk)
        words += [_rate(page, disk.bytes_per_s, disk.source)] if disk.bytes_per_s else []
        found.append((t("machine.disk"), t("list.comma").join(words)))
    for link in box.links:
        ends = "–".join(pool_name(page, box, end) for end in link.ends)
        found.append((t("machine.link"), f"{link.kind} {ends}{t('list.comma')}{_rate(page, link.bytes_per_s, link.source)}"))
    found += more(page, box)
    found.append((t("machine.system"), t.sentence(box.system)))
    found += [(t("machine.limit"), t.sentence(limit)) for limit in box.limits]
    lines = ["", EDGE + page.paint(name, "strong"), "", *pairs(page, found)]
    for node in box.nodes:
        lines += ["", *indented(machine_line(page, node), page.width, EDGE)]
    lines += [*_warnings(page, box.warnings)]
    if any(not pool.bytes_per_s for pool in box.pools) and box.name == "this machine":
        lines += ["", *(page.paint(line, "dim") for line in indented(t("hint.measure"), page.width, EDGE))]
    return "\n".join(lines) + "\n"


def _pool(page: Page, pool: Pool) -> str:
    t = page.texts
    words = [t("machine.pool", total=page.bytes(pool.bytes), free=page.bytes(pool.free_bytes))]
    kinds = (pool.source.kind, pool.free_source.kind if pool.free_source else "")
    words += [t(f"kind.{kind}") for kind in ("given", "assumed") if kind in kinds]
    words.append(_rate(page, pool.bytes_per_s, pool.bandwidth_source) if pool.bytes_per_s else t("machine.rate_unknown"))
    return t("list.comma").join(words)


def _rate(page: Page, bytes_per_s: float, source: Source) -> str:
    return page.texts("machine.rate", rate=show_bandwidth(bytes_per_s), how=page.texts(f"kind.{source.kind}"))


def _device(page: Page, box: Machine, device: Device) -> str:
    t = page.texts
    words = [short_device(device.name), device.kind]
    if device.compute_capability:
        words.append(t("machine.capability", version=device.compute_capability))
    if device.others_bytes:
        words.append(t("machine.others", size=page.bytes(device.others_bytes)))
    if device.limit_bytes:
        words.append(t("machine.gpu_limit", size=page.bytes(device.limit_bytes)))
    words += device_words(page, device)
    return t("list.comma").join(words)


def model(page: Page, spec: ModelSpec) -> str:
    """What was read of a model: sizes, layers by kind, what is stored, what a token of context costs, sources."""
    t = page.texts
    found = [
        (t("model.architecture"), spec.architecture or spec.model_type),
        (t("model.parameters"), _exact_sizes(page, spec)),
        (t("model.context"), t("unit.tokens", count=f"{spec.context_tokens:,}") if spec.context_tokens else ""),
        (t("model.hidden"), t("model.hidden_value", hidden=f"{spec.hidden:,}", vocabulary=f"{spec.vocabulary:,}")),
    ]
    found += [(t("model.layers") if index == 0 else " ", _group(page, group)) for index, group in enumerate(spec.groups)]
    found += [(t.named("tower", tower.kind), t("model.tower", parameters=parameters(tower.parameters()))) for tower in spec.towers]
    if spec.draft_blocks:
        found.append((t("model.draft"), t("model.draft_value", layers=sum(group.layers for group in spec.draft_blocks))))
    found += _stored(page, spec)
    f16 = quant("F16")
    per_token = int(plain(spec.cache_row_bytes(f16, f16)))
    found.append(
        (t("model.cache"), t("model.cache_value", bytes=f"{per_token:,}", whole=_whole_context(page, spec, per_token)) if per_token else "")
    )
    found += [(t.named("card", key), str(spec.card[key])) for key in ("license", "release_date") if spec.card.get(key)]
    found.append((t("model.source"), _source(page, spec.source)))
    lines = ["", EDGE + page.paint(spec.name, "strong"), "", *pairs(page, found)]
    lines += _warnings(page, spec.warnings)
    for sentence in spec.assumed:
        lines += [page.paint(line, "warn") for line in indented(t.sentence(sentence), page.width, EDGE + t("doubt.assumed"))]
    return "\n".join(lines) + "\n"


def _exact_sizes(page: Page, spec: ModelSpec) -> str:
    total, active = spec.parameters, spec.active_parameters
    words = f"{parameters(total)} ({total:,})"
    return words + page.texts("list.comma") + page.texts("model.active", active=parameters(active)) if active < total else words


def _group(page: Page, group: Any) -> str:
    t = page.texts
    words = [_part(page, part) for part in group.block.parts[:-1]]
    return t("model.group", layers=group.layers, parts=t("list.plus").join(word for word in words if word))


def _part(page: Page, part: Any) -> str:
    """A layer kind in words, with its shapes: `kind.Attention` and so on; the bare name of a kind that nobody has worded."""
    t, kind = page.texts, type(part).__name__
    if not t.has(f"layer.{kind}"):
        return kind
    shapes = {name: getattr(part, name) for name in part.__dataclass_fields__}
    words = t(f"layer.{kind}", **{name: f"{value:,}" if type(value) is int else value for name, value in shapes.items()})
    window = getattr(part, "window", 0)
    if window:
        words += t("list.comma") + t("layer.chunk" if part.chunked else "layer.window", window=f"{window:,}")
    if kind == "Attention" and not part.caches:
        words += t("list.comma") + t("layer.shared_cache")
    return words


def _stored(page: Page, spec: ModelSpec) -> list[tuple[str, str]]:
    t = page.texts
    if not spec.tensors or not all(tensor.type for tensor in spec.tensors):
        return []
    by_type: dict[str, list[int]] = {}
    for tensor in spec.tensors:
        by_type.setdefault(str(tensor.type), []).append(tensor.bytes)
    order = sorted(by_type, key=lambda name: -sum(by_type[name]))
    words = [t("model.type", type=name, tensors=len(by_type[name]), size=page.bytes(sum(by_type[name]))) for name in order]
    whole = sum(sum(sizes) for sizes in by_type.values())
    label = f"{spec.mix}{t('list.comma')}" if spec.mix else ""
    return [(t("model.stored"), label + t("model.tensors", tensors=len(spec.tensors), size=page.bytes(whole), bytes=f"{whole:,}"))] + [
        (" ", word) for word in words
    ]


def _whole_context(page: Page, spec: ModelSpec, per_token: int) -> str:
    tokens = spec.context_tokens or 8192
    return page.texts("model.cache_whole", size=page.bytes(per_token * tokens), tokens=f"{tokens:,}")


def _source(page: Page, source: Source) -> str:
    t = page.texts
    where = t("list.comma").join(word for word in (t.sentence(source.where), source.date) if word)
    return t("why.source", kind=t(f"kind.{source.kind}"), where=where) if where else t(f"kind.{source.kind}")


def _warnings(page: Page, warnings: Sequence[str]) -> list[str]:
    t = page.texts
    lines = [""] if warnings else []
    for warning in warnings:
        lines += [page.paint(line, "warn") for line in indented(t.sentence(warning), page.width, EDGE + t("doubt.warning"))]
    return lines
