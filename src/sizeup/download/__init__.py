"""Fetching a large file so that nothing is lost: in parts, in parallel, resumable after a kill at any moment, checked before it has its name."""

from __future__ import annotations

from .disk import check_room
from .fetch import Download
from .item import Event, Item, Tell
from .paths import inside

__all__ = ["Download", "Event", "Item", "Tell", "check_room", "inside"]
