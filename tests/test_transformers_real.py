"""The installed transformers and accelerate, with small random models of many makes, against the rules."""

from __future__ import annotations

import importlib.util
import random
import warnings
from typing import Any

import pytest

from sizeup import account
from sizeup.engines.transformers.device_map import infer, limits, placed
from sizeup.engines.transformers.formats import format_of
from sizeup.engines.transformers.settings import Settings
from sizeup.engines.transformers.weights import buffer_bytes, modules
from sizeup.errors import Refused
from sizeup.model import ModelSpec
from sizeup.readers.config import spec_from_config
from tests.transformers_small import SMALL, kind

pytestmark = [
    pytest.mark.transformers,
    pytest.mark.skipif(
        not all(map(importlib.util.find_spec, ("torch", "transformers", "accelerate"))),
        reason="torch, transformers, accelerate are not here",
    ),
]

PROMPT, NEW = 20, 2
EAGER = ("mamba", "mamba2", "gpt_oss", "gemma2")


def config(name: str) -> Any:
    import transformers

    made = transformers.AutoConfig.for_model(kind(name), **SMALL[name])
    made._attn_implementation = "eager" if kind(name) in EAGER else "sdpa"
    return made


def built(name: str) -> Any:
    """The model in BF16 with random weights."""
    import torch
    import transformers

    torch.manual_seed(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return transformers.AutoModelForCausalLM.from_config(config(name)).to(torch.bfloat16).eval()


def spec(name: str) -> ModelSpec:
    return spec_from_config(config(name).to_dict(), name)


def kept(cache: Any) -> tuple[int, int]:
    """Bytes by shape and of storages that a cache holds."""
    import torch

    shapes, storages = 0, {}
    for layer in cache.layers:
        for value in vars(layer).values():
            for tensor in [value] if torch.is_tensor(value) else list(value.values()) if isinstance(value, dict) else []:
                if torch.is_tensor(tensor) and tensor.numel() > 1:
                    shapes += tensor.numel() * tensor.element_size()
                    storages[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
    return shapes, sum(storages.values())


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", SMALL)
def test_weights_caches_and_states_are_exact(name: str) -> None:
    """Parameters, and what the cache holds after a prompt and after new tokens, to the byte."""
    import torch

    model, mine = built(name), spec(name)
    parameters = {p.data_ptr(): p.numel() * p.element_size() for p in model.parameters()}
    routers = sum(b.numel() * 2 for n, b in model.named_buffers() if n.endswith("e_score_correction_bias"))
    found = account(mine, "transformers", "BF16", context_tokens=PROMPT)
    assert sum(parameters.values()) + routers == found.bytes("weights") - buffer_bytes(mine)
    with torch.no_grad():
        out = model(torch.zeros(1, PROMPT, dtype=torch.long), use_cache=True)
        place = "past_key_values" if hasattr(out, "past_key_values") else "cache_params"
        cache = out[place]
        shape, storage = kept(cache)
        assert storage == found.bytes("cache") + found.bytes("state")
        for _ in range(NEW):
            model(torch.zeros(1, 1, dtype=torch.long), use_cache=True, **{place: cache})
        shape, storage = kept(cache)
    later = account(mine, "transformers", "BF16", context_tokens=PROMPT + NEW, prompt_tokens=1)
    views = sum(int(claim.bytes) for claim in later.claims if claim.label == "window_view")
    assert (shape, storage) == (later.bytes("cache") + later.bytes("state") - views, later.bytes("cache") + later.bytes("state"))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ["llama", "llama tied", "gemma3_text", "qwen3_moe", "gpt_oss", "deepseek_v3"])
def test_device_maps_are_accelerates(name: str) -> None:
    """For many sets of memories, every module lies where the library's own planner puts it, on GPUs, host or disk."""
    import torch
    import transformers
    from transformers.integrations.accelerate import get_balanced_memory, infer_auto_device_map

    with torch.device("meta"):
        model = transformers.AutoModelForCausalLM.from_config(config(name)).to(torch.bfloat16)
    mine = modules(spec(name), format_of(spec(name), "BF16"))
    total, chance = sum(module.bytes for module in mine), random.Random(7)
    for _ in range(60):
        most = {index: int(chance.uniform(0.02, 1.2) * total) for index in range(chance.choice((1, 2, 3)))}
        asked = {**most, "cpu": int(chance.uniform(0.05, 2) * total)}
        balanced = get_balanced_memory(model, dict(asked), model._no_split_modules)
        theirs = infer_auto_device_map(model, balanced, model._no_split_modules)
        assert [lies(theirs, place) for place in range(4)] == [
            device for module, device in zip(mine, infer([m.counted for m in mine], balanced), strict=True) if module.layer >= 0
        ]


def lies(map: dict[str, Any], layer: int) -> Any:
    """The device of a block in a device map that names it or something it is in."""
    names = [f"model.layers.{layer}", "model.layers", "model", ""]
    return next(map[name] for name in names if name in map)


@pytest.mark.filterwarnings("ignore")
def test_balanced_memory_is_transformers_own() -> None:
    """The share each GPU may take: an even one and a quarter more than the largest module; the last is not bound."""
    import torch
    import transformers
    from transformers.integrations.accelerate import get_balanced_memory

    for name in ("llama", "llama tied", "qwen3_moe"):
        with torch.device("meta"):
            model = transformers.AutoModelForCausalLM.from_config(config(name)).to(torch.bfloat16)
        # On the meta device buffers are cast too; loaded ones stay F32, so both sides count without them.
        for buffer in list(model.named_buffers()):
            del model.get_submodule(buffer[0].rpartition(".")[0])._buffers[buffer[0].rpartition(".")[2]]
        mine = [module for module in modules(spec(name), format_of(spec(name), "BF16")) if module.name != "rotary_emb"]
        free = (10**9, 10**9, 10**9)
        theirs = get_balanced_memory(model, {**dict(enumerate(free)), "cpu": 10**9}, model._no_split_modules)
        ours = limits(mine, Settings(gpus=3, gpu_free_bytes=free), format_of(spec(name), "BF16"))
        assert [theirs[index] for index in range(3)] == [ours[index] for index in range(3)]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ["llama", "gemma3_text", "qwen3_moe", "deepseek_v3", "qwen3_next", "gpt_oss"])
