"""The child process that really runs transformers: reads one job (JSON) on stdin, writes events (JSON lines) on stdout.

A process of its own because its memory can then be measured alone, and because it can be killed. It dies with its parent.
"""

from __future__ import annotations

import json
import os
import sys
import time
from typing import Any

from ..llamacpp.reports import die_with_parent, emit, resident


class Watch:
    """What `generate` hands to its streamer: the prompt once, then each token as it is chosen."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        self._tokens: list[int] = []
        self._shown = ""
        self.seconds: list[float] = []

    def put(self, tokens: Any) -> None:
        self.seconds.append(time.perf_counter())
        if len(self.seconds) == 1:
            return
        self._tokens += tokens.flatten().tolist()
        text = self._tokenizer.decode(self._tokens, skip_special_tokens=True)
        # A character whose bytes are not all here yet is decoded as this.
        if not text.endswith("�"):
            self._show(text)

    def end(self) -> None:
        self._show(self._tokenizer.decode(self._tokens, skip_special_tokens=True))

    def _show(self, text: str) -> None:
        if text != self._shown:
            emit("text", text=text[len(self._shown) :])
            self._shown = text


def loaded(job: dict[str, Any]) -> Any:
    """The model, with the keywords of the plan."""
    import transformers

    given = dict(job["loading"])
    if "quantization_config" in given:
        given["quantization_config"] = transformers.BitsAndBytesConfig(**given["quantization_config"])
    if "max_memory" in given:
        # JSON has no keys but strings.
        given["max_memory"] = {int(key) if key.isdigit() else key: value for key, value in given["max_memory"].items()}
    return transformers.AutoModelForCausalLM.from_pretrained(job["path"], **given).eval()


def answer(model: Any, tokenizer: Any, job: dict[str, Any]) -> dict[str, Any]:
    """One prompt by `generate`: prefill ends with the first token, which is no part of decoding."""
    import torch
    import transformers

    if tokenizer.chat_template:
        said = [{"role": "user", "content": job["prompt"]}]
        inputs = tokenizer.apply_chat_template(said, add_generation_prompt=True, return_tensors="pt", return_dict=True)
    else:
        inputs = tokenizer(job["prompt"], return_tensors="pt")
    inputs = inputs.to(model.device)
    read = int(inputs["input_ids"].shape[1])
    room = job["context_tokens"] - read
    if room < 1:
        raise RuntimeError(f"the prompt has {read} tokens, more than the context holds")
    transformers.set_seed(job["seed"])
    chosen: dict[str, Any] = {"do_sample": job["temperature"] > 0, "max_new_tokens": min(job["max_tokens"], room)}
    if job["temperature"] > 0:
        chosen["temperature"] = job["temperature"]
    if job["cache"] == "static":
        # As long as the plan says: `generate` alone would make it as long as this one answer.
        chosen["past_key_values"] = transformers.StaticCache(config=model.config, max_cache_len=job["context_tokens"])
    watch = Watch(tokenizer)
    with torch.inference_mode():
        model.generate(**inputs, **chosen, streamer=watch, pad_token_id=tokenizer.pad_token_id or tokenizer.eos_token_id or 0)
    begun, first, last = watch.seconds[0], watch.seconds[1], watch.seconds[-1]
    made = len(watch.seconds) - 1
    return {
        "prompt_tokens": read,
        "new_tokens": made,
        "prefill_tokens_per_s": read / (first - begun),
        "decode_tokens_per_s": (made - 1) / (last - first) if made > 1 else None,
    }


def peak() -> int:
    """The most this process held: of the host's memory, and that PyTorch reserved on each CUDA device."""
    import torch

    cards = range(torch.cuda.device_count()) if torch.cuda.is_available() else ()
    return resident()["peak"] + sum(int(torch.cuda.max_memory_reserved(card)) for card in cards)


def main() -> int:
    die_with_parent()
    job = json.loads(sys.stdin.readline())
    # What is not here is not fetched behind anybody's back.
    os.environ |= {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_VERBOSITY": "error"}
    try:
        import torch
        import transformers

        torch.set_num_threads(job["threads"])
        tokenizer = transformers.AutoTokenizer.from_pretrained(job["path"])
        start = time.perf_counter()
        model = loaded(job)
        load_s = time.perf_counter() - start
        emit("done", **answer(model, tokenizer, job), load_s=load_s, bytes=peak(), version=transformers.__version__)
    except Exception as error:
        reason = (str(error).strip().splitlines() or [""])[0].rstrip(".") or type(error).__name__
        emit("failed", message=reason[:300], hint="", log="")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
