"""From layers to the weights a training step works on: which are trained, in what width, with which adapters."""

from __future__ import annotations

import dataclasses
import functools
from dataclasses import dataclass
from typing import Any

from sizeup.errors import UserError
from sizeup.facts import data_json
from sizeup.figure import Number
from sizeup.layers import Attention, Block, GatedDeltaNet, LatentAttention, Mlp, Moe, ShortConv
from sizeup.model import ModelSpec

from .blocks import BlockWeights, SelfAttention
from .convolution import ShortConvolution
from .delta import GatedDelta
from .feeds import Dense, Experts
from .latent import Latent
from .linear import Adapter, Linear
from .manner import Manner
from .recipe import Recipe
from .tensors import Weight

GROUPS = {
    "all-linear": ("q", "k", "v", "qkv", "o", "gate", "up", "gate_up", "down", "in_proj"),
    "qv": ("q", "v", "qkv"),
    "attn": ("q", "k", "v", "qkv", "o"),
}
"""Named sets of target modules."""

ALIASES = {
    "q_proj": "q", "k_proj": "k", "v_proj": "v", "o_proj": "o", "qkv_proj": "qkv", "c_attn": "qkv", "gate_proj": "gate",
    "up_proj": "up", "down_proj": "down", "gate_up_proj": "gate_up",
    "out_proj": "o", "in_proj": "in_proj", "w1": "gate", "w2": "down", "w3": "up",
}  # fmt: skip


def manner_of(model: ModelSpec) -> Manner:
    """How this family's code runs; Llama's way for families without a row."""
    row = dict(data_json("training_families.json").get(model.model_type, {}))
    activation = model.config.get("hidden_activation") or model.config.get("hidden_act") or model.config.get("activation_function")
    if not row.get("activation"):
        row["activation"] = activation or "silu"
    return Manner(**row)


