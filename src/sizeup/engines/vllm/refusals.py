"""What vLLM refuses before it loads anything, in its own words where it has some."""

from __future__ import annotations

from ...errors import Refused
from ...figure import plain
from ...layers import Attention, LatentAttention, Moe
from ...model import ModelSpec
from ..serving.formats import Format
from ..serving.shards import VOCABULARY_PADDING
from .ranks import Share
from .settings import Settings

GIB = 1 << 30


def check(model: ModelSpec, settings: Settings) -> None:
    """Raises Refused for splits that do not come out even and for cards that are not there."""
    if settings.cards and settings.ranks > len(settings.cards):
        raise Refused(
            f"World size ({settings.ranks}) is larger than the number of available GPUs ({len(settings.cards)}).",
            f"--tensor-parallel {len(settings.cards)}",
        )
    check_split(model, int(plain(settings.tensor_parallel)), int(plain(settings.pipeline_parallel)), settings.expert_parallel)


def check_split(model: ModelSpec, ranks: int, stages: int, expert_parallel: bool = False) -> None:
    """Raises Refused for a model that cannot be shared among so many ranks and stages."""
    if stages > model.layers:
        raise Refused(
            f"{model.name} has {model.layers} layers, fewer than {stages} pipeline stages.", f"--pipeline-parallel {model.layers}"
        )
    heads = {int(plain(part.heads)) for part in _attention(model)}
    for count in sorted(heads):
        if count % ranks:
            raise Refused(
                f"Total number of attention heads ({count}) must be divisible by tensor parallel size ({ranks}).",
                f"--tensor-parallel {_divisor(count, ranks)}",
            )
    for part in _attention(model):
        keys = int(plain(part.kv_heads)) if isinstance(part, Attention) else 0
        if keys and ranks > 1 and keys % ranks and ranks % keys:
            raise Refused(
                f"{keys} key/value heads can neither be split over {ranks} ranks nor repeated on them.",
                f"--tensor-parallel {_divisor(keys, ranks)}",
            )
    padded = -(-int(plain(model.vocabulary)) // VOCABULARY_PADDING) * VOCABULARY_PADDING
    if padded % ranks:
        raise Refused(f"The vocabulary of {padded} rows is not divisible by {ranks}.", f"--tensor-parallel {_divisor(padded, ranks)}")
    for group in model.groups:
        feed = group.block.feed
        width = int(plain(feed.width)) if feed is not None and hasattr(feed, "width") else 0
        if isinstance(feed, Moe) and expert_parallel:
            if feed.experts % ranks:
                raise Refused(
                    f"The {feed.experts} experts of a layer are not divisible by {ranks} ranks.",
                    f"--tensor-parallel {_divisor(int(feed.experts), ranks)}",
                )
            continue
        if width % ranks:
            kind = "an expert" if isinstance(feed, Moe) else "a feed-forward layer"
            raise Refused(
                f"The {width} values inside of {kind} are not divisible by {ranks}.", f"--tensor-parallel {_divisor(width, ranks)}"
            )


def block_rows(model: ModelSpec, form: Format, ranks: int) -> tuple[int, int] | None:
    """(rows of an expert on one rank, rows of a block) where blocks with a scale of their own would be cut; None where they are not."""
    rows = max((piece.rows for piece in form.experts.pieces), default=1)
    widths = {int(plain(group.block.feed.width)) // ranks for group in model.groups if isinstance(group.block.feed, Moe)}
    return next(((width, rows) for width in sorted(widths) if width % rows), None)


def check_blocks(model: ModelSpec, form: Format, ranks: int, expert_parallel: bool) -> None:
    """Raises Refused, in vLLM's words (SGLang has the same), where experts in 8 bits by blocks are shared so that blocks are cut."""
    cut = None if expert_parallel else block_rows(model, form, ranks)
    if cut is not None:
        raise Refused(
            f"The output_size of gate's and up's weight = {cut[0]} is not divisible by weight quantization block_n = {cut[1]}.",
            "expert_parallel=on",
        )


def check_memory(found: tuple[Share, ...], settings: Settings) -> None:
    """Raises Refused when a card has less free than the server would take."""
    for share, card in zip(found, settings.cards, strict=False):
        if share.requested is not None and settings.kv_cache_bytes is None and card.free_bytes < share.requested:
            most = int(card.free_bytes / card.total_bytes * 100) / 100
            raise Refused(
                f"Free memory on device cuda:{share.pool.partition(':')[2]} ({card.free_bytes / GIB:.2f}/{card.total_bytes / GIB:.2f} GiB) on startup is "
                f"less than desired GPU memory utilization ({settings.utilization:g}, {share.requested / GIB:.2f} GiB).",
                f"--gpu-memory-utilization {most:.2f}, or end other programs on the card",
            )


def _attention(model: ModelSpec) -> list[Attention | LatentAttention]:
    return [part for group in model.groups for part in group.block.mixers if isinstance(part, Attention | LatentAttention)]


def _divisor(count: int, most: int) -> int:
    return max(number for number in range(1, most + 1) if count % number == 0)
