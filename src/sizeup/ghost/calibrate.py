"""Less than a minute that tells this machine's own rates: small ghosts run on the embedded engine, and the formula is solved for them.

One ghost per number format is large enough to come from memory and has few wide layers: it tells the rates of reading and
multiplying. Others are made to show one cost each (`solve.Runs`): dot products, layers, experts, the cache, attention.
"""

from __future__ import annotations

import datetime
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import Any, NamedTuple

from sizeup.calibration import Calibration, rates
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
from .solve import Runs, Seen, solved

FORMATS = ("Q8_0", "Q4_0", "Q5_0", "Q4_K", "Q5_K", "Q6_K", "F16")
"""Formats that most files are made of. Others take the rate of their nearest kin."""

SHORT_FORMATS = ("Q8_0", "Q6_K")
"""Formats whose dot products are measured apart: one of each sort of blocks."""

LAYERS_FORMAT = "Q4_K"
"""Of the ghost of many layers: where it is rearranged no dot products are in the way."""

PROMPT_TOKENS = 128
DEPTH_TOKENS = 2048
NEAR_TOKENS = 192
"""A cache of so many cells stays in a processor's own, and is attended to by heads, not by cells (`SPLIT_CELLS`)."""

DECODE_TOKENS = 24
SECONDS = 0.4
"""Measuring time of each run; loading its ghost comes on top."""

LEAST_RUNS, MOST_RUNS = 3, 5
"""How often each ghost runs, in turns with the others: until its two fastest agree. The median counts, as people see the machine: on
shared ones the fastest is a moment's luck."""

AGREE = 0.05
"""How far the two fastest may lie apart, as a share."""

WIDE: dict[str, Any] = {
    "hidden_size": 2048, "intermediate_size": 6144, "num_hidden_layers": 4,
    "num_attention_heads": 16, "num_key_value_heads": 2,
}  # fmt: skip
SHORT: dict[str, Any] = {
    "hidden_size": 256, "intermediate_size": 256, "num_hidden_layers": 2, "num_attention_heads": 4,
    "vocab_size": 262144, "tie_word_embeddings": True,
}  # fmt: skip
MANY: dict[str, Any] = {
    "hidden_size": 768, "intermediate_size": 2304, "num_hidden_layers": 24,
    "num_attention_heads": 12, "num_key_value_heads": 2,
}  # fmt: skip
HEADS: dict[str, Any] = {
    "hidden_size": 256, "intermediate_size": 256, "num_hidden_layers": 4,
    "num_attention_heads": 64, "num_key_value_heads": 1, "head_dim": 256,
}  # fmt: skip
DEEP: dict[str, Any] = {
    "hidden_size": 256, "intermediate_size": 256, "num_hidden_layers": 4,
    "num_attention_heads": 8, "num_key_value_heads": 4, "head_dim": 128,
}  # fmt: skip
EXPERTS: dict[str, Any] = {
    "model_type": "qwen3_moe", "architectures": ["Qwen3MoeForCausalLM"], "decoder_sparse_step": 1, "norm_topk_prob": True,
    "hidden_size": 1024, "intermediate_size": 512, "moe_intermediate_size": 512, "num_hidden_layers": 8,
    "num_attention_heads": 16, "num_key_value_heads": 2, "head_dim": 64, "num_experts": 16, "num_experts_per_tok": 8,
}  # fmt: skip

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
    wide = {kind: Shot(ghost("wide", WIDE, kind), PROMPT_TOKENS) for kind in FORMATS}
    short = {kind: Shot(ghost("short", SHORT, kind), 16) for kind in SHORT_FORMATS}
    others = {
        "layers": Shot(ghost("many", MANY, LAYERS_FORMAT), PROMPT_TOKENS),
        "experts": Shot(ghost("experts", EXPERTS, LAYERS_FORMAT), PROMPT_TOKENS),
        "cache": Shot(ghost("deep", DEEP, first), DEPTH_TOKENS, SECONDS * 2),
        "heads": Shot(ghost("heads", HEADS, first), NEAR_TOKENS),
    }
    shots = {f"wide {kind}": shot for kind, shot in wide.items()} | {f"short {kind}": shot for kind, shot in short.items()} | others
    runs = _measured(machine, shots, tell)
    seen = {name: _seen(machine, shot, runs[name]) for name, shot in shots.items()}
    pace = solved(
        Runs(
            _by_kind(seen[f"wide {kind}"] for kind in FORMATS),
            _by_kind(seen[f"short {kind}"] for kind in SHORT_FORMATS),
            **{name: seen[name] for name in others},
        )
    )
    return Calibration(
        cpu=machine.cpu.name,
        threads=max(1, min(machine.cpu.cores, int(machine.cpu.usable + 0.5))),
        date=datetime.date.today().isoformat(),
        noise=max(_apart(runs[f"wide {kind}"]) for kind in FORMATS),
        **rates(pace),
    )