@dataclass
class Maker:
    """Makes a model's weights for a recipe."""

    model: ModelSpec
    recipe: Recipe
    trained: bool = False
    """What "freeze" leaves to be trained."""

    @functools.cached_property
    def manner(self) -> Manner:
        return manner_of(self.model)

    @property
    def trains(self) -> bool:
        """Whether weights of the model itself are trained."""
        return not self.recipe.adapted or self.trained

    def weight(self, elements: Number, rows: Number = 0) -> Weight:
        """A weight that is no linear layer of a block: norm, embedding, bias, router, expert."""
        return Weight(elements, self.recipe.base_width, self.trains, rows=rows)

    def adapter(self, name: str, inputs: Number, outputs: Number, experts: int = 1, factor: int = 1) -> Adapter | None:
        """The adapter of a target module; for experts in one tensor one a rank and expert (PEFT's ParamWrapper)."""
        recipe = self.recipe
        if not recipe.ranked or name not in targets(recipe):
            return None
        rank = recipe.rank * experts * factor
        down = Weight(inputs * rank, recipe.adapter_width, True, rows=rank)
        up = Weight(rank * outputs, recipe.adapter_width, True, rows=outputs)
        magnitude = Weight(outputs, recipe.adapter_width, True) if recipe.method == "dora" else None
        return Adapter(recipe.rank * factor, down, up, recipe.dropout > 0, magnitude)

    def linear(self, name: str, inputs: Number, outputs: Number, bias: bool = False) -> Linear:
        recipe = self.recipe
        quantised = recipe.quantised and self.manner.plain_linear
        base = Weight(inputs * outputs, 2 if quantised else recipe.base_width, self.trains, quantised, outputs)
        adapter = self.adapter(name, inputs, outputs)
        # bitsandbytes' Linear4bit casts its bias in place to the width it computes in.
        added = Weight(outputs, 2 if quantised else recipe.base_width, self.trains) if bias else None
        return Linear(inputs, outputs, base, added, adapter)

    def block(self, block: Block) -> BlockWeights:
        """One block with fresh weights. Raises UserError for a layer kind that has no rule here."""
        hidden = self.model.hidden
        if len(block.mixers) != 1 or block.feed is None:
            raise unknown(self.model, "two mixers in a block" if len(block.mixers) != 1 else "a block without a feed-forward part")
        mixer, feed = block.mixers[0], block.feed
        norms: dict[str, list[Weight]] = {}
        for name, shape in block.norms.shapes:
            norms.setdefault(name.rpartition(".")[0], []).append(self.weight(shape[0]))

        def named(name: str) -> tuple[Weight, ...]:
            return tuple(norms.pop(name, ()))

        if {"attn_norm", "post_attention_norm"} == norms.keys():
            # llama.cpp's name for the norm before the feed-forward part where a block has no other (Qwen3-Next, Qwen3.5).
            norms["ffn_norm"] = norms.pop("post_attention_norm")
        made = BlockWeights(
            self.mixer(mixer),
            self.experts(feed) if isinstance(feed, Moe) else self.dense(feed, hidden),
            (named("attn_norm"), named("ffn_norm")),
            (named("post_attention_norm"), named("post_ffw_norm")),
            block.parallel,
        )
        if norms:
            raise unknown(self.model, next(iter(norms)))
        return made

    def mixer(self, part: Any) -> SelfAttention | Latent | ShortConvolution | GatedDelta:
        """The token-mixing part. Raises UserError for a kind that has no rule here."""
        if isinstance(part, LatentAttention):
            return self.latent(part)
        if isinstance(part, ShortConv):
            return self.convolution(part)
        if isinstance(part, GatedDeltaNet) and not part.fused:
            return self.delta(part)
        if isinstance(part, Attention):
            return self.attention(part)
        raise unknown(self.model, type(part).__name__)

    def convolution(self, part: ShortConv) -> ShortConvolution:
        wide = part.hidden
        return ShortConvolution(
            wide, part.kernel,
            self.linear("in_proj", self.model.hidden, 3 * wide, part.bias),
            self.weight(wide * part.kernel, wide),
            self.weight(wide) if part.bias else None,
            self.linear("o", wide, self.model.hidden, part.bias),
        )  # fmt: skip

    def delta(self, part: GatedDeltaNet) -> GatedDelta:
        hidden, keys, values = self.model.hidden, part.key_heads * part.key_dim, part.value_heads * part.value_dim
        channels = 2 * keys + values
        return GatedDelta(
            part.key_heads, part.value_heads, part.key_dim, part.value_dim, part.kernel,
            self.linear("in_proj", hidden, channels),
            self.linear("in_proj", hidden, values),
            self.linear("in_proj", hidden, part.value_heads),
            self.linear("in_proj", hidden, part.value_heads),
            self.weight(channels * part.kernel, channels), self.weight(part.value_heads), self.weight(part.value_heads),
            self.weight(part.value_dim), self.linear("o", values, hidden),
        )  # fmt: skip

    def attention(self, part: Attention) -> SelfAttention:
        hidden, queries = self.model.hidden, part.heads * part.key_dim
        keys, values = part.kv_heads * part.key_dim, part.kv_heads * part.value_dim
        if part.fused:
            matrices: tuple[Linear, ...] = (self.linear("qkv", hidden, queries + keys + values, part.bias),)
        else:
            matrices = (
                self.linear("q", hidden, queries * 2 if part.gate else queries, part.bias),
                self.linear("k", hidden, keys, part.bias),
                self.linear("v", hidden, values, part.bias),
            )
        norms: tuple[tuple[Weight, ...], ...] = ()
        rows = (0, 0)
        if part.norm == "head":
            norms, rows = ((self.weight(part.key_dim),), (self.weight(part.key_dim),)), (part.heads, part.kv_heads)
        elif part.norm == "full":
            norms, rows = ((self.weight(queries),), (self.weight(keys),)), (1, 1)
        output = self.linear("o", part.heads * part.value_dim, hidden, part.output_bias)
        # A gate of one number a head is a g_proj (Step 3.5), one a value a gate_proj (AFMoE).
        gating = self if part.separate_gate == part.heads else self.beside_experts()
        return SelfAttention(
            part.heads, part.kv_heads, part.key_dim, part.value_dim, matrices, output, norms, rows, part.window, part.gate,
            gating.linear("gate", hidden, part.separate_gate) if part.separate_gate else None,
            self.weight(part.heads) if part.sinks else None,
        )  # fmt: skip

    def latent(self, part: LatentAttention) -> Latent:
        hidden, wide = self.model.hidden, part.nope_dim + part.rope_dim
        low = part.query_rank
        return Latent(
            part.heads, part.nope_dim, part.rope_dim, part.value_dim, part.kv_rank,
            self.linear("q", low or hidden, part.heads * wide),
            self.linear("k", hidden, part.kv_rank + part.rope_dim, part.bias),
            self.linear("v", part.kv_rank, part.heads * (part.nope_dim + part.value_dim)),
            self.weight(part.kv_rank),
            self.linear("o", part.heads * part.value_dim, hidden, part.bias),
            self.linear("q", hidden, low, part.bias) if low else None,
            self.weight(low) if low else None,
        )  # fmt: skip

    def dense(self, part: Any, hidden: Number) -> Dense:
        if not isinstance(part, Mlp):
            raise unknown(self.model, type(part).__name__)
        return self.beside_experts().plain_dense(part, hidden)

    def beside_experts(self) -> Maker:
        """Makes layers named gate, up and down: PEFT 0.21 turns these targets of a model with experts into the experts' own tensors,
        and any other layer of that name goes without."""
        if self.manner.expert_adapters and any(isinstance(group.block.feed, Moe) for group in self.model.groups):
            return dataclasses.replace(self, recipe=dataclasses.replace(self.recipe, targets="attn"))
        return self

    def plain_dense(self, part: Mlp, hidden: Number) -> Dense:
        wide = part.width
        if part.gated and part.fused:
            matrices: tuple[Linear, ...] = (self.linear("gate_up", hidden, 2 * wide, part.bias),)
        elif part.gated:
            matrices = (self.linear("gate", hidden, wide, part.bias), self.linear("up", hidden, wide, part.bias))
        else:
            matrices = (self.linear("up", hidden, wide, part.bias),)
        down_bias = part.bias if part.output_bias is None else part.output_bias
        down = self.linear("down", wide, hidden, down_bias)
        manner = self.manner
        slopes = (self.weight(1), self.weight(1)) if manner.activation == "xielu" else ()
        return Dense(matrices, down, wide, part.gated, manner.activation, manner.residual_dropout, slopes)

    def experts(self, part: Moe) -> Experts:
        hidden, every = self.model.hidden, part.experts
        shared = self.dense(Mlp(part.shared_width), hidden) if part.shared_width else None
        own = self if self.manner.expert_adapters else dataclasses.replace(self, recipe=dataclasses.replace(self.recipe, targets="none"))
        router = own.adapter("up", hidden, every) if self.recipe.targets == "all-linear" else None
        return Experts(
            every, part.used, part.width, hidden,
            self.weight(hidden * every, every),
            self.weight(every * hidden * 2 * part.width, every * 2 * part.width),
            self.weight(every * part.width * hidden, every * hidden),
            shared,
            self.manner.fp32_router,
            bool(self.model.config.get("norm_topk_prob", True)),
            self.linear("up", hidden, 1) if part.shared_gate else None,
            router,
            own.adapter("gate", hidden, 2 * part.width, every, 2),
            own.adapter("down", part.width, hidden, every),
            self.manner.fp32_scores,
            (self.weight(every), self.weight(every * 2 * part.width), self.weight(every * hidden)) if part.expert_bias else (),
        )  # fmt: skip


