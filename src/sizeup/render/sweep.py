"""What a sweep read and wrote."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sizeup.page import Page

from .tables import pairs

if TYPE_CHECKING:
    from sizeup.sweep.run import Summary


def sweep(page: Page, found: Summary) -> str:
    """Models and their shapes, machines and their classes, cells written and what they answer for, where they lie."""
    t = page.texts

    def of(key: str, count: int, groups: int) -> str:
        return t(f"sweep.{key}", count=f"{count:,}", groups=f"{groups:,}")

    rows = [(t("sweep.models"), of("of_shapes", found.models, found.shapes))]
    if found.machines:
        rows.append((t("sweep.machines"), of("of_classes", found.machines, found.classes)))
    rows.append((t("sweep.cells"), of("answering", found.cells, found.cells_ungrouped)))
    if found.machines and found.cells:
        rows.append((t("sweep.fitting"), f"{found.fitting_cells:,} ({found.fitting_cells / found.cells:.0%})"))
    if found.without_config or found.unreadable_shapes:
        rows.append((t("sweep.unread"), of("left_out", found.without_config, found.unreadable_shapes)))
    rows.append((t("sweep.time"), of("groups", found.groups, found.groups_kept) + f"{t('list.comma')}{found.seconds:,.1f} s"))
    rows.append((t("sweep.folder"), found.folder))
    return "\n".join(["", *pairs(page, rows)]) + "\n"
