"""Write tests/data/transformers_checkpoints.jsonl.xz: every tensor that transformers would save of one model of each of its classes.

`python tools/build_transformers_checkpoints.py` in an environment with transformers 5.23.0, torch and pillow. Each model of the
catalogue whose class was not seen before is built on the meta device (no weights); tests hold ghosts against what it names.
Experts are cut to EXPERTS, which keeps every kind of name and the file small.
"""

from __future__ import annotations

import datetime
import json
import lzma
from pathlib import Path
from typing import Any

from sizeup.errors import Unavailable
from sizeup.facts import Source
from sizeup.ghost.skeleton import skeleton
from sizeup.readers import catalogue_data
from sizeup.readers.config import spec_from_config

TARGET = Path(__file__).resolve().parent.parent / "tests" / "data" / "transformers_checkpoints.jsonl.xz"
EXPERTS = 16
COUNTS = ("num_experts", "num_local_experts", "n_routed_experts", "moe_num_experts")


def fewer_experts(config: dict[str, Any]) -> dict[str, Any]:
    """The config with at most so many experts, wherever it says how many there are."""
    made: dict[str, Any] = {}
    for key, value in config.items():
        if isinstance(value, dict):
            made[key] = fewer_experts(value)
        else:
            made[key] = min(value, EXPERTS) if key in COUNTS and isinstance(value, int) else value
    if "n_group" in made and any(made.get(count) == EXPERTS for count in COUNTS):
        made |= {"n_group": 1, "topk_group": 1}
    return made


def main() -> None:
    rows, seen = [], set()
    for id in catalogue_data.index().ids:
        config = catalogue_data.config(id)
        kind = (config.get("model_type"), tuple(config.get("architectures") or ()))
        if kind in seen:
            continue
        seen.add(kind)
        config = fewer_experts(config)
        try:
            found = skeleton(spec_from_config(config, id, Source("published", id)))
        except Unavailable as error:
            print(id, error.message)
            continue
        if any(row["class"] == found.class_name for row in rows):
            continue
        tensors = [[entry.name, entry.dtype, list(entry.shape)] for entry in found.entries]
        rows.append({"id": id, "config": config, "class": found.class_name, "tensors": tensors})
        print(id, found.class_name, len(tensors))
    head = {"source": found.library, "date": datetime.date.today().isoformat()}
    text = "\n".join(json.dumps(row, separators=(",", ":")) for row in [head, *rows]) + "\n"
    TARGET.write_bytes(lzma.compress(text.encode(), preset=9 | lzma.PRESET_EXTREME))
    print(len(rows), "models,", TARGET.stat().st_size, "bytes")


if __name__ == "__main__":
    main()
