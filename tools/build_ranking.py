"""Build data/ranking/columns.bin: python -m tools.build_ranking. What the engine's own accounting says of every catalogue model in every
recommended mix, so that a ranking of all of them asks no model to be read. Layout: src/sizeup/shortlist.py, which reads it.
"""

from __future__ import annotations

import array
import json
import sys
import zlib
from pathlib import Path
from typing import Any

from sizeup.engines import engine as find_engine
from sizeup.errors import SizeupError
from sizeup.facts import data_json
from sizeup.memory import make_settings
from sizeup.model import ModelSpec
from sizeup.plan import Claim
from sizeup.readers import catalogue
from sizeup.readers.catalogue_data import index, rows
from sizeup.shortlist import BAND_UNIT, MEASURED_PARTS
from tools.quality.traits import traits_of

DATA = Path(__file__).resolve().parent.parent / "src" / "sizeup" / "data" / "ranking"
CONTEXTS = (2048, 8192, 32768, 131072)
ENGINE = find_engine("llama.cpp")


def placed(context: int, gpu: bool, kind: str = "cuda") -> Any:
    """Settings with everything on one card, or everything on the host as the file stores it."""
    where = {"gpu_layers": "all", "gpus": 1, "gpu_kind": kind} if gpu else {"gpu_layers": 0, "repack": False}
    return make_settings(ENGINE.Settings, ENGINE.name, {"context_tokens": context, "cpu_features": (), **where})


def rest(spec: ModelSpec, mix: str, context: int) -> list[int]:
    """Of [card, host beside a card, the same of Metal, host alone]: bytes needed beside the weights; then of each the parts that logs may
    correct, as the formula has them: bytes, and their band."""
    cards = [ENGINE.account(spec, mix, placed(context, True, kind)) for kind in ("cuda", "metal")]
    sides = [(card, pool) for card in cards for pool in ("vram:0", "ram")] + [(ENGINE.account(spec, mix, placed(context, False)), "ram")]
    found = [made.needed_bytes(pool) - weights(made, pool) for made, pool in sides]
    for made, pool in sides:
        for part in MEASURED_PARTS:
            claims = [claim for claim in made.claims if (claim.part, claim.pool) == (part, pool)]
            # Rounding is by claim, so two could not be told from their sum.
            (one,) = claims or [Claim(part, pool, 0)]
            found += [int(one.bytes), round(one.within * BAND_UNIT)]
            assert found[-1] / BAND_UNIT == one.within, one
    return found


def weights(breakdown: Any, pool: str) -> int:
    """Bytes of weights that must be there; pages that the system may drop are not."""
    return sum(int(c.bytes) for c in breakdown.claims if c.part == "weights" and c.pool == pool and not c.reclaimable)


def of_mix(spec: ModelSpec, mix: str) -> tuple[list[int], str]:
    """[weights on the card, on the host beside it, on the host alone, experts of these, dense read a token, routed read a token], main format."""
    card, alone = (ENGINE.account(spec, mix, placed(2048, gpu)) for gpu in (True, False))
    moved = ENGINE.account(
        spec,
        mix,
        make_settings(
            ENGINE.Settings,
            ENGINE.name,
            {"context_tokens": 2048, "cpu_features": (), "gpu_layers": "all", "gpus": 1, "gpu_kind": "cuda", "cpu_moe_layers": "all"},
        ),
    )
    step = next(part for part in ENGINE.work(spec, mix, placed(2048, True)) if part.pool == "vram:0")
    held = weights(card, "vram:0")
    dense = sum(float(share.bytes) for share in step.shares if not share.routed)
    routed = sum(float(share.bytes) for share in step.shares if share.routed)
    main = max(step.shares, key=lambda share: float(share.bytes)).format
    return [held, weights(card, "ram"), weights(alone, "ram"), held - weights(moved, "vram:0"), round(dense), round(routed)], main


def record(number: int, mixes: list[str]) -> tuple[list[int], list[str]] | None:
    """All columns of one model; None when the engine does not take it."""
    spec = catalogue.spec(number)
    try:
        step = next(part for part in ENGINE.work(spec, mixes[0], placed(2048, True)) if part.pool == "vram:0")
        values = [
            spec.parameters,
            spec.active_parameters,
            step.layers,
            step.expert_layers,
            round(float(step.cache_bytes + step.state_bytes)),
        ]
        limit = spec.context_tokens or CONTEXTS[-1]
        for context in CONTEXTS:
            values += rest(spec, mixes[0], min(context, limit))
        main = []
        own = (spec.card.get("native_quantization") or {}).get("quant_method")
        for mix in mixes:
            # Nobody makes four-bit files of the kind that a few models are published in of any other model.
            each, format = ([0] * 6, "") if mix == "MXFP4_MOE" and own != "mxfp4" else of_mix(spec, mix)
            values += each
            main.append(format)
    except (SizeupError, NotImplementedError, StopIteration):
        return None
    return values, main


def build(numbers: list[int] | None = None) -> dict[str, Any]:
    """Everything that is shipped: {"mixes", "contexts", "models": [...], columns}."""
    mixes = [*data_json("recommended_mixes.json")["by_quality"], "MXFP4_MOE"]
    told, columns = [], array.array("q")
    facts = {row["id"]: row for row in rows()}
    for number in numbers if numbers is not None else range(len(index().ids)):
        found = record(number, mixes)
        id = index().ids[number]
        if found is None:
            continue
        values, formats = found
        columns.extend(values)
        row = facts[id]
        told.append(
            {
                "number": number,
                **traits_of(catalogue.spec(number)),
                "formats": formats,
                "license": row.get("license"),
                "modality": row["modality"],
                "context": catalogue.spec(number).context_tokens,
                "downloads": row.get("hf_downloads"),
                "native": (row.get("native_quantization") or {}).get("quant_method"),
            }
        )
        if len(told) % 50 == 0:
            print(len(told), id, file=sys.stderr)
    return {"mixes": mixes, "contexts": CONTEXTS, "models": told, "columns": columns}


def write(built: dict[str, Any]) -> None:
    """Two files: the table of models as JSON, the columns as little-endian 64-bit integers."""
    DATA.mkdir(exist_ok=True)
    columns = built.pop("columns")
    assert sys.byteorder == "little"
    (DATA / "columns.bin").write_bytes(zlib.compress(columns.tobytes(), 9))
    lines = ",\n".join(json.dumps(model, ensure_ascii=False) for model in built.pop("models"))
    head = json.dumps(
        {
            "what": "Every catalogue model that the engine takes, as a ranking sees it; generated by tools/build_ranking.py.",
            "date": index().date,
            **built,
        }
    )
    (DATA / "models.json").write_text(f'{head[:-1]}, "models": [\n{lines}\n]}}\n')


if __name__ == "__main__":
    write(build())
