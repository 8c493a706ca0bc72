"""The installed mlx-lm on its Linux CPU backend, with small random models of many makes, against the rules."""

from __future__ import annotations

import importlib.util
from typing import Any

import pytest

from sizeup import account
from sizeup.readers.config import spec_from_config
from tests.transformers_small import SMALL, kind

pytestmark = [
    pytest.mark.mlx,
    pytest.mark.skipif(
        not all(map(importlib.util.find_spec, ("mlx", "mlx_lm"))), reason='mlx and mlx-lm are not here: pip install "mlx[cpu]" mlx-lm'
    ),
]

SAID: dict[str, dict[str, Any]] = {
    "": {"rms_norm_eps": 1e-5, "norm_eps": 1e-5, "layer_norm_epsilon": 1e-5, "rope_theta": 1e4, "mlp_bias": False, "attention_bias": False},
    "gemma3_text": {"sliding_window_pattern": 2},
    "qwen3_moe": {"decoder_sparse_step": 1, "mlp_only_layers": [], "norm_topk_prob": True},
    "qwen3_next": {"decoder_sparse_step": 1, "mlp_only_layers": [], "norm_topk_prob": True, "full_attention_interval": 4},
    "minicpm3": {"dim_model_base": 64, "scale_depth": 1.0, "scale_emb": 1.0},
    "mamba": {"intermediate_size": 128, "use_bias": False, "use_conv_bias": True, "time_step_rank": 4, "tie_word_embeddings": True},
    "mamba2": {"intermediate_size": 128, "use_bias": False, "use_conv_bias": True, "time_step_rank": 4, "tie_word_embeddings": True, "time_step_limit": [0.0, 100.0]},
    "granitemoehybrid": {"embedding_multiplier": 1.0, "attention_multiplier": 1.0, "logits_scaling": 1.0, "residual_multiplier": 1.0, "position_embedding_type": "nope", "mamba_conv_bias": True, "mamba_proj_bias": False},
    "lfm2": {"conv_bias": False, "block_dim": 64, "block_ff_dim": 96, "block_multiple_of": 32, "block_ffn_dim_multiplier": 1.0},
    "gpt_oss": {"rope_scaling": None, "attention_bias": True},
    "gemma2": {"attn_logit_softcapping": 50.0, "final_logit_softcapping": 30.0},
}  # fmt: skip
"""What mlx-lm wants said beside the shapes."""

NAMED = {"qwen3_5_text": "another name in mlx-lm", "minicpm3": "rope_scaling is wanted"}
NARROW = ("gpt_oss", "mixtral", "qwen3_moe", "deepseek_v3", "deepseek_v32", "qwen3_next", "granitemoehybrid")
"""Makes with experts: the CPU backend gathers F32 alone."""


def config(name: str) -> dict[str, Any]:
    return {**SAID[""], **SMALL[name], **SAID.get(kind(name), {}), "model_type": kind(name)}


def built(name: str) -> Any:
    """The model with random weights, in BF16 where its kernels run on a processor."""
    import mlx.core as mx
    from mlx_lm.utils import _get_classes

    made, arguments = _get_classes(config(name))
    model = made(arguments.from_dict(config(name)))
    if kind(name) == "gemma3_text":
        # Loading a checkpoint without a head takes it away; nothing is loaded here.
        model.pop("lm_head")
        model.tie_word_embeddings = True
    model.set_dtype(mx.float32 if kind(name) in NARROW else mx.bfloat16)
    return model


def stored(tree: Any) -> int:
    """Bytes of all arrays."""
    import mlx.core as mx
    from mlx.utils import tree_flatten

    return sum(array.nbytes for _, array in tree_flatten(tree) if isinstance(array, mx.array))


CASES = [name for name in SMALL if name not in NAMED]


@pytest.mark.parametrize("name", CASES)
def test_weights_and_caches_are_exact(name: str) -> None:
    """Every parameter, and what the cache holds after a prompt and more tokens, to the byte."""
    import mlx.core as mx
    from mlx_lm.models.cache import make_prompt_cache

    model, mine = built(name), spec_from_config(config(name), name)
    width = "F32" if kind(name) in NARROW else "BF16"
    assert stored(model.parameters()) == account(mine, "mlx", width, context_tokens=1).bytes("weights")
    cache = make_prompt_cache(model)
    model(mx.array([[1] * 20]), cache=cache)
    tokens = 20
    for _ in range(2):
        mx.eval(model(mx.array([[1]]), cache=cache), [one.state for one in cache])
        tokens += 1
    found = account(mine, "mlx", width, context_tokens=tokens, prompt_tokens=21)
    # Rings are longer than their window while a prompt is read; now they are not.
    reading = sum(int(claim.bytes) for claim in found.claims if claim.label == "window_prefill")
    assert stored([one.state for one in cache]) == found.bytes("cache") - reading + found.bytes("state")


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize(("bits", "group"), [(4, 64), (8, 32)])
def test_quantised_weights_are_exact(name: str, bits: int, group: int) -> None:
    """What mlx-lm quantises, with scales and biases, and what it leaves, to the byte."""
    import mlx.core as mx
    from mlx_lm.utils import quantize_model

    model, mine = built(name), spec_from_config(config(name), name)
    model.set_dtype(mx.bfloat16)
    quantised, _ = quantize_model(model, {}, group, bits)
    found = account(mine, "mlx", f"mlx-{bits}bit-g{group}", context_tokens=1)
    assert stored(quantised.parameters()) == found.bytes("weights")


@pytest.mark.parametrize("step", [100, 256, 512])
def test_a_prompt_in_pieces_leaves_the_capacity_that_the_rule_says(step: int) -> None:
    """The real generator, reading prompts of several lengths in pieces of `step`."""
    import mlx.core as mx
    from mlx_lm.generate import generate_step
    from mlx_lm.models.cache import make_prompt_cache

    model, mine = built("llama"), spec_from_config(config("llama"), "llama")
    for prompt, new in ((1, 3), (99, 2), (257, 1), (700, 80)):
        cache = make_prompt_cache(model)
        for _ in generate_step(mx.array([1] * prompt), model, max_tokens=new, prompt_cache=cache, prefill_step_size=step):
            pass
        tokens = cache[0].offset
        found = account(mine, "mlx", "BF16", context_tokens=tokens, prompt_tokens=prompt, prefill_tokens=step)
        assert stored([one.state for one in cache]) == found.bytes("cache")


@pytest.mark.parametrize("mode", ["mxfp4", "mxfp8", "nvfp4"])
@pytest.mark.parametrize("name", ["llama", "qwen3_moe", "gpt_oss"])
def test_float_formats_are_exact(name: str, mode: str) -> None:
    """The formats with a shared exponent, which have scales and no biases; routers get eight bits of the affine kind."""
    import mlx.core as mx
    from mlx_lm.utils import quantize_model

    model, mine = built(name), spec_from_config(config(name), name)
    model.set_dtype(mx.bfloat16)
    quantised, _ = quantize_model(model, {}, None, None, mode=mode)
    assert stored(quantised.parameters()) == account(mine, "mlx", f"mlx-{mode}", context_tokens=1).bytes("weights")
