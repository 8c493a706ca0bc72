"""What quantising costs, fitted over data/quality/losses.csv; the result is data/quality/quant_loss.json.

The measure is the mean Kullback-Leibler divergence from the 16-bit model's next-token probabilities, in nats a token: unlike a benchmark it
sees every token, and unlike perplexity it cannot gain by luck. Where only perplexities are published, ln(PPL/PPL16) stands in for it.

    ln loss(mix, model) = a(mix) - b ln(size / 8B) + family

* a(mix) is Llama 3 8B's, the newest model with a whole table; where both an importance matrix and none were measured, their geometric mean.
* b is fitted from LLaMA 1 at 7B and 13B, the only family measured at two sizes, mix by mix (small losses, which are noise, left out).
* family is the spread between Llama 3, Llama 2 and LLaMA 1 at one size: it becomes the interval of every other model.
* share kept = exp(-c loss), c fitted to tasks that were run at two quantisations (Aider on Qwen2.5-Coder 32B, MMLU on DeepSeek-V3).
"""

from __future__ import annotations

import json
import math
import statistics
from typing import Any

from .rows import DATA, losses

SIZES = {"Llama 3 8B": 8.03e9, "Llama 2 7B": 6.74e9, "LLaMA 1 7B": 6.74e9, "LLaMA 1 13B": 13.02e9}
REFERENCE = "Llama 3 8B"
SMALLEST = 0.003
"""Nats: losses below are within the noise of the perplexities they come from."""
TASKS = [
    # (the row's label, mix, stored weights that take part (geometric mean of total and active), tasks run)
    ("Ollama: q4_K_M", "Q4_K_M", 32.8e9, 133),
    ("Ollama: q2_K", "Q2_K", 32.8e9, 133),
    ("q4km (torch GPU)", "Q4_K_M", math.sqrt(671e9 * 37.5e9), 1000),
]


def fit() -> None:
    """Write data/quality/quant_loss.json."""
    result = fitted()
    (DATA / "quant_loss.json").write_text(json.dumps(result, indent=1) + "\n")
    print({key: value for key, value in result.items() if key != "mixes"}, len(result["mixes"]))


def fitted() -> dict[str, Any]:
    """The content of data/quality/quant_loss.json."""
    measured = _divergences()
    table = {mix: _of_reference(by_importance) for mix, by_importance in measured[REFERENCE].items()}
    slopes = _slopes()
    exponent = _mean(slopes)
    left_out = [_mean({other: slope for other, slope in slopes.items() if other != mix}) for mix in slopes]
    offsets = {family: _offset(found, table, exponent) for family, found in _families(measured).items()}
    spread = statistics.stdev([0.0, *offsets.values()])
    rate, rate_sd = _rate(table, exponent)
    return {
        "what": "Loss of quantising, in nats a token (mean KL divergence from 16 bits), and the share of a task's score that is kept.",
        "how": "tools/quality/quant_loss.py",
        "source": "fitted over data/quality/losses.csv",
        "date": "2026-11-21",
        "reference": {"model": REFERENCE, "parameters": 8_030_261_248},
        "size_exponent": round(exponent, 4),
        "size_exponent_sd": round(math.sqrt(_mean({mix: ((slope - exponent) ** 2, weight) for mix, (slope, weight) in slopes.items()})), 4),
        "size_exponent_leave_one_out": [round(min(left_out), 4), round(max(left_out), 4)],
        "size_exponent_from": "LLaMA 1 7B and 13B, ln PPL ratio; other sizes are extrapolated",
        "family_sd": round(spread, 4),
        "family_offsets": {family: round(offset, 4) for family, offset in offsets.items()},
        "kept_per_nat": round(rate, 4),
        "kept_per_nat_sd": round(rate_sd, 4),
        "mixes": table,
        "cache": _cache(),
    }


def _divergences() -> dict[str, dict[str, dict[str, float]]]:
    """Model -> mix -> importance matrix ("" or "WT 10m") -> mean KLD."""
    found: dict[str, dict[str, dict[str, float]]] = {}
    for row in losses():
        if row["metric"] == "mean KLD" and not row["kv_cache_type"] and row["imatrix"] in ("None", "WT 10m"):
            key = "" if row["imatrix"] == "None" else row["imatrix"]
            found.setdefault(row["model"], {}).setdefault(row["quant_type"], {})[key] = float(row["value"])
    return found


