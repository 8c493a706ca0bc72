"""Build the list of models without published weights: `python tools/build_closed_models.py MODEL_QUALITY.csv`.

Which names are closed is written here by hand; the nearest open model of each is worked out: of the open models in the
catalogue, the one whose scores lie closest on average over at least two benchmarks that both have, GPQA among them. The
scores are their vendors' own (CC-BY-4.0, JonathanChavezTamales/llm-leaderboard), so this is for orientation, not a ranking.
"""

from __future__ import annotations

import csv
import json
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

DATA = Path(__file__).resolve().parent.parent / "src" / "sizeup" / "data"
BENCHMARKS = ("GPQA (Diamond)", "MMLU", "MMLU-Pro", "MATH", "HumanEval", "AIME 2024", "AIME 2025", "SWE-bench Verified")
SOURCE = "vendors' own scores collected by github.com/JonathanChavezTamales/llm-leaderboard (CC-BY-4.0)"
CLOSED = [
    # vendor, what it is called, a pattern over the plain name (letters, digits and single hyphens), the row of scores
    ("OpenAI", "GPT-4o mini", r"gpt-?4o-mini.*", "GPT-4o mini"),
    ("OpenAI", "GPT-4o", r"(chatgpt|gpt)-?4o.*", "GPT-4o"),
    ("OpenAI", "GPT-4.1 mini", r"gpt-?4\.1-mini.*", "GPT-4.1 mini"),
    ("OpenAI", "GPT-4.1 nano", r"gpt-?4\.1-nano.*", "GPT-4.1 nano"),
    ("OpenAI", "GPT-4.1", r"gpt-?4\.1.*", "GPT-4.1"),
    ("OpenAI", "GPT-4.5", r"gpt-?4\.5.*", "GPT-4.5"),
    ("OpenAI", "GPT-4 Turbo", r"gpt-?4-turbo.*|gpt-?4-(1106|0125).*", "GPT-4 Turbo"),
    ("OpenAI", "GPT-4", r"gpt-?4(-(32k|0314|0613|vision).*)?", "GPT-4"),
    ("OpenAI", "GPT-3.5", r"gpt-?3\.5.*|chatgpt", "GPT-3.5 Turbo"),
    ("OpenAI", "GPT-3", r"gpt-?3|(text-)?davinci.*", ""),
    ("OpenAI", "GPT-5 mini", r"gpt-?5(\.\d+)?-mini.*", "GPT-5 mini"),
    ("OpenAI", "GPT-5 nano", r"gpt-?5(\.\d+)?-nano.*", "GPT-5 nano"),
    ("OpenAI", "GPT-5", r"gpt-?5.*", "GPT-5"),
    ("OpenAI", "GPT-6", r"gpt-?6.*", "GPT-5"),
    ("OpenAI", "o1-mini", r"o1-mini.*", "o1-mini"),
    ("OpenAI", "o1", r"o1(-(pro|preview|\d).*)?", "o1"),
    ("OpenAI", "o3-mini", r"o3-mini.*", "o3-mini"),
    ("OpenAI", "o3", r"o3(-(pro|deep|\d).*)?", "o3"),
    ("OpenAI", "o4-mini", r"o4(-mini.*)?", "o4-mini"),
    ("OpenAI", "codex", r"codex(-mini)?(-latest)?|code-davinci.*", ""),
    ("Anthropic", "Claude 3 Haiku", r"claude-3-haiku.*", "Claude 3 Haiku"),
    ("Anthropic", "Claude 3 Sonnet", r"claude-3-sonnet.*", "Claude 3 Sonnet"),
    ("Anthropic", "Claude 3 Opus", r"claude-3-opus.*", "Claude 3 Opus"),
    ("Anthropic", "Claude 3.5 Haiku", r"claude-(3[.-]5-haiku|haiku-3[.-]5).*", "Claude 3.5 Haiku"),
    ("Anthropic", "Claude 3.5 Sonnet", r"claude-(3[.-]5-sonnet|sonnet-3[.-]5).*", "Claude 3.5 Sonnet"),
    ("Anthropic", "Claude 3.7 Sonnet", r"claude-(3[.-]7-sonnet|sonnet-3[.-]7).*", "Claude 3.7 Sonnet"),
    ("Anthropic", "Claude Sonnet 4.5", r"claude-(sonnet-4[.-]5|4[.-]5-sonnet).*", "Claude Sonnet 4.5"),
    ("Anthropic", "Claude Sonnet 4", r"claude-(sonnet-4|4-sonnet).*", "Claude Sonnet 4"),
    ("Anthropic", "Claude Haiku 4.5", r"claude-(haiku-4[.-]5|4[.-]5-haiku).*", "Claude Haiku 4.5"),
    ("Anthropic", "Claude Opus 4.1", r"claude-(opus-4[.-]1|4[.-]1-opus).*", "Claude Opus 4.1"),
    ("Anthropic", "Claude Opus 4", r"claude-(opus-4|4-opus)(-2025.*)?", "Claude Opus 4"),
    ("Anthropic", "Claude", r"claude([-.@\d].*)?", "Claude Sonnet 4.5"),
    ("Google", "Gemini 1.0 Pro", r"gemini-(1\.0-)?(pro|ultra|nano)(-vision)?", "Gemini 1.0 Pro"),
    ("Google", "Gemini 1.5 Flash 8B", r"gemini-1\.5-flash-8b.*", "Gemini 1.5 Flash 8B"),
    ("Google", "Gemini 1.5 Flash", r"gemini-1\.5-flash.*", "Gemini 1.5 Flash"),
    ("Google", "Gemini 1.5 Pro", r"gemini-1\.5.*", "Gemini 1.5 Pro"),
    ("Google", "Gemini 2.0 Flash-Lite", r"gemini-2\.0-flash-lite.*", "Gemini 2.0 Flash-Lite"),
    ("Google", "Gemini 2.0 Flash", r"gemini-2\.0.*", "Gemini 2.0 Flash"),
    ("Google", "Gemini 2.5 Flash", r"gemini-2\.5-flash.*", "Gemini 2.5 Flash"),
    ("Google", "Gemini 2.5 Pro", r"gemini-2\.5.*", "Gemini 2.5 Pro"),
    ("Google", "Gemini", r"gemini([-.@\d].*)?", "Gemini 2.5 Pro"),
    ("Google", "PaLM", r"palm-?2?(-.*)?|(text|chat)-bison.*", ""),
    ("xAI", "Grok-1.5", r"grok-1\.5.*", "Grok-1.5"),
    ("xAI", "Grok-2 mini", r"grok-2-mini.*", "Grok-2 mini"),
    ("xAI", "Grok-3 Mini", r"grok-3-mini.*", "Grok-3 Mini"),
    ("xAI", "Grok-3", r"grok-3.*", "Grok-3"),
    ("xAI", "Grok 4 Fast", r"grok-4(\.\d)?-fast.*", "Grok 4 Fast"),
    ("xAI", "Grok-4", r"grok-4.*", "Grok-4"),
    ("xAI", "Grok", r"grok-([5-9]|code|vision|beta).*", "Grok-4"),
    ("Amazon", "Nova Micro", r"(amazon-)?nova-micro.*", "Nova Micro"),
    ("Amazon", "Nova Lite", r"(amazon-)?nova-lite.*", "Nova Lite"),
    ("Amazon", "Nova Pro", r"(amazon-)?nova-(pro|premier).*", "Nova Pro"),
    ("Mistral AI", "Mistral Large (February 2024)", r"mistral-large-2402", ""),
    ("Mistral AI", "Mistral Medium", r"mistral-medium.*|magistral-medium.*|devstral-medium.*", ""),
    ("Mistral AI", "Codestral 25", r"codestral-25.*", ""),
    ("Alibaba", "Qwen Max", r"qwen(-?\d(\.\d)?)?-(max|plus|turbo)(-.*)?", ""),
    ("Cohere", "Command", r"command(-light|-nightly)?", ""),
]
"""In order: the first pattern that matches decides, so the finer ones stand first. grok-1, grok-2, gpt2, gpt-oss and gemma have
published weights and match none of them."""


