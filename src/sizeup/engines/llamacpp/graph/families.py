"""What an architecture does differently from Llama, as rows of data/llamacpp_graphs.json.

What a *model* has (norms, biases, shared experts) is not here: it is seen from its tensors, as the engine does.
"""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

from ....facts import data_json


class Steps(NamedTuple):
    """How queries, keys and values are treated between projection and product."""

    rope: bool = True
    rope_windows: bool = False
    """In a model with windows, only its window layers rotate."""
    still_every: int = 0
    """Every so many blocks one does not rotate: the last of each round."""
    still_first: bool = False
    """The one that does not rotate is the first of each round."""
    rope_layers: int = 0
    """Only the model with this many blocks rotates (Baichuan 7B; 13B has ALiBi)."""
    clamped: bool = False
    """Projections are clamped when the file says so (`attention.clamp_kqv`)."""
    norm_first: bool = True
    """Norms on queries and keys come before the rotation."""
    flat_norm: bool = False
    """These norms run over all heads at once, before the heads are split."""
    layer_norm: bool = False
    """These norms take the mean off."""
    bare_norm: bool = False
    """Queries and keys that were rotated pass a norm without a weight; not in the model with this many experts:"""
    bare_norm_unless_experts: int = 0
    tempered: bool = False
    """Queries that were not rotated are multiplied by an input, one factor a token."""
    value_norm: bool = False
    """Values pass a norm without a weight."""
    scale_queries: bool = False
    frequencies: str = ""
    """Full name of a tensor of rotation factors, for models that have it."""
    window_frequencies: bool = True
    """Window layers use these factors too."""

    def rotates(self, index: int, blocks: int, window: bool, windows: bool) -> bool:
        """Whether block `index` of `blocks` rotates its queries and keys."""
        if not self.rope or (self.rope_layers and blocks != self.rope_layers):
            return False
        if self.rope_windows and windows and not window:
            return False
        return not self.still_every or (index if self.still_first else index + 1) % self.still_every != 0


GATES = {1: "softmax", 2: "sigmoid", 3: "chosen", 4: "root"}
"""Values of the key `expert_gating_func` (src/llama-hparams.h)."""


class Routing(NamedTuple):
    """How experts are picked and weighed."""

    gate: str = "softmax"
    """"softmax", "sigmoid" or "root" (of softplus) over all experts, or "chosen": softmax over the chosen ones only."""
    normalised: bool = True
    scaled: bool = False
    """Weights are multiplied by a constant."""
    filed: str = ""
    """What the file decides, if it says: "gate", "norm", "scale"; several in one string."""
    groups: int = 1
    used_groups: int = 1
    weigh_inputs: bool = False
    """Inputs are weighed before the experts instead of their results after (Llama 4)."""

    def of_file(self, hyper: dict[str, Any]) -> Routing:
        """With what the file says filled in."""
        gate, normalised, scaled = self.gate, self.normalised, self.scaled
        if "gate" in self.filed:
            gate = GATES.get(hyper.get("expert_gating_func", 0), gate)
        if "norm" in self.filed:
            normalised = bool(hyper.get("expert_weights_norm", False))
        if "scale" in self.filed:
            scaled = hyper.get("expert_weights_scale", 0.0) not in (0.0, 1.0)
        groups = int(hyper.get("expert_group_count", 1))
        return self._replace(
            gate=gate, normalised=normalised, scaled=scaled, groups=groups, used_groups=int(hyper.get("expert_group_used_count", 1))
        )


class Family(NamedTuple):
    """One architecture; the defaults are Llama's."""

    steps: Steps
    routing: Routing
    layer_norm: bool = False
    """Norms take the mean off (and are not done in place)."""
    scaled: bool = False
    """Embeddings are multiplied by a constant."""
    scaled_rows: bool = False
    """Token embeddings are multiplied by an input, one factor a row (Gemma)."""
    parallel: str = ""
    """Attention and feed-forward side by side, by the order of their sums: "feed", "residual" or "attention" first;
    "own": residual first, each part with its norm; "sum": attention and residual first."""
    residual_scale: bool = False
    """What a part adds to the residual is multiplied by a constant first."""
    residual_first: str = ""
    """Where the residual is the left term of a sum: "middle" in the mixer's, "last" in the feed-forward's, or "both"."""
    position_axes: int = 1
    """Positions per token: 4 with multi-axis rotation."""
    feed_norm: str = "ffn_norm"
    """The norm before the feed-forward part."""
    activation: str = ""
    """One that takes more than a step: "squared" ReLU, "situ" (bounded gate and bounded values)."""
    scaled_head: bool = False
    """The final norm's result is multiplied by a constant."""
    logits_scaled: bool = False
    logits_capped: bool = False
    gated_queries: bool = False
    """Attention's queries bring an output gate."""
    per_layer: bool = False
    """Every block adds its own token embedding (Gemma 3n, Gemma 4)."""
    stream: str = ""
    """A residual stream unlike others: "altup" (four versions), "rwkv" (shifted tokens), "post" (norms after the sums),
    "banked" (parts read a mix of earlier states), "several" (streams that are mixed before each part)."""
    early_router: bool = False
    """Experts are picked by the block's own input, before attention (SmallThinker)."""
    compared: bool = False
    """Its graph was compared with the engine's own, node by node."""
    devices: bool = True
    """What it computes is known to run on devices as the other operations do; False: compared on the CPU alone."""
    sparse_blocks: int = 0
    """The first blocks, whose activations are made sparse (Gemma 3n)."""
    bare_norms: bool = False
    """Norms have no weights (OLMo)."""
    encoder: bool = False
    """No logits are made."""


@functools.cache
def family(architecture: str) -> Family:
    """The row of this architecture; a plain transformer when it has none."""
    row: dict[str, Any] = dict(data_json("llamacpp_graphs.json")["architectures"].get(architecture, {}))
    row.pop("where", None)
    return Family(Steps(**row.pop("steps", {})), Routing(**row.pop("routing", {})), **row)
