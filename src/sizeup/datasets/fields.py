"""What of a row a model is trained on: the texts of its turns or of its known fields, else every text in it."""

from __future__ import annotations

from typing import Any

TALKS = ("messages", "conversations", "conversation", "dialogue", "turns", "chosen", "rejected")
"""Fields that hold the turns of a talk (chosen and rejected hold whole texts as well)."""
TEXTS = (
    "text", "content", "value", "system", "instruction", "instructions", "input", "inputs", "output", "outputs", "prompt", "completion",
    "response", "question", "answer", "answers", "context", "query", "problem", "solution", "thinking", "reasoning", "reasoning_content",
    "document", "code", "story", "article", "summary", "source_text", "target_text", "chosen", "rejected",
)  # fmt: skip
"""Fields that hold text to learn from, as the usual trainers call them; the order is theirs."""
SILENT = ("role", "from", "type", "id", "url", "image_url", "index")
"""Fields that nobody learns from, where no known field is beside them."""
DEEPEST = 100


def texts(row: Any) -> tuple[list[str], list[str]]:
    """The texts of one example, and the names of the fields that they are from; nothing for a row without text."""
    if isinstance(row, str):
        return [row], []
    if isinstance(row, list):
        return _turns(row, 0), []
    if not isinstance(row, dict):
        return [], []
    known = [name for name in row if str(name).lower() in (*TALKS, *TEXTS)]
    used = known or _others(row)
    found: list[str] = []
    names: list[str] = []
    for name in used:
        if inside := _turns(row[name], 0):
            found += inside
            names.append(str(name))
    return found, names


def _turns(value: Any, depth: int) -> list[str]:
    """Every text inside a value; of a turn only its content, not its role."""
    if isinstance(value, str):
        return [value] if value else []
    if depth > DEEPEST:
        return []
    if isinstance(value, list):
        return [text for each in value for text in _turns(each, depth + 1)]
    if isinstance(value, dict):
        known = [name for name in value if str(name).lower() in TEXTS]
        return [text for name in (known or _others(value)) for text in _turns(value[name], depth + 1)]
    return []


def _others(row: dict[str, Any]) -> list[str]:
    return [name for name in row if str(name).lower() not in SILENT]
