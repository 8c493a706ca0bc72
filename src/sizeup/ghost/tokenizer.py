"""A minimal tokenizer of the right vocabulary size, so that an engine starts without a download: bytes, and made-up texts.

Any text is encoded, a token for each byte, and decoded again; no real model's texts or merges are in it. Format: the JSON of
the `tokenizers` library (byte-level BPE without merges), read by transformers and vLLM.
"""

from __future__ import annotations

import json
from typing import Any

CONTROLS = ("<unk>", "<s>", "</s>")


def byte_letters() -> list[str]:
    """The 256 letters that byte-level BPE writes bytes as: printable ones stand for themselves, the others move behind 255.

    Source: the byte-to-letter table that GPT-2's tokenizer published, which every byte-level tokenizer uses.
    """
    plain = {*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)}
    moved = iter(range(256, 512))
    return [chr(byte if byte in plain else next(moved)) for byte in range(256)]


def texts(vocabulary: int) -> list[str]:
    """A text for every token: controls, bytes, then made-up ones."""
    first = [*CONTROLS, *byte_letters()]
    return [*first, *(f"t{number}" for number in range(len(first), vocabulary))][:vocabulary]


def tokenizer_files(vocabulary: int, context_tokens: int | None) -> dict[str, bytes]:
    """File name -> content."""
    listed = texts(vocabulary)
    controls = [text for text in CONTROLS if text in listed]
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False}
    whole: dict[str, Any] = {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [
            {
                "id": number,
                "content": text,
                "single_word": False,
                "lstrip": False,
                "rstrip": False,
                "normalized": False,
                "special": True,
            }
            for number, text in enumerate(controls)
        ],
        "normalizer": None,
        "pre_tokenizer": byte_level,
        "post_processor": None,
        "decoder": byte_level,
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": None,
            "continuing_subword_prefix": None,
            "end_of_word_suffix": None,
            "fuse_unk": False,
            "byte_fallback": False,
            "ignore_merges": False,
            "vocab": {text: number for number, text in enumerate(listed)},
            "merges": [],
        },
    }
    said: dict[str, Any] = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": context_tokens or 8192,
        "clean_up_tokenization_spaces": False,
        "chat_template": "{% for message in messages %}{{ message['content'] }}{% endfor %}",
        **{f"{role}_token": text for role, text in zip(("unk", "bos", "eos"), controls, strict=False)},
    }
    return {
        "tokenizer.json": json.dumps(whole, ensure_ascii=False, separators=(",", ":")).encode(),
        "tokenizer_config.json": json.dumps(said, indent=2).encode(),
    }
