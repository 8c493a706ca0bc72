"""Ten seconds or so that tell this machine's own rates: small ghosts run on the embedded engine, and the formula is solved for them.

One ghost per number format is large enough to come from memory and has few layers: it tells the rates of reading and multiplying.
One of many tiny layers tells a layer's fixed time, one of short rows what a row costs beside its bytes, one of experts what those add,
one with a filled cache what attention costs.
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

LEAST_RUNS, MOST_RUNS = 2, 4
"""How often each ghost runs: until the two fastest agree. The fastest counts, since what else the machine does can only slow it."""

AGREE = 0.1
"""How far the two fastest may lie apart, as a share."""

WIDE: dict[str, Any] = {"hidden_size": 2048, "intermediate_size": 6144, "num_hidden_layers": 3, "num_attention_heads": 16}
NARROW: dict[str, Any] = {"hidden_size": 512, "intermediate_size": 2048, "num_hidden_layers": 24, "num_attention_heads": 8}
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
    steps = [*FORMATS, "layers", "rows", "experts", "cache"]

    def next_is(name: str) -> None:
        if tell is not None:
            tell(name, steps.index(name), len(steps))

    wide: dict[str, tuple[Measurement, Load, Load]] = {}
    for kind in FORMATS:
        next_is(kind)
        model = ghost(f"wide-{kind}", WIDE, kind)
        one, batch = _loads(model, PROMPT_TOKENS)
        wide[max(one.reads, key=lambda part: float(part.bytes)).kind] = (_run(machine, model, PROMPT_TOKENS), one, batch)
    next_is("layers")
    many = _run(machine, ghost("many", MANY, "Q8_0"), 16)
    layer_s = _fixed(many, MANY["num_hidden_layers"])
    flops = {key: _flops_per_s(batch, found.prefill_tokens_per_s, layer_s) for key, (found, _, batch) in wide.items()}
    next_is("rows")
    usual = next(iter(wide))
    dot_s = _dots(machine, wide[usual], flops[usual], layer_s)
    read = {
        key: _bytes_per_s(one, found.decode_tokens_per_s, layer_s + dot_s * _dot_count(one) / float(one.layers), flops[key])
        for key, (found, one, _) in wide.items()
    }
    next_is("experts")
    expert_layer, expert_rows = _experts(machine, read[usual], flops[usual], layer_s, dot_s)
    next_is("cache")
    cache, mixing = _attention(machine, read[usual], flops[usual], layer_s, dot_s)
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
        dot_s,
        max(found.decode_spread for found, _, _ in wide.values()),
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
    runs: list[Measurement] = []
    while len(runs) < MOST_RUNS and (len(runs) < LEAST_RUNS or _apart(runs) > AGREE):
        runs.append(rehearse(plan, prompt_tokens=prompt_tokens, decode_tokens=16, seconds=seconds))
    return replace(fastest(runs), decode_spread=_apart(runs))


def _apart(runs: Sequence[Measurement]) -> float:
    """How far the two fastest runs lie apart, as a share; of one run its own spread."""
    rates = sorted((run.decode_tokens_per_s or 0.0 for run in runs), reverse=True)
    return 1 - rates[1] / rates[0] if len(rates) > 1 and rates[0] else runs[0].decode_spread


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
    formats = {share.format for share in part.shares}
    return load(part, {name: name for name in (*formats, *(f"{name}+" for name in formats))})


def _dots(machine: Machine, wide: tuple[Measurement, Load, Load], flops_per_s: float, layer_s: float) -> float:
    """The fixed time of a row, from a ghost of short rows and one of long ones: the same bytes, more dot products."""
    found, one, _ = wide
    model = ghost("narrow", NARROW, FORMATS[0])
    short, (few, _) = _run(machine, model, PROMPT_TOKENS), _loads(model, PROMPT_TOKENS)
    left = [
        1 / (run.decode_tokens_per_s or 1.0) - layer_s * float(load.layers) - _flops(load) / flops_per_s
        for run, load in ((found, one), (short, few))
    ]
    share = _bytes(few) / _bytes(one)
    return max(0.0, (left[1] - share * left[0]) / (_dot_count(few) - share * _dot_count(one)))


def _dot_count(step: Load) -> float:
    return sum(float(part.dots) for part in step.reads)


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


def _experts(machine: Machine, read: float, flops: float, layer_s: float, dot_s: float) -> tuple[float, float]:
    """How many times a layer with experts takes the fixed time of a dense one, and the rows that each expert's batch is padded by."""
    model = ghost("experts", EXPERTS, "Q8_0")
    found = _run(machine, model, PROMPT_TOKENS)
    one, batch = _loads(model, PROMPT_TOKENS)
    fixed = 1 / (found.decode_tokens_per_s or 1.0) - _bytes(one) / read - _flops(one) / flops - dot_s * _dot_count(one)
    times = max(1.0, fixed / float(one.layers) / layer_s)
    dense = sum(float(part.flops) for part in batch.reads if not part.routed) / flops
    routed = sum(float(part.flops) for part in batch.reads if part.routed) / flops
    rows = min(float(part.rows) for part in batch.reads if part.routed)
    spent = float(batch.tokens) / (found.prefill_tokens_per_s or 1.0) - dense - layer_s * times * float(batch.layers)
    return times, max(0.0, (spent / routed - 1) * rows)


def _attention(machine: Machine, read: float, flops: float, layer_s: float, dot_s: float) -> tuple[float, float]:
    """Bytes per second of a cache that one token reads, and FLOPs per second of a prompt's attention."""
    model = ghost("deep", DEEP, "Q8_0")
    found = _run(machine, model, DEPTH_TOKENS, SECONDS * 2)
    one, batch = _loads(model, DEPTH_TOKENS)
    fixed = layer_s * float(one.layers)
    prompt = float(batch.tokens) / (found.prefill_tokens_per_s or 1.0)
    mixing = float(batch.mixing_flops) / _rest(prompt, fixed + _flops(batch) / flops)
    known = fixed + _bytes(one) / read + dot_s * _dot_count(one) + _flops(one) / flops + float(one.mixing_flops) / mixing
    return float(one.cache_bytes) / _rest(1 / (found.decode_tokens_per_s or 1.0), known), mixing
