"""A GGUF header as a model: blocks by position, grouped where they are equal, with the invariant that layers and tensors agree."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from ..errors import Unreadable
from ..facts import Source, data_json
from ..layers import Block, Embedding, Head
from ..model import Group, ModelSpec, Tensor
from .gguf import ArraySummary, Header
from .gguf_blocks import BlockRules, Shapes, block_from, unclaimed
from .gguf_hyper import Hyper
from .grouping import group_blocks

BLOCKS_LIMIT = 4096
BLOCK_NAME = re.compile(r"blk\.(\d+)\.(.+)")


def spec_from_gguf(headers: Header | Sequence[Header], assume: str | None = None) -> ModelSpec:
    """The model of one file, or of a split file's headers in order. Raises Unreadable for what is no language model we know."""
    every = (headers,) if isinstance(headers, Header) else tuple(headers)
    tensors = tuple(replace(tensor, file=number) for number, header in enumerate(every) for tensor in header.tensors)
    first = every[0]
    spec = spec_from_metadata(first.metadata, tensors, where=first.path, assume=assume)
    return replace(
        spec,
        file_bytes=tuple(header.file_bytes for header in every),
        data_start=tuple(header.data_start for header in every),
        path=first.path,
        source=Source("read", first.path),
    )


def spec_from_metadata(
    metadata: dict[str, Any], tensors: tuple[Tensor, ...], where: str = "the file", assume: str | None = None
) -> ModelSpec:
    """The model that metadata and a tensor list describe; `assume` reads an unknown architecture as this one."""
    stated = metadata.get("general.architecture")
    if not isinstance(stated, str) or not stated:
        raise Unreadable(f"{where} does not say its architecture.", "a model file (not a LoRA adapter, not a vocabulary)")
    architecture, assumed = _architecture(stated, assume, where)
    hyper = Hyper({key[len(stated) + 1 :]: value for key, value in metadata.items() if key.startswith(f"{stated}.")}, where)
    hidden, blocks_all = hyper.need("embedding_length"), hyper.need("block_count")
    drafted = hyper.count("nextn_predict_layers", 0)
    if not 0 < blocks_all <= BLOCKS_LIMIT or drafted >= blocks_all or not 0 < hidden <= 1 << 24:
        raise Unreadable(
            f"{where} claims {blocks_all:,} blocks ({drafted:,} of them for drafting) of width {hidden:,}.", "another copy of the file"
        )
    per_block, outside = _by_block(tensors, blocks_all, where)
    windows = _windows(architecture, hyper, blocks_all - drafted)
    cached = _cached_layers(architecture, hyper, blocks_all - drafted)
    no_cache, parallel = (
        architecture in data_json("gguf_architectures.json")["no_cache"],
        architecture in data_json("gguf_architectures.json")["parallel"],
    )
    blocks: list[Block] = []
    warnings: list[str] = []
    for layer in range(blocks_all):
        window, chunked = windows[layer] if layer < len(windows) else (0, False)
        rules = BlockRules(
            window,
            chunked,
            not no_cache and (layer < cached or layer >= blocks_all - drafted),
            parallel and "ffn_norm.weight" not in per_block[layer],
        )
        block = block_from(per_block[layer], hyper, layer, hidden, rules)
        missing = unclaimed(block, per_block[layer], hidden)
        if missing and tensors:
            warnings.append(f"layers and tensors disagree in block {layer}: {', '.join(missing[:4])}")
        blocks.append(block)
    embedding, head, vocabulary = _ends(outside, hyper, metadata, hidden)
    main = blocks_all - drafted
    spec = ModelSpec(
        name=str(metadata.get("general.name") or where.rsplit("/", 1)[-1].removesuffix(".gguf")),
        architecture=architecture,
        model_type="",
        hidden=hidden,
        vocabulary=vocabulary,
        context_tokens=hyper.count("context_length", 0) or None,
        embedding=embedding,
        head=head,
        groups=group_blocks(blocks[:main]),
        draft_blocks=tuple(Group(g.block, tuple(p + main for p in g.positions)) for g in group_blocks(blocks[main:])),
        tensors=tensors,
        stored="gguf",
        mix=_mix(metadata.get("general.file_type")),
        hyper=hyper.values,
        tokenizer_tokens=_tokens(metadata),
        causal=not no_cache and hyper.get("attention.causal") is not False,
        warnings=tuple(warnings[:8]),
        assumed=assumed,
    )
    drafted_parameters = sum(g.layers * int(g.block.parameters(hidden)) for g in spec.draft_blocks)
    difference = spec.stored_parameters - spec.parameters - drafted_parameters
    if tensors and difference and not warnings:
        return replace(spec, warnings=(f"the file stores {difference:+,} elements that its layers do not account for",))
    return spec


