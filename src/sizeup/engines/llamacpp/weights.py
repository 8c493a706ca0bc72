"""Which buffer each weight goes to, and how large each buffer gets."""

from __future__ import annotations

from .placement import HOST, Placement

__all__ = ["HOST", "Placement"]
