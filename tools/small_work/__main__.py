"""Run: python -m tools.small_work [--measure FILE.gguf SHORT FROM]. The first makes the page, the second measures a model again before."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from .page import MEASURED, PAGE, page


def again(file: Path, short: str, where: str) -> None:
    """Measure a model and keep it in place of what was kept under this short name; what was judged stays where the answer did."""
    from .measure import measured

    known = json.loads(MEASURED.read_bytes()) if MEASURED.exists() else {"models": []}
    old = next((row for row in known["models"] if row["short"] == short), None)
    new = {"short": short, "from": where, **measured(file)}
    same = {row["task"] for row in new["rows"] if old and row["text"] == next(r["text"] for r in old["rows"] if r["task"] == row["task"])}
    new["judged"] = {row["task"]: old["judged"][row["task"]] if old and row["task"] in same else "" for row in new["rows"]}
    known["models"] = [*(row for row in known["models"] if row["short"] != short), new]
    MEASURED.write_text(json.dumps(known, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--measure"]:
        again(Path(sys.argv[2]), *sys.argv[3:5])
    PAGE.write_text(page())
