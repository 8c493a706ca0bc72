"""How many token slots llama.cpp makes of the settings: padding, streams, windows, batches, rows of logits.

Source: llama.cpp b11549, src/llama-context.cpp (the constructor, sched_reserve, graph_reserve), src/llama-kv-cache-iswa.cpp,
tools/server/server-context.cpp and common/speculative.cpp (rows of logits).
"""

from __future__ import annotations

from typing import NamedTuple

from ...facts import data_json
from ...figure import Number, least, most, plain, round_up, step, where
from ...model import ModelSpec
from .settings import Settings

PADDING = 256
"""Every cache has a multiple of this many cells."""

DRAFT_TOKENS = 3
"""Tokens drafted at a time when nobody says (common/common.h, common_params_speculative_draft)."""


class Slots(NamedTuple):
    """What the engine makes of the settings. Counts are numbers of some kind."""

    context_tokens: Number
    """The context after padding; with uneven sequences it may be more than asked."""
    sequence_tokens: Number
    """Cells of the ordinary cache per stream."""
    streams: Number
    batch_tokens: Number
    micro_batch_tokens: Number
    graph_tokens: Number
    """Tokens of the reserved graph: a micro batch, rounded up to a multiple of the sequences."""
    output_rows: Number
    """Rows of logits the reserved graph computes."""
    sequences: Number
    snapshots: Number = 0
    """Copies of each recurrent state beside the state itself, kept to take back drafted tokens."""


def slots(model: ModelSpec, settings: Settings) -> Slots:
    """Token slots for this model under these settings. Refuses nothing (`refusals.check` does)."""
    context = round_up(settings.context_tokens, PADDING)
    if settings.unified_cache:
        sequence, streams = context, 1
    else:
        sequence, streams = sequence_tokens(context, settings.sequences), settings.sequences
        context = sequence * settings.sequences
    asked = settings.batch_tokens
    if settings.embeddings and settings.outputs == "server":
        # A server pools a prompt in one go, so a batch may not be larger than what one graph takes.
        asked = least(asked, settings.micro_batch_tokens)
    # A causal model's batch cannot be larger than the context as asked; an encoder's can.
    batch = least(settings.context_tokens, asked) if model.causal else asked
    micro = least(batch, settings.micro_batch_tokens)
    tokens = least(micro, context)
    return Slots(
        context,
        sequence,
        streams,
        batch,
        micro,
        graph_tokens(tokens, settings.sequences),
        least(tokens, outputs(model, settings, batch)),
        settings.sequences,
        drafted_tokens(settings) if settings.mtp and model.architecture in data_json("llamacpp_memory.json")["takes_back"] else 0,
    )


@step("sequence_tokens")
def sequence_tokens(context: Number, sequences: Number) -> Number:
    """Cells of one sequence's own stream: its share of the context, padded."""
    return round_up(context // sequences, PADDING)


@step("graph_tokens")
def graph_tokens(tokens: Number, sequences: Number) -> Number:
    """Tokens of the reserved graph: as many for each sequence."""
    return round_up(tokens, sequences)


@step("window_cells")
def window_cells(sequence: Number, window: Number, shared_by: Number, micro_batch: Number) -> Number:
    """Cells of a sliding-window cache: the window of every sequence that shares it, and one micro batch."""
    return round_up(least(sequence, window * shared_by + micro_batch), PADDING)


def cells(window: Number, settings: Settings, made: Slots, shared: bool = True) -> Number:
    """Cells per stream for a layer that looks back over `window` tokens; 0 looks at everything.

    `shared` False: sequences have a stream each even in a unified cache.
    """
    if settings.swa_full or nothing(window):
        return made.sequence_tokens
    return window_cells(
        made.sequence_tokens, window, settings.sequences if settings.unified_cache and shared else 1, made.micro_batch_tokens
    )


def outputs(model: ModelSpec, settings: Settings, batch: Number) -> Number:
    """Rows of logits that may be asked for at once: the server's slots, the library's whole batch, or a given number."""
    if settings.outputs == "library" or model.architecture in data_json("llamacpp_memory.json")["encoder_decoder"]:
        return batch
    if settings.outputs == "server":
        # An embedding server pools whole batches.
        return batch if settings.embeddings else server_rows(settings.batch_tokens, settings.sequences, drafted_tokens(settings))
    return settings.outputs


@step("server_rows")
def server_rows(batch: Number, sequences: Number, drafted: Number) -> Number:
    """Rows of logits that a server reserves: the next token of each sequence, and one more per drafted token."""
    return most(1, least(batch, sequences * (1 + drafted)))


def drafted_tokens(settings: Settings) -> Number:
    """Tokens drafted at a time; 0 without speculative decoding."""
    if settings.draft is None and not settings.mtp:
        return settings.draft_tokens
    return where(settings.draft_tokens, settings.draft_tokens, DRAFT_TOKENS)


def transposed(model: ModelSpec, settings: Settings) -> bool:
    """Whether values are cached transposed: flash attention is off from the start (found unsupported later does not count)."""
    return settings.flash_attention is False or model.architecture in data_json("llamacpp_memory.json")["never_flash"]


def nothing(number: Number) -> bool:
    """Whether this number is a plain 0: there is no such thing, and no formula for it."""
    bare = plain(number)
    return isinstance(bare, int) and bare == 0
