"""vLLM's memory put together: claims of every rank, and the pool that is left."""

from __future__ import annotations

from typing import NamedTuple

from ...crossing import last_fitting
from ...errors import Refused, TooSmall
from ...figure import Number, plain
from ...model import ModelSpec
from ...plan import Claim, Pool, ServingBreakdown
from ..serving.formats import Format, format_of
from ..serving.pages import Kept, kept_layers
from .groups import Group, grouped, request_blocks
from .peak import batch, calibrated
from .ranks import WEIGHTS_WITHIN, Share, blocks, room, shares
from .refusals import check, check_blocks, check_memory
from .release import release
from .settings import CACHE_BYTES, Settings

GIB = 1 << 30


class Need(NamedTuple):
    """What requests need of the pool, whatever it has."""

    groups: tuple[Group, ...]
    request: Number
    """Blocks of one request."""
    blocks: Number
    """Blocks of as many requests as were asked for, and the one that the pool keeps back."""


def account(model: ModelSpec, quant: str | None, settings: Settings) -> ServingBreakdown:
    """Bytes per part and rank. Raises Refused with vLLM's reason; TooSmall, a Refused, where only memory is short."""
    check(model, settings)
    form = format_of(model, quant, settings.dtype)
    check_blocks(model, form, int(plain(settings.tensor_parallel)), settings.expert_parallel)
    need = needed(model, form, settings)
    found = shares(model, form, settings, need.groups)
    check_memory(found, settings)
    if not need.groups:
        return ServingBreakdown(tuple(_claims(found, 0)), notes(model, settings))
    likely = blocks(found, settings)
    if likely is None:
        likely = fewest = need.blocks
    else:
        fewest = blocks(found, settings, 1)
        assert fewest is not None
    if plain(likely) < plain(need.blocks):
        raise _too_small(model, form, settings, found, need, likely)
    said = notes(model, settings)
    if (most := fewer_sequences(settings, need.groups, likely)) is not None:
        if settings.max_num_seqs is not None:
            raise Refused(
                f"max_num_seqs ({settings.max_num_seqs}) exceeds available Mamba cache blocks ({most}).",
                f"max_num_seqs={most}, or enforce_eager",
            )
        said = (f"vllm_sequences:{most}", *said)
    return ServingBreakdown(tuple(_claims(found, likely)), said, _pool(settings, need, found, likely, fewest))


def fewer_sequences(settings: Settings, groups: tuple[Group, ...], likely: Number) -> int | None:
    """The most sequences a step may have where each needs a block for its state before graphs are captured; None where there are enough."""
    states = any(group.first.kind == "state" for group in groups)
    if not states or settings.enforce_eager or (settings.max_num_seqs is None and not settings.cards):
        return None
    return int(plain(likely)) if int(plain(likely)) < batch(settings)[1] else None


def needed(model: ModelSpec, form: Format, settings: Settings) -> Need:
    """The groups of layers and the blocks that requests of full length take."""
    groups = grouped(layers(model, form, settings))
    if not groups:
        return Need((), 0, 0)
    request = request_blocks(groups, settings.length, in_flight(settings), state_blocks(settings))
    return Need(groups, request, request * settings.sequences + 1)


def layers(model: ModelSpec, form: Format, settings: Settings) -> list[Kept]:
    """The cache of every layer."""
    value = CACHE_BYTES[settings.kv_cache_dtype] or form.plain.block_bytes
    eight = settings.kv_cache_dtype.startswith("fp8")
    grain = int(release(settings.version)["latent_grain"])
    return kept_layers(model, int(plain(settings.tensor_parallel)), value, settings.block_size, form.plain.block_bytes, eight, grain)


def in_flight(settings: Settings) -> int:
    """Tokens that are scheduled and not done yet, which windows hold on to."""
    batches = int(plain(settings.pipeline_parallel)) + int(release(settings.version)["in_flight_batches"])
    return batches * batch(settings)[0]


def state_blocks(settings: Settings) -> int:
    """Blocks that one request's state takes: two where states are kept for prompts that begin alike."""
    return int(release(settings.version)["state_blocks"]) if settings.prefix_caching else 1


def _pool(settings: Settings, need: Need, found: tuple[Share, ...], likely: Number, fewest: Number) -> Pool:
    tight = min(found, key=lambda share: int(plain(share.requested or 0)) - int(plain(share.beside)))
    tokens = need.groups[0].first.block_tokens
    count = int(plain(likely))
    if release(settings.version)["tokens_printed"] == "blocks":
        printed = count // len(need.groups) * int(plain(tokens))
    else:
        printed = int(count / int(plain(need.request)) * int(plain(settings.length)))
    return Pool(likely, fewest, tight.block_bytes, tokens, need.request, settings.length, printed)