def _architecture(stated: str, assume: str | None, where: str) -> tuple[str, tuple[str, ...]]:
    known = data_json("llamacpp_architectures.json")["architectures"]
    if stated in known:
        return stated, ()
    if assume is None:
        raise Unreadable(
            f"{where} has the architecture “{stated}”, which sizeup does not know.", "--assume llama, to read it as the nearest family"
        )
    if assume not in known:
        raise Unreadable(f"There is no architecture “{assume}” to assume.", "--assume llama")
    return assume, (f"the unknown architecture {stated} is read as {assume}",)


def _by_block(tensors: Sequence[Tensor], blocks: int, where: str) -> tuple[list[Shapes], Shapes]:
    per_block: list[Shapes] = [{} for _ in range(blocks)]
    outside: Shapes = {}
    for tensor in tensors:
        match = BLOCK_NAME.match(tensor.name)
        if match is None:
            outside[tensor.name] = tensor.shape
        elif int(match[1]) < blocks:
            per_block[int(match[1])][match[2]] = tensor.shape
        else:
            raise Unreadable(f"{where} says it has {blocks} blocks, but stores {tensor.name}.", "another copy of the file")
    return per_block, outside


def _windows(architecture: str, hyper: Hyper, layers: int) -> list[tuple[int, bool]]:
    """(window, chunked) per layer; window 0 looks at everything."""
    rule = data_json("gguf_architectures.json")["windows"].get(architecture)
    stated = hyper.get("attention.sliding_window")
    if (
        rule is None
        or rule.get("blocks", layers) != layers
        or (stated == 0 and rule.get("off_when_zero"))
        or (stated is None and rule.get("needs_key"))
    ):
        return [(0, False)] * layers
    window = rule["window"] if rule.get("always") else hyper.count("attention.sliding_window", rule.get("window", 0))
    pattern = hyper.get("attention.sliding_window_pattern")
    if rule.get("attention_only"):
        flags = [hyper.layer("attention.head_count_kv", i) > 0 for i in range(layers)]
    elif isinstance(pattern, list):
        flags = [
            bool(hyper.layer("attention.sliding_window_pattern", i) if not isinstance(pattern[0], bool) else pattern[i])
            for i in range(min(layers, len(pattern)))
        ]
        flags += [False] * (layers - len(flags))
    else:
        every = hyper.count("attention.sliding_window_pattern", rule.get("every", 1))
        last_full = not rule.get("full_first", False)
        flags = [every == 0 or (i % every < every - 1 if last_full else i % every != 0) for i in range(layers)]
    return [(window if flag else 0, bool(flag and rule.get("chunked"))) for flag in flags]


def _cached_layers(architecture: str, hyper: Hyper, layers: int) -> int:
    """How many layers from the start keep keys and values of their own."""
    rule = data_json("gguf_architectures.json")["cached_from_start"].get(architecture)
    if rule is None:
        return layers
    return int(rule["layers"]) if "layers" in rule else layers - hyper.count(rule["shared"], 0)


def _ends(outside: Shapes, hyper: Hyper, metadata: dict[str, Any], hidden: int) -> tuple[Embedding, Head, int]:
    """What stands before the first block and after the last one."""
    table = outside.get("token_embd.weight", (hidden, 0))
    tokens = metadata.get("tokenizer.ggml.tokens")
    vocabulary = table[1] or hyper.count("vocab_size", tokens.length if isinstance(tokens, ArraySummary) else 0)
    before = tuple(data_json("gguf_architectures.json")["top_level_before"])
    rest = {n: s for n, s in outside.items() if n not in ("token_embd.weight", "output.weight", "output.bias")}
    extras = tuple((n, s) for n, s in rest.items() if n.startswith(before))
    norms = tuple((n, s) for n, s in rest.items() if not n.startswith(before))
    embedding = Embedding(vocabulary, table[0] if table[0] != hidden else 0, extras=extras)
    tied = "output.weight" not in outside
    head = Head(vocabulary, tied, "output.bias" in outside, norms, 0 if tied else outside["output.weight"][0])
    return embedding, head, vocabulary


def _tokens(metadata: dict[str, Any]) -> int:
    tokens = metadata.get("tokenizer.ggml.tokens")
    return tokens.length if isinstance(tokens, ArraySummary) else len(tokens) if isinstance(tokens, list) else 0


def _mix(file_type: Any) -> str | None:
    """The mix that the file's label names; None when it has none or an unknown one."""
    labels: dict[str, str] = data_json("llamacpp_architectures.json")["file_types"]
    return labels.get(str(file_type)) if isinstance(file_type, int) else None
