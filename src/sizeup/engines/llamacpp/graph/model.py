"""Whole models: embeddings, blocks, head, and pooling when embeddings are asked for."""

from __future__ import annotations

from collections.abc import Sequence

from ....layers import Attention, LatentAttention
from ....model import ModelSpec
from . import gemma, streams
from .blocks import Body, one_block
from .compressed import raw_mask
from .families import Family, family
from .inputs import embeddings
from .residual import mixed
from .sheet import Sheet
from .tensors import Node
from .writer import Writer

MEAN, FIRST, LAST, RANK = 1, 2, 3, 4
"""Values of the key `pooling_type` (llama.h, enum llama_pooling_type)."""


def write(writer: Writer, sheet: Sheet, positions: Sequence[int]) -> None:
    """The graph of a model into `writer.graph`, of the blocks at these positions."""
    spec = sheet.spec
    kind = family(spec.architecture)
    attentions = [part for block in sheet.blocks for part in block.mixers if isinstance(part, Attention)]
    latents = [part for block in sheet.blocks for part in block.mixers if isinstance(part, LatentAttention)]
    widths = [part.kv_heads * part.value_dim for part in attentions] + [part.heads * part.value_dim for part in latents]
    writer.position_axes = kind.position_axes
    writer.widest_values = max(widths, default=0)
    cached = any(part.caches for part in attentions) or bool(latents)
    body = Body(writer, kind, any(part.window for part in attentions), cached, spec.hidden)
    layers = len(sheet.blocks)
    residual = entry(body, spec, layers)
    for index in positions:
        writer.block(index)
        residual = one_block(body, sheet.blocks[index], residual, index == layers - 1)
    writer.prefix = ""
    if kind.stream == "altup":
        residual = writer.crop(gemma.gather_stream(writer, residual))
    if kind.stream == "several":
        residual = streams.head(writer, residual)
    if kind.stream == "banked":
        residual = writer.crop(mixed(writer, body.bank, residual, writer.need("output_res_score.weight")))
    head(writer, kind, residual)


def entry(body: Body, spec: ModelSpec, layers: int) -> Node:
    """Everything before the first block."""
    writer, kind, graph = body.writer, body.family, body.writer.graph
    rows = None
    if kind.per_layer and writer.shared("per_layer_token_embd.weight") is not None:
        rows = gemma.per_layer_rows(writer)
        if not kind.stream:
            graph.expand(rows)
    if kind.stream == "several":
        residual = embeddings(writer, spec.hidden, mixed=False)
        graph.expand(raw_mask(writer))
        return streams.spread(writer, residual, int(writer.hyper["hyper_connection.count"]))
    residual = embeddings(writer, spec.hidden, scaled_rows=kind.scaled_rows, scaled=kind.scaled)
    if rows is not None:
        if kind.stream == "altup":
            rows = graph.expand(writer.scale(graph.reshape(rows, rows.shape[0] // layers, layers, writer.run.tokens)))
        else:
            rows = writer.scale(rows)
        body.per_layer = gemma.per_layer_inputs(writer, residual, rows, layers)
    if kind.stream == "altup":
        residual = gemma.spread_stream(writer, residual)
    if writer.has("token_embd_norm.weight") and not writer.has("output_norm.weight") and not kind.encoder:
        return residual
    return writer.norm("token_embd_norm", residual, True) if writer.has("token_embd_norm.weight") else residual


def head(writer: Writer, kind: Family, residual: Node) -> None:
    """Final norm, logits and what is done to them, and pooled embeddings."""
    graph = writer.graph
    # LFM2's older files call their output norm by another name.
    name = next((n for n in ("output_norm", "token_embd_norm") if writer.has(f"{n}.weight")), "") if kind.stream != "post" else ""
    normed = writer.norm(name, residual, kind.layer_norm, pinned=False) if name or kind.bare_norms else residual
    normed.kept = True
    if kind.encoder:
        graph.expand(normed)
    else:
        logits = writer.biased("output", graph.mul_mat(projection(writer), writer.scale(normed) if kind.scaled_head else normed))
        if kind.logits_capped and writer.hyper.get("final_logit_softcapping"):
            logits = writer.scale(graph.like("unary", writer.scale(logits)))
        if kind.logits_scaled:
            logits = writer.scale(logits)
        graph.expand(logits)
    if writer.run.embeddings:
        graph.expand(pooled(writer, normed))


def projection(writer: Writer) -> Node:
    """The output matrix: its own, or another copy of the token embedding."""
    own = writer.shared("output.weight")
    if own is not None:
        return own
    table = writer.tensors["token_embd.weight"]
    return writer.graph.stored("output.weight", table.shape, writer.quant_of(table), writer.homes.output, True)


def pooled(writer: Writer, rows: Node) -> Node:
    """One embedding per sequence."""
    graph, run = writer.graph, writer.run
    kind = writer.hyper.get("pooling_type", 0)
    if kind == MEAN:
        turned = graph.pack(graph.view(rows, (rows.shape[1], rows.shape[0]), False, "transpose"))
        return graph.mul_mat(turned, writer.given("mean", run.tokens, run.sequences))
    if kind in (FIRST, LAST, RANK):
        return graph.get_rows(rows, writer.given("cls", run.sequences, type="i32"))
    return rows
