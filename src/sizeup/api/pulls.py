"""A pull as JSON."""

from __future__ import annotations

from typing import Any

from sizeup.pulls import Pull


def pull_json(found: Pull) -> dict[str, Any]:
    """What will be pulled, from where to where, and why."""
    plan = found.plan
    return {
        "name": found.name,
        "quant": found.quant or None,
        "why": found.why,
        "wished_quant": found.wished or None,
        "fits": None if plan is None else plan.fits,
        "needs_bytes": None if plan is None else plan.breakdown.total_bytes,
        "tool": found.tool or None,
        "folder": str(found.folder),
        "bytes": found.bytes,
        "missing_bytes": found.missing_bytes,
        "files": [
            {"name": item.name, "bytes": item.bytes, "address": item.address, "sha256": item.sha256, "path": str(item.path)}
            for item in found.items
        ],
    }