def _of_reference(by_importance: dict[str, float]) -> dict[str, Any]:
    each = list(by_importance.values())
    return {"nats": round(statistics.geometric_mean(each), 6), "low": min(each), "high": max(each), "rows": len(each)}


def _log_ratios() -> dict[str, dict[str, float]]:
    """Model -> mix -> ln(PPL/PPL of 16 bits), where both are in one row."""
    found: dict[str, dict[str, float]] = {}
    for row in losses():
        if row["metric"] == "PPL" and row["baseline_value"] and row["model"].startswith("LLaMA 1"):
            found.setdefault(row["model"], {})[row["quant_type"]] = math.log(float(row["value"]) / float(row["baseline_value"]))
    return found


def _slopes() -> dict[str, tuple[float, float]]:
    """b mix by mix, with its weight: a perplexity's noise is the same for every mix, so that a large loss says more of b."""
    ratios = _log_ratios()
    small, large = ratios["LLaMA 1 7B"], ratios["LLaMA 1 13B"]
    distance = math.log(SIZES["LLaMA 1 13B"] / SIZES["LLaMA 1 7B"])
    return {
        mix: (math.log(loss / large[mix]) / distance, 1 / (loss**-2 + large[mix] ** -2))
        for mix, loss in small.items()
        if min(loss, large.get(mix, 0)) > SMALLEST
    }


def _mean(weighed: dict[str, tuple[float, float]]) -> float:
    return sum(value * weight for value, weight in weighed.values()) / sum(weight for _, weight in weighed.values())


def _families(measured: dict[str, dict[str, dict[str, float]]]) -> dict[str, dict[str, float]]:
    llama_2 = {mix: by[""] for mix, by in measured["Llama 2 7B"].items() if by[""] > 0}
    llama_1 = {mix: loss for mix, loss in _log_ratios()["LLaMA 1 7B"].items() if loss > SMALLEST}
    return {"Llama 2 7B": llama_2, "LLaMA 1 7B": llama_1}


def _offset(found: dict[str, float], table: dict[str, dict[str, Any]], exponent: float) -> float:
    """Mean of ln(loss / the reference's loss at the same size); both without an importance matrix."""
    shift = exponent * math.log(6.74e9 / SIZES[REFERENCE])
    return statistics.fmean(math.log(loss / table[mix]["high"]) + shift for mix, loss in found.items() if mix in table)


def _rate(table: dict[str, dict[str, Any]], exponent: float) -> tuple[float, float]:
    """c of share kept = exp(-c loss) and its standard deviation, by weighted least squares; weights from the number of tasks run."""
    rows = {row["quant_type"]: row for row in losses() if row["metric"].startswith(("Aider", "MMLU (1k"))}
    above = below = 0.0
    for label, mix, size, tasks in TASKS:
        after, before = float(rows[label]["value"]) / 100, float(rows[label]["baseline_value"]) / 100
        loss = table[mix]["nats"] * (size / SIZES[REFERENCE]) ** -exponent
        weight = tasks * before / (1 - before)
        above += weight * loss * -math.log(after / before)
        below += weight * loss * loss
    return above / below, 1 / math.sqrt(below)


def _cache() -> dict[str, Any]:
    """Nats that a quantised cache adds on the reference model, K and V apart; the f16 cache's own floor is taken off."""
    found = {
        row["kv_cache_type"].split(" (")[0]: float(row["value"])
        for row in losses()
        if row["metric"] == "mean KLD" and row["kv_cache_type"] and row["quant_type"] == "f16"
    }
    floor = found["K f16 / V f16"]
    v = {"q8_0": found["K f16 / V q8_0"] - floor, "q5_1": found["K f16 / V q5_1"] - floor}
    return {
        "k": {"q8_0": round(found["K q8_0 / V f16"] - floor, 6)},
        "v": {name: round(nats, 6) for name, nats in v.items()},
        "measured_factor_per_bit": round((v["q5_1"] / v["q8_0"]) ** (1 / (8.5 - 6)), 4),
        "measured_factor_means": "how much more is lost for each bit less a value, between the two types of V that were measured",
        "rounding_factor_per_bit": 4.0,
        "rounding_factor_means": "assumed as the worst: a bit less doubles the step of rounding and quadruples its square. A type that nobody measured "
        "lies between the two factors, in the middle of them by ratio",
    }
