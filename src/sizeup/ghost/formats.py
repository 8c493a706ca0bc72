"""Ghosts that the user keeps, by format: true names, types and shapes and no weights.

For transformers and vLLM: the config, a checkpoint of holes and a tokenizer. For llama.cpp: a GGUF file of holes.
"""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any

from sizeup.engines import engine as find_engine
from sizeup.errors import Unavailable, UserError
from sizeup.model import ModelSpec
from sizeup.readers.checkpoint import difference
from sizeup.readers.safetensors import read_headers
from sizeup.search import candidates

from .keepsake import File, Keepsake
from .shards import INDEX, SHARD_BYTES, index, shards
from .skeleton import DTYPES, Skeleton, skeleton
from .tokenizer import tokenizer_files
from .write import ghost_header


def gguf(model: ModelSpec, quant: str | None = None) -> Keepsake:
    """A GGUF file as this mix makes it; a model that is a file already keeps its own types."""
    mix = None if model.stored == "gguf" and quant is None else quant or candidates(model, None)[0]
    tensors = find_engine("llama.cpp").tensors(model, mix)
    raw, size = ghost_header(model, tensors, tokenizer=True)
    name = re.sub(r"[^\w.+-]+", "-", model.name.rpartition("/")[2]).strip("-.") or "model"
    file = File(f"{name.removesuffix('.gguf')}-{mix or model.mix or 'ghost'}.gguf", raw, size)
    there = "{folder}/" + shlex.quote(file.name)
    return Keepsake(
        "gguf",
        (file,),
        len(tensors),
        sum(tensor.elements for tensor in tensors),
        dtype=mix or model.mix or "",
        commands=(f"llama-server -m {there}", f"llama-bench -m {there}", f"sizeup fit {there}"),
    )


def safetensors(model: ModelSpec, dtype: str | None = None, shard_bytes: int = SHARD_BYTES, config_only: bool = False) -> Keepsake:
    """A checkpoint as transformers would save it: of a local one its own headers, else what the library's class has.

    Where the library is missing or knows no class there are the config and the tokenizer alone, which vLLM's dummy loading needs,
    and a note that says so. Raises UserError for a model without a config, and for a format of weights that is none.
    """
    if not model.config:
        raise UserError(f"{model.name} has no config.json, which a safetensors ghost needs.", "--format gguf, or the model's hub id")
    if dtype is not None and dtype not in DTYPES:
        raise UserError(f"“{dtype}” is no format of a checkpoint's weights.", f"--dtype {' | '.join(DTYPES)}")
    beside = _tokenizer(model)
    if config_only:
        return _bare(model, beside, "There are no tensors, as asked: vLLM makes them up, transformers cannot load this folder.")
    if model.stored == "safetensors" and model.path is not None and dtype is None:
        return _copied(model, beside)
    try:
        found = skeleton(model, dtype or "bf16")
    except Unavailable as error:
        return _bare(model, beside, error.message, "There are no tensors: vLLM makes them up, transformers cannot load this folder.")
    return _made(model, found, dtype or "bf16", shard_bytes, beside)


def _made(model: ModelSpec, found: Skeleton, dtype: str, shard_bytes: int, beside: tuple[File, ...]) -> Keepsake:
    """The checkpoint that the library's class would save."""
    config = {key: value for key, value in model.config.items() if key != "quantization_config"}
    notes = []
    if "quantization_config" in model.config:
        notes.append(f"The config's quantization is left out: the weights here are plain {dtype}.")
    elif published := str((model.card.get("native_quantization") or {}).get("quant_method") or ""):
        notes.append(f"The published weights are {published}; the weights here are plain {dtype}.")
    if not config.get("architectures"):
        config["architectures"] = [found.class_name]
        notes.append(f"The config names no class; {found.library} takes {found.class_name}, which is written into it.")
    stated = "dtype" if "dtype" in config else "torch_dtype"
    config[stated] = DTYPES[dtype]
    tensors = [entry.tensor() for entry in found.entries]
    apart, _ = difference(model, tensors)
    if apart:
        notes.append(f"{found.library} and sizeup disagree: {apart}.")
    files = [File(shard.name, shard.header, shard.file_bytes) for shard in shards(found.entries, shard_bytes)]
    listed = index(found.entries, shard_bytes)
    return Keepsake(
        "safetensors",
        (_json("config.json", config), File(INDEX, listed, len(listed)), *files, *beside),
        len(tensors),
        sum(tensor.elements for tensor in tensors),
        found.class_name,
        dtype,
        tuple(notes),
        (*SERVE, f"python -c 'import sys, transformers; transformers.{found.class_name}.from_pretrained(sys.argv[1])' {{folder}}"),
    )


SERVE = ("vllm serve {folder} --load-format dummy",)


def _copied(model: ModelSpec, beside: tuple[File, ...]) -> Keepsake:
    """A local checkpoint without its weights: the very headers of its files."""
    assert model.path is not None
    files, first = [], Path(model.path)
    for header in read_headers(first):
        with open(header.path, "rb") as file:
            files.append(File(Path(header.path).name, file.read(header.data_start), header.file_bytes))
    if first.name.endswith(".json"):
        raw = first.read_bytes()
        files.append(File(first.name, raw, len(raw)))
    class_name = next(iter(model.config.get("architectures") or ()), "")
    load = f"python -c 'import sys, transformers; transformers.{class_name}.from_pretrained(sys.argv[1])' {{folder}}"
    return Keepsake(
        "safetensors",
        (_json("config.json", model.config), *files, *beside),
        len(model.tensors),
        sum(tensor.elements for tensor in model.tensors),
        class_name,
        "",
        commands=(*SERVE, *([load] if class_name.isidentifier() else [])),
    )


def _bare(model: ModelSpec, beside: tuple[File, ...], *notes: str) -> Keepsake:
    return Keepsake("safetensors", (_json("config.json", model.config), *beside), 0, 0, notes=notes, commands=SERVE)


def _json(name: str, content: Any) -> File:
    raw = json.dumps(dict(content), indent=2, ensure_ascii=False).encode() + b"\n"
    return File(name, raw, len(raw))


def _tokenizer(model: ModelSpec) -> tuple[File, ...]:
    made = tokenizer_files(model.vocabulary, model.context_tokens)
    return tuple(File(name, raw, len(raw)) for name, raw in made.items())
