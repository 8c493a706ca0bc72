"""transformers as an engine: the claims of every part, put together."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import Any

from ...engine import Draft
from ...errors import Refused
from ...facts import data_json
from ...figure import Number, is_column, plain
from ...hardware import Machine
from ...layers import Attention, Block
from ...model import Group, ModelSpec, Tensor
from ...plan import Breakdown, Claim
from ...quant import quant as quant_of
from ...work import Work
from ..asked import family
from ..checkpoints import kept_claims, tensors
from .cache import Length, kept, length
from .command import command, loading
from .compute import logits_bytes, working
from .device_map import CPU, DISK, Device, Placed, placed
from .formats import Format, format_of
from .settings import Settings as Given
from .weights import modules


class Transformers:
    """The engine's rules. Exact to the byte: weights in a float type, buffers, caches, states, logits; the rest says its band."""

    name = "transformers"
    Settings = Given

    def on(self, settings: Given, machine: Machine, given: Collection[str]) -> Given:
        """With the GPUs that PyTorch would see, their free memory and the host's, which decide where modules lie."""
        cards = [device for device in machine.devices if machine.pool(device.pool) and not device.node]
        # Memory that a GPU shares with the host is one pool: modules are not divided over it.
        if any(device.pool == "unified" for device in cards):
            cards = []
        seen: dict[str, Any] = {"gpus": len(cards)}
        if cards:
            seen["gpu_kind"] = cards[0].kind if cards[0].kind in ("cuda", "rocm", "metal", "sycl") else "cuda"
        if cards and "gpus" not in given:
            seen["gpu_free_bytes"] = tuple(pool.free_bytes for card in cards if (pool := machine.pool(card.pool)))
        ram = machine.pool("ram")
        if ram is not None:
            seen["ram_free_bytes"] = ram.free_bytes
        return replace(settings, **{name: value for name, value in seen.items() if name not in given})

    def account(self, model: ModelSpec, quant: str | None, settings: Given, compute: tuple[Claim, ...] | None = None) -> Breakdown:
        """Bytes per part and pool, with these claims as working memory if given. Raises Refused with the engine's reason."""
        _check(model, settings)
        settings = _run_as(model, settings)
        format = format_of(model, quant)
        where = _placed(model, settings, format)[0]
        claims = [*_weight_claims(where), *_beside(model, settings, format, where, compute)]
        return Breakdown(tuple(claims), _notes(model, settings))

    def tensors(self, model: ModelSpec, quant: str | None) -> tuple[Tensor, ...]:
        """Every weight with the type it is loaded in, by llama.cpp's names; a block's weights are numbered by its place."""
        format, hidden = format_of(model, quant), int(plain(model.hidden))
        outside = [
            *model.embedding.stored(hidden),
            *model.head.stored(hidden),
            *(shape for tower in model.towers for shape in tower.shapes),
        ]
        return tensors(model, (Tensor(name, shape, format.float) for name, shape in outside), format.of)

    def work(
        self, model: ModelSpec, quant: str | None, settings: Given, tokens: int = 1, depth_tokens: int = 0, sequences: int = 1
    ) -> tuple[Work, ...]:
        """Nothing: no published runs say what devices reach under transformers, so its speed is unknown."""
        return ()

    def quants(self, model: ModelSpec) -> list[str | None]:
        """The type of the checkpoint, then what bitsandbytes makes of it while loading."""
        return [format_of(model, None).name, "bnb-int8", "bnb-nf4"]

    def draft(self, settings: Given) -> Draft | None:
        """None: assisted generation is not accounted for."""
        return None

    def command(self, model: ModelSpec, quant: str | None, settings: Given) -> str:
        """Python that loads the model in this way and answers."""
        format, settings = format_of(model, quant), _run_as(model, settings)
        return command(model, format, settings, *_placed(model, settings, format))

    def loading(self, model: ModelSpec, quant: str | None, settings: Given) -> dict[str, object]:
        """The keywords with which `from_pretrained` loads the model in this way."""
        format, settings = format_of(model, quant), _run_as(model, settings)
        return loading(model, format, settings, *_placed(model, settings, format))


def _check(model: ModelSpec, settings: Given) -> None:
    known = data_json("transformers.json")
    types = known["models"]["types"]
    if model.model_type and family(model, types) not in types and not model.config.get("auto_map"):
        raise Refused(
            f"transformers {known['versions']['transformers']} does not recognize this architecture: model type `{model.model_type}`.",
            "another engine",
        )
    positions, longest = plain(model.embedding.positions), plain(settings.context_tokens) // plain(settings.sequences)
    # Tables of two more rows than the context (OPT) begin at the third.
    reach = min(int(positions), int(model.context_tokens or positions)) if positions else 0
    if reach and not is_column(longest) and longest > reach:
        raise Refused(
            f"transformers: index out of range in self, since {model.name} has learned {reach:,} positions.", f"context_tokens={reach}"
        )


def _run_as(model: ModelSpec, settings: Given) -> Given:
    """The settings with the attention that the model's class has: where it has no SDPA, the default becomes eager."""
    only = model.model_type in data_json("transformers.json")["eager_only"]["types"]
    return replace(settings, attention="eager") if only else settings


