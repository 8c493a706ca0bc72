"""Fewer tokens: rows of the embedding and of the output projection, and which scripts the cut ones spell."""

from __future__ import annotations

import unicodedata
from collections import Counter
from dataclasses import replace

from sizeup.errors import UserError
from sizeup.model import ModelSpec

from .shape import below, reshaped

LEAST_SHARE = 0.02
"""Scripts of a smaller share of the cut tokens are not named."""


def fewer_tokens(model: ModelSpec, vocabulary: int) -> ModelSpec:
    """The model with so many tokens; the rows that go are the tokenizer's to choose."""
    below("--vocabulary", vocabulary, model.vocabulary, "tokens")
    per_layer = min(model.embedding.per_layer_vocabulary, vocabulary)
    return reshaped(
        model,
        embedding=replace(model.embedding, vocabulary=vocabulary, per_layer_vocabulary=per_layer),
        head=replace(model.head, vocabulary=vocabulary),
        config={"vocab_size": vocabulary, "vocab_size_per_layer_input": vocabulary},
    )


def tied(model: ModelSpec) -> ModelSpec:
    """The model whose output projection is its token embedding. Raises UserError where it is already, or where their widths differ."""
    if model.head.tied:
        raise UserError(f"{model.name} already uses its token embedding as its output projection.", "--vocabulary 64000")
    if model.head.width != model.embedding.width:
        raise UserError(f"The embedding and the output projection of {model.name} differ in width.", "--vocabulary 64000")
    return reshaped(model, head=replace(model.head, tied=True), config={"tie_word_embeddings": True})


def scripts(texts: list[str], kept: int) -> dict[str, float]:
    """Of the tokens from number `kept` on, the share that each script has, largest first: late numbers are mostly rare ones.

    Texts as the tokenizer's file has them; tokens without a letter are left out.
    """
    counts = Counter(name for text in texts[kept:] if (name := script(text)))
    whole = sum(counts.values())
    return {name: count / whole for name, count in counts.most_common() if count >= whole * LEAST_SHARE}


def script(text: str) -> str:
    """The script of a token's first letter, as Unicode names it ("latin", "cjk", "cyrillic"); "" without a letter."""
    for char in _bytes_read(text):
        if char.isalpha():
            return unicodedata.name(char, "").partition(" ")[0].lower()
    return ""


def _bytes_read(text: str) -> str:
    """Byte-level tokens spelled as what their bytes mean (GPT-2's table of stand-ins); other texts as they are."""
    table = _stand_ins()
    if all(char in table for char in text):
        return bytes(table[char] for char in text).decode("utf-8", "ignore")
    return text


def _stand_ins() -> dict[str, int]:
    if not _TABLE:
        plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
        _TABLE.update({chr(byte): byte for byte in plain})
        _TABLE.update({chr(256 + n): byte for n, byte in enumerate(byte for byte in range(256) if byte not in plain)})
    return _TABLE


_TABLE: dict[str, int] = {}
