"""SGLang's memory put together: claims of every rank, and the pool of token slots."""

from __future__ import annotations

from typing import NamedTuple

from ...errors import Refused, TooSmall
from ...facts import data_json
from ...figure import Number, least, plain
from ...model import ModelSpec
from ...plan import Claim, Pool, ServingBreakdown
from ..serving.formats import Format, format_of
from ..serving.stages import spans
from ..serving.weights import Held, Rank, held
from ..vllm.refusals import check_blocks, check_split
from .cells import Cell, cell, layers, request_state
from .fraction import fraction
from .settings import CACHE_BYTES, Settings

GIB = 1 << 30
WEIGHTS_WITHIN = 0.002


class Share(NamedTuple):
    """One rank."""

    pool: str
    weights: Held
    cell: Cell
    state: Number
    """Bytes of one request's states."""
    free_bytes: int | None
    """Found before weights are loaded, with the rank's own context taken off; None when no memory is known."""


class Room(NamedTuple):
    """What the pool of one rank comes to."""

    tokens: Number
    states: Number
    """Slots for recurrent states."""


def account(model: ModelSpec, quant: str | None, settings: Settings) -> ServingBreakdown:
    """Bytes per part and rank. Raises Refused with SGLang's reason; TooSmall, a Refused, where only memory is short.

    SGLang itself starts also where one request of full length does not fit; such a plan is told as too small here.
    """
    _check(model, settings)
    form = format_of(model, quant, settings.dtype)
    check_blocks(model, form, int(plain(settings.tensor_parallel)), settings.expert_parallel)
    found = shares(model, form, settings)
    needed = settings.length * settings.sequences
    rooms = [_room(model, share, settings) for share in found]
    known = [one for one in rooms if one is not None]
    tokens = least(*(one.tokens for one in known)) if known else needed
    if settings.max_total_tokens is not None:
        tokens = least(settings.max_total_tokens, tokens) if known else settings.max_total_tokens
    tokens = tokens // settings.page_size * settings.page_size
    states = min((int(plain(one.states)) for one in known), default=int(plain(settings.sequences)) * _slots(settings))
    keeps = any(plain(share.cell.full) or plain(share.cell.sliding) for share in found)
    if (keeps and plain(tokens) < plain(needed)) or (any(plain(share.state) for share in found) and states < 1):
        raise _too_small(model, settings, found, needed, tokens, states)
    pool = _pool(settings, found, tokens, needed) if keeps else None
    return ServingBreakdown(tuple(_claims(model, found, settings, tokens, states)), notes(model, settings), pool)


def shares(model: ModelSpec, form: Format, settings: Settings) -> tuple[Share, ...]:
    """Every rank, stage by stage."""
    value = CACHE_BYTES[settings.kv_cache_dtype] or form.plain.block_bytes
    each, stages = int(plain(settings.tensor_parallel)), int(plain(settings.pipeline_parallel))
    kept = layers(model, each, value, form.plain.block_bytes, settings.kv_cache_dtype.startswith("fp8"))
    loaded = data_json("sglang.json")["loaded"]
    found = []
    for stage, span in enumerate(spans(model.layers, stages, True)):
        weights = held(model, form, Rank(stage, stages, each, True))
        for number in range(stage * each, (stage + 1) * each):
            free = None
            if settings.cards:
                context = loaded["several_gib"] if settings.ranks > 1 else loaded["context_gib"]
                free = settings.cards[number].total_bytes - int(context * GIB)
                free = min(free, settings.cards[number].free_bytes)
            found.append(
                Share(f"vram:{number}", weights, cell(model, kept, span), request_state(model, each, form.plain.block_bytes, span), free)
            )
    return tuple(found)


