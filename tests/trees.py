"""Recorded-like trees of /proc and /sys: tests/data/probe/NAME.txt unpacked below a folder."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).parent / "data" / "probe"


def plant(name: str, root: Path) -> Path:
    """Unpack the tree `name` below `root` and return the root."""
    for path, content in entries(name):
        place, arrow, target = path.partition(" -> ")
        file = root / place.strip().lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        if arrow:
            file.symlink_to(root / target.strip().lstrip("/"))
        else:
            file.write_bytes(content)
    return root


def entries(name: str) -> list[tuple[str, bytes]]:
    """(path, content) of every file of a tree: PATH, PATH -> TARGET for a link, PATH hex for bytes."""
    found = []
    for part in (FOLDER / f"{name}.txt").read_text().split("=== ")[1:]:
        path, _, content = part.partition("\n")
        bytes_ = path.endswith(" hex")
        found.append((path.strip().removesuffix(" hex"), bytes.fromhex(content) if bytes_ else content.encode()))
    return found


def names() -> list[str]:
    """Every recorded tree."""
    return sorted(file.stem for file in FOLDER.glob("*.txt"))