def scores(path: Path, open_ids: set[str]) -> tuple[dict[str, dict[str, float]], dict[str, dict[str, float]]]:
    """(closed, open) -> name -> benchmark -> the vendor's own score."""
    closed: dict[str, dict[str, float]] = defaultdict(dict)
    opened: dict[str, dict[str, float]] = defaultdict(dict)
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["benchmark"] not in BENCHMARKS or "llm-leaderboard" not in row["source"] or "JonathanChavez" not in row["source"]:
                continue
            if row["scale"] != "0-100" or "example.com" in row["source"]:
                continue
            if row["open_weights"] == "no":
                closed[row["model"]].setdefault(row["benchmark"], float(row["score"]))
            elif row["hf_id"] in open_ids and "-base" not in row["hf_id"].lower():
                opened[row["hf_id"]].setdefault(row["benchmark"], float(row["score"]))
    return closed, opened


def nearest(target: dict[str, float], opened: dict[str, dict[str, float]]) -> dict[str, Any] | None:
    """The open model with the least mean difference over the benchmarks that both have."""
    best: tuple[float, str, list[str]] | None = None
    for id, theirs in sorted(opened.items()):
        common = [name for name in BENCHMARKS if name in target and name in theirs]
        if len(common) < 2 or BENCHMARKS[0] not in common:
            continue
        gap = sum(abs(target[name] - theirs[name]) for name in common) / len(common)
        if best is None or gap < best[0]:
            best = (gap, id, common)
    if best is None or best[0] > 6:
        return None
    gap, id, common = best
    return {"id": id, "gap": round(gap, 1), "scores": {name: [target[name], opened[id][name]] for name in common}}


def build(path: Path) -> None:
    index = json.loads((DATA / "catalogue" / "index.json").read_text())
    closed, opened = scores(path, {entry[0] for entry in index["entries"]})
    rows = []
    for vendor, name, pattern, scored in CLOSED:
        row: dict[str, Any] = {"name": name, "vendor": vendor, "pattern": pattern}
        if scored and (near := nearest(closed.get(scored, {}), opened)):
            row["nearest"] = near | ({} if scored == name else {"by_the_scores_of": scored})
        rows.append(row)
    table = {
        "what": "Models whose weights and sizes are not published, by what people call them. The first pattern that matches counts. "
        "nearest: the open model whose scores lie closest, gap in points on average; for orientation only.",
        "source": SOURCE,
        "date": "2026-11-21",
        "closed": rows,
    }
    (DATA / "closed_models.json").write_text(json.dumps(table, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"{len(rows)} closed models, {sum('nearest' in row for row in rows)} with a nearest open one")
    for row in rows:
        print(
            f"  {row['name']:24} {row.get('nearest', {}).get('id', '-'):52} {row.get('nearest', {}).get('gap', '')} {len(row.get('nearest', {}).get('scores', ()))}"
        )


if __name__ == "__main__":
    build(Path(sys.argv[1]))
