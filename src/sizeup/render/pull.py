"""What is pulled and why, how far it is, and what to type next."""

from __future__ import annotations

from pathlib import Path

from sizeup.download import Event
from sizeup.page import Page, cells, cut, indented, pad
from sizeup.pulls import Pull

from .names import context, seconds

EDGE = "  "
MOST_FILES = 4


def pull(page: Page, found: Pull) -> str:
    """The files, the reason for just these, and where they go."""
    t = page.texts
    shown = [f"{item.name}  {page.bytes(item.bytes)}" for item in found.items[:MOST_FILES]]
    if len(found.items) > MOST_FILES:
        shown.append(t("pull.more_files", count=len(found.items) - MOST_FILES))
    sizes = t("pull.size", whole=page.bytes(found.bytes), missing=page.bytes(found.missing_bytes))
    rows = [(t("pull.model"), [found.name]), (t("pull.files"), [*shown, sizes]), (t("pull.why"), why(page, found))]
    rows.append((t("pull.into"), [str(found.folder)]))
    width = max(cells(label) for label, _ in rows) + 2
    lines = [""]
    for label, words in rows:
        for number, text in enumerate(words):
            first = EDGE + pad(page.paint(label, "dim") if number == 0 else "", width)
            lines += indented(text, page.width, first, EDGE + " " * width)
    return "\n".join([*lines, ""]) + "\n"


def why(page: Page, found: Pull) -> list[str]:
    """Why this quantization, and whether it fits."""
    t, plan = page.texts, found.plan
    words = [t(f"pull.why_{found.why}", quant=found.quant or (plan.quant if plan else ""), wished=found.wished)]
    if plan is not None:
        key = "pull.fits" if plan.fits else "pull.does_not_fit"
        words.append(
            t(key, needs=page.bytes(plan.breakdown.total_bytes), tokens=f"{context(plan):,}", machine=t.sentence(plan.machine.name))
        )
        if not plan.fits and found.why == "unfit":
            words.append(t("pull.anyway", quant=found.quant or plan.quant))
    return words


def pull_event(page: Page, event: Event, number: int, every: int) -> str:
    """One line of progress."""
    t = page.texts
    which = f"[{number}/{every}] " if every > 1 else ""
    if event.kind in ("progress", "start", "checking"):
        share = event.done_bytes / event.bytes if event.bytes else 1.0
        tail = f"{share:4.0%}  {t('pull.of', done=page.bytes(event.done_bytes), whole=page.bytes(event.bytes))}"
        if event.kind == "checking":
            tail += f"  {t('pull.checking')}"
        elif event.bytes_per_s > 0:
            tail += f"  {page.bytes(event.bytes_per_s)}/s"
            tail += (
                f"  {t('pull.left', time=seconds(page, event.left_s))}"
                if event.left_s is not None and event.done_bytes < event.bytes
                else ""
            )
    else:
        tail = t(f"pull.event_{event.kind}" + (f"_{event.words}" if event.words else ""))
    room = page.width - cells(EDGE + which + tail) - 3
    return f"{EDGE}{which}{cut(event.name, max(8, room))}  {tail}"


def pulled(page: Page, found: Pull, path: Path) -> str:
    """Where it is, and the command that uses it."""
    t = page.texts
    lines = ["", *indented(t("pull.done", path=str(path)), page.width, EDGE), "", f"  {t('pull.next')}"]
    return "\n".join([*lines, f"    {page.paint(found.command(path), 'command')}", ""]) + "\n"
