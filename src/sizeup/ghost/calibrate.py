"""Less than a minute that tells this machine's own rates: small ghosts run on the embedded engine, and the formula is solved for them.

One ghost per number format is large enough to come from memory and has few layers: it tells the rates of reading and multiplying.
One of many tiny layers tells a layer's fixed time, one of experts what those add, one with a filled cache what attention costs.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

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
from sizeup.work import Work

from .disk import filled
from .rehearse import rehearse
from .solve import Seen, solved

FORMATS = ("Q8_0", "Q4_0", "Q5_0", "Q4_K", "Q5_K", "Q6_K", "F16")
"""Formats that most files are made of. Others take the rate of their nearest kin."""

PROMPT_TOKENS = 128
DEPTH_TOKENS = 2048
SECONDS = 0.4
"""Measuring time of each run; making and loading its ghost comes on top."""

LEAST_RUNS, MOST_RUNS = 3, 4
"""How often each ghost runs, in turns with the others: until its two fastest agree. The middle one counts, as people see the machine:
on shared ones the fastest is a minute's luck."""

AGREE = 0.1
"""How far the two fastest may lie apart, as a share."""

WIDE: dict[str, Any] = {"hidden_size": 2048, "intermediate_size": 6144, "num_hidden_layers": 4, "num_attention_heads": 16}
MANY: dict[str, Any] = {"hidden_size": 128, "intermediate_size": 256, "num_hidden_layers": 48, "num_attention_heads": 4}
DEEP: dict[str, Any] = {
    "hidden_size": 256, "intermediate_size": 256, "num_hidden_layers": 4,
    "num_attention_heads": 8, "num_key_value_heads": 4, "head_dim": 128,
}  # fmt: skip
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


class Shot(NamedTuple):
    """One ghost to measure."""

    model: ModelSpec
    prompt_tokens: int
    seconds: float = SECONDS


def calibrate(machine: Machine, tell: Tell | None = None) -> Calibration:
    """This machine's rates, measured now. `tell` hears what is measured next, how many are done and how many there are.

    Raises Unavailable without the embedded engine or a processor's name; EngineFailed with its log.
    """
    if machine.cpu is None:
        raise Unavailable("This machine's processor has no name to keep a measurement under.", "sizeup machine")
    first = FORMATS[0]
    shots = {kind: Shot(ghost(f"wide-{kind}", WIDE, kind), PROMPT_TOKENS) for kind in FORMATS}
    shots |= {
        "layers": Shot(ghost("many", MANY, first), 16),
        "experts": Shot(ghost("experts", EXPERTS, first), PROMPT_TOKENS),
        "cache": Shot(ghost("deep", DEEP, first), DEPTH_TOKENS, SECONDS * 2),
    }
    runs = _measured(machine, shots, tell)
    seen = {name: _seen(shot, _middle(runs[name])) for name, shot in shots.items()}
    wide = {max(seen[kind].one.reads, key=lambda part: float(part.bytes)).kind: seen[kind] for kind in FORMATS}
    return Calibration(
        cpu=machine.cpu.name,
        threads=max(1, min(machine.cpu.cores, int(machine.cpu.usable + 0.5))),
        date=datetime.date.today().isoformat(),
        **solved(wide, seen["layers"], seen["experts"], seen["cache"]),
        noise=max(_apart(runs[kind]) for kind in FORMATS),
    )


def ghost(name: str, shape: dict[str, Any], kind: str) -> ModelSpec:
    """A small model whose matrices are all of one format."""
    config = {"model_type": "llama", "architectures": ["LlamaForCausalLM"], "vocab_size": 2048, "max_position_embeddings": 8192, **shape}
    model = spec_from_config(config, name)
    tensors = tuple(tensor if tensor.type == "F32" else replace(tensor, type=kind) for tensor in gguf_tensors(model, "F16"))
    return replace(model, tensors=tensors, stored="gguf", mix=kind, hyper=hyper(model))


def _measured(machine: Machine, shots: dict[str, Shot], tell: Tell | None) -> dict[str, list[Measurement]]:
    """Runs of every ghost, all in turns, so that no burst of other work falls on one alone."""
    runs: dict[str, list[Measurement]] = {name: [] for name in shots}
    done = 0
    for turn in range(MOST_RUNS):
        for name, shot in shots.items():
            if turn >= LEAST_RUNS and _apart(runs[name]) <= AGREE:
                continue
            if tell is not None:
                tell(name, done, max(done + 1, len(shots) * min(LEAST_RUNS, MOST_RUNS)))
            runs[name].append(_run(machine, shot))
            done += 1
    return runs


def _run(machine: Machine, shot: Shot) -> Measurement:
    llama = engine("llama.cpp")
    settings = llama.on(llama.Settings(context_tokens=shot.prompt_tokens + 256), machine, ())
    plan = make_plan(shot.model, machine, llama, None, settings, timed=False)
    # As a file of the user's: nobody waits for its cold load.
    with filled(shot.model, shot.model.tensors) as (path,):
        return rehearse(plan, path=path, prompt_tokens=shot.prompt_tokens, decode_tokens=16, seconds=shot.seconds)


def _middle(runs: Sequence[Measurement]) -> Measurement:
    return sorted(runs, key=lambda run: run.decode_tokens_per_s or 0.0)[(len(runs) - 1) // 2]


def _apart(runs: Sequence[Measurement]) -> float:
    """How far the two fastest runs lie apart, as a share; of one run its own spread."""
    rates = sorted((run.decode_tokens_per_s or 0.0 for run in runs), reverse=True)
    return 1 - rates[1] / rates[0] if len(rates) > 1 and rates[0] else runs[0].decode_spread


def _seen(shot: Shot, found: Measurement) -> Seen:
    """The middle run beside what its decode step moves and what the mean micro batch of its prompt computes."""
    llama = engine("llama.cpp")
    settings = llama.Settings(context_tokens=shot.prompt_tokens + 256)
    micro = min(shot.prompt_tokens, settings.micro_batch_tokens)
    one = llama.work(shot.model, None, settings, depth_tokens=shot.prompt_tokens)
    batch = llama.work(shot.model, None, settings, tokens=micro, depth_tokens=(shot.prompt_tokens - micro) // 2)
    return Seen(_load(one), _load(batch), 1 / (found.decode_tokens_per_s or 1.0), micro / (found.prefill_tokens_per_s or 1.0))


def _load(work: Sequence[Work]) -> Load:
    (part,) = work
    formats = {share.format for share in part.shares}
    return load(part, {name: name for name in (*formats, *(f"{name}+" for name in formats))})