def _room(model: ModelSpec, share: Share, settings: Settings) -> Room | None:
    """Token slots and state slots that the static share of a card leaves beside its weights; None when no memory is known."""
    if settings.kv_cache_bytes is not None:
        return Room(settings.kv_cache_bytes // _wide(share), _slots(settings))
    if share.free_bytes is None:
        return None
    left: Number = int(share.free_bytes * fraction(model, settings)) - share.weights.bytes
    states: Number = _slots(settings)
    if plain(share.state):
        share_of = data_json("sglang.json")["state_share"]
        budget = int(left * share_of / (1 + share_of))
        states = (budget - int(plain(share.state))) // int(plain(share.state))
        left = left - (states + 1) * int(plain(share.state))
    wide = _wide(share)
    return Room(left // wide if plain(wide) else settings.context_tokens, states)


def _wide(share: Share) -> Number:
    """Bytes of the pool for one token: windowed layers have slots for a share of the tokens only."""
    if not plain(share.cell.sliding):
        return share.cell.full
    if not plain(share.cell.full):
        return share.cell.sliding
    return int(plain(share.cell.full) + data_json("sglang.json")["sliding_share"] * plain(share.cell.sliding))


def _slots(settings: Settings) -> int:
    """Slots for states that one request takes: three where prompts that begin alike are kept."""
    return 3 if settings.prefix_caching else 1


def _pool(settings: Settings, found: tuple[Share, ...], tokens: Number, needed: Number) -> Pool:
    return Pool(tokens, tokens, _wide(found[0]), settings.page_size, settings.length, settings.length, int(plain(tokens)))


def _claims(model: ModelSpec, found: tuple[Share, ...], settings: Settings, tokens: Number, states: int) -> list[Claim]:
    claims: list[Claim] = []
    loaded = data_json("sglang.json")["loaded"]
    for share in found:
        claims.append(Claim("weights", share.pool, share.weights.bytes, WEIGHTS_WITHIN))
        if plain(share.cell.full):
            claims.append(Claim("cache", share.pool, tokens * share.cell.full, label="pool"))
        if plain(share.cell.sliding):
            part = (
                tokens * share.cell.sliding
                if not plain(share.cell.full)
                else int(plain(tokens) * data_json("sglang.json")["sliding_share"]) * share.cell.sliding
            )
            claims.append(Claim("cache", share.pool, part, label="window"))
        if plain(share.state):
            claims.append(Claim("state", share.pool, (states + 1) * share.state))
        context = loaded["several_gib"] if settings.ranks > 1 else loaded["context_gib"]
        claims.append(Claim("overhead", share.pool, int(context * GIB), loaded["within_gib"] / context, label="outside_torch"))
        if share.free_bytes is not None:
            # What weights, context and buffers take beyond their likely size comes out of what is reserved.
            beyond = loaded["within_gib"] * GIB + WEIGHTS_WITHIN * share.weights.bytes
            reserved = max(int(share.free_bytes * (1 - fraction(model, settings)) - beyond), 0)
            claims.append(Claim("activations", share.pool, reserved, label="reserved"))
    return claims


def _too_small(model: ModelSpec, settings: Settings, found: tuple[Share, ...], needed: Number, tokens: Number, states: int) -> TooSmall:
    told = ServingBreakdown(
        tuple(_claims(model, found, settings, needed, max(states, _slots(settings)))),
        notes(model, settings),
        _pool(settings, found, needed, needed),
    )
    share = fraction(model, settings)
    if plain(tokens) < 1 or states < 1:
        return TooSmall(
            f"SGLang: Not enough memory. Please try to increase --mem-fraction-static. Current value: mem_fraction_static={share:.3f}",
            "more cards (tensor_parallel), or a smaller quantisation",
            told,
        )
    each = int(plain(tokens)) // int(plain(settings.sequences))
    return TooSmall(
        f"SGLang would start with {int(plain(tokens)):,} token slots, and {int(plain(needed)):,} are asked for.",
        f"--context {each:,}, or a higher mem_fraction_static than {share:.3f}",
        told,
    )


def _check(model: ModelSpec, settings: Settings) -> None:
    if settings.cards and settings.ranks > len(settings.cards):
        raise Refused(
            f"{settings.ranks} ranks need as many cards, and there are {len(settings.cards)}.", f"--tensor-parallel {len(settings.cards)}"
        )
    check_split(model, int(plain(settings.tensor_parallel)), int(plain(settings.pipeline_parallel)), settings.expert_parallel)


def notes(model: ModelSpec, settings: Settings) -> tuple[str, ...]:
    """What the user should know of the numbers, as message keys."""
    said = ["sglang_reserved"] if settings.cards else []
    if model.context_tokens and int(plain(settings.length)) > model.context_tokens:
        said.append(f"context_beyond_model:{model.context_tokens}")
    if settings.cards and not all(card.known for card in settings.cards[: settings.ranks]):
        said.append("cuda_memory_assumed")
    return tuple(said)
