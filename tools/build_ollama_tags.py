"""Build what Ollama's short tags stand for: `python tools/build_ollama_tags.py TAGS.json MANIFESTS`.

TAGS.json is data/tags.json of github.com/D3rhami/ollama_gallery (MIT): tag pages, one name for each manifest, so that a short
tag (`gemma2:2b`) and the long one of the same file (`gemma2:2b-instruct-q4_0`) appear once. MANIFESTS is the folder
manifests/registry.ollama.ai/library of github.com/josh/ollama-models-nix (MIT): registry manifests as they were.

latest: the tag whose model layer is the one of `latest`. quants: where a manifest gives the file's exact size, the usual format
whose size by our own tensors lies nearest (within 6 %); else, among a tag's long forms, the usual one that is missing from the
list is the one that the short tag stands for.
"""

from __future__ import annotations

import json
import re
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

from sizeup.mixes import MixFacts, assign
from sizeup.model import Tensor
from sizeup.quant import quant
from sizeup.readers import catalogue_data
from sizeup.readers.catalogue import find

DATA = Path(__file__).resolve().parent.parent / "src" / "sizeup" / "data"
FORMS = ("q4_K_M", "q4_0", "q8_0", "fp16")
"""Formats that short tags have stood for."""
FORMAT = re.compile(r"^(.*?)-?(q\d+_\w+|q\d_[01]|iq\d_\w+|fp16|bf16|f16|mxfp4|nvfp4)$", re.IGNORECASE)


def size_form(row: dict[str, Any], model_bytes: int) -> str | None:
    """The format whose tensors lie nearest to a file of this size; None when none is near. Towers are stored as F16."""
    if (row.get("native_quantization") or {}).get("quant_method") == "mxfp4":
        return "mxfp4"
    if row.get("params_embed_per_layer"):
        return None  # those lie in a format of their own, so that the sizes do not tell
    spec = find(row["id"])
    tensors = [Tensor(name, tuple(shape)) for name, shape in spec.embedding.stored(spec.hidden)]
    for group in spec.groups:
        for position in group.positions:
            tensors += [Tensor(f"blk.{position}.{name}", tuple(shape)) for name, shape in group.block.stored(spec.hidden)]
    tensors += [Tensor(name, tuple(shape)) for name, shape in spec.head.stored(spec.hidden)]
    heads = spec.hyper.get("num_attention_heads") or spec.hyper.get("n_head") or 0
    facts = MixFacts(spec.architecture, heads, spec.hyper.get("num_key_value_heads") or heads, spec.layers, row.get("num_experts") or 0)
    towers = 2 * sum(tower.parameters() for tower in spec.towers)
    gaps = []
    for form in FORMS:
        types = assign(tensors, "F16" if form == "fp16" else form.upper(), facts)
        stored = sum(int(quant(kind).tensor_bytes(t.shape[0], t.elements // t.shape[0])) for kind, t in zip(types, tensors, strict=True))
        gaps.append((min(abs(model_bytes - stored), abs(model_bytes - stored - towers)), form))
    gap, form = min(gaps)
    return form if gap < 0.06 * model_bytes else None


def digests(folder: Path) -> dict[str, dict[str, str]]:
    """base -> tag -> digest of its model layer."""
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for path in sorted(folder.glob("*/*.json")):
        for layer in json.loads(path.read_text()).get("layers", []):
            if layer["mediaType"].endswith("image.model"):
                found[path.parent.name][path.stem] = layer["digest"]
    return found


def short_form(size: str, listed: set[str]) -> str | None:
    """The format that the short tag `size` stands for; None when the list does not decide it.

    Long forms come in kinds (2b-instruct-…, 2b-text-…). The kind that the short tag belongs to lacks one usual format.
    """
    kinds: dict[str, set[str]] = defaultdict(set)
    for tag in listed:
        if (found := FORMAT.match(tag)) and found[1].split("-")[0] == size:
            kinds[found[1]].add(found[2].lower())
    lacking = [form for forms in kinds.values() if len(forms) >= 5 and len(missing := {"q4_k_m", "q4_0"} - forms) == 1 for form in missing]
    return {"q4_k_m": "q4_K_M", "q4_0": "q4_0"}[lacking[0]] if len(set(lacking)) == 1 else None


def build(tags: Path, manifests: Path) -> None:
    index = json.loads((DATA / "catalogue" / "index.json").read_text())
    ours: dict[str, list[str]] = defaultdict(list)
    for tag in index["ollama"]:
        ours[tag.partition(":")[0]].append(tag.partition(":")[2])
    listed: dict[str, set[str]] = {
        base: {entry["name"].partition(":")[2] for entry in entries.values()} for base, entries in json.loads(tags.read_text()).items()
    }
    real = digests(manifests)
    latest: dict[str, str] = {}
    quants: dict[str, str] = {}
    for row in catalogue_data.rows():
        for tag in row.get("ollama", ()):
            if "model_bytes" in tag and "-" not in tag["tag"].partition(":")[2] and (form := size_form(row, tag["model_bytes"])):
                quants[tag["tag"]] = form
    measured = len(quants)
    for base, known in ours.items():
        same = [tag for tag, digest in real.get(base, {}).items() if tag != "latest" and digest == real[base].get("latest")]
        sizes = sorted({re.split(r"-", tag)[0] for tag in known} - {"latest"})
        hidden = [size for size in sizes if size not in listed.get(base, set())]
        if same:
            latest[base] = min(same, key=len)
        elif "latest" in listed.get(base, set()) and len(hidden) == 1:
            latest[base] = hidden[0]
        elif len(sizes) == 1:
            latest[base] = sizes[0]
        elif "latest" in known:
            latest[base] = "latest"
        for size in sizes:
            if f"{base}:{size}" in quants:
                continue
            if found := short_form(size, listed.get(base, set())):
                quants[f"{base}:{size}"] = found
    table = {
        "what": "What Ollama's short names stand for: latest by family, and the quantisation of a tag that does not name one.",
        "source": "github.com/josh/ollama-models-nix b962467 (registry manifests, 2025-08-05) and github.com/D3rhami/ollama_gallery "
        "5d4b656 (tag pages, 2026-07-15); both MIT",
        "date": "2026-11-21",
        "latest": dict(sorted(latest.items())),
        "quants": dict(sorted(quants.items())),
        # A tag of one family's two models of one size, listed under the wrong one.
        "corrections": dict.fromkeys(("deepseek-r1:8b-llama-distill-q4_k_m",), "deepseek-ai/DeepSeek-R1-Distill-Llama-8B"),
    }
    (DATA / "ollama_tags.json").write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")
    print(f"{len(latest)} of {len(ours)} families have a default, {len(quants)} tags a known quantisation, {measured} of them by size")
    print("no default:", sorted(set(ours) - set(latest)))


if __name__ == "__main__":
    build(Path(sys.argv[1]), Path(sys.argv[2]))
