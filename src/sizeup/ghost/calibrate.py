"""Ten seconds or so that tell this machine's own rates: small ghosts run on the embedded engine, and the formula is solved for them.

One ghost per number format is large enough to come from memory and has few layers: it tells the rates of reading and multiplying.
One of many tiny layers tells a layer's fixed time, one of experts what those add, one with a filled cache what attention costs.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from sizeup.calibration import Calibration
from sizeup.engines import engine
from sizeup.engines.llamacpp.hyper import hyper
from sizeup.engines.llamacpp.tensors import gguf_tensors
from sizeup.errors import Unavailable
from sizeup.hardware import Machine
from sizeup.model import ModelSpec
from sizeup.plan import Measurement
from sizeup.readers.config import spec_from_config
from sizeup.roofline import Load, load
from sizeup.search import make_plan

from .extrapolate import fastest
from .rehearse import rehearse

FORMATS = ("Q8_0", "Q4_0", "Q4_K", "Q6_K", "F16")
"""Formats that most files are made of. Others take the rate of their nearest kin."""

PROMPT_TOKENS = 128
DEPTH_TOKENS = 2048
SECONDS = 0.4
"""Measuring time of each run; making and loading its ghost comes on top."""

RUNS = 2
"""How often each ghost runs; the faster counts, since what else the machine does can only slow it."""

WIDE: dict[str, Any] = {"hidden_size": 2048, "intermediate_size": 6144, "num_hidden_layers": 3, "num_attention_heads": 16}
MANY: dict[str, Any] = {"hidden_size": 128, "intermediate_size": 256, "num_hidden_layers": 48, "num_attention_heads": 4}
DEEP: dict[str, Any] = {"hidden_size": 256, "intermediate_size": 256, "num_hidden_layers": 4, "num_attention_heads": 8, "head_dim": 64}
EXPERTS: dict[str, Any] = {
    "hidden_size": 512,
    "num_hidden_layers": 12,
    "num_attention_heads": 8,
    "num_key_value_heads": 8,
    "intermediate_size": 512,
    "moe_intermediate_size": 512,
    "num_experts": 32,
    "num_experts_per_tok": 4,
    "head_dim": 64,
    "model_type": "qwen3_moe",
    "architectures": ["Qwen3MoeForCausalLM"],
    "decoder_sparse_step": 1,
    "norm_topk_prob": True,
}

Tell = Callable[[str, int, int], None]


def calibrate(machine: Machine, tell: Tell | None = None) -> Calibration:
    """This machine's rates, measured now. `tell` hears what is measured next, how many are done and how many there are.

    Raises Unavailable without the embedded engine or a processor's name; EngineFailed with its log.
    """
    if machine.cpu is None:
        raise Unavailable("This machine's processor has no name to keep a measurement under.", "sizeup machine")
    steps = [*FORMATS, "layers", "experts", "cache"]

    def next_is(name: str) -> None:
        if tell is not None:
            tell(name, steps.index(name), len(steps))

    wide: dict[str, Measurement] = {}
    for kind in FORMATS:
        next_is(kind)
        wide[kind] = _run(machine, ghost(f"wide-{kind}", WIDE, kind), PROMPT_TOKENS)
    next_is("layers")
    many = _run(machine, ghost("many", MANY, "Q8_0"), 16)
    layer_s = _fixed(many, MANY["num_hidden_layers"])
    loads = {kind: _loads(ghost(f"wide-{kind}", WIDE, kind), PROMPT_TOKENS) for kind in FORMATS}
    flops = {kind: _flops_per_s(loads[kind][1], wide[kind].prefill_tokens_per_s, layer_s) for kind in FORMATS}
    read = {kind: _bytes_per_s(loads[kind][0], wide[kind].decode_tokens_per_s, layer_s, flops[kind]) for kind in FORMATS}
    next_is("experts")
    expert_layer, expert_rows = _experts(machine, read["Q8_0"], flops["Q8_0"], layer_s)
    next_is("cache")
    cache, mixing = _attention(machine, read["Q8_0"], flops["Q8_0"], layer_s)
    return Calibration(
        machine.cpu.name,
        max(1, min(machine.cpu.cores, int(machine.cpu.usable + 0.5))),
        datetime.date.today().isoformat(),
        read | {"": min(read.values())},
        flops | {"": min(flops.values())},
        cache,
        mixing,
        layer_s,
        expert_layer,
        expert_rows,
        max(max(found.decode_spread, found.prefill_spread) for found in wide.values()),
    )


def ghost(name: str, shape: dict[str, Any], kind: str) -> ModelSpec:
    """A small model whose matrices are all of one format."""
    config = {"model_type": "llama", "architectures": ["LlamaForCausalLM"], "vocab_size": 2048, "max_position_embeddings": 8192, **shape}
    model = spec_from_config(config, name)
    tensors = tuple(tensor if tensor.type == "F32" else replace(tensor, type=kind) for tensor in gguf_tensors(model, "F16"))
    return replace(model, tensors=tensors, stored="gguf", mix=kind, hyper=hyper(model))


def _run(machine: Machine, model: ModelSpec, prompt_tokens: int, seconds: float = SECONDS) -> Measurement:
    llama = engine("llama.cpp")
    settings = llama.Settings(context_tokens=prompt_tokens + 256)
    plan = make_plan(model, machine, llama, None, llama.on(settings, machine, ()), timed=False)
    return fastest([rehearse(plan, prompt_tokens=prompt_tokens, decode_tokens=16, seconds=seconds) for _ in range(RUNS)])


def _loads(model: ModelSpec, prompt_tokens: int) -> tuple[Load, Load]:
    """What a decode step after such a prompt moves, and what the prompt's mean micro batch computes."""
    llama = engine("llama.cpp")
    settings = llama.Settings(context_tokens=prompt_tokens + 256)
    micro = min(prompt_tokens, settings.micro_batch_tokens)
    one = llama.work(model, None, settings, depth_tokens=prompt_tokens)
    batch = llama.work(model, None, settings, tokens=micro, depth_tokens=(prompt_tokens - micro) // 2)
    return _joined(one), _joined(batch)


def _joined(work: Sequence[Any]) -> Load:
    (part,) = work
    return load(part, {})


def _flops_per_s(batch: Load, tokens_per_s: float | None, layer_s: float) -> float:
    """The rate of multiplying a prompt, the layers' fixed time taken off."""
    spent = float(batch.tokens) / (tokens_per_s or 1.0)
    return _flops(batch) / _rest(spent, layer_s * float(batch.layers))


def _bytes_per_s(one: Load, tokens_per_s: float | None, layer_s: float, flops_per_s: float) -> float:
    """The rate of reading weights for one token; its multiplying and the layers' fixed time taken off."""
    spent = 1 / (tokens_per_s or 1.0)
    return _bytes(one) / _rest(spent, layer_s * float(one.layers) + _flops(one) / flops_per_s)


def _bytes(step: Load) -> float:
    return sum(float(part.bytes) for part in step.reads)


def _flops(step: Load) -> float:
    return sum(float(part.flops) for part in step.reads)


def _rest(spent: float, known: float) -> float:
    """What is left of a time; never so little that a disturbed measurement makes a rate of it that no machine has."""
    return max(spent - known, spent / 4)


def _fixed(found: Measurement, layers: int) -> float:
    """Seconds of a layer so small that its weights never leave the processor's caches."""
    return 1 / (found.decode_tokens_per_s or 1.0) / layers


def _experts(machine: Machine, read: float, flops: float, layer_s: float) -> tuple[float, float]:
    """How many times a layer with experts takes the fixed time of a dense one, and the rows that each expert's batch is padded by."""
    model = ghost("experts", EXPERTS, "Q8_0")
    found = _run(machine, model, PROMPT_TOKENS)
    one, batch = _loads(model, PROMPT_TOKENS)
    fixed = 1 / (found.decode_tokens_per_s or 1.0) - _bytes(one) / read - _flops(one) / flops
    times = max(1.0, fixed / float(one.layers) / layer_s)
    dense = sum(float(part.flops) for part in batch.reads if not part.routed) / flops
    routed = sum(float(part.flops) for part in batch.reads if part.routed) / flops
    rows = min(float(part.rows) for part in batch.reads if part.routed)
    spent = float(batch.tokens) / (found.prefill_tokens_per_s or 1.0) - dense - layer_s * times * float(batch.layers)
    return times, max(0.0, (spent / routed - 1) * rows)


def _attention(machine: Machine, read: float, flops: float, layer_s: float) -> tuple[float, float]:
    """Bytes per second of a cache that one token reads, and FLOPs per second of a prompt's attention."""
    model = ghost("deep", DEEP, "Q8_0")
    found = _run(machine, model, DEPTH_TOKENS, SECONDS * 2)
    one, batch = _loads(model, DEPTH_TOKENS)
    fixed = layer_s * float(one.layers)
    prompt = float(batch.tokens) / (found.prefill_tokens_per_s or 1.0)
    mixing = float(batch.mixing_flops) / _rest(prompt, fixed + _flops(batch) / flops)
    known = fixed + _bytes(one) / read + _flops(one) / flops + float(one.mixing_flops) / mixing
    return float(one.cache_bytes) / _rest(1 / (found.decode_tokens_per_s or 1.0), known), mixing
