"""What is on this machine: a row a model, what is broken, what lies here twice, what would load faster elsewhere."""

from __future__ import annotations

from sizeup.hardware import Disk
from sizeup.installed.entry import Leftover
from sizeup.installed.judged import Installed, Judged
from sizeup.page import Page, indented
from sizeup.units import show_bandwidth

from .hardware import disk_words
from .names import machine_line, quant_name, seconds, speed_range
from .tables import EDGE, Column, table

MOST_NAMED = 8
"""Rows of a kind; the rest is counted."""


def installed(page: Page, found: Installed) -> str:
    """The whole answer."""
    t = page.texts
    lines = ["", *indented(machine_line(page, found.machine), page.width, EDGE), ""]
    if found.models:
        lines += table(page, _columns(page, found))
    else:
        looked = t("list.comma").join(str(root) for root in found.roots) or t("installed.nowhere")
        lines += indented(t("installed.none", folders=looked), page.width, EDGE)
    if found.models or found.bytes:
        lines += ["", *indented(t("installed.whole", count=len(found.models), size=page.bytes(found.bytes)), page.width, EDGE)]
    for disk in found.disks:
        if disk.path in {one.disk.path for one in found.models if one.disk}:
            lines += indented(_disk(page, disk), page.width, EDGE)
    for server in found.running:
        words = (
            t.sentence(server.problem)
            if server.problem
            else t(
                "installed.server",
                tool=t(f"store.{server.store}"),
                version=server.version,
                address=server.address,
                loaded=len(server.loaded),
            )
        )
        lines += [page.paint(line, "warn") if server.problem else line for line in indented(words, page.width, EDGE)]
    refused = [(one.entry.name, one.reason) for one in found.models if one.reason]
    refused += [(one.name, one.reason) for one in found.leftovers if one.kind == "unknown"]
    lines += _listed(page, t("installed.not_run"), [f"{name}: {t.sentence(reason)}" for name, reason in refused])
    lines += _listed(page, t("installed.leftovers"), [_leftover(page, one) for one in found.leftovers if one.kind != "unknown"])
    lines += _listed(page, t("installed.copies"), _copies(page, found))
    lines += _listed(page, t("installed.slow"), [_move(page, one, disk) for one, disk in found.slow])
    lines += _listed(page, t("installed.too_large"), [f"{one.entry.name}  {page.bytes(one.entry.bytes)}" for one in found.too_large])
    if found.spare_bytes:
        lines += ["", *indented(t("installed.spare", size=page.bytes(found.spare_bytes)), page.width, EDGE)]
    if any(one.plan is not None and one.plan.fits and one.plan.speed.decode is None for one in found.models):
        lines += ["", *(page.paint(line, "dim") for line in indented(t("hint.measure"), page.width, EDGE))]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _columns(page: Page, found: Installed) -> list[Column]:
    t = page.texts
    disks = {one.disk.path for one in found.models if one.disk}
    return [
        Column(t("models.model"), [("● " if one.loaded else "") + one.entry.name for one in found.models], least=28),
        Column(t("installed.store"), [t(f"store.{one.entry.store}") for one in found.models], rank=2),
        Column(t("models.quant"), [one.quant or (quant_name(page, one.plan) if one.plan else "–") for one in found.models]),
        Column(t("installed.size"), [page.bytes(one.entry.bytes) for one in found.models], right=True),
        Column(t("installed.fits"), [_verdict(page, one) for one in found.models]),
        Column(t("models.decode"), [_speed(page, one) for one in found.models], right=True),
        Column(t("speed.load"), ["–" if one.load_s is None else seconds(page, one.load_s) for one in found.models], right=True),
        Column(t("machine.disk"), [one.disk.path if one.disk and len(disks) > 1 else "" for one in found.models], rank=1),
    ]


def _verdict(page: Page, one: Judged) -> str:
    if one.plan is None:
        return "–"
    return page.paint("✓", "good") if one.plan.fits else page.paint("✗", "bad")


def _speed(page: Page, one: Judged) -> str:
    decode = one.plan.speed.decode if one.plan and one.plan.fits else None
    return speed_range(page, decode) if decode else "–"


def _disk(page: Page, disk: Disk) -> str:
    t = page.texts
    words = [
        t("machine.disk_free", path=disk.path, total=page.bytes(disk.bytes), free=page.bytes(disk.free_bytes)),
        *disk_words(page, disk),
    ]
    if disk.bytes_per_s:
        words.append(t("installed.read", rate=show_bandwidth(disk.bytes_per_s), how=disk.source.where, date=disk.source.date))
    else:
        words.append(t("machine.rate_unknown"))
    return t("list.comma").join(words)


def _leftover(page: Page, one: Leftover) -> str:
    t = page.texts
    expected = page.bytes(one.expected_bytes) if one.expected_bytes is not None else ""
    words = t(f"leftover.{one.kind}", size=page.bytes(one.bytes), expected=expected)
    return f"{one.name or one.path.name}: {t.sentence(one.reason) if one.reason else words}"


def _copies(page: Page, found: Installed) -> list[str]:
    t = page.texts
    rows = []
    for group in found.copies:
        key = "installed.copy" if group.certain else "installed.copy_sampled"
        rows.append(t(key, size=page.bytes(group.spare_bytes), paths=t("list.comma").join(str(file.path) for file in group.files)))
    return rows


def _move(page: Page, one: Judged, disk: Disk) -> str:
    now, then = seconds(page, one.load_s or 0.0), seconds(page, one.entry.bytes / (disk.bytes_per_s or 1.0))
    return page.texts("installed.move", name=one.entry.name, now=now, then=then, disk=disk.path)


def _listed(page: Page, title: str, rows: list[str]) -> list[str]:
    """A title and its rows, as many as are read."""
    if not rows:
        return []
    lines = ["", *(page.paint(line, "strong") for line in indented(title, page.width, EDGE))]
    for row in rows[:MOST_NAMED]:
        lines += indented(row, page.width, EDGE + "  ")
    if len(rows) > MOST_NAMED:
        lines += indented(page.texts("installed.more", count=len(rows) - MOST_NAMED), page.width, EDGE + "  ")
    return lines