def targets(recipe: Recipe) -> tuple[str, ...]:
    """The modules that get an adapter, by their short names."""
    return short_names(recipe.targets)


@functools.cache
def short_names(wanted: str | tuple[str, ...]) -> tuple[str, ...]:
    """Modules as they are asked for, by their short names."""
    if isinstance(wanted, str):
        wanted = GROUPS.get(wanted) or tuple(wanted.replace("+", ",").split(","))
    return tuple(ALIASES.get(name.strip(), name.strip()) for name in wanted)


def unknown(model: ModelSpec, what: str) -> UserError:
    """No rule for what this layer keeps."""
    return UserError(f"There is no rule for training {what} ({model.name}).", "a decoder of attention, feed-forward and expert layers")


def weights_in(thing: Any) -> list[Weight]:
    """Every weight of a block, or of anything made of weights."""
    found: list[Weight] = []

    def look(thing: Any) -> None:
        if isinstance(thing, Weight):
            found.append(thing)
        else:
            for item in thing if isinstance(thing, tuple) else parts(thing):
                look(item)

    look(thing)
    return found


def parts(thing: Any) -> list[Any]:
    """What a record of weights holds that may be weights; nothing of a number or a word."""
    return [part for name in getattr(thing, "__dataclass_fields__", ()) if not isinstance(part := getattr(thing, name), PLAIN)]


PLAIN = (bool, int, float, str, type(None))
