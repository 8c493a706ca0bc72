"""Writing ghosts: sparse files that hold a header and, behind it, nothing."""

from __future__ import annotations

import array
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sizeup.engines.llamacpp.hyper import hyper
from sizeup.engines.llamacpp.metadata import drafts_kept, whole_keys
from sizeup.engines.llamacpp.tensors import file_tensors, placed
from sizeup.model import ModelSpec, Tensor

from .header import Short, Signed, data_bytes, header


def ghost_header(
    model: ModelSpec, tensors: tuple[Tensor, ...], tokenizer: bool = False, split: tuple[int, int, int] | None = None
) -> tuple[bytes, int]:
    """The header of a file that holds these tensors, and the bytes of the whole file.

    The vocabulary has its true size. Without `tokenizer` it has no texts, which the engine allows; with it every token has
    a made-up text, so that the engine builds tables as large as the real ones. `split` makes it one of several files: its
    number from 0, how many there are, and the tensors in all of them; only the first describes the model.
    """
    listed = tuple(placed((*tensors, *(_drafts(model, tensors) if split is None else ()))))
    described = {**_metadata(model, listed), **(_tokenizer(model.vocabulary) if tokenizer else {})} if split is None or not split[0] else {}
    raw = header({**described, **(_split(*split) if split else {})}, listed)
    return raw, len(raw) + data_bytes(listed)


def _split(number: int, count: int, tensors: int) -> dict[str, Any]:
    # The engine reads these three in exactly these types (llama.cpp b11549, src/llama-model-loader.cpp).
    return {"split.no": Short(number), "split.count": Short(count), "split.tensors.count": Signed(tensors)}


def write_sparse(path: Path, model: ModelSpec, tensors: tuple[Tensor, ...]) -> int:
    """Write a ghost without weights and return its size; on disk it takes its header."""
    raw, size = ghost_header(model, tensors)
    with path.open("wb") as file:
        file.write(raw)
        file.truncate(size)
    return size


def _drafts(model: ModelSpec, tensors: tuple[Tensor, ...]) -> Iterator[Tensor]:
    """Blocks for drafting, where the engine's memory depends on their being there. It skips their weights: any type will do."""
    if model.stored != "gguf" and drafts_kept(model):
        there = {tensor.name for tensor in tensors}
        yield from (Tensor(name, shape, "F32") for name, shape in file_tensors(model, True) if name not in there)


def _metadata(model: ModelSpec, tensors: tuple[Tensor, ...]) -> dict[str, Any]:
    stated = {f"{model.architecture}.{key}": value for key, value in hyper(model).items()}
    stated.setdefault(f"{model.architecture}.vocab_size", model.vocabulary)
    first = {"general.architecture": model.architecture, "general.name": model.name, "general.alignment": 32}
    # Encoders must say how many kinds of token they know, also when they store nothing for them.
    kinds = next((tensor.shape[1] for tensor in tensors if tensor.name == "token_types.weight"), 1)
    last = {} if model.causal else {"tokenizer.ggml.token_type_count": kinds}
    return {**first, **stated, **whole_keys(model), "tokenizer.ggml.model": "none", **last}


def _tokenizer(vocabulary: int) -> dict[str, Any]:
    """A minimal SentencePiece tokenizer: control tokens, the 256 bytes, and texts of a usual length."""
    texts = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256))]
    texts += [f"t{number:06d}" for number in range(len(texts), vocabulary)]
    kinds = [2, 3, 3, *[6] * 256]
    return {
        "tokenizer.ggml.model": "llama",
        "tokenizer.ggml.tokens": texts[:vocabulary],
        "tokenizer.ggml.scores": array.array("f", (-number for number in range(vocabulary))),
        "tokenizer.ggml.token_type": array.array("i", [*kinds, *[1] * (vocabulary - len(kinds))][:vocabulary]),
        "tokenizer.ggml.bos_token_id": 1,
        "tokenizer.ggml.eos_token_id": 2,
    }