def ghost(name: str, shape: dict[str, Any], kind: str) -> ModelSpec:
    """A small model whose matrices are all of one format."""
    config = {"model_type": "llama", "architectures": ["LlamaForCausalLM"], "vocab_size": 2048, "max_position_embeddings": 8192, **shape}
    model = spec_from_config(config, name)
    tensors = tuple(tensor if tensor.type == "F32" else replace(tensor, type=kind) for tensor in gguf_tensors(model, "F16"))
    return replace(model, tensors=tensors, stored="gguf", mix=kind, hyper=hyper(model))


def _by_kind(seen: Iterable[Seen]) -> dict[str, Seen]:
    """By the class of format that most of a ghost is made of, as the host keeps it."""
    return {max(one.one.reads, key=lambda part: float(part.bytes)).kind: one for one in seen}


def _measured(machine: Machine, shots: Mapping[str, Shot], tell: Tell | None) -> dict[str, list[Measurement]]:
    """Runs of every ghost, all in turns, so that no burst of other work falls on one alone."""
    runs: dict[str, list[Measurement]] = {name: [] for name in shots}
    done = 0
    with ExitStack() as files:
        paths: dict[str, str] = {}
        for turn in range(MOST_RUNS):
            for name, shot in shots.items():
                if turn >= LEAST_RUNS and _apart(runs[name]) <= AGREE:
                    continue
                if tell is not None:
                    tell(name, done, max(done + 1, len(shots) * min(LEAST_RUNS, MOST_RUNS)))
                if name not in paths:
                    (paths[name],) = files.enter_context(filled(shot.model, shot.model.tensors))
                runs[name].append(_run(machine, shot, paths[name]))
                done += 1
    return runs


def _run(machine: Machine, shot: Shot, path: str) -> Measurement:
    plan = make_plan(shot.model, machine, engine("llama.cpp"), None, _settings(machine, shot), timed=False)
    # As a file of the user's: nobody waits for its cold load.
    return rehearse(plan, path=path, prompt_tokens=shot.prompt_tokens, decode_tokens=DECODE_TOKENS, seconds=shot.seconds)


def _settings(machine: Machine, shot: Shot) -> Any:
    llama = engine("llama.cpp")
    return llama.on(llama.Settings(context_tokens=shot.prompt_tokens + 256), machine, ())


def _apart(runs: Sequence[Measurement]) -> float:
    """How far the two fastest runs lie apart, as a share; of one run its own spread."""
    rates = sorted((run.decode_tokens_per_s or 0.0 for run in runs), reverse=True)
    return 1 - rates[1] / rates[0] if len(rates) > 1 and rates[0] else runs[0].decode_spread


def _seen(machine: Machine, shot: Shot, runs: Sequence[Measurement]) -> Seen:
    """What a ghost took beside what its decode step moves and what the mean micro batch of its prompt computes."""
    llama, settings = engine("llama.cpp"), _settings(machine, shot)
    micro = min(shot.prompt_tokens, settings.micro_batch_tokens)
    one = llama.work(shot.model, None, settings, depth_tokens=shot.prompt_tokens + DECODE_TOKENS // 2)
    batch = llama.work(shot.model, None, settings, tokens=micro, depth_tokens=(shot.prompt_tokens - micro) // 2)
    decode = statistics.median(run.decode_tokens_per_s or 1.0 for run in runs)
    prefill = statistics.median(run.prefill_tokens_per_s or 1.0 for run in runs)
    return Seen(_load(one), _load(batch), 1 / decode, micro / prefill)


def _load(work: Sequence[Work]) -> Load:
    (part,) = work
    formats = {share.format for share in part.shares}
    return load(part, {name: name for name in (*formats, *(f"{name}+" for name in formats))})
