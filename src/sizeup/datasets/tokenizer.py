"""A model's own tokenizer: a tokenizer.json or the vocabulary in a GGUF file, run by the `tokenizers` library or by llama.cpp itself.

Special tokens that a chat template adds are not counted: no template is applied. The library is ten times as fast as the engine and
takes seconds to start from a GGUF file, so the engine counts where there is little to count, and every kind that the library has not.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from sizeup.errors import SizeupError, Unavailable, Unreadable
from sizeup.facts import data_json

from .vocabulary import vocabulary

INSTALL = 'pip install ".[tokens]" in the folder of sizeup'
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


def tokenizer(path: Path, little: bool = False) -> Counter | None:
    """The tokenizer of a tokenizer.json, a GGUF file, or a folder with one of them; None when there is none.

    `little` says that a fast start is worth more than fast counting. Raises Unavailable when neither the `tokenizers` library nor an
    engine that can read the file is installed, Unreadable for a broken file or a kind of vocabulary that nothing here reads.
    """
    found = _file(path)
    if found is None:
        return None
    if found.name.endswith("tokenizer.json"):
        return _from_json(found)
    if little and (counter := _engine(found)) is not None:
        return counter
    known = vocabulary(found)
    kind, tokens = known.get("model"), known.get("tokens")
    if not isinstance(tokens, list) or not tokens:
        raise Unreadable(f"{found} carries no vocabulary.", "the model's tokenizer.json")
    sure = kind in MADE and (kind != "gpt2" or _cut(known.get("pre"))[1])
    if not (sure and _library()) and not little and (counter := _engine(found)) is not None:
        return counter
    if kind not in MADE:
        raise Unreadable(f"{found} has a vocabulary of the kind “{kind}”, which is not read here.", "the model's tokenizer.json")
    return _with_library(found, lambda library: MADE[str(kind)](library, known), not sure)


def _engine(path: Path) -> Counter | None:
    """The embedded engine's own tokenizer of a GGUF file; None where it is not installed or refuses the file."""
    from sizeup.engines.llamacpp.vocabulary import EngineTokenizer

    try:
        return Counter(EngineTokenizer(path).lengths, str(path))
    except SizeupError:
        return None


def _from_json(path: Path) -> Counter:
    if path.stat().st_size > LARGEST_JSON_BYTES:
        raise Unreadable(f"{path} is too large for a tokenizer.", "the model's own tokenizer.json")
    return _with_library(path, lambda library: library.Tokenizer.from_file(str(path)), False)


def _library() -> bool:
    return importlib.util.find_spec("tokenizers") is not None


def _with_library(path: Path, make: Callable[[Any], Any], near: bool) -> Counter:
    """The tokenizer that `make` makes with the library."""
    try:
        import tokenizers
    except ImportError:
        raise Unavailable("The tokenizer of a model is run by the package tokenizers, which is not installed.", INSTALL) from None
    try:
        made = make(tokenizers)
    # The library raises bare Exception for whatever it cannot read.
    except Exception:
        raise Unreadable(f"{path} is not a tokenizer that can be read.", "the model's own tokenizer.json") from None

    def count(texts: Sequence[str]) -> list[int]:
        # A lone half of a surrogate pair, which JSON may hold, is no text to the library.
        safe = [text.encode("utf-8", "replace").decode() for text in texts]
        return [len(encoded.ids) for encoded in made.encode_batch(safe, add_special_tokens=False)]

    return Counter(count, str(path), near)


def _file(path: Path) -> Path | None:
    if path.is_dir():
        inside = [path / "tokenizer.json", *(file for file in sorted(path.glob("*.gguf")) if not file.name.startswith("mmproj"))]
        return next((file for file in inside if file.is_file()), None)
    if not path.is_file():
        return None
    if path.name.endswith("tokenizer.json") or path.suffix == ".gguf" or _is_gguf(path):
        return path
    beside = path.parent / "tokenizer.json"
    return beside if beside.is_file() else None


def _is_gguf(path: Path) -> bool:
    """By content: Ollama's blobs have no suffix."""
    try:
        with path.open("rb") as file:
            return file.read(4) == b"GGUF"
    except OSError:
        return False


def _specials(library: Any, made: Any, known: dict[str, Any]) -> Any:
    """The tokenizer with the tokens that are taken whole wherever they stand."""
    kinds = known.get("token_type")
    if isinstance(kinds, list):
        whole = [text for text, each in zip(known["tokens"], kinds, strict=False) if each in (CONTROL, USER_DEFINED)]
        made.add_special_tokens([library.AddedToken(text, special=True, normalized=False) for text in whole if text])
    return made


def _cut(pre: Any) -> tuple[str, bool]:
    """The pattern of a way to cut, and whether it is this vocabulary's own."""
    cuts = data_json("gguf_pretokenizers.json")["cuts"]
    found = next((row["pattern"] for row in cuts if pre in row["names"]), None)
    return (found, True) if found is not None else (cuts[0]["pattern"], False)


def _bytes(library: Any, known: dict[str, Any]) -> Any:
    """Byte-level merges in the order of the file."""
    numbers = _numbers(known)
    merges = [tuple(merge.split(" ", 1)) for merge in known.get("merges", ()) if " " in merge]
    # A merge of what is not in the vocabulary could never apply, and the library refuses it.
    merges = [pair for pair in merges if pair[0] in numbers and pair[1] in numbers and "".join(pair) in numbers]
    made = library.Tokenizer(library.models.BPE(vocab=numbers, merges=merges, ignore_merges=known.get("pre") in ("llama-bpe", "llama3")))
    split, level = library.pre_tokenizers.Split, library.pre_tokenizers.ByteLevel
    pattern = library.Regex(_cut(known.get("pre"))[0])
    made.pre_tokenizer = library.pre_tokenizers.Sequence([split(pattern, "isolated"), level(add_prefix_space=False, use_regex=False)])
    return _specials(library, made, known)


def _pieces(library: Any, known: dict[str, Any]) -> Any:
    """SentencePiece BPE: two neighbours merge when their join is a token, the token of the highest score first."""
    numbers = _numbers(known)
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
    return _specials(library, made, known)


def _numbers(known: dict[str, Any]) -> dict[str, int]:
    return {text: number for number, text in enumerate(known["tokens"])}


MADE: dict[str, Callable[[Any, dict[str, Any]], Any]] = {"gpt2": _bytes, "llama": _pieces}
"""Kinds of vocabulary in GGUF files (tokenizer.ggml.model) that the library can run; the rest is left to the engine."""
