"""How many token slots llama.cpp makes of the settings: padding, streams, windows, batches, rows of logits.

Source: llama.cpp b11549, src/llama-context.cpp (the constructor, graph_reserve), src/llama-kv-cache-iswa.cpp.
"""

from __future__ import annotations

from dataclasses import dataclass

from ...figure import Number, least, round_up, step
from ...model import ModelSpec
from .settings import Settings

PADDING = 256
"""Every cache has a multiple of this many cells."""


@dataclass(frozen=True, slots=True)
class Slots:
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


def slots(model: ModelSpec, settings: Settings) -> Slots:
    """Token slots for this model under these settings."""
    context = round_up(settings.context_tokens, PADDING)
    if settings.unified_cache:
        sequence, streams = context, 1
    else:
        sequence, streams = sequence_tokens(context, settings.sequences), settings.sequences
        context = sequence * settings.sequences
    # A causal model's batch cannot be larger than the context as asked; an encoder's can.
    batch = least(settings.context_tokens, settings.batch_tokens) if model.causal else settings.batch_tokens
    micro = least(batch, settings.micro_batch_tokens)
    graph = round_up(least(micro, context), settings.sequences)
    return Slots(context, sequence, streams, batch, micro, graph, least(graph, outputs(model, settings, batch)), settings.sequences)


@step("sequence_tokens")
def sequence_tokens(context: Number, sequences: Number) -> Number:
    """Cells of one sequence's own stream: its share of the context, padded."""
    return round_up(context // sequences, PADDING)


@step("window_cells")
def window_cells(sequence: Number, window: Number, shared_by: Number, micro_batch: Number) -> Number:
    """Cells of a sliding-window cache: the window of every sequence that shares it, and one micro batch."""
    return round_up(least(sequence, window * shared_by + micro_batch), PADDING)


def cells(window: int, settings: Settings, made: Slots) -> Number:
    """Cells per stream for a layer that looks back over `window` tokens; 0 looks at everything."""
    if not window or settings.swa_full:
        return made.sequence_tokens
    return window_cells(made.sequence_tokens, window, settings.sequences if settings.unified_cache else 1, made.micro_batch_tokens)


def outputs(model: ModelSpec, settings: Settings, batch: Number) -> Number:
    """Rows of logits that may be asked for at once: the server's slots, the library's whole batch, or a given number."""
    if settings.outputs == "library" or not model.causal:
        return batch
    if settings.outputs == "server":
        # An embedding server pools whole batches.
        return batch if settings.embeddings else settings.sequences * (1 + settings.draft_tokens)
    return settings.outputs