def _claims(found: tuple[Share, ...], count: Number, spare: dict[str, int] | None = None) -> list[Claim]:
    claims: list[Claim] = []
    for share in found:
        pool = share.pool
        claims.append(Claim("weights", pool, share.weights.bytes, WEIGHTS_WITHIN))
        if plain(share.block_bytes) and plain(count):
            claims.append(Claim("cache", pool, count * share.block_bytes, label="pool"))
        claims.append(Claim("activations", pool, share.activation.bytes, share.activation.within, label="profiled"))
        if share.graphs.bytes:
            claims.append(Claim("compute", pool, share.graphs.bytes, share.graphs.within, label="graphs"))
        claims.append(Claim("overhead", pool, share.outside.bytes, share.outside.within, label="outside_torch"))
        if spare and spare.get(pool):
            claims.append(Claim("buffers", pool, spare[pool], label="left_alone"))
    return claims


def _too_small(model: ModelSpec, form: Format, settings: Settings, found: tuple[Share, ...], need: Need, likely: Number) -> TooSmall:
    """vLLM's own sentence, and what a card would need to have: the server takes its share of it and leaves the rest alone."""
    spare = {}
    for share in found:
        if share.requested is not None:
            taken = int(plain(share.beside)) + int(plain(need.blocks * share.block_bytes))
            if release(settings.version)["graphs_charged"]:
                taken += int(share.graphs.bytes)
            spare[share.pool] = int(taken / settings.utilization) - taken
    told = ServingBreakdown(
        tuple(_claims(found, need.blocks, spare)), notes(model, settings), _pool(settings, need, found, need.blocks, need.blocks)
    )
    rooms = [room(share, settings) for share in found] if settings.num_blocks is None else []
    available = min((int(plain(one)) for one in rooms), default=int(plain(likely)) * int(plain(found[0].block_bytes)))
    if available <= 0 or plain(likely) < 1:
        return TooSmall(
            "vLLM: No available memory for the cache blocks.",
            f"a higher gpu_memory_utilization than {settings.utilization:g}, more cards (tensor_parallel), or a smaller quantisation",
            told,
        )
    longest = longest_request(model, form, settings, likely)
    sequences = int(plain(settings.sequences))
    wanted = int(plain(need.request)) * int(plain(found[0].block_bytes))
    if sequences > 1 and plain(likely) > plain(need.request):
        return TooSmall(
            f"The pool holds {plain(likely) / plain(need.request):.2f} requests of {int(plain(settings.length)):,} tokens at once, and {sequences} are asked for.",
            f"--context {longest:,} for each of them, or more cards" if longest else "fewer users, or more cards",
            told,
        )
    return TooSmall(
        f"vLLM: To serve at least one request with the model's max seq len ({int(plain(settings.length))}), "
        f"{wanted / GIB:.2f} GiB KV cache is needed, which is larger than the available KV cache memory ({available / GIB:.2f} GiB).",
        f"the estimated maximum model length, {longest}" if longest else "more cards (tensor_parallel), or a smaller quantisation",
        told,
    )


def longest_request(model: ModelSpec, form: Format, settings: Settings, likely: Number) -> int:
    """The longest requests of which as many as asked for fit into the pool; 0 when not even a token does."""
    groups = grouped(layers(model, form, settings))
    waits, states, sequences = in_flight(settings), state_blocks(settings), int(plain(settings.sequences))

    def rooms(length: int) -> dict[str, int]:
        return {"blocks": int(plain(likely)) - 1 - sequences * int(plain(request_blocks(groups, length, waits, states)))}

    return last_fitting(int(plain(settings.length)), rooms)


def notes(model: ModelSpec, settings: Settings) -> tuple[str, ...]:
    """What the user should know of the numbers, as message keys."""
    said = []
    length = int(plain(settings.length))
    if model.context_tokens and length > model.context_tokens:
        said.append(f"context_beyond_model:{model.context_tokens}")
    if settings.cards and not calibrated(settings):
        said.append("vllm_not_calibrated")
    if settings.cards and not all(card.known for card in settings.cards[: settings.ranks]):
        said.append("cuda_memory_assumed")
    return tuple(said)
