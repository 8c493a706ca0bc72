"""Pulling a model: the right file for a machine, into the folder of the tool that will run it."""

from __future__ import annotations

from .places import TOOLS
from .run import Pull, Puller

__all__ = ["TOOLS", "Pull", "Puller"]
