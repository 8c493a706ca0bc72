"""A rehearsal of training: what the steps took, beside what was predicted."""

from __future__ import annotations

from sizeup.page import Page, indented, pad, right
from sizeup.practice.rehearse import TrainingRehearsal

EDGE = "  "


def practice(page: Page, found: TrainingRehearsal) -> str:
    """Bytes measured and predicted, seconds of a micro-batch, and the whole where fewer layers ran."""
    t, recipe = page.texts, found.training.recipe
    asked = t("train.batch", batch=recipe.micro_batch, tokens=f"{recipe.sequence_tokens:,}")
    head = f"{found.training.model.name}  {recipe.method} {recipe.dtype}  {asked}"
    lines = ["", EDGE + page.paint(head, "strong")]
    lines += indented(
        t("practice.ran", steps=found.steps, layers=found.layers, whole=found.of_layers, device=found.device), page.width, EDGE
    )
    rows = [
        (t("practice.tensors"), found.peak_bytes, found.training.peak_bytes),
        (t("practice.process"), found.resident_bytes, found.training.process_bytes if found.device == "cpu" else None),
    ]
    if found.layers != found.of_layers:
        rows.append((t("practice.whole"), found.whole_peak_bytes, found.predicted_whole_bytes))
    lines += ["", EDGE + pad("", 34) + right(t("practice.measured"), 12) + right(t("practice.predicted"), 12)]
    for words, measured, predicted in rows:
        shown = "" if predicted is None else page.bytes(predicted)
        apart = "" if predicted is None else f"{predicted / measured - 1:+.1%}"
        lines.append(EDGE + pad(words, 34) + right(page.bytes(measured), 12) + right(shown, 12) + "   " + apart)
    lines += ["", *indented(t("practice.pace", seconds=f"{found.micro_batch_s:.3g}"), page.width, EDGE)]
    if found.layers != found.of_layers:
        lines += indented(t("practice.whole_pace", seconds=f"{found.whole_micro_batch_s:.3g}", layers=found.of_layers), page.width, EDGE)
    return "\n".join(line.rstrip() for line in [*lines, ""]) + "\n"