def _placed(model: ModelSpec, settings: Given, format: Format) -> tuple[Placed, tuple[int, ...]]:
    """Where modules lie, and what each GPU may take of them when it must leave room for the rest: () when nobody limits it."""
    made, free = modules(model, format), settings.gpu_free_bytes
    if settings.device_map != "fitted" or not free:
        return placed(made, settings, format), ()
    room = free
    for _ in range(8):
        where = placed(made, replace(settings, gpu_free_bytes=room), format)
        beside = Breakdown(tuple(claim for claim in _beside(model, settings, format, where) if claim.label != "brought_in"))
        left = tuple(max(bytes - beside.needed_bytes(pool(index)), 0) for index, bytes in enumerate(free))
        if all(where.bytes(index) <= left[index] and room[index] <= left[index] for index in range(len(free))):
            break
        room = tuple(map(min, room, left))
    return where, room


def _beside(model: ModelSpec, settings: Given, format: Format, where: Placed, compute: tuple[Claim, ...] | None = None) -> Iterator[Claim]:
    """What is claimed beside the weights."""
    long = length(settings)
    yield from _cache_claims(model, settings, long, format, where)
    yield from _compute_claims(model, settings, long, format, where) if compute is None else compute
    yield _output_claim(model, settings, long, format, where)
    yield from _process_claims(where)


def _weight_claims(where: Placed) -> Iterator[Claim]:
    for device in dict.fromkeys(where.devices):
        size = where.bytes(device)
        if device == DISK:
            yield Claim("weights", "ram", size, reclaimable=True, label="disk_offload")
        elif size:
            yield Claim("weights", pool(device), size, label="offloaded" if device == CPU and where.first != CPU else "")


def pool(device: Device) -> str:
    """The pool of a device."""
    return f"vram:{device}" if isinstance(device, int) else "ram"


def by_device(group: Group, homes: dict[int, Device]) -> list[tuple[Device, Number]]:
    """(device, layers there) of one group."""
    counts: dict[Device, int] = {}
    for position in group.positions:
        counts[homes[position]] = counts.get(homes[position], 0) + 1
    return [(next(iter(counts)), group.layers)] if len(counts) == 1 else list(counts.items())


def _homes(where: Placed) -> dict[int, Device]:
    return {layer: device if isinstance(device, int) else where.first for layer, device in where.layers().items()}


def _cache_claims(model: ModelSpec, settings: Given, long: Length, format: Format, where: Placed) -> Iterator[Claim]:
    form, homes = quant_of(format.float), _homes(where)
    each = (
        (pool(device), layers, one)
        for group in (model.groups if model.causal else ())
        for device, layers in by_device(group, homes)
        for part in group.block.mixers
        for one in kept(part, form, long)
    )
    return kept_claims(each, settings.sequences)


def _compute_claims(model: ModelSpec, settings: Given, long: Length, format: Format, where: Placed) -> Iterator[Claim]:
    homes, form = _homes(where), quant_of(format.float)
    blocks: dict[Device, list[Block]] = {}
    for group in model.groups:
        for device in {homes[position] for position in group.positions}:
            blocks.setdefault(device, []).append(group.block)
    for device in sorted(blocks, key=str):
        peak = working(model, settings, long, form, tuple(blocks[device]))
        yield Claim("compute", pool(device), peak.bytes, peak.within)
    if where.first != CPU and {CPU, DISK} & set(where.devices):
        brought = max(module.bytes for module, device in zip(where.modules, where.devices, strict=True) if device in (CPU, DISK))
        yield Claim("compute", pool(where.first), brought, label="brought_in")


def _output_claim(model: ModelSpec, settings: Given, long: Length, format: Format, where: Placed) -> Claim:
    rows = long.prompt if settings.logits == "all" else 1
    last = next(device for module, device in reversed(list(zip(where.modules, where.devices, strict=True))))
    size = logits_bytes(model.vocabulary, settings.sequences, rows, quant_of(format.float).row_bytes(1))
    return Claim("output", pool(last if isinstance(last, int) else where.first), size)


def _process_claims(where: Placed) -> Iterator[Claim]:
    process, overheads = data_json("transformers.json")["process"], data_json("training_overheads.json")
    yield Claim("process", "ram", process["bytes"], process["within"])
    for device in dict.fromkeys(where.devices):
        if isinstance(device, int):
            workspace = overheads["cublas_workspace"]["bytes"]
            yield Claim("overhead", pool(device), overheads["context"]["bytes"] + workspace, 1.0, label="cuda_context")


def _notes(model: ModelSpec, settings: Given) -> tuple[str, ...]:
    said, each = [], plain(settings.context_tokens) // plain(settings.sequences)
    if model.context_tokens and not is_column(each) and each > model.context_tokens:
        said.append(f"context_beyond_model:{model.context_tokens}")
    if settings.attention == "eager" and any(isinstance(part, Attention) for group in model.groups for part in group.block.mixers):
        said.append("eager_attention")
    packed = model.config.get("quantization_config")
    if isinstance(packed, dict) and packed.get("quant_method"):
        said.append(f"unpacked:{packed['quant_method']}")
    return tuple(said)
