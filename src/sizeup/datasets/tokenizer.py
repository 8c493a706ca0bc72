"""A model's own tokenizer, run by the `tokenizers` library: from a tokenizer.json, or made from the vocabulary in a GGUF file.

Special tokens that a chat template adds are not counted: no template is applied.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from sizeup.errors import Unavailable, Unreadable
from sizeup.facts import data_json

from .vocabulary import vocabulary

INSTALL = 'pip install "sizeup[data]"'
LARGEST_JSON_BYTES = 256 << 20
CONTROL, USER_DEFINED = 3, 4
"""Kinds of tokens in a GGUF vocabulary."""


class Counter(NamedTuple):
    """Counts the tokens of texts."""

    lengths: Callable[[Sequence[str]], list[int]]
    name: str
    """The file it is from."""
    near: bool = False
    """Whether the text is cut in a way that nobody has written down for this vocabulary."""


def tokenizer(path: Path) -> Counter | None:
    """The tokenizer of a tokenizer.json, a GGUF file, or a folder with one of them; None when there is none.

    Raises Unavailable when the `tokenizers` library is missing, Unreadable for a broken file.
    """
    found = _file(path)
    if found is None:
        return None
    try:
        import tokenizers
    except ImportError:
        raise Unavailable("The tokenizer of a model is run by the package tokenizers, which is not installed.", INSTALL) from None
    try:
        near = False
        if found.suffix == ".gguf":
            made, near = _from_gguf(tokenizers, vocabulary(found), str(found))
        else:
            if found.stat().st_size > LARGEST_JSON_BYTES:
                raise Unreadable(f"{found} is too large for a tokenizer.", "the model's own tokenizer.json")
            made = tokenizers.Tokenizer.from_file(str(found))
    except Unreadable:
        raise
    # The library raises bare Exception for whatever it cannot read.
    except Exception:
        raise Unreadable(f"{found} is not a tokenizer that can be read.", "the model's own tokenizer.json") from None

    def count(texts: Sequence[str]) -> list[int]:
        # A lone half of a surrogate pair, which JSON may hold, is no text to the library.
        safe = [text.encode("utf-8", "replace").decode() for text in texts]
        return [len(encoded.ids) for encoded in made.encode_batch(safe, add_special_tokens=False)]

    return Counter(count, str(found), near)


def _file(path: Path) -> Path | None:
    if path.is_dir():
        inside = [path / "tokenizer.json", *sorted(path.glob("*.gguf"))]
        return next((file for file in inside if file.is_file()), None)
    if path.suffix == ".gguf" or path.name.endswith("tokenizer.json"):
        return path if path.is_file() else None
    beside = path.parent / "tokenizer.json"
    return beside if path.is_file() and beside.is_file() else None


def _from_gguf(library: Any, known: dict[str, Any], name: str) -> tuple[Any, bool]:
    """The same tokenizer in the library's terms, and whether its way to cut is only near."""
    kind, tokens = known.get("model"), known.get("tokens")
    if not isinstance(tokens, list) or not tokens:
        raise Unreadable(f"{name} carries no vocabulary.", "the model's tokenizer.json")
    numbers = {text: number for number, text in enumerate(tokens)}
    if kind == "gpt2":
        made, near = _bytes(library, numbers, known), not _cut(known.get("pre"))[1]
    elif kind == "llama":
        made, near = _pieces(library, numbers, known), False
    else:
        raise Unreadable(f"{name} has a vocabulary of the kind “{kind}”, which is not read here.", "the model's tokenizer.json")
    kinds = known.get("token_type")
    if isinstance(kinds, list):
        whole = [text for text, each in zip(tokens, kinds, strict=False) if each in (CONTROL, USER_DEFINED)]
        made.add_special_tokens([library.AddedToken(text, special=True, normalized=False) for text in whole if text])
    return made, near


def _cut(pre: Any) -> tuple[str, bool]:
    """The pattern of a way to cut, and whether it is this vocabulary's own."""
    cuts = data_json("gguf_pretokenizers.json")["cuts"]
    found = next((row["pattern"] for row in cuts if pre in row["names"]), None)
    return (found, True) if found is not None else (cuts[0]["pattern"], False)


def _bytes(library: Any, numbers: dict[str, int], known: dict[str, Any]) -> Any:
    """Byte-level merges in the order of the file."""
    merges = [tuple(merge.split(" ", 1)) for merge in known.get("merges", ()) if " " in merge]
    # A merge of what is not in the vocabulary could never apply, and the library refuses it.
    merges = [pair for pair in merges if pair[0] in numbers and pair[1] in numbers and "".join(pair) in numbers]
    made = library.Tokenizer(library.models.BPE(vocab=numbers, merges=merges, ignore_merges=known.get("pre") in ("llama-bpe", "llama3")))
    split, level = library.pre_tokenizers.Split, library.pre_tokenizers.ByteLevel
    pattern = library.Regex(_cut(known.get("pre"))[0])
    made.pre_tokenizer = library.pre_tokenizers.Sequence([split(pattern, "isolated"), level(add_prefix_space=False, use_regex=False)])
    return made


def _pieces(library: Any, numbers: dict[str, int], known: dict[str, Any]) -> Any:
    """SentencePiece BPE: two neighbours merge when their join is a token, the token of the highest score first."""
    scores = known.get("scores")
    if not isinstance(scores, list) or len(scores) < len(numbers):
        raise ValueError("no scores")
    merges = []
    for text, number in numbers.items():
        for cut in range(1, len(text)):
            if text[:cut] in numbers and text[cut:] in numbers:
                merges.append((-scores[number], number, (text[:cut], text[cut:])))
    merges.sort(key=lambda merge: merge[:2])
    unknown = next((text for text in ("<unk>",) if text in numbers), None)
    model = library.models.BPE(vocab=numbers, merges=[pair for _, _, pair in merges], unk_token=unknown, byte_fallback=True, fuse_unk=True)
    made = library.Tokenizer(model)
    steps = [library.normalizers.Prepend("▁")] if known.get("add_space_prefix", True) else []
    made.normalizer = library.normalizers.Sequence([*steps, library.normalizers.Replace(" ", "▁")])
    return made
