"""The turns of a chat that was exported: OpenAI's messages, ShareGPT's conversations, ChatGPT's own conversations.json."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from sizeup.datasets.fields import TALKS, texts
from sizeup.datasets.rows import rows

SUFFIXES = (".json", ".jsonl", ".ndjson")
_LOOKS = re.compile(
    rb'"(messages|conversations?|dialogue|turns)"\s*:\s*\[\s*\{\s*"\w+"\s*:|"mapping"\s*:\s*\{[^{}]{0,200}\{[^{}]{0,400}"message"'
    rb'|^\s*\[\s*\{\s*"(role|from)"\s*:'
)
"""A list of turns in a field that talks have, ChatGPT's tree, or a bare list of turns. Words of a program (`"messages": {…}`) are none."""
_MEDIUM = re.compile(r"image|audio|video|file|document|media")
"""In the kind of a part that is no text: image_url, input_audio, image_asset_pointer …"""
MOST_TURNS = 1_000_000
"""A way back through a ChatGPT export is not followed farther, as it may be a ring."""


def looks_like_chat(sample: bytes) -> bool:
    """Whether the first bytes of a JSON file speak of turns."""
    return bool(_LOOKS.search(sample))


def turns(path: Path, unread: Callable[[], None]) -> Iterator[str]:
    """The text of every turn of every talk in a file, without who says it; `unread` is told of each picture, recording or file in it.

    Raises Unreadable for what is broken.
    """
    for row in rows(path):
        yield from _turns(_of_text(row, unread))


def _of_text(value: Any, unread: Callable[[], None]) -> Any:
    """The same without parts that are media, whose bytes are often written out beside the text."""
    if isinstance(value, list):
        return [_of_text(each, unread) for each in value if not _is_medium(each, unread)]
    return {name: _of_text(each, unread) for name, each in value.items()} if isinstance(value, dict) else value


def _is_medium(part: Any, unread: Callable[[], None]) -> bool:
    if not isinstance(part, dict):
        return False
    kind = part.get("type") or part.get("content_type") or ""
    found = "inline_data" in part or _MEDIUM.search(str(kind)) is not None
    if found:
        unread()
    return found


def _turns(row: Any) -> list[str]:
    if not isinstance(row, dict):
        return texts(row)[0]
    if isinstance(row.get("mapping"), dict):
        return _shown(row["mapping"], row.get("current_node"))
    talk = next((row[name] for name in TALKS if isinstance(row.get(name), list)), None)
    # What else a row holds (titles, scores) is not said to the model, but for the system prompt beside the turns.
    told = [row["system"]] if isinstance(row.get("system"), str) and talk is not None else []
    return [*told, *texts(talk)[0]] if talk is not None else texts(row)[0]


def _shown(mapping: dict[str, Any], last: Any) -> list[str]:
    """The turns of ChatGPT's tree from its first to the one that is shown last: branches that were left are not read again."""
    if last not in mapping:
        children = {child for node in mapping.values() if isinstance(node, dict) for child in node.get("children") or ()}
        leaves = [name for name, node in mapping.items() if isinstance(node, dict) and not node.get("children")]
        last = leaves[-1] if leaves else next((name for name in mapping if name not in children), None)
    found: list[str] = []
    seen: set[str] = set()
    while isinstance(last, str) and last in mapping and last not in seen and len(seen) < MOST_TURNS:
        seen.add(last)
        node = mapping[last] if isinstance(mapping[last], dict) else {}
        if said := _said(node.get("message")):
            found.append(said)
        last = node.get("parent")
    return found[::-1]


def _said(message: Any) -> str:
    """The text of one message; pictures and tools' states in it have none."""
    content = message.get("content") if isinstance(message, dict) else None
    if not isinstance(content, dict):
        return ""
    parts = content.get("parts")
    if isinstance(parts, list):
        return "\n".join(part if isinstance(part, str) else str(part.get("text") or "") for part in parts if isinstance(part, str | dict))
    return str(content.get("text") or "")