def test_bitsandbytes_quantises_the_linear_layers_that_the_rule_names(name: str) -> None:
    """As many weights become 4-bit as the library would replace."""
    pytest.importorskip("bitsandbytes")
    import torch
    import transformers
    from transformers.integrations.bitsandbytes import replace_with_bnb_linear
    from transformers.quantizers.base import get_keys_to_not_convert

    with torch.device("meta"):
        model = transformers.AutoModelForCausalLM.from_config(config(name))
        kept_out = get_keys_to_not_convert(model)
        model = replace_with_bnb_linear(model, kept_out, transformers.BitsAndBytesConfig(load_in_4bit=True))
    import bitsandbytes

    linear = [module for module in model.modules() if isinstance(module, bitsandbytes.nn.Linear4bit)]
    theirs = sum(module.in_features * module.out_features for module in linear)
    mine, form = spec(name), format_of(spec(name), "bnb-nf4")
    ours = 0
    for group in mine.groups:
        for weight, shape in group.block.stored(mine.hidden):
            if form.of(weight, shape) != form.float:
                size = 1
                for side in shape:
                    size *= side
                ours += size * group.layers
    assert theirs == ours


WIDE: dict[str, dict[str, Any]] = {
    "llama": {"hidden_size": 256, "intermediate_size": 768},
    "llama tied": {"hidden_size": 512, "intermediate_size": 256, "num_attention_heads": 8},
    "qwen3": {"hidden_size": 256, "intermediate_size": 768, "head_dim": 128},
    "qwen2": {"hidden_size": 256, "intermediate_size": 1024},
    "gemma3_text": {"hidden_size": 256, "intermediate_size": 1024, "head_dim": 64},
    "gemma2": {"hidden_size": 256, "intermediate_size": 1024, "head_dim": 64},
    "qwen3_moe": {"hidden_size": 256, "moe_intermediate_size": 128, "num_experts": 8},
    "mixtral": {"hidden_size": 256, "intermediate_size": 128, "num_local_experts": 8},
    "gpt_oss": {"hidden_size": 256, "intermediate_size": 128, "num_local_experts": 8},
    "deepseek_v3": {"hidden_size": 256, "intermediate_size": 768, "moe_intermediate_size": 128},
}
"""Wide enough that activations decide, not small change."""


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("attention", ["sdpa", "eager"])
@pytest.mark.parametrize("name", WIDE)
def test_working_memory_is_within_its_band(name: str, attention: str) -> None:
    """The peak of live storages while a prompt is read, less the cache, is what is said give or take the band."""
    import torch
    import transformers

    from tests.live_storage import LiveStorage

    if attention == "sdpa" and kind(name) in EAGER:
        pytest.skip("no SDPA")
    made = transformers.AutoConfig.for_model(kind(name), **{**SMALL[name], **WIDE[name]})
    made._attn_implementation = attention
    model = transformers.AutoModelForCausalLM.from_config(made).to(torch.bfloat16).eval()
    prompt, mine = 256, spec_from_config(made.to_dict(), name)
    tokens = torch.zeros(1, prompt, dtype=torch.long)
    live = LiveStorage([*model.parameters(), *model.buffers(), tokens])
    with torch.no_grad(), live:
        out = model(tokens, use_cache=True, logits_to_keep=1)
    held = live.peak - kept(out.past_key_values)[1]
    claim = next(c for c in account(mine, "transformers", "BF16", context_tokens=prompt, attention=attention).claims if c.part == "compute")
    assert claim.bytes * (1 - claim.within) <= held <= claim.bytes * (1 + claim.within)


def test_bitsandbytes_refuses_to_leave_the_gpu() -> None:
    """With one small GPU a quantised model is refused in the library's words; in BF16 the rest is offloaded."""
    mine, free = spec_from_config({"model_type": "llama", **SMALL["llama"]}, "llama"), (150_000,)
    settings = Settings(gpus=1, gpu_free_bytes=free, ram_free_bytes=10**9)
    with pytest.raises(Refused, match="Some modules are dispatched on the CPU or the disk"):
        placed(modules(mine, format_of(mine, "bnb-nf4")), settings, format_of(mine, "bnb-nf4"))
    assert "cpu" in placed(modules(mine, format_of(mine, "BF16")), settings, format_of(mine, "BF16")).devices
