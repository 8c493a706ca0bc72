"""What may come beside the model: a vision projector, LoRA adapters, a draft model or the model's own draft blocks.

Source: llama.cpp b11549, tools/mtmd/clip.cpp (one buffer on the first device), src/llama-adapter.cpp (each pair of matrices
with its weight), common/speculative.cpp (common_speculative_init_result, common_base_params_to_speculative).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, NamedTuple

from ...errors import UserError
from ...figure import Number, round_up, step, total
from ...model import Group, ModelSpec, Tensor
from ...plan import Breakdown, Claim
from .cache import cache_claims, output_claim
from .graph.sheet import IN_BLOCK, Homes
from .ledger import device_bytes
from .placement import pool
from .settings import Settings
from .slots import Slots, slots

Account = Callable[[ModelSpec, str | None, Settings], Breakdown]

HOST_ALIGNMENT = 32


class Adapter(NamedTuple):
    """A LoRA adapter known by its rank: a pair of matrices for every target in every block."""

    rank: int
    targets: tuple[str, ...] = ("attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down")
    """Short names of the weights it adapts."""
    type: str = "F32"
    """As the converter writes adapters unless told otherwise."""

    def tensors(self, adapted: tuple[Tensor, ...]) -> Iterator[Tensor]:
        """The pair of matrices for every adapted weight, named like the weight; experts have a pair each."""
        for tensor in adapted:
            match = IN_BLOCK.match(tensor.name)
            if match and match[2].removesuffix(".weight") in self.targets and len(tensor.shape) > 1:
                row, rows, *stacked = tensor.shape
                yield Tensor(f"{tensor.name}.lora_a", (row, self.rank, *stacked), self.type)
                yield Tensor(f"{tensor.name}.lora_b", (self.rank, rows, *stacked), self.type)


def extra_claims(model: ModelSpec, settings: Settings, account: Account, where: Homes, tensors: tuple[Tensor, ...]) -> Iterator[Claim]:
    """Claims of the parts "projector", "adapter" and "draft". Not counted: a projector's own compute buffer."""
    if settings.projector is not None and settings.projector is not False:
        device = "ram" if where.cpu == 0 else "vram:0"
        yield Claim("projector", device, projector_bytes(model, settings.projector, settings.gpu_kind if where.cpu else ""))
    for adapter in settings.adapters:
        yield from adapter_claims(adapter, settings, where, tensors)
    made = slots(model, settings)
    if settings.draft is not None:
        yield from _draft_model(settings, made, account)
    elif settings.mtp:
        yield from _draft_blocks(model, settings, where)


def projector_bytes(model: ModelSpec, projector: Any, kind: str) -> Number:
    """Bytes of a projector's weights: of its file's tensors, of the model's own towers as the converter stores them, or as given."""
    if projector is True:
        if not model.towers:
            raise UserError(f"{model.name} has no tower for pictures or sound.", "projector=PATH of its mmproj file")
        listed = [Tensor(name, shape, "F16" if len(shape) > 1 else "F32") for tower in model.towers for name, shape in tower.shapes]
        uncounted = [tower_bytes(tower.uncounted) for tower in model.towers if tower.uncounted]
        return total([*(stored_bytes(tensor, kind) for tensor in listed), *uncounted])
    if is_count(projector):
        return projector
    return total([stored_bytes(tensor, kind) for tensor in tensors_of(projector)])


@step("tower_bytes")
def tower_bytes(elements: Number) -> Number:
    """A tower known only by its number of weights, stored as F16."""
    return 2 * elements


def adapter_claims(adapter: Any, settings: Settings, where: Homes, adapted: tuple[Tensor, ...]) -> Iterator[Claim]:
    """An adapter's matrices lie where the weights they adapt lie."""
    if is_count(adapter):
        yield Claim("adapter", "ram" if where.cpu == 0 else "vram:0", adapter)
        return
    found: dict[int, int] = {}
    for tensor in adapter.tensors(adapted) if isinstance(adapter, Adapter) else tensors_of(adapter):
        home = where.of(tensor.name.removesuffix(".lora_a").removesuffix(".lora_b"))
        found[home] = found.get(home, 0) + stored_bytes(tensor, settings.gpu_kind if home != where.cpu else "")
    for home, bytes in sorted(found.items()):
        yield Claim("adapter", pool(home, where), bytes)


def draft_settings(settings: Settings, context_tokens: Number) -> Settings:
    """How the draft model runs beside this one: by itself, with as many tokens per sequence."""
    layers = settings.draft_gpu_layers
    return replace(
        settings,
        context_tokens=context_tokens,
        k=settings.draft_k,
        v=settings.draft_v,
        gpu_layers=(0 if settings.gpu_layers == 0 else "all") if layers is None else layers,
        outputs="server",
        embeddings=False,
        cpu_moe_layers=0,
        draft=None,
        draft_tokens=0,
        mtp=False,
        projector=None,
        adapters=(),
    )


def _draft_model(settings: Settings, made: Slots, account: Account) -> Iterator[Claim]:
    """The draft model beside this one: its own weights, cache and buffers."""
    for claim in account(settings.draft, settings.draft_quant, draft_settings(settings, made.context_tokens)).claims:
        if claim.part not in ("process", "overhead"):
            yield replace(claim, part="draft", label=claim.part)


def _draft_blocks(model: ModelSpec, settings: Settings, where: Homes) -> Iterator[Claim]:
    """A second context for the model's own draft blocks: their cache and a row of logits per sequence.

    Their weights are claimed with the model's. Not counted: that context's compute buffer, which is below the model's own.
    """
    drafting = replace(
        model, groups=tuple(Group(group.block, group.positions) for group in model.draft_blocks), draft_blocks=(), architecture="drafting"
    )
    alone = replace(settings, k=settings.draft_k, v=settings.draft_v, mtp=False, draft_tokens=0)
    for claim in cache_claims(drafting, alone, slots(model, alone), where):
        if claim.part == "cache":
            yield replace(claim, part="draft", label="cache")
    yield replace(output_claim(model, replace(alone, embeddings=False), where), part="draft", label="output")


def tensors_of(thing: Any) -> tuple[Tensor, ...]:
    """The tensors of a model, of a header, or of the file at a path."""
    if isinstance(thing, str):
        from ...readers.gguf import read_header

        return read_header(thing).tensors
    found = getattr(thing, "tensors", None)
    if not isinstance(found, tuple):
        raise UserError(f"{thing!r} is neither a file, a model nor a number of bytes.", "the path of its GGUF file")
    return found


def is_count(thing: Any) -> bool:
    """Whether this is a number of bytes; raises UserError for a negative one."""
    if isinstance(thing, (bool, str)) or not hasattr(thing, "__index__"):
        return False
    if thing < 0:
        raise UserError(f"{thing:,} bytes cannot be.", "the path of its GGUF file, or its bytes")
    return True


def stored_bytes(tensor: Tensor, kind: str) -> int:
    """Bytes of a tensor in its buffer: on a device of this kind, or ("") in host memory."""
    return device_bytes(tensor, kind) if kind else int(round_up(tensor.bytes, HOST_ALIGNMENT))
