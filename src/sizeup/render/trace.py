"""A traced training step beside its prediction, part by part."""

from __future__ import annotations

from sizeup.page import Page, indented
from sizeup.trace.proof import TrainingProof

from .run import bytes_apart
from .tables import EDGE, Column, table


def training_proof(page: Page, proof: TrainingProof) -> str:
    """Predicted, traced and the difference, a row a part and the peak; how it was traced, and where the peak is."""
    t = page.texts
    parts = [part for part in proof.buffers if proof.buffers[part] or proof.difference_bytes[part]]
    rows = [(t.named("part", part), proof.buffers[part], proof.difference_bytes[part]) for part in parts]
    rows.append((t("trace.peak"), proof.peak_bytes, proof.peak_bytes - proof.predicted_peak_bytes))
    lines = ["", *(page.paint(line, "strong") for line in indented(t("trace.title", libraries=proof.engine), page.width, EDGE)), ""]
    lines += table(
        page,
        [
            Column("", [name for name, _, _ in rows], least=8),
            Column(t("run.predicted"), [f"{found - apart:,} B" for _, found, apart in rows], right=True),
            Column(t("trace.traced"), [f"{found:,} B" for _, found, _ in rows], right=True),
            Column(t("run.difference"), [bytes_apart(page, apart) for _, _, apart in rows], right=True, least=7),
        ],
    )
    depth = t("trace.whole", layers=proof.layers)
    if len(proof.traced_layers) > 1:
        shallow, deep = proof.traced_layers
        depth = t("trace.depths", shallow=shallow, deep=deep, layers=proof.layers)
    apart = t("trace.apart", percent=f"{100 * proof.difference:+.2f}")
    where = t("trace.where", phase=t(f"trace.phase.{proof.peak_phase}"), operation=proof.peak_at)
    lines.append("")
    for words in (apart, where, depth, *(t(f"trace.note.{note}") for note in proof.notes), t("trace.note")):
        lines += [page.paint(line, "dim") for line in indented(words, page.width, EDGE)]
    return "\n".join(line.rstrip() for line in lines) + "\n"
