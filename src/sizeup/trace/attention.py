"""scaled_dot_product_attention with the choice of kernel that a CUDA build makes (ATen/native/transformers/cuda/sdp_utils.cpp)."""

from __future__ import annotations

from collections import Counter
from typing import Any

WIDEST_HEAD = 256
"""The largest head of FlashAttention-2."""


class Dispatch:
    """Stands in for torch's function: a build without CUDA would take the kernel of the CPU, or none."""

    def __init__(self, torch: Any, device: str) -> None:
        self.torch, self.device = torch, device
        self.asked = "sdpa"
        """"sdpa" and "flash" take what CUDA would; "efficient", "efficient-repeated" and "math" ask for one."""
        self.alive: Any = None
        """What has to live as long as the device does."""
        self.used: Counter[str] = Counter()
        self.original = torch.nn.functional.scaled_dot_product_attention

    def install(self) -> None:
        self.torch.nn.functional.scaled_dot_product_attention = self

    def kernel(self, query: Any, key: Any, value: Any, masked: bool, grouped: bool) -> str:
        """Flash for 16-bit numbers without a mask, for shared keys only where they are `grouped` by name; else the memory-efficient
        one, which wants as many heads in keys as in queries."""
        torch = self.torch
        shared = query.shape[1] != key.shape[1]
        half = query.dtype in (torch.float16, torch.bfloat16)
        flash = half and not masked and (grouped or not shared) and query.shape[-1] == value.shape[-1] <= WIDEST_HEAD
        if self.asked == "math":
            return "math"
        if self.asked in ("sdpa", "flash") and flash:
            return "flash"
        return "math" if shared else "efficient"

    def __call__(
        self,
        query: Any,
        key: Any,
        value: Any,
        attn_mask: Any = None,
        dropout_p: float = 0.0,
        is_causal: bool = False,
        scale: float | None = None,
        enable_gqa: bool = False,
    ) -> Any:
        torch, aten = self.torch, self.torch.ops.aten
        if torch.is_autocast_enabled(self.device):
            # On CUDA autocast runs attention in 16 bits.
            number = torch.get_autocast_dtype(self.device)
            query, key, value = query.to(number), key.to(number), value.to(number)
            if attn_mask is not None and attn_mask.is_floating_point():
                attn_mask = attn_mask.to(number)
        if self.asked == "efficient-repeated" and query.shape[1] != key.shape[1]:
            times = query.shape[1] // key.shape[1]
            key, value, enable_gqa = key.repeat_interleave(times, dim=-3), value.repeat_interleave(times, dim=-3), False
        chosen = self.kernel(query, key, value, attn_mask is not None, enable_gqa)
        self.used[chosen] += 1
        with torch.autocast(self.device, enabled=False):
            if chosen == "flash":
                return aten._scaled_dot_product_flash_attention(query, key, value, dropout_p, is_causal, False, scale=scale)[0]
            if chosen == "efficient":
                mask = self.additive(attn_mask, query, key)
                needs = torch.is_grad_enabled() and any(x.requires_grad for x in (query, key, value))
                return aten._scaled_dot_product_efficient_attention(query, key, value, mask, needs, dropout_p, is_causal, scale=scale)[0]
            if self.device != "cuda":
                return aten._scaled_dot_product_attention_math(
                    query, key, value, attn_mask, dropout_p, is_causal, None, scale=scale, enable_gqa=enable_gqa
                )[0]
            return self.original(query, key, value, attn_mask, dropout_p, is_causal, scale=scale, enable_gqa=enable_gqa)

    def additive(self, mask: Any, query: Any, key: Any) -> Any:
        """The mask as the memory-efficient kernel takes it: added to the scores, one for every head."""
        if mask is None:
            return None
        torch = self.torch
        if mask.dtype == torch.bool:
            mask = torch.zeros_like(mask, dtype=query.dtype).masked_fill_(mask.logical_not(), float("-inf"))
        return mask.expand(query.shape[0], query.shape[1], query.shape[2], key.shape[2])
