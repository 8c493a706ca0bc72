"""A step over several devices: what one of them holds. Derived from how the frameworks shard, never traced: `derived`."""

from __future__ import annotations

from dataclasses import dataclass

from sizeup.errors import UserError
from sizeup.facts import Source
from sizeup.figure import Number, ceil_div, least, step, total, where
from sizeup.model import ModelSpec

DERIVED = Source("derived", "how ZeRO, FSDP and Megatron shard, applied to the one-device step; never traced", "2026-11-21")


@dataclass(frozen=True, slots=True)
class Split:
    """How a step is spread. Data ranks hold `data` micro-batches at once; the others share one."""

    data: int = 1
    zero: int = 0
    """0 plain data parallel, 1 shards optimizer states, 2 gradients too, 3 weights too (FSDP)."""
    tensor: int = 1
    sequence: bool = False
    """Norms and residuals are split along the sequence among the tensor ranks."""
    pipeline: int = 1
    micro_batches: int = 8
    """In one round of the pipeline; as many as there are stages are in flight on the first (1F1B)."""
    interleave: int = 1
    """Pieces of the model that each pipeline stage holds (virtual stages): 1 is plain 1F1B."""
    context: int = 1
    expert: int = 1
    offload: str = ""
    """Where optimizer states (and with ZeRO 3 weights) rest: "" on the device, "cpu", "nvme"."""

    @property
    def devices(self) -> int:
        return self.data * self.tensor * self.pipeline * self.context

    @property
    def alone(self) -> bool:
        return self.devices == 1 and self.expert == 1 and not self.offload


@step("sharded")
def share(bytes: Number, ranks: Number) -> Number:
    """One rank's part of bytes that are split evenly."""
    return ceil_div(bytes, ranks)


@step("gathered_blocks")
def gathered_bytes(block_bytes: Number, weights: Number) -> Number:
    """ZeRO 3 and FSDP: the block that runs and the next one, whole; never more than all weights."""
    return least(2 * block_bytes, weights)


@step("tensor_parallel_activations")
def tensor_activations(bytes: Number, ranks: Number) -> Number:
    """Tensor parallel without sequence parallel: norms and residuals stay whole, 10 of 34 parts of a block's activations
    (Korthikanti et al., arXiv:2205.05198, equation 2), the rest is split."""
    return ceil_div(10 * bytes, 34) + ceil_div(24 * bytes, 34 * ranks)


@step("pipeline_activations")
def pipeline_activations(bytes: Number, stages: Number, micro_batches: Number, pieces: Number) -> Number:
    """1F1B: the first stage keeps its share of the layers' activations for every micro-batch in flight, which for `stages` of
    them is as much as one device would keep. With `pieces` of the model on each stage it keeps (stages - 1) / (stages x pieces)
    more of that (Korthikanti et al., arXiv:2205.05198, section 4.2.3); never more than all micro-batches of the round."""
    in_flight = stages * pieces + where(pieces - 1, stages - 1, 0)
    return least(ceil_div(bytes * in_flight, stages * pieces), ceil_div(bytes, stages) * micro_batches)


def sharded(parts: dict[str, Number], split: Split, block_bytes: Number, expert_bytes: Number, checkpointing: bool) -> dict[str, Number]:
    """One device's parts, from the parts of a step on one device."""
    model = split.tensor * split.pipeline
    result: dict[str, Number] = {}
    for part, bytes in parts.items():
        if part in ("weights", "gradients", "optimizer", "master", "adapter"):
            result[part] = _states(part, bytes, split, model, block_bytes, expert_bytes)
        elif part == "activations":
            whole = share(bytes, split.context) if split.context > 1 else bytes
            if split.tensor > 1:
                whole = (
                    share(whole, split.tensor) if split.sequence else (whole if checkpointing else tensor_activations(whole, split.tensor))
                )
            if split.pipeline > 1:
                whole = pipeline_activations(whole, split.pipeline, split.micro_batches, split.interleave)
            result[part] = whole
        else:
            ranks = split.tensor * split.context
            result[part] = share(bytes, ranks) if ranks > 1 else bytes
    if split.data > 1 and split.zero < 2:
        # DistributedDataParallel's buckets hold a second copy of the gradients (gradient_as_bucket_view is off by default).
        result["buffers"] = result.get("buffers", 0) + result.get("gradients", 0)
    return result


