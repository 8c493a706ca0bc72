"""YAML as text: mappings by indentation, everything else as JSON, which YAML includes. No anchors, no tags, nothing to misread."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


def yaml(content: Mapping[str, Any], indent: int = 0) -> list[str]:
    """The lines of a mapping. A name that begins with # is a comment line; a text of several lines is a block."""
    lines = []
    for name, value in content.items():
        start = " " * indent + f"{name}:"
        if name.startswith("#"):
            lines.append(" " * indent + name)
        elif isinstance(value, Mapping) and value:
            lines += [start, *yaml(value, indent + 2)]
        elif isinstance(value, list) and value and isinstance(value[0], Mapping):
            lines.append(start)
            for item in value:
                first, *rest = yaml(item, indent + 4)
                lines += [" " * (indent + 2) + "- " + first.lstrip(), *rest]
        elif isinstance(value, float):
            # YAML 1.1 reads 2e-05 as a word; it wants the point.
            lines.append(f"{start} {value:.10f}".rstrip("0").rstrip("."))
        elif isinstance(value, str) and "\n" in value:
            lines += [f"{start} |", *(" " * (indent + 2) + line if line else "" for line in value.rstrip("\n").split("\n"))]
        else:
            lines.append(f"{start} {json.dumps(value, ensure_ascii=False)}")
    return lines
