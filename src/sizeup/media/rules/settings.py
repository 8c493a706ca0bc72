"""What a checkpoint on this machine says of its own processor: preprocessor_config.json or processor_config.json beside its weights."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

NAMES = ("preprocessor_config.json", "processor_config.json")
LARGEST_BYTES = 1 << 20
LARGEST_NUMBER = 1 << 40


def settings(path: str | None) -> Mapping[str, Any]:
    """The settings of the image processor, and of the processor around it; empty where there are none that can be read."""
    if path is None:
        return {}
    place = Path(path)
    folder = place if place.is_dir() else place.parent
    found: dict[str, Any] = {}
    for content in _read(folder):
        inner = content.get("image_processor")
        found = {**content, **(inner if isinstance(inner, dict) else {}), **found}
    return found


def _read(folder: Path) -> Iterator[dict[str, Any]]:
    import json

    for name in NAMES:
        file = folder / name
        try:
            if not file.is_file() or file.stat().st_size > LARGEST_BYTES:
                continue
            content = json.loads(file.read_bytes())
        except (OSError, ValueError, RecursionError):
            continue
        if isinstance(content, dict):
            yield content


def said(config: Mapping[str, Any], places: str | list[str]) -> int | None:
    """The first number that stands at one of these places, such as "vision_config.patch_size"; None where none does."""
    for place in [places] if isinstance(places, str) else places:
        found: Any = config
        for name in place.split("."):
            found = found.get(name) if isinstance(found, Mapping) else None
        if isinstance(found, int) and not isinstance(found, bool) and 0 < found <= LARGEST_NUMBER:
            return found
    return None
