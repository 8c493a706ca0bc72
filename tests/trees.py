"""Recorded-like trees of /proc and /sys: tests/data/probe/NAME.txt unpacked below a folder."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).parent / "data" / "probe"


def plant(name: str, root: Path) -> Path:
    """Unpack the tree `name` below `root` and return the root."""
    for part in (FOLDER / f"{name}.txt").read_text().split("=== ")[1:]:
        path, _, content = part.partition("\n")
        target = root / path.strip().lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(content)
    return root
