"""The command line that starts mlx-lm with these settings."""

from __future__ import annotations

import re
import shlex

from ...figure import plain
from ...model import ModelSpec
from .formats import Format, stored_as
from .settings import Settings


def command(model: ModelSpec, format: Format, settings: Settings) -> str:
    """`mlx_lm.generate …` or `mlx_lm.server …`; before it the conversion, where the model is not in this format yet."""
    serves = settings.server or plain(settings.sequences) > 1
    name = model.named
    typed = []
    if format.packed and stored_as(model) is None:
        made = f"{re.sub(r'[^A-Za-z0-9._-]+', '-', name.rpartition('/')[2])}-{format.packed}"
        typed.append(shlex.join(["mlx_lm.convert", "--hf-path", name, "--mlx-path", made, *_quantised(format.packed)]))
        name = made
    words = ["mlx_lm.server" if serves else "mlx_lm.generate", "--model", name]
    if not serves:
        words += ["--prompt", "Hello", "--max-tokens", str(plain(settings.context_tokens))]
    defaults = Settings()
    if settings.prefill_tokens != defaults.prefill_tokens:
        words += ["--prefill-step-size", str(plain(settings.prefill_tokens))]
    if settings.kv_bits:
        words += ["--kv-bits", str(settings.kv_bits)]
        words += ["--kv-group-size", str(settings.kv_group)] if settings.kv_group != defaults.kv_group else []
        words += ["--quantized-kv-start", str(settings.kv_start)] if settings.kv_start != defaults.kv_start else []
    if serves:
        words += ["--decode-concurrency", str(plain(settings.sequences))]
        if settings.prompt_caches is not None:
            words += ["--prompt-cache-size", str(settings.prompt_caches)]
    return " && ".join([*typed, shlex.join(words)])


def _quantised(packed: str) -> list[str]:
    found = re.fullmatch(r"mlx-(\d)bit-g(\d+)", packed)
    if found is None:
        return ["-q", "--q-mode", packed.removeprefix("mlx-")]
    return ["-q", "--q-bits", found[1], "--q-group-size", found[2]]