def _states(part: str, bytes: Number, split: Split, model: int, block_bytes: Number, expert_bytes: Number) -> Number:
    if split.expert > 1 and part == "weights":
        bytes = bytes - expert_bytes + share(expert_bytes, split.expert)
    held = share(bytes, model) if model > 1 else bytes
    level = {"optimizer": 1, "master": 1, "gradients": 2, "weights": 3, "adapter": 3}[part]
    if split.zero < level or split.data == 1:
        return 0 if split.offload and level == 1 else held
    if split.offload and level in (1, 3):
        held = held * 0
    else:
        held = share(held, split.data)
    return held + (gathered_bytes(share(block_bytes, split.tensor), bytes) if part == "weights" else 0)


def check(model: ModelSpec, split: Split, sequence_tokens: int) -> None:
    """Raises UserError when a number of the split does not divide what it splits."""
    parts = [part for group in model.groups for part in group.block.parts]
    heads = {value for part in parts if (value := getattr(part, "heads", 0))}
    kv_heads = {value for part in parts if (value := getattr(part, "kv_heads", 0))}
    experts = {value for part in parts if (value := getattr(part, "experts", 0))}
    for name, count, ranks in (
        ("attention heads", heads, split.tensor), ("key/value heads", kv_heads, split.tensor),
        ("tokens of vocabulary", {model.vocabulary}, split.tensor), ("layers", {model.layers}, split.pipeline),
        ("tokens of a sequence", {sequence_tokens}, split.context), ("experts", experts, split.expert),
    ):  # fmt: skip
        for number in sorted(count):
            if ranks < 1 or number % ranks:
                raise UserError(f"{number} {name} cannot be split over {ranks} devices.", _divisor(number, ranks))
    if split.expert > 1 and not experts:
        raise UserError(f"{model.name} has no experts to split over {split.expert} devices.", "expert_parallel=1")
    if split.zero not in (0, 1, 2, 3):
        raise UserError(f"ZeRO has no stage {split.zero}.", "0, 1, 2 or 3")
    if split.micro_batches < 1:
        raise UserError(f"A round of {split.micro_batches} micro-batches trains nothing.", "1 or more")
    if split.offload not in ("", "cpu", "nvme"):
        raise UserError(f"States cannot be moved to “{split.offload}”.", "offload=cpu or offload=nvme")
    _check_interleaved(model, split)
    if split.data < 1:
        raise UserError(f"A step cannot run on {split.data} devices.", "1 or more")


def _check_interleaved(model: ModelSpec, split: Split) -> None:
    """Virtual stages need a pipeline, as many layers each, and rounds of whole groups of micro-batches (Megatron-LM's own rules)."""
    if split.interleave == 1:
        return
    pieces = split.pipeline * split.interleave
    if split.interleave < 1 or split.pipeline == 1:
        raise UserError(f"{split.interleave} pieces a stage cannot be interleaved over {split.pipeline} stages.", "pipeline=2 interleave=2")
    if model.layers % pieces:
        raise UserError(
            f"{model.layers} layers cannot be cut into {split.pipeline} stages of {split.interleave} pieces.",
            f"interleave={_divisor(model.layers // split.pipeline, split.interleave)}",
        )
    if split.micro_batches % split.pipeline:
        raise UserError(
            f"{split.micro_batches} micro-batches cannot be interleaved over {split.pipeline} stages.",
            f"micro_batches={ceil_div(split.micro_batches, split.pipeline) * split.pipeline}",
        )


def _divisor(number: int, ranks: int) -> str:
    smaller = [d for d in range(1, number + 1) if number % d == 0]
    return str(min(smaller, key=lambda d: (abs(d - max(ranks, 1)), -d)))


def offloaded(parts: dict[str, Number], split: Split) -> Number:
    """Bytes that rest in host memory or on disk instead, per device."""
    if not split.offload:
        return 0
    model = split.tensor * split.pipeline * max(split.data if split.zero else 1, 1)
    resting = ("optimizer", "master", *(("weights", "adapter") if split.zero == 3 else ()))
    return total(share(parts.get(part, 0), model) for part in resting)
